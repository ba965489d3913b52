"""One flipped bit is detected, or harmless to every answer. A sample; ``make proof`` has the whole."""

from __future__ import annotations

import random

from bit_flips import Tally, flip_bits, random_places, text_places

HEADER = [(byte, bit) for byte in (18, 60, 63, 68, 99) for bit in (0, 1, 7)]


def check(tally: Tally, count: int) -> None:
    assert tally.faults == []
    assert sum(tally.kinds.values()) == count
    assert set(tally.kinds) <= {"detected", "refused", "harmless", "computed again"}


def test_a_bit_anywhere() -> None:
    check(flip_bits(random_places(40, seed=1)), 40)


def test_a_bit_of_the_header() -> None:
    check(flip_bits(HEADER), len(HEADER))


def test_a_bit_of_a_text() -> None:
    tally = flip_bits(random.Random(0).sample(text_places(), 60))
    check(tally, 60)
    assert tally.kinds["detected"] > 30
