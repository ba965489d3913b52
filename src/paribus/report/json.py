"""The JSON of a study's answer: a contract that scripts depend on. Undefined is null; nan and infinity never appear."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from paribus.analysis import Comparison, Effect, Estimate, JudgedContrast, Missing, Verdict
from paribus.analysis.sentences import contrast_sentence, effect_sentence
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.records import Folds, RunResult, Scores, Seeds
from paribus.report import tuning
from paribus.report.numbers import parameter_count
from paribus.report.statements import list_misreadings
from paribus.study.document import StudyDocument
from paribus.study.predictions_request import PredictionsRequest

SCORES = (
    "test_accuracy",
    "train_accuracy",
    "fit_accuracy",
    "generalization_gap",
    "test_loss",
    "train_loss",
    "fit_loss",
)
"""The measures of a run, in the order of the JSON."""

_COMPARED = (
    *("difference", "low", "high", "p_value", "p_adjusted", "scope", "verdict", "level", "margin", "p_equivalent"),
    *("standard_error", "seeds", "seed_differences", "family", "share", "primary"),
    *("sign_flip", "probability_better", "look"),
)


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """The JSON of an outcome, as plain values that any JSON writer takes.

    Accuracies are fractions of 1; ``low`` and ``high`` are the interval at ``level``.

    Args:
        outcome: the outcome.
    """
    if outcome.predictions_request is not None:
        return _predictions_fields(outcome, outcome.predictions_request)
    study, data = outcome.document, outcome.data
    return {
        "study": study.name,
        "question": study.question,
        "data": {
            "name": data.name,
            "fingerprint": data.fingerprint,
            "train": data.train,
            "test": data.test,
            **_divided(study),
            "input_shape": list(data.input_shape),
            "classes": data.classes,
        },
        "protocol": study.protocol.model_dump(mode="json"),
        "scope": study.scope,
        "level": study.comparison.level,
        "metrics": [metric.name for metric in outcome.metrics],
        "arms": [_arm(outcome, arm) for arm in outcome.arms],
        "contrasts": [contrast_fields(contrast) | _declared_share(outcome, contrast) for contrast in outcome.contrasts],
        "effects": [_effect(effect) | _declared_share(outcome, effect) for effect in outcome.effects],
        "notes": list(outcome.notes),
        "readings": [asdict(misreading) for misreading in list_misreadings(outcome)],
        "noise": {arm: asdict(shares) for arm, shares in outcome.noise.items()},
        "environments": [asdict(environment) for environment in outcome.environments],
    }


def _divided(study: StudyDocument) -> dict[str, Any]:
    """The folds of cross-validation; ``train`` and ``test`` are then the sizes of the first fold's parts."""
    divided = study.data.divided
    if divided is None:
        return {}
    return {"folds": divided.count, "repeats": divided.repeats, "group": divided.group}


def _predictions_fields(outcome: Outcome, request: PredictionsRequest) -> dict[str, Any]:
    """The fields that predictions from elsewhere have; those that cannot be known are absent."""
    return {
        "study": request.name,
        "question": request.question,
        "data": {
            "name": request.source,
            "fingerprint": request.fingerprint,
            "test": request.examples,
            "classes": len(request.classes),
            **({} if request.groups is None else {"groups": request.groups}),
            **({} if request.folds is None else {"folds": request.folds, "repeats": request.repeats}),
        },
        "scope": request.scope,
        "level": request.comparison.level,
        "arms": [_predictions_arm(outcome, arm) for arm in outcome.arms],
        "contrasts": [contrast_fields(contrast) | _declared_share(outcome, contrast) for contrast in outcome.contrasts],
        "notes": list(outcome.notes),
    }


def _predictions_arm(outcome: Outcome, arm: ArmOutcome) -> dict[str, Any]:
    return {
        "name": arm.name,
        "seeds": [run.seeds.seed for run in arm.runs],
        **{name: _estimate(estimate) for name, estimate in arm.estimates.items()},
        "runs": [known_run_fields(outcome, arm, run) for run in arm.runs],
    }


def known_run_fields(outcome: Outcome, arm: ArmOutcome, run: RunResult) -> dict[str, Any]:
    """One run with the fields that are known of it: all of them in a study, the measures of predictions."""
    fields = run_fields(run, None if arm.recipe is None else outcome.document.data.divided)
    if arm.recipe is not None:
        return fields
    return {name: fields[name] for name in ("seed", *arm.estimates)}


def _declared_share(outcome: Outcome, judged: JudgedContrast | Effect) -> dict[str, Any]:
    """Share of the error and primary flag of a contrast or effect without scores, as the study declares them.

    Its comparison has both where there is one; without scores it keeps its share (decision record 0050).
    """
    if judged.comparison is not None:
        return {}
    key = (judged.a, judged.b, judged.metric.name) if isinstance(judged, JudgedContrast) else _effect_key(judged)
    declared = next((statement for statement in outcome.statements if statement.key == key), None)
    return {} if declared is None else {"share": declared.share, "primary": declared.primary}


def _effect_key(effect: Effect) -> tuple[object, ...]:
    return (effect.factors, effect.levels)


def run_fields(run: RunResult, divided: Folds | None = None) -> dict[str, Any]:
    """One run, with the field names of the JSON; also the columns of the CSV.

    Where examples are ``divided`` into folds, ``repeat`` and ``fold`` say what the run was tested on.
    """
    return {
        **_seed(run.seeds),
        **place_fields(run.seeds, divided),
        "status": str(run.status),
        **{name: _score(run.scores, name) for name in SCORES},
        **{name: _number(value) for name, value in run.metrics.items()},
        "seconds": _number(run.seconds),
        "weights_digest": run.weights_digest,
        "fingerprint": run.fingerprint,
        "reason": run.reason,
    }


def _arm(outcome: Outcome, arm: ArmOutcome) -> dict[str, Any]:
    return {
        "name": arm.name,
        "parameters": parameter_count(arm.trained_recipe),
        "levels": dict(arm.levels),
        "seeds": [run.seeds.seed for run in arm.runs],
        "missing": [seeds.seed for seeds in arm.missing],
        "tuning": tuning.tuning_fields(outcome, arm.tuning),
        **{name: _estimate(arm.estimates.get(name)) for name in (*SCORES, *(m.name for m in outcome.metrics))},
        "runs": [run_fields(run, outcome.document.data.divided) for run in arm.runs],
    }


def _estimate(value: Estimate | None) -> dict[str, Any]:
    """Always the same keys, so that a script can read ``arm["test_accuracy"]["mean"]`` of an arm without scores."""
    if value is None:
        return {"mean": None, "low": None, "high": None, "sd": None, "n": 0, "scope": None}
    return {
        "mean": _number(value.mean),
        "low": _number(value.low),
        "high": _number(value.high),
        "sd": _number(value.sd),
        "n": value.n,
        "scope": str(value.scope),
    }


def contrast_fields(contrast: JudgedContrast) -> dict[str, Any]:
    """One contrast, with the field names of the JSON."""
    return {
        "a": contrast.a,
        "b": contrast.b,
        "metric": contrast.metric.name,
        **_comparison(contrast.comparison),
        "sentence": contrast_sentence(contrast),
        "p_holm": _number(contrast.p_holm),
        "missing": [_missing(missing) for missing in contrast.missing],
        "looks_taken": list(contrast.looks_taken),
        "next_step": contrast.next_step or None,
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "name": effect.name,
        "factors": [
            {"factor": factor, "low": low, "high": high}
            for factor, (low, high) in zip(effect.factors, effect.levels, strict=True)
        ],
        "interaction": effect.is_interaction,
        "metric": effect.metric.name,
        **_comparison(effect.comparison),
        "sentence": effect_sentence(effect),
        "p_holm": _number(effect.p_holm),
        "missing": [_missing(missing) for missing in effect.missing],
        "looks_taken": list(effect.looks_taken),
        "next_step": effect.next_step or None,
    }


def _comparison(comparison: Comparison | None) -> dict[str, Any]:
    """The numbers of a comparison. Without a seed that both arms have there are none, and nothing is decided."""
    if comparison is None:
        undecided = {"verdict": str(Verdict.UNDECIDED), "seeds": 0, "seed_differences": [], "primary": False}
        return dict.fromkeys(_COMPARED) | undecided
    flip, superior, look = comparison.sign_flip, comparison.superiority, comparison.look
    return {
        "difference": _number(comparison.difference),
        "low": _number(comparison.low),
        "high": _number(comparison.high),
        "p_value": _number(comparison.p_value),
        "p_adjusted": _number(comparison.p_adjusted),
        "scope": str(comparison.scope),
        "verdict": str(comparison.verdict),
        "level": comparison.level,
        "margin": comparison.margin,
        "p_equivalent": _number(comparison.p_equivalent_adjusted),
        "standard_error": _number(comparison.standard_error),
        "seeds": comparison.seeds,
        "seed_differences": [_number(value) for value in comparison.seed_differences],
        "family": comparison.contrasts,
        "share": comparison.share,
        "primary": comparison.primary,
        "sign_flip": None if flip is None else {"p_value": flip.p_value, "smallest": flip.smallest},
        "probability_better": None if superior is None else _number(superior.probability),
        "look": None if look is None else {"number": look.number, "planned": look.planned, "seeds": look.seeds},
        **_folded(comparison),
    }


def _folded(comparison: Comparison) -> dict[str, Any]:
    """The folds of cross-validation, with the differences of the folds; nothing of one split."""
    folded = comparison.folded
    if folded is None:
        return {}
    differences = [_number(value) for value in folded.differences]
    rows = [differences[start : start + folded.folds] for start in range(0, len(differences), folded.folds)]
    return {"folds": folded.folds, "repeats": folded.repeats, "seeds_per_fold": folded.seeds, "fold_differences": rows}


def _missing(missing: Missing) -> dict[str, Any]:
    return {"arm": missing.arm, "seeds": list(missing.seeds)}


def place_fields(seeds: Seeds, divided: Folds | None) -> dict[str, Any]:
    """The repetition and the fold that a run was tested on, from 0; nothing with a fixed test split."""
    if divided is None or seeds.seed is None:
        return {}
    of_run = divided.of_seed(seeds.seed)
    return {"repeat": of_run.repeat, "fold": of_run.fold}


def _seed(seeds: Seeds) -> dict[str, Any]:
    """A run with a seed for each stream has no single seed; it has all three instead."""
    if seeds.seed is not None:
        return {"seed": seeds.seed}
    return {"seed": None, "seeds": {"init": seeds.init, "order": seeds.order, "dropout": seeds.dropout}}


def _score(scores: Scores | None, name: str) -> float | None:
    return None if scores is None else _number(getattr(scores, name))


def _number(value: float | None) -> float | None:
    """Undefined and infinite numbers are null: JSON has neither."""
    return None if value is None or not math.isfinite(value) else float(value)
