"""A shard: the part of a study's runs that one of several machines computes (decisions 0098 and 0135).

A shard has whole seeds, all arms of each, so that what is compared was computed on one kind of machine. Where all seeds
of a study cost the same, as they have the same arms, shards are balanced where their numbers of seeds differ by at most
one. In cross-validation a seed is one fold of one repetition, and a run costs as much as its fold has training
examples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from paribus.errors import UsageError
from paribus.records import DataSummary, Seeds
from paribus.study.document import StudyDocument
from paribus.study.request import list_seeds

_WRITTEN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard ``number`` (from 1) of ``count``."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def check(self, study: StudyDocument) -> None:
        """Check that no shard of a study is empty.

        Raises:
            UsageError: the study has fewer seeds, each with all arms, than there are shards.
        """
        runs = study.seeds * study.data.runs_per_seed
        if runs >= self.count:
            return
        if study.data.folds is None:
            raise UsageError(
                f"--shard {self}: study '{study.name}' has {study.seeds} seed{'s' * (study.seeds != 1)}, and a shard "
                f"has one or more of them; divide it into at most {study.seeds} shards, or ask for more --seeds"
            )
        raise UsageError(
            f"--shard {self}: study '{study.name}' has {runs} runs of an arm, one for each fold, repetition and seed, "
            f"and a shard has at least one of them; divide it into at most {runs}, or ask for more --seeds"
        )

    def select(self, study: StudyDocument, data: DataSummary) -> tuple[Seeds, ...]:
        """The seeds of this shard: every ``count``-th seed of the study, or with folds a share of every pass over them.

        Whichever seeds are added to the study later, a seed stays in its shard, so that a shard's store is continued.

        Args:
            study: the study.
            data: the summary of its data, with that of every fold.

        Raises:
            UsageError: the study has fewer seeds than there are shards.
        """
        self.check(study)
        seeds = list_seeds(study)
        if study.data.folds is None:
            return seeds[self.number - 1 :: self.count]
        shards = _divide_passes([fold.train for fold in data.folds], len(seeds), study.data.folds, self.count)
        return tuple(seed for seed, shard in zip(seeds, shards, strict=True) if shard == self.number - 1)


def _divide_passes(costs: list[int], runs: int, folds: int, count: int) -> list[int]:
    """The shard of each run: pass by pass the most expensive fold first, each to the shard that has the least to do.

    What a run gets depends on the runs of its own pass and of those before it, and on nothing else.
    """
    work = [0] * count
    shards = [0] * runs
    for start in range(0, runs, folds):
        one_pass = range(start, start + folds)
        for run in sorted(one_pass, key=lambda run: (-costs[run % len(costs)], run)):
            shards[run] = min(range(count), key=lambda shard: (work[shard], shard))
            work[shards[run]] += costs[run % len(costs)]
    return shards


def parse_shard(text: str) -> Shard:
    """Read the option ``--shard``, such as ``2/4``.

    Args:
        text: what the user wrote.

    Raises:
        UsageError: it is not written so, or there is no such shard.
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise UsageError(f"--shard {text}: expected NUMBER/COUNT, as in 2/4 for the second of four shards")
    shard = Shard(int(match[1]), int(match[2]))
    if not 1 <= shard.number <= shard.count:
        raise UsageError(f"--shard {text}: shards are numbered from 1 to their count; write 1/{max(shard.count, 1)}")
    return shard
