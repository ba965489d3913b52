"""The end of the page: sources of variance, methods, every run, the networks, the environment, how to repeat it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields

from paribus.analysis import NoiseShares
from paribus.analysis.wording import counted
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.records import Environment, RunResult, Seeds
from paribus.report import numbers
from paribus.report.commands import describe_installation, is_built_in, list_commands
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import code_spans, details, folded_section, section, table
from paribus.report.methods import describe_methods
from paribus.report.splits import name_place, name_run_kind
from paribus.report.tables import list_measures
from paribus.report.toml import to_toml
from paribus.study.predictions_request import PredictionsRequest

_RUN = ("test_accuracy", "train_accuracy", "generalization_gap", "fit_accuracy", "test_loss")


def noise_section(shares: Mapping[str, NoiseShares]) -> Markup | None:
    """How much of a run's variance comes from each source of randomness; None without any shares.

    Args:
        shares: by arm.
    """
    if not shares:
        return None
    parts = [
        table(
            f"{arm}: where the variance of one run's test accuracy comes from",
            ["Source", "Share", "Standard deviation, points", "Runs"],
            [
                [
                    share.source,
                    numbers.UNDEFINED if share.share is None else _bar(share.share),
                    f"{100 * share.variance**0.5:.3f}",
                    str(share.runs),
                ]
                for share in source.shares
            ],
        )
        for arm, source in shares.items()
    ]
    lead = (
        "One stream of randomness was varied at a time while the others were held. The test sample is what a fresh "
        "test set of the same size would add."
    )
    return section("noise", "What varied", tag("p", lead), parts)


def methods_section(outcome: Outcome, *, calibration: bool) -> Markup:
    """The methods paragraphs and their sources.

    Args:
        outcome: the outcome.
        calibration: whether the page shows calibration, which has a source of its own.
    """
    text = describe_methods(outcome, calibration=calibration)
    sources = tag("ul", [tag("li", source) for source in text.sources], class_="sources") if text.sources else None
    lead = "what was trained, measured and compared, in the words of a paper"
    return folded_section("methods", "Methods", lead, [tag("p", paragraph) for paragraph in text.paragraphs], sources)


def runs_section(outcome: Outcome) -> Markup:
    """Every run, and those that are missing."""
    rows = [_run(outcome, arm, run) for arm in outcome.arms for run in arm.runs]
    rows += [
        [_run_name(outcome, arm, seeds), "not computed", *[numbers.UNDEFINED] * 7]
        for arm in outcome.arms
        for seeds in arm.missing
    ]
    if outcome.predictions_request is not None:
        return _known_runs(outcome)
    head = [
        f"Arm and {name_run_kind(outcome)}",
        "Status",
        "Test, %",
        "Train, %",
        "Gap, points",
        "Fit, %",
        "Test loss",
        "Seconds",
        "Weights",
    ]
    body = table("Every run; weights by the first digits of their sha256", head, rows, numbers=2)
    return folded_section("runs", "Every run", counted(len(rows), "run"), body)


def _known_runs(outcome: Outcome) -> Markup:
    """Every run of predictions from elsewhere, with the measures that are known."""
    measures = list_measures(outcome)
    rows: list[list[Child]] = [
        [
            f"{arm.name} {numbers.pairing_seed(run.seeds)}",
            *(numbers.format_value(name, getattr(run.scores, name)) for name, _ in measures),
        ]
        for arm in outcome.arms
        for run in arm.runs
    ]
    body = table("Every run", ["Arm and seed", *(heading for _, heading in measures)], rows)
    return folded_section("runs", "Every run", counted(len(rows), "run"), body)


def networks_section(outcome: Outcome) -> Markup | None:
    """Layers and optimizer of every network, and the arguments of every estimator; nothing where they are unknown."""
    if outcome.predictions_request is not None:
        return None
    arms = [_estimator(arm) if arm.trained_recipe.is_estimator else _network(arm) for arm in outcome.arms]
    kinds = {arm.trained_recipe.is_estimator for arm in outcome.arms}
    names = [name for name, estimators in (("networks", False), ("estimators", True)) if estimators in kinds]
    title = f"The {' and '.join(names)}"
    return folded_section("networks", title, "layers, optimizers and their arguments", arms)


def repeat_section(outcome: Outcome) -> Markup:
    """Environment, commands and, unless it is built in, the study itself."""
    if outcome.predictions_request is not None:
        return _judge_again(outcome, outcome.predictions_request)
    study = None
    if not is_built_in(outcome.document):
        text = tag("pre", tag("code", to_toml(outcome.document)), tabindex=0)
        study = [tag("p", "The study, to be saved as ", tag("code", "study.toml"), ":"), text]
    environments = [_environment(environment, number) for number, environment in enumerate(outcome.environments, 1)]
    return folded_section(
        "again",
        "Run it again",
        "commands, versions, and the study itself",
        tag(
            "p",
            "The same study with the same seeds on the same kind of machine gives the same bits; compare the weights' "
            "digests, or have ",
            tag("code", "paribus verify"),
            " train some of the runs of this file again and compare them.",
        ),
        tag("p", code_spans(describe_installation(outcome))),
        tag("pre", tag("code", "\n".join(list_commands(outcome))), tabindex=0),
        study,
        tag(
            "p",
            "Data: ",
            tag("b", outcome.data.name),
            ", sha256 ",
            tag("code", outcome.data.fingerprint, class_="digest"),
        ),
        environments or tag("p", "No environment was recorded."),
    )


def _judge_again(outcome: Outcome, request: PredictionsRequest) -> Markup:
    """How the same predictions are judged again."""
    return folded_section(
        "again",
        "Judge it again",
        "the command, and the digest of the predictions",
        tag("p", code_spans(describe_installation(outcome))),
        tag("pre", tag("code", "\n".join(list_commands(outcome))), tabindex=0),
        tag(
            "p",
            "Predictions: ",
            tag("b", request.source),
            ", sha256 of their content ",
            tag("code", request.fingerprint, class_="digest"),
        ),
    )


def _run(outcome: Outcome, arm: ArmOutcome, run: RunResult) -> list[Child]:
    scores = run.scores
    measures = [
        numbers.UNDEFINED if scores is None else numbers.format_value(name, getattr(scores, name)) for name in _RUN
    ]
    status: Child = str(run.status) if run.reason is None else f"{run.status}: {run.reason}"
    digest = tag("code", run.weights_digest[:12], title=run.weights_digest) if run.weights_digest else numbers.UNDEFINED
    return [_run_name(outcome, arm, run.seeds), status, *measures, f"{run.seconds:.1f}", digest]


def _run_name(outcome: Outcome, arm: ArmOutcome, seeds: Seeds) -> Child:
    """The arm and the seed; a fold, which has more words, is below its arm."""
    place = name_place(outcome, seeds)
    if name_run_kind(outcome) == "seed":
        return f"{arm.name} {place}"
    return [tag("span", arm.name, class_="name"), tag("br"), tag("small", place)]


def _estimator(arm: ArmOutcome) -> Markup:
    text = json.dumps(json.loads(arm.trained_recipe.model)["estimator"], ensure_ascii=False)
    lead = "scikit-learn's class with its arguments, defaults spelled out"
    return details(
        f"{arm.name}: {arm.trained_recipe.kind}", tag("p", lead), tag("pre", tag("code", _indented(text)), tabindex=0)
    )


def _network(arm: ArmOutcome) -> Markup:
    rows: list[list[Child]] = [
        [layer.name, layer.kind, layer.output_shape, f"{layer.parameters:,}"] for layer in arm.trained_recipe.layers
    ]
    return details(
        f"{arm.name}: {arm.trained_recipe.parameters:,} parameters",
        table(f"Layers of {arm.name}", ["Layer", "Kind", "Output shape", "Parameters"], rows, numbers=2),
        tag("p", "Optimizer"),
        tag("pre", tag("code", _indented(arm.trained_recipe.optimizer)), tabindex=0),
    )


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except json.JSONDecodeError:
        return text


def _environment(environment: Environment, number: int) -> Markup:
    rows: list[list[Child]] = [
        [field.name, getattr(environment, field.name) or numbers.UNDEFINED] for field in fields(Environment)
    ]
    return table(f"Environment {number}", ["Part", "Version"], rows, numbers=9)


def _bar(share: float) -> list[Child]:
    return [tag("span", style=f"--share:{share:.3f}", class_="bar"), f"{share * 100:.0f}\N{NO-BREAK SPACE}%"]
