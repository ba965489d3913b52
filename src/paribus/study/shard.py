"""A shard: the part of a study's runs that one of several machines computes (decision 0098).

A shard has whole seeds, all arms of each, so that what is compared was computed on one kind of machine. All seeds of a
study cost the same, as they have the same arms: shards are balanced where their numbers of seeds differ by at most one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from paribus.errors import UsageError
from paribus.records import Seeds
from paribus.study.document import StudyDocument
from paribus.study.fold_rules import refuse_folds
from paribus.study.request import list_seeds

_WRITTEN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard ``number`` (from 1) of ``count``."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def select(self, study: StudyDocument) -> tuple[Seeds, ...]:
        """The seeds of this shard: every ``count``-th seed of the study.

        Whichever seeds are added to the study later, a seed stays in its shard, so that a shard's store is continued.

        Raises:
            UsageError: the study has folds, or fewer seeds than there are shards.

        Args:
            study: the whole study.
        """
        refuse_folds(study, f"--shard {self}")
        if study.seeds < self.count:
            raise UsageError(
                f"--shard {self}: study '{study.name}' has {study.seeds} seed{'s' * (study.seeds != 1)}, and a shard "
                f"has one or more of them; divide it into at most {study.seeds} shards, or ask for more --seeds"
            )
        return list_seeds(study)[self.number - 1 :: self.count]


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
