"""From what a store holds to the result object: reads runs and predictions, asks the analysis, writes the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from paribus.analysis.comparison import Scope
from paribus.analysis.estimates import Estimate
from paribus.outcome import ArmOutcome, Outcome
from paribus.records import RunResult, TrainJob
from paribus.store.base import Store
from paribus.study import StudyDocument
from paribus.data import summarize


def collect(document: StudyDocument, wanted: Sequence[TrainJob], store: Store) -> Outcome:
    """What the wanted runs of a study say, as far as they are stored."""
    runs = store.runs([job.fingerprint for job in wanted])
    arms = tuple(_arm(document, name, [job for job in wanted if job.arm == name], runs) for name in document.arms)
    environments = {run.environment: None for run in runs.values() if run.environment is not None}
    return Outcome(document, summarize(document.data.spec()), arms, (), (), (), tuple(environments), store.predictions)


def _arm(
    document: StudyDocument, name: str, jobs: Sequence[TrainJob], runs: Mapping[str, RunResult]
) -> ArmOutcome:
    found = tuple(runs[job.fingerprint] for job in jobs if job.fingerprint in runs)
    missing = tuple(job.seeds for job in jobs if job.fingerprint not in runs)
    names = ("test_accuracy", "train_accuracy", "generalization_gap", "fit_accuracy", "test_loss", "train_loss", "fit_loss")
    estimates = {}
    for metric in names:
        v = np.array([getattr(r.scores, metric) for r in found if r.scores is not None])
        estimates[metric] = Estimate(float(v.mean()), None, None, None, len(v), Scope.THIS_TEST_SET, .95) if len(v) else None
    return ArmOutcome(name, jobs[0].recipe, document.arms[name].levels, found, missing, estimates)
