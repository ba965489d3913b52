"""The part of a report that its runs can be verified from: the study, what was trained, full digests, environments.

It is part of the HTML, as JSON in a ``<template>``, which no browser shows or runs. Fields are only ever added.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from html import escape, unescape
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paribus.errors import UsageError
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.records import Environment, RunResult, Scores
from paribus.report.toml import to_toml
from paribus.version import __version__

_ID: Final = "paribus-runs"
_BLOCK = re.compile(rf'<template id="{_ID}">(.*?)</template>', re.DOTALL)
_MOST_SEED = 2**63 - 1

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Seed = Annotated[int, Field(ge=-_MOST_SEED - 1, le=_MOST_SEED)]


class _Table(BaseModel):
    """Keys that a later version adds are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RunClaim(_Table):
    """A run of a report.

    Attributes:
        seeds: the seeds of its streams: init, order, dropout.
        fingerprint: its fingerprint.
        status: how it ended.
        weights_digest: the sha256 of its weights; None for a failed run.
        scores: its measures by name, None for those that are not numbers; None for a failed run.
        metrics: the values of added metrics by name.
        environment: the index of its environment in ``ReportClaims.environments``; None where it is not known.
    """

    seeds: tuple[Seed, Seed, Seed]
    fingerprint: Digest
    status: Literal["finished", "diverged", "failed"]
    weights_digest: Digest | None
    scores: dict[str, float | None] | None
    metrics: dict[str, float | None]
    environment: Annotated[int, Field(ge=0)] | None


class ArmClaim(_Table):
    """An arm of a report.

    Attributes:
        name: the arm's name.
        model: the model of its canonical form, as in ``paribus.records.Recipe``; so are the next two.
        optimizer: the optimizer.
        parameters: the number of weights.
        runs: its runs, by seed.
    """

    name: str
    model: str
    optimizer: str
    parameters: int
    runs: tuple[RunClaim, ...]


class ReportClaims(_Table):
    """What a report says about its runs.

    Attributes:
        format: the version of this form.
        paribus: the version of paribus that wrote the report.
        study: the study, as TOML.
        data: the fingerprint of the data's content.
        data_name: the name of the data.
        arms: the arms with their runs.
        environments: the environments that runs were computed in, as the fields of ``paribus.records.Environment``.
    """

    format: Literal[1]
    paribus: str
    study: str
    data: Digest
    data_name: str
    arms: tuple[ArmClaim, ...]
    environments: tuple[dict[str, str], ...]


def render_runs_block(outcome: Outcome) -> str:
    """The block of an outcome, as HTML."""
    environments = {environment: number for number, environment in enumerate(outcome.environments)}
    claims = {
        "format": 1,
        "paribus": __version__,
        "study": to_toml(outcome.document),
        "data": outcome.data.fingerprint,
        "data_name": outcome.data.name,
        "arms": [_arm_fields(arm, environments) for arm in outcome.arms],
        "environments": [asdict(environment) for environment in outcome.environments],
    }
    text = json.dumps(claims, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f'<template id="{_ID}">{escape(text, quote=False)}</template>'


def read_runs_block(html: str, source: str) -> ReportClaims:
    """Read the block of a report. Nothing in it is trusted.

    Args:
        html: the report.
        source: its name in errors.

    Raises:
        UsageError: there is none, or it is not what :func:`render_runs_block` writes.
    """
    match = _BLOCK.search(html)
    if match is None:
        raise UsageError(
            f"{source}: not an HTML report of paribus that can be verified (older ones hold no full digests); write it "
            "again with `paribus report`, or verify the store"
        )
    try:
        return ReportClaims.model_validate_json(unescape(match[1]))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(
            f"{source}: what it says about its runs cannot be read ({place}: {first['msg']}); verify the store instead"
        ) from error


def claimed_scores(claim: RunClaim) -> Scores | None:
    """The scores of a claim; what a report does not have as a number is nan."""
    if claim.scores is None:
        return None
    return Scores(**{field.name: _number(claim.scores.get(field.name)) for field in fields(Scores)})


def claimed_metrics(claim: RunClaim) -> dict[str, float]:
    """The added metrics of a claim."""
    return {name: _number(value) for name, value in claim.metrics.items()}


def claimed_environment(claims: ReportClaims, claim: RunClaim) -> Environment | None:
    """The environment of a claim, None where the report has none for it."""
    if claim.environment is None or claim.environment >= len(claims.environments):
        return None
    values = claims.environments[claim.environment]
    return Environment(**{field.name: values.get(field.name, "") for field in fields(Environment)})


def _arm_fields(arm: ArmOutcome, environments: Mapping[Environment, int]) -> dict[str, object]:
    recipe = arm.trained_recipe
    return {
        "name": arm.name,
        "model": recipe.model,
        "optimizer": recipe.optimizer,
        "parameters": recipe.parameters,
        "runs": [_run_fields(run, environments) for run in arm.runs],
    }


def _run_fields(run: RunResult, environments: Mapping[Environment, int]) -> dict[str, object]:
    seeds = run.seeds
    return {
        "seeds": [seeds.init, seeds.order, seeds.dropout],
        "fingerprint": run.fingerprint,
        "status": str(run.status),
        "weights_digest": run.weights_digest,
        "scores": None if run.scores is None else {k: _finite(v) for k, v in asdict(run.scores).items()},
        "metrics": {name: _finite(value) for name, value in run.metrics.items()},
        "environment": None if run.environment is None else environments.get(run.environment),
    }


def _finite(value: float) -> float | None:
    """JSON has neither nan nor infinity."""
    return float(value) if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value
