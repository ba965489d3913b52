"""The small form of ``chaos.py``: a few kills of real processes, and the same bits in the end."""

from __future__ import annotations

from pathlib import Path
from random import Random

from chaos_session import Chaos, Kill, Life, Moment
from paribus.store.points import Point


def test_killed_again_and_again_the_study_ends_with_the_same_bits(tmp_path: Path) -> None:
    study = ("digits", "--arm", "small", "--seeds", "4", "--epochs", "2", "--workers", "2")
    chaos = Chaos(tmp_path, study, Random(7))
    chaos.lasting[Moment.WORKERS] = 0.1  # its driver's death finds a worker that still imports Keras
    lives: list[Life] = [
        [Kill("worker", Moment.START), Kill("driver", Moment.WORKERS)],
        (Point.AFTER_RENAME, 2),
        (Point.HALF_WRITTEN, 1),
        [Kill("worker", Moment.RUNS), Kill("driver", Moment.END)],
    ]
    chaos.round(lives)
    assert chaos.kills[Point.AFTER_RENAME] == 1
    assert chaos.kills[Point.HALF_WRITTEN] == 1
    assert chaos.kills.total() >= 4
