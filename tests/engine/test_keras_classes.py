"""Keras's classes: all of them are tried by ``make proof``, and a fixed sample here."""

from __future__ import annotations

import pytest

from keras_classes import names, runner
from keras_classes.layers import CASES
from proof.results import read

pytestmark = pytest.mark.no_cover

SAMPLE = [
    ("losses", "Hinge", runner.EQUAL),
    ("losses", "CTC", runner.REFUSED),
    ("metrics", "F1Score", runner.EQUAL),
    ("metrics", "MeanIoU", runner.REFUSED),
    ("optimizers", "Muon", runner.EQUAL),
    ("optimizers", "LossScaleOptimizer", runner.REFUSED),
    ("layers", "SeparableConv1D", runner.EQUAL),
    ("layers", "SpatialDropout1D", runner.EQUAL),
    ("layers", "AvgPool1D", runner.EQUAL),
    ("layers", "StringLookup", runner.REFUSED),
]


@pytest.mark.parametrize(("kind", "name", "verdict"), SAMPLE)
def test_a_sample(kind: str, name: str, verdict: str) -> None:
    found = runner.run(kind, name)
    assert found.verdict == verdict, found.how


@pytest.mark.parametrize("kind", names.KINDS)
def test_every_class_that_keras_exports_is_on_record(kind: str) -> None:
    """A class that is new in Keras is tried first: ``make proof PROOFS=keras-classes``, then ``make docs``."""
    recorded = read("keras-classes")[kind]["figures"]["classes"]
    assert list(recorded) == list(names.exported(kind))
    assert {found["verdict"] for found in recorded.values()} <= {runner.EQUAL, runner.REFUSED}


def test_no_case_is_of_a_layer_that_keras_has_not() -> None:
    assert set(CASES) <= set(names.exported("layers"))
