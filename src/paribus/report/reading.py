"""One remark on how numbers are usually read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """What would be misread, in a few words, and the evidence in sentences."""

    title: str
    text: str
