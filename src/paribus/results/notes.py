"""Notes for the reader of an outcome: runs that diverged, failed, are missing or were computed elsewhere. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from paribus.analysis.wording import counted, listed
from paribus.early_stopping import find_best_epoch
from paribus.keras_config.ends import end_that_misfits
from paribus.keras_config.learning_rates import list_learning_rates, monitored_of
from paribus.keras_config.metric_forms import has_positive_class
from paribus.keras_config.names import is_log_loss, name_of
from paribus.outcome.choice import Choice
from paribus.outcome.outcome import ArmOutcome
from paribus.records import Environment, RunResult, Status
from paribus.results.scores import name_in_sentences
from paribus.study.candidates import format_values
from paribus.study.document import StudyDocument
from paribus.study.statements import declared_statements


def list_notes(
    document: StudyDocument,
    arms: Sequence[ArmOutcome],
    environments: Sequence[Environment],
    data_notes: Sequence[str] = (),
    *,
    loss_is_per_example: bool = True,
    positive: str | None = None,
) -> tuple[str, ...]:
    """List a sentence for everything that limits the results.

    Args:
        document: the study.
        arms: its arms with their runs.
        environments: the environments that the runs were computed in, each once.
        data_notes: remarks on how the data was read, which come first.
        loss_is_per_example: whether a test loss is known for each test example, not only for the whole split.
        positive: the class that binary metrics are about, where the study names none and has such metrics.
    """
    notes: list[str] = [*data_notes]
    if estimators := [arm for arm in arms if arm.trained_recipe.is_estimator]:
        notes += [_note_estimators(document, estimators), *_note_deterministic(estimators), *_note_warnings(estimators)]
    for arm in arms:
        notes += [_note_bad_end(arm.name, run) for run in arm.runs if run.status is not Status.FINISHED]
        if arm.missing:
            seeds = ", ".join(str(seeds.init if seeds.seed is None else seeds.seed) for seeds in arm.missing)
            notes.append(f"{arm.name}: no run yet for seed {seeds}; the same `paribus run` computes what is missing.")
    notes += _note_initial_weights(arms)
    notes += _note_misfitting_ends(document, arms)
    notes += _note_equal_recipes(document, arms)
    notes += _note_loss_of_whole_runs(document, loss_is_per_example=loss_is_per_example)
    if positive is not None:
        names = listed([name_in_sentences(name_of(*item)) for item in list_positive_metrics(document)])
        verb = "is" if len(list_positive_metrics(document)) == 1 else "are"
        notes.append(
            f"Of the metrics, {names} {verb} about class '{positive}'; `positive` in [protocol] names another."
        )
    notes += _note_absent_arms(document, arms)
    notes += _note_tuning(document, arms)
    notes += note_mixed_environments(environments)
    notes += _note_early_stopping(document, arms)
    notes += _note_plateaus(document, arms)
    notes += _note_coming_look(document, arms)
    return tuple(notes)


def _note_coming_look(document: StudyDocument, arms: Sequence[ArmOutcome]) -> list[str]:
    """Statements that are not judged yet, as their first planned look is still to come."""
    looks, statements = document.comparison.looks, declared_statements(document)
    seeds = {arm.name: len(arm.runs) for arm in arms}
    waiting = [s for s in statements if looks and all(arm in seeds for arm in s.arms)]
    waiting = [s for s in waiting if s.primary or not any(other.primary for other in statements)]
    waiting = [s for s in waiting if min(seeds[arm] for arm in s.arms) < looks[0]]
    if not waiting:
        return []
    what = listed([statement.name for statement in waiting]) if len(waiting) < len(statements) else "nothing"
    negation = "Nothing is judged yet" if what == "nothing" else f"Not judged yet: {what}"
    return [
        f"{negation}: the first planned look is at {looks[0]} seeds an arm. `paribus run --until-decided` takes it."
    ]


def _note_absent_arms(document: StudyDocument, arms: Sequence[ArmOutcome]) -> list[str]:
    """Arms of the study that were never run; their contrasts keep their share of the error."""
    absent = [name for name in document.arms if name not in {arm.name for arm in arms}]
    if not absent:
        return []
    return [
        f"No run yet of {listed(absent)}: the answer is that of the whole study, and their statements keep their "
        "share of the error; `paribus run` without --arm computes them."
    ]


def note_mixed_environments(environments: Sequence[Environment]) -> tuple[str, ...]:
    """A sentence where runs were computed in different environments; nothing where all are the same."""
    notes = []
    for runs, of_estimators in (("These runs", False), ("The runs of the scikit-learn estimators", True)):
        # An estimator needs other software than a network; that difference is no mixture.
        same_kind = [environment for environment in environments if environment.of_estimator is of_estimators]
        if len(same_kind) > 1:
            notes.append(
                f"{runs} were computed in {len(same_kind)} different environments ({_format_differences(same_kind)}): "
                "equal seeds need not give equal bits across them."
            )
    return tuple(notes)


def note_untuned_arms(document: StudyDocument, names: Sequence[str]) -> tuple[str, ...]:
    """A sentence where some of these arms were tuned and others were not; nothing where all or none were.

    Args:
        document: the study.
        names: the arms.
    """
    tuned = [name for name in document.tuned if name in names]
    others = [name for name in names if name not in tuned]
    if not tuned or not others:
        return ()
    return (
        f"{listed(others)} {'was' if len(others) == 1 else 'were'} not tuned, {listed(tuned)} "
        f"{'was' if len(tuned) == 1 else 'were'}: a difference between them may come from the tuning alone.",
    )


def _note_misfitting_ends(document: StudyDocument, arms: Sequence[ArmOutcome]) -> Iterator[str]:
    """Networks whose last activation does not fit the loss, which trains them all the same."""
    for arm in arms:
        if not arm.trained_recipe.is_estimator:
            misfit = end_that_misfits(json.loads(arm.trained_recipe.model), document.protocol.loss)
            if misfit is not None:
                yield f"{arm.name}: {misfit}."


def _note_initial_weights(arms: Sequence[ArmOutcome]) -> Iterator[str]:
    """Arms whose runs all start from the same weights: what their seeds vary, and what an answer holds for."""
    digests = {arm.name: arm.trained_recipe.initial_weights for arm in arms}
    starting = {name: digest for name, digest in digests.items() if digest is not None}
    if not starting:
        return
    files = [f"{name} (digest {digest[:12]})" for name, digest in starting.items()]
    single = len(starting) == 1
    yield (
        f"{listed(files)} {'starts' if single else 'start'} from weights that are the same for every seed, so that "
        f"{'its' if single else 'their'} seeds vary the order of the batches and dropout alone: the answer holds for "
        "these weights, not for others that the same pretraining could end with."
    )


def _note_equal_recipes(document: StudyDocument, arms: Sequence[ArmOutcome]) -> Iterator[str]:
    """Arms that are one recipe under several names: their runs are the same, so that their difference is 0."""
    by_recipe: dict[tuple[object, ...], list[str]] = {}
    for arm in arms:
        training = document.protocol.training(document.arms[arm.name])
        recipe = arm.trained_recipe
        trained = None if recipe.is_estimator else (training.precision, training.learning_rates)
        key = (recipe.model, recipe.optimizer, recipe.initial_weights, trained)
        by_recipe.setdefault(key, []).append(arm.name)
    for names in by_recipe.values():
        if len(names) > 1:
            yield (
                f"{listed(names)} are the same recipe under {len(names)} names, trained once: their difference is 0 by "
                "construction."
            )


def list_positive_metrics(document: StudyDocument) -> list[tuple[str, dict[str, Any]]]:
    """The protocol's metrics that are about a positive class, with their arguments."""
    return [item for item in document.protocol.list_metric_forms() if has_positive_class(*item)]


def _note_loss_of_whole_runs(document: StudyDocument, *, loss_is_per_example: bool) -> list[str]:
    """Why losses of cross-entropy are judged by run and not by example."""
    if loss_is_per_example or not is_log_loss(document.protocol.loss):
        return []
    return [
        "Test losses are those that the loss function reports for each run. They are not the mean of -log of the right "
        "class's probability here (the outputs of some arm are not class probabilities that sum to 1), so that "
        "claims about losses hold on this test set."
    ]


def _note_tuning(document: StudyDocument, arms: Sequence[ArmOutcome]) -> Iterator[str]:
    """Limits of the choices of tuned arms, and arms that were not tuned."""
    yield from note_untuned_arms(document, [arm.name for arm in arms])
    for arm in arms:
        if arm.name in document.tuned and arm.tuning is None:
            yield (
                f"{arm.name} was tuned, but its candidates are no longer stored with this study; the same `paribus "
                "run` stores them again."
            )
        elif arm.tuning is not None:
            yield from _note_choice(document, arm.tuning)


def _note_choice(document: StudyDocument, choice: Choice) -> Iterator[str]:
    """Candidates that diverged or failed, and selected values at an end of the grid (decision 0038)."""
    for candidate in choice.candidates:
        for remark in dict.fromkeys(candidate.remarks):
            scored = "it has no score and could not be selected" if candidate.mean is None else "it counts as tried"
            yield f"{choice.arm}, candidate {format_values(candidate.candidate.by_key)}: {remark}; {scored}."
    grid = document.arms[choice.arm].grid or {}
    for key, value in choice.values.items():
        numbers = sorted(v for v in grid[key] if isinstance(v, int | float) and not isinstance(v, bool))
        if len(numbers) == len(grid[key]) > 2 and value in (numbers[0], numbers[-1]) and value != 0:
            end = "smallest" if value == numbers[0] else "largest"
            yield f"{choice.arm}: the selected {key}, {value}, is the {end} of the grid; a better one may be beyond it."


def _note_early_stopping(document: StudyDocument, arms: Sequence[ArmOutcome]) -> list[str]:
    """The epochs whose weights are judged under early stopping."""
    rule = document.protocol.training().early_stopping
    if rule is None:
        return []
    networks = [arm for arm in arms if arm.scored and not arm.trained_recipe.is_estimator]
    best_epochs = {arm.name: sorted(find_best_epoch(rule, run.curve) for run in arm.scored) for arm in networks}
    spans = ", ".join(f"{name} {_format_span(epochs)}" for name, epochs in best_epochs.items())
    sentence = (
        f"Early stopping chose by {rule.monitor.replace('val_', 'validation ')} the epoch whose weights are judged"
    )
    return [f"{sentence}, of at most {document.protocol.epochs}: {spans}."] if spans else []


def _note_plateaus(document: StudyDocument, arms: Sequence[ArmOutcome]) -> Iterator[str]:
    """How often the learning rate was reduced."""
    rule = document.protocol.training().reduce_lr_on_plateau
    networks = [arm for arm in arms if arm.scored and not arm.trained_recipe.is_estimator]
    if rule is None or not networks:
        return
    spans = []
    for arm in networks:
        first = float(json.loads(arm.trained_recipe.optimizer)["config"]["learning_rate"])
        rates = [list_learning_rates(rule, monitored_of(run.curve, rule.monitor), first)[:-1] for run in arm.scored]
        spans.append(f"{arm.name} {_format_span(sorted(len(set(of_run)) - 1 for of_run in rates))}")
    measure = rule.monitor.replace("val_", "validation ")
    yield f"The learning rate was reduced on plateaus of the {measure}; times a run: {', '.join(spans)}."


def _format_span(epochs: Sequence[int]) -> str:
    return str(epochs[0]) if epochs[0] == epochs[-1] else f"{epochs[0]} to {epochs[-1]}"


def _note_bad_end(arm: str, run: RunResult) -> str:
    name = f"{arm} seed {run.seeds.init if run.seeds.seed is None else run.seeds.seed}"
    if run.status is Status.DIVERGED:
        return f"{name} diverged ({run.reason}); it counts with the scores of its last weights, and is not left out."
    return f"{name} failed ({run.reason}); it has no score and no part in any mean."


def _format_differences(environments: Sequence[Environment]) -> str:
    """``jax: 0.10.2 / 0.10.3; cpu: ...``: the fields that differ, with their values."""
    parts = []
    for field in fields(Environment):
        values = dict.fromkeys(str(getattr(environment, field.name)) for environment in environments)
        if len(values) > 1:
            parts.append(f"{field.name}: {' / '.join(values)}")
    return "; ".join(parts)


def _note_estimators(document: StudyDocument, arms: Sequence[ArmOutcome]) -> str:
    names = listed([arm.name for arm in arms])
    protocol = document.protocol
    followed = "the same training examples, prepared in the same way, each as one vector"
    left_out = ["epochs", "batch size"]
    left_out += ["early stopping"] * (protocol.early_stopping is not None)
    left_out += ["learning rates"] * (protocol.learning_rates is not None or protocol.reduce_lr_on_plateau is not None)
    left_out += ["precision"] * (protocol.precision != "float32")
    losses = "" if is_log_loss(protocol.loss) else ", nor a loss under this protocol"
    single = len(arms) == 1
    return (
        f"{names} {'is a scikit-learn estimator' if single else 'are scikit-learn estimators'}, fitted to {followed}, "
        f"with random_state from each seed's init stream. Of the protocol they do not use: {listed(left_out)}. "
        f"{'It has' if single else 'They have'} no fit accuracy{losses}."
    )


def _note_deterministic(arms: Sequence[ArmOutcome]) -> list[str]:
    """Arms whose runs are all equal to the last bit: their seeds are one model, and no sample."""
    same = [arm for arm in arms if len(arm.scored) > 1 and len({run.weights_digest for run in arm.scored}) == 1]
    if not same:
        return []
    if len(same) == 1:
        subject = f"{same[0].name} is deterministic: its seeds are one and the same model, which"
    else:
        names = listed([arm.name for arm in same])
        subject = f"{names} are deterministic: the seeds of each are one and the same model, which"
    return [f"{subject} does not vary between seeds; claims on new data still count the test examples as a sample."]


def _note_warnings(arms: Sequence[ArmOutcome]) -> list[str]:
    """The warnings of scikit-learn, with the number of seeds that caused them."""
    lines = []
    for arm in arms:
        warnings = [run.reason for run in arm.runs if run.status is Status.FINISHED and run.reason is not None]
        for text in dict.fromkeys(warnings):
            seeds = f"{warnings.count(text)} of {counted(len(arm.scored), 'seed')}"
            lines.append(f"{arm.name}: while it was fitted, with {seeds}, scikit-learn warned: {text}")
    return lines
