"""Proofs and their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """The result of one part of a proof.

    Attributes:
        holds: whether it is as claimed.
        figures: what was measured, fit for JSON.
    """

    holds: bool
    figures: Mapping[str, object]


class ImpossibleError(Exception):
    """A proof cannot be carried out here; the message says what it needs."""


@dataclass(frozen=True)
class Proof:
    """A claim with the parts that prove it. Each part is recorded as soon as it has ended, and done once.

    Attributes:
        name: as the command and the file of results have it.
        claim: one sentence.
        inputs: what it depends on, as git's path patterns; a part is done again once these have changed.
        parts: by name, in their order. A part raises ImpossibleError where it cannot be carried out.
    """

    name: str
    claim: str
    inputs: tuple[str, ...]
    parts: Mapping[str, Callable[[], Finding]] = field(repr=False)
