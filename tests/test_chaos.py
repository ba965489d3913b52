"""The small form of ``chaos.py``: a few kills of real processes, and the same bits in the end."""

from __future__ import annotations

from pathlib import Path
from random import Random

from chaos import Chaos
from paribus.store.points import Point


def test_killed_again_and_again_the_study_ends_with_the_same_bits(tmp_path: Path) -> None:
    chaos = Chaos(tmp_path, ("digits", "--arm", "small", "--seeds", "3", "--epochs", "2", "--workers", "2"), Random(7))
    kills = [
        ("driver", (Point.AFTER_RENAME, 2)),
        ("worker", None),
        ("driver", (Point.HALF_WRITTEN, 1)),
        ("driver", None),
    ]
    chaos.round(iter(kills))
    assert chaos.kills[Point.AFTER_RENAME] == 1
    assert chaos.kills.total() >= 2
