"""``best_model`` selects by the validation split, by the epoch whose weights are stored (decision 0119)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

import paribus as pb
from paribus.api.trained_models import find_best_seed
from paribus.backends.base import Backend
from paribus.backends.fake import FakeBackend
from paribus.errors import UsageError
from paribus.records import Ended, Event, Job
from paribus.study.document import StudyDocument
from paribus.study.load import load_study

ACCURACY = {0: (0.5, 0.9, 0.6), 1: (0.5, 0.7, 0.7), 2: (0.4, 0.65, 0.8), 3: (0.4, 0.65, 0.8)}
LOSS = {0: (0.9, 0.2, 0.5), 1: (1.0, 0.8, 0.3), 2: (1.0, 0.9, 0.6), 3: (1.0, 0.9, 0.7)}
"""Of each seed, by epoch. Of equal seeds the first one counts."""


class WithCurves(Backend):
    """The fake backend, with a validation curve of each seed."""

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        for event in FakeBackend().run(jobs):
            if isinstance(event, Ended):
                seed = event.result.seeds.seed
                assert seed is not None
                curve = replace(event.result.curve, val_loss=LOSS[seed], val_accuracy=ACCURACY[seed])
                yield replace(event, result=replace(event.result, curve=curve))
            else:
                yield event


def source_of(early_stopping: Mapping[str, Any] | None) -> Any:
    document = load_study("digits").model_dump(exclude_none=True)
    protocol = document["protocol"] | {"epochs": 3, "validation_split": 0.2}
    if early_stopping is not None:
        protocol |= {"early_stopping": dict(early_stopping)}
    study = StudyDocument.model_validate(document | {"protocol": protocol})
    results = pb.Study.of(study).run(4, arms=["small"], backend=WithCurves(), progress=False)
    return results._require_stored("best_model")


@pytest.mark.parametrize(
    ("early_stopping", "by", "best"),
    [
        (None, None, 2),  # accuracy of the last epoch: 0.6, 0.7, 0.8, 0.8
        (None, "val_loss", 1),  # 0.5, 0.3, 0.6, 0.7
        ({"patience": 9}, None, 0),  # the least loss, of the epoch that is restored: 0.2, 0.3, 0.6, 0.7
        ({"patience": 9}, "val_accuracy", 0),  # of that epoch: 0.9, 0.7, 0.8, 0.8
        ({"patience": 9, "monitor": "val_accuracy"}, None, 0),  # 0.9, 0.7, 0.8, 0.8
        ({"patience": 9, "monitor": "val_accuracy"}, "val_loss", 0),  # at the best accuracy: 0.2, 0.8, 0.6, 0.7
    ],
)
def test_the_network_is_the_best_by_validation(
    early_stopping: Mapping[str, Any] | None, by: str | None, best: int
) -> None:
    assert find_best_seed(source_of(early_stopping), "small", by) == best


def test_runs_without_a_validation_curve_are_no_choice() -> None:
    study = pb.Study.load("digits")
    results = study.run(2, arms=["small"], backend=FakeBackend(), progress=False)
    with pytest.raises(UsageError, match="no run has a value of val_loss"):
        results.best_model("small", by="val_loss")
    with pytest.raises(UsageError, match="take any seed"):
        results.best_model("small")
