"""``paribus merge``: several stores in one."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paribus.cli import options, output

if TYPE_CHECKING:
    from paribus.records import Environment
    from paribus.runner.merge import DifferingRun, Merge

Sources = Annotated[
    list[Path], typer.Argument(metavar="STORE...", help="The stores to merge; they are only read.", show_default=False)
]
Into = Annotated[
    Path,
    typer.Option(
        "--into",
        metavar="STORE",
        help="The store to merge them into; it is made where there is none.",
        show_default=False,
        callback=options.expand_home,
    ),
]
Rename = Annotated[
    bool,
    typer.Option(
        "--rename", help="Store another study of the same name as NAME.doc- and six digits, instead of refusing it."
    ),
]
_PATIENCE = 5.0
"""Seconds between two lines of progress."""


def merge(stores: Sources, into: Into, rename: Rename = False, json: options.Json = False) -> None:
    """Put every run, study and judgement of several stores into one. Doing it twice, or in another order, is the same.

    Exits with 1 when a damaged run could not be merged, or two results of a run differ within one environment.
    """
    from paribus.runner.merge import merge_stores

    sources = [folder for store in stores if (folder := options.expand_home(store)) is not None]
    merged = merge_stores(sources, into, rename=rename, progress=_Progress())
    if json:
        output.print_json(_merge_fields(sources, into, merged))
    else:
        for line in _format_merge(into, merged):
            output.print_line(line)
    if not merged.is_sound:
        raise typer.Exit(1)


class _Progress:
    """A line on stderr every few seconds, and none for a merge that is done sooner."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= _PATIENCE and done < total:
            self._last = now
            output.tell(f"paribus: {done:,} of {total:,} runs")


def _format_merge(into: Path, merged: Merge) -> Iterator[str]:
    yield f"{into}: {_count(merged.copied, 'new run')}, {merged.known} known" + (
        f", {merged.replaced} replaced by one that ended better" if merged.replaced else ""
    )
    if merged.studies:
        yield f"Studies: {', '.join(merged.studies)}"
    if merged.judgements:
        yield f"{_count(merged.judgements, 'judgement')} of statements added: the looks of all stores count"
    for renamed in merged.renamed:
        yield f"'{renamed.name}' of {renamed.store} is another study, and is stored as '{renamed.new_name}'"
    for differing in merged.differing:
        yield from _format_differing(differing)
    for left_out in merged.left_out:
        remedy = "it is whole elsewhere" if left_out.elsewhere else "`paribus run` computes it again"
        yield f"Damaged in {left_out.store}, and not copied: {left_out.name} ({left_out.reason}); {remedy}"
    for store, names in merged.quarantined.items():
        files = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
        yield f"Not copied: {_count(len(names), 'file')} in the quarantine of {store} ({files})"
    for name in merged.studies[:1]:
        yield f"The answer, with whatever is still missing: `paribus run {shlex.quote(name)} --store {into}`"


def _format_differing(differing: DifferingRun) -> Iterator[str]:

    what = " and ".join(
        (", ".join(differing.parts[:-1]), differing.parts[-1]) if differing.parts[1:] else differing.parts
    )
    reason = "" if differing.is_explained else ", within one environment, where equal bits are promised"
    yield f"{differing.name}: results with other {what}{reason}"
    for version in differing.versions:
        run = version.run
        accuracy = "" if run.scores is None else f", test accuracy {run.scores.test_accuracy:.4f}"
        mark = "merged" if version.merged else "left in its store"
        yield f"  {version.store} ({mark}): weights {(run.weights_digest or 'none')[:12]}{accuracy}"
        yield f"    {_format_environment(run.environment)}"


def _format_environment(environment: Environment | None) -> str:
    if environment is None:
        return "environment unknown"
    return ", ".join(f"{name} {value}" for name, value in asdict(environment).items() if value)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _merge_fields(sources: Sequence[Path], into: Path, merged: Merge) -> dict[str, Any]:
    return {
        "into": str(into),
        "stores": sorted(map(str, sources)),
        "sound": merged.is_sound,
        "runs": {"new": merged.copied, "known": merged.known, "replaced": merged.replaced},
        "studies": list(merged.studies),
        "judgements": merged.judgements,
        "renamed": [asdict(renamed) for renamed in merged.renamed],
        "differing": [
            {
                "run": differing.name,
                "fingerprint": differing.fingerprint,
                "parts": list(differing.parts),
                "same_environment": not differing.is_explained,
                "versions": [
                    {
                        "store": version.store,
                        "merged": version.merged,
                        "status": str(version.run.status),
                        "weights_digest": version.run.weights_digest,
                        "environment": None if version.run.environment is None else asdict(version.run.environment),
                    }
                    for version in differing.versions
                ],
            }
            for differing in merged.differing
        ],
        "left_out": [
            {
                "run": left_out.name,
                "fingerprint": left_out.fingerprint,
                "store": left_out.store,
                "reason": left_out.reason,
                "elsewhere": left_out.elsewhere,
            }
            for left_out in merged.left_out
        ],
        "quarantined": {store: list(names) for store, names in merged.quarantined.items()},
    }
