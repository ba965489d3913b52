"""The answer of ``paribus noise``, as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from paribus.analysis.noise import NoiseShares


def shares_document(study: str, arm: str, shares: NoiseShares) -> dict[str, Any]:
    """The JSON of ``paribus noise``. Variances are of test accuracy as a fraction of 1, squared.

    Args:
        study: the name of the study.
        arm: the name of the arm.
        shares: the shares of its variance.
    """
    return {"study": study, "arm": arm, "metric": "test_accuracy", **asdict(shares)}


def shares_table(study: str, arm: str, shares: NoiseShares) -> RenderableType:
    """A table with a row a source: its standard deviation in points, and its share of the variance of one run.

    Args:
        study: the name of the study.
        arm: the name of the arm.
        shares: the shares of its variance.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("source", "sd (points)", "share", "runs", "observed sd (points)"):
        table.add_column(column, justify="left" if column == "source" else "right")
    for share in shares.shares:
        part = "" if share.share is None else f"{100 * share.share:.0f} %"
        seen = "" if share.observed_sd is None else f"{100 * share.observed_sd:.3f}"
        deviation = f"{100 * share.variance**0.5:.3f}"
        table.add_row(share.source, deviation, part + (" *" if share.negative else ""), str(share.runs), seen)
    title = Text.assemble((f"{study} / {arm}", "bold"), ": where the variance of one run's test accuracy comes from\n")
    lines: list[RenderableType] = [title, table]
    if any(share.negative for share in shares.shares):
        lines.append(
            Text("* the unbiased estimate is below zero and printed as zero: too few runs to measure it", "dim")
        )
    lines.append(
        Text(
            f"The test sample's share comes from drawing {shares.examples:,} test examples; more seeds do not "
            "reduce it.",
            "dim",
        )
    )
    return Group(*lines)
