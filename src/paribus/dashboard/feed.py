"""What pages know of a study's runs, so that an answer holds only what has changed since the last one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from paribus.records import RunResult
from paribus.store.base import StoredArm

_State = tuple[object, ...]
_NUMBERS = count(1)
_PROCESS: Final = secrets.token_hex(4)
"""A server that is started again remembers nothing: tokens of the one before say nothing to it."""


@dataclass(slots=True)
class Feed:
    """The runs of one study in the order in which they were noticed.

    Attributes:
        number: of this feed among all of a process. When a run has vanished another feed begins.
        order: the arm and the fingerprint of each run; once more for one that has another result now.
        states: what was noticed of each.
    """

    number: int = field(default_factory=lambda: next(_NUMBERS))
    order: list[tuple[str, str]] = field(default_factory=list)
    states: dict[tuple[str, str], _State] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """What a page that knows everything sends the next time."""
        return f"{_PROCESS}.{self.number}.{len(self.order)}"

    def notice(self, arms: Sequence[StoredArm], runs: Mapping[str, RunResult]) -> Feed:
        """Add what has changed.

        Args:
            arms: the arms of the study.
            runs: its runs that have ended, by fingerprint.

        Returns:
            This feed; another one where a run that was noticed is no longer there.
        """
        now = {
            (arm.name, place.fingerprint): _state(runs[place.fingerprint])
            for arm in arms
            for place in arm.runs
            if place.fingerprint in runs
        }
        feed = self if self.states.keys() <= now.keys() else Feed()
        feed.order += [place for place, state in now.items() if feed.states.get(place) != state]
        feed.states = now
        return feed

    def since(self, token: str) -> set[tuple[str, str]] | None:
        """The arm and the fingerprint of each run that a page does not know.

        Args:
            token: that of the page's last answer; anything at all, as it comes from outside.

        Returns:
            The runs; None where the page has to be sent all runs, as its token is of no answer of this feed.
        """
        head, _, known = token.rpartition(".")
        if head != f"{_PROCESS}.{self.number}" or not (known.isascii() and known.isdigit()) or len(known) > 12:
            return None
        return set(self.order[int(known) :])


def _state(run: RunResult) -> _State:
    return (run.status, run.weights_digest, run.ended)
