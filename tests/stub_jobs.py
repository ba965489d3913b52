"""Jobs for ``stub_worker``: the name of the arm says what the worker does."""

from __future__ import annotations

from digits_jobs import DIGITS
from paribus.records import Recipe, Seeds, Training, TrainJob

TRAINING = Training("{}", 4, 10)


def job(how: str, seed: int = 0, model: str = "{}") -> TrainJob:
    return TrainJob(f"{how}{seed}", how, Seeds.of(seed), Recipe(model, "{}", 1, ()), TRAINING, DIGITS)
