"""Views of a store for ``paribus show``, as tables and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from paribus.records import RunResult
from paribus.report.numbers import format_parameters, parameter_count
from paribus.store.base import StoredArm, StoredStudy
from paribus.study.document import StudyDocument


@dataclass(frozen=True, slots=True)
class View:
    """One view in two forms: to print, and as JSON."""

    renderable: RenderableType
    json: Any


def render_studies(documents: Sequence[StudyDocument]) -> RenderableType:
    """The studies that can be run."""
    table = _make_table("study", "question", "data", "arms", "seeds", "epochs")
    for d in documents:
        arms = ", ".join(d.arms)
        _add_row(table, d.name, d.question, d.data.source, arms, str(d.seeds), str(d.protocol.epochs))
    return table


def view_studies(studies: Sequence[StoredStudy], counts: Mapping[str, int]) -> View:
    """The stored studies, a row a study."""
    if not studies:
        return View(Text("Nothing is stored here yet; `paribus run digits` takes seconds."), {"studies": []})
    table = _make_table("study", "data", "arms", "runs stored", "runs in all")
    rows = []
    for study in studies:
        run_count = sum(len(arm.runs) for arm in study.arms)
        data = study.data.name if study.data is not None else ""
        arms = [arm.name for arm in study.arms]
        _add_row(table, study.label, data, ", ".join(arms), str(counts[study.label]), str(run_count))
        rows.append(
            {"name": study.label, "data": data, "arms": arms, "stored": counts[study.label], "wanted": run_count}
        )
    return View(table, {"studies": rows})


def view_study(study: StoredStudy, arms: Sequence[StoredArm], runs: Mapping[str, RunResult]) -> View:
    """Arms with their runs, a row a run. Seeds may have ten digits, so that the other columns are narrow."""
    measures = ("test\nacc.", "train\nacc.", "gap", "fit\nacc.", "test\nloss")
    table = _make_table("arm", "parameters", "seed", "status", *measures, "seconds", "weights")
    rows = []
    for arm in arms:
        for place in arm.runs:
            run = place.among(runs)
            name = (arm.name, format_parameters(arm.recipe), str(place.seeds.seed))
            if run is None:
                _add_row(table, *name, "missing")
                rows.append({"arm": arm.name, "seed": place.seeds.seed, "status": "missing"})
                continue
            scores = _score_fields(run)
            measures_of_run = [_format_number(scores[key]) for key in _COLUMNS]
            _add_row(
                table, *name, str(run.status), *measures_of_run, f"{run.seconds:.1f}", (run.weights_digest or "")[:8]
            )
            rows.append({"arm": arm.name, "parameters": parameter_count(arm.recipe), **_run_fields(run)})
    return View(table, {"study": study.label, "runs": rows})


def view_run(study: StoredStudy, arm: StoredArm, run: RunResult) -> View:
    """One run: its measures by epoch, its network, and its environment."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    head = {
        "study / arm / seed": f"{study.label} / {arm.name} / {run.seeds.seed}",
        "fingerprint": run.fingerprint,
        "status": f"{run.status}{'' if run.reason is None else f': {run.reason}'}",
        "seconds": f"{run.seconds:.2f}",
        **({} if run.ended is None else {"ended": _time_text(run.ended)}),
        "weights digest": run.weights_digest or "",
        **({} if study.data is None else {"data": study.data.name, "data digest": study.data.fingerprint}),
    }
    environment = asdict(run.environment) if run.environment is not None else {}
    for key, value in {**head, **{k: _format_number(v) for k, v in _score_fields(run).items()}, **environment}.items():
        _add_row(facts, key.replace("_", " "), str(value))
    curve = _make_table("epoch", "fit loss", "fit acc.", *(("val loss", "val acc.") if run.curve.val_loss else ()))
    columns = [run.curve.fit_loss, run.curve.fit_accuracy]
    columns += [run.curve.val_loss, run.curve.val_accuracy] if run.curve.val_loss else []
    for epoch, values in enumerate(zip(*columns, strict=True), 1):
        _add_row(curve, str(epoch), *(f"{value:.4f}" for value in values))
    document = {
        "study": study.label,
        "arm": arm.name,
        "parameters": parameter_count(arm.recipe),
        "layers": [asdict(layer) for layer in arm.recipe.layers],
        **_run_fields(run),
        "curve": {key: [_finite_or_none(v) for v in values] for key, values in asdict(run.curve).items()},
        "environment": environment,
        "data": None if study.data is None else {"name": study.data.name, "fingerprint": study.data.fingerprint},
    }
    parts = [Text(arm.recipe.model)] if arm.recipe.is_estimator else [curve, Text(), _layer_table(arm)]
    return View(Group(facts, Text(), *parts), document)


_COLUMNS = ("test_accuracy", "train_accuracy", "generalization_gap", "fit_accuracy", "test_loss")


def _layer_table(arm: StoredArm) -> Table:
    table = _make_table("layer (type)", "output shape", "param #")
    for layer in arm.recipe.layers:
        _add_row(table, f"{layer.name} ({layer.kind})", layer.output_shape, f"{layer.parameters:,}")
    return table


def _score_fields(run: RunResult) -> dict[str, float | None]:
    names = (
        "test_accuracy",
        "train_accuracy",
        "generalization_gap",
        "fit_accuracy",
        "test_loss",
        "train_loss",
        "fit_loss",
    )
    return {name: None if run.scores is None else _finite_or_none(getattr(run.scores, name)) for name in names}


def _run_fields(run: RunResult) -> dict[str, Any]:
    return {
        "seed": run.seeds.seed,
        "seeds": asdict(run.seeds),
        "fingerprint": run.fingerprint,
        "status": str(run.status),
        "reason": run.reason,
        **_score_fields(run),
        "seconds": run.seconds,
        "ended": None if run.ended is None else _time_text(run.ended),
        "weights_digest": run.weights_digest,
    }


def _time_text(seconds: float) -> str:
    """ISO 8601, in UTC: the table may be of another machine's runs."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _format_number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _make_table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        right = column.endswith(
            (".", "loss", "seconds", "#", "seed", "seeds", "epochs", "parameters", "stored", "wanted")
        )
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _add_row(table: Table, *cells: str) -> None:
    """Add cells as plain text: reasons and paths may have brackets, which Rich would read as markup."""
    table.add_row(*(Text(cell) for cell in cells))
