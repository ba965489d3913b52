"""What a shard of a study says: what it computed and how shards become one answer. No score, and no verdict."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paribus.cli import output

if TYPE_CHECKING:
    from paribus.records import Seeds
    from paribus.runner.shard import ShardOutcome


def print_shard(outcome: ShardOutcome, study: Sequence[str], store: Path, *, json: bool) -> None:
    """Print a shard: two sentences and what to do next, or its JSON document.

    ``study`` are the words of the command that say which study it is, and what was changed of it.
    """
    from paribus.study.request import list_seeds

    commands = _list_commands(study, store)
    if json:
        output.print_json(_shard_fields(outcome, store, commands))
        return
    document = outcome.request.study
    count = len({run.result.fingerprint for run in outcome.runs if run.result is not None})
    seeds = list_seeds(document)
    first, last = seeds[0].seed, seeds[-1].seed
    folds = ", one for each fold, repetition and seed" if document.data.folds is not None else ""
    output.print_line(
        f"{document.name}: shard {outcome.shard} has {_format_seeds(outcome.seeds)} of {first} to {last}{folds}; "
        f"{count} run{'s are' if count != 1 else ' is'} stored in {store}."
    )
    output.print_line("A shard gives no answer. When all of them have ended, merge them and run the study once more:")
    for command in commands:
        output.print_line(f"  {command}")


def _list_commands(study: Sequence[str], store: Path) -> tuple[str, str]:
    merged = store.with_name(f"{store.name}-merged")
    return (
        f"paribus merge {shlex.quote(str(store))} OTHER-SHARD... --into {shlex.quote(str(merged))}",
        f"paribus run {shlex.join(study)} --store {shlex.quote(str(merged))}",
    )


def _format_seeds(seeds: Sequence[Seeds]) -> str:
    return f"seed{'s' * (len(seeds) != 1)} {', '.join(str(streams.seed) for streams in seeds)}"


def _shard_fields(outcome: ShardOutcome, store: Path, commands: Sequence[str]) -> dict[str, Any]:
    from paribus.report.json import place_fields

    document = outcome.request.study
    return {
        "study": document.name,
        "stored_as": outcome.request.stored_as,
        "shard": {"number": outcome.shard.number, "count": outcome.shard.count},
        "seeds": [seeds.seed for seeds in outcome.seeds],
        "study_seeds": {"first": document.first_seed, "count": document.seeds},
        "store": str(store),
        "runs": [
            {
                "arm": run.arm,
                "seed": run.seeds.seed,
                **place_fields(run.seeds, document.data.divided),
                "status": None if run.result is None else str(run.result.status),
                "fingerprint": None if run.result is None else run.result.fingerprint,
                "weights_digest": None if run.result is None else run.result.weights_digest,
                "reason": None if run.result is None else run.result.reason,
            }
            for run in outcome.runs
        ],
        "next": list(commands),
    }
