"""A study, its runs and a clock that a test turns, for what shows progress."""

from __future__ import annotations

from dataclasses import dataclass, replace

from paribus.data import summarize
from paribus.records import Curve, LayerSummary, Recipe, RunResult, Scores, Seeds, Status, TrainJob
from paribus.study.load import load_study
from paribus.study.overrides import override
from paribus.study.plan import list_jobs

DOCUMENT = override(load_study("digits"), seeds=2, epochs=4)
DATA = summarize(DOCUMENT.data.spec())
RECIPES = {
    "small": Recipe("small", "{}", 1_210, (LayerSummary("dense", "Dense", "(None, 16)", 1_040),)),
    "large": Recipe("large", "{}", 4_810, (LayerSummary("hidden[/x]", "Dense", "(None, 64)", 4_160),)),
    "large-dropout": Recipe("large-dropout", "{}", 4_810, ()),
}
WANTED = list_jobs(DOCUMENT, RECIPES, DATA, [Seeds.of(0), Seeds.of(1)])
BRACKETS = "no memory [gib: 12] [/bold]"


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def result(job: TrainJob, accuracy: float = 0.9812) -> RunResult:
    scores = Scores(0.97, 0.1, 0.99, 0.05, accuracy, 0.08)
    return RunResult(job.fingerprint, Status.FINISHED, job.seeds, scores, Curve((), ()), 3.2, "ab", None)


def failure(job: TrainJob) -> RunResult:
    return replace(result(job), status=Status.FAILED, scores=None, reason=BRACKETS)
