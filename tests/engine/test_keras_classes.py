"""Keras's classes: all of them are tried by ``make proof``, and a fixed sample here."""

from __future__ import annotations

import runpy
from pathlib import Path

import keras
import pytest

from keras_classes import names, runner
from keras_classes.layers import CASES, case_of
from paribus.engine import canonical
from project_files import ROOT
from proof.keras_classes import KINDS, recorded
from proof.results import read

pytestmark = pytest.mark.no_cover

SAMPLE = [
    ("losses", "Hinge", runner.EQUAL),
    ("losses", "CTC", runner.REFUSED),
    ("metrics", "F1Score", runner.EQUAL),
    ("metrics", "MeanIoU", runner.REFUSED),
    ("optimizers", "Lion", runner.EQUAL),
    ("optimizers", "LossScaleOptimizer", runner.REFUSED),
    ("layers", "UnitNormalization", runner.EQUAL),
    ("layers", "SpatialDropout1D", runner.EQUAL),
    ("layers", "AvgPool1D", runner.EQUAL),
    ("layers", "StringLookup", runner.REFUSED),
]
KNOWN = {
    kind: classes
    for line in Path(names.__file__).with_name("known.txt").read_text(encoding="utf-8").splitlines()
    for kind, *classes in [line.split()]
}


@pytest.mark.parametrize(("kind", "name", "verdict"), SAMPLE)
def test_a_sample(kind: str, name: str, verdict: str) -> None:
    found = runner.run(kind, name)
    assert found.verdict == verdict, found.how


@pytest.mark.parametrize("kind", names.KINDS)
def test_keras_exports_what_is_known(kind: str) -> None:
    """A class that is new is tried (``make proof PROOFS=keras-classes``) before its name goes into known.txt."""
    assert list(names.exported(kind)) == KNOWN[kind]


def test_all_are_on_record_and_none_is_different() -> None:
    by_kind = recorded(read("keras-classes"))
    assert list(by_kind) == list(names.KINDS)
    for kind, classes in by_kind.items():
        assert list(classes) == KNOWN[kind]
        assert {found["verdict"] for found in classes.values()} <= {runner.EQUAL, runner.REFUSED}


def test_every_class_is_in_one_part_of_the_proof() -> None:
    for kind, ranges in KINDS.items():
        for name in names.exported(kind):
            assert sum(names.begins_with(letters, name) for letters in ranges) == 1


def test_the_page_says_what_is_on_record() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "keras_classes_page.py"))["page"]()
    assert (ROOT / "docs" / "keras-classes.md").read_text(encoding="utf-8") == page, "run docs/keras_classes_page.py"


def test_no_case_is_of_a_layer_that_keras_has_not() -> None:
    assert set(CASES) <= set(KNOWN["layers"])


def canonical_text(name: str) -> str | None:
    """The canonical form of a network with a layer of this class; None where there is no such network."""
    case = case_of(name)
    try:
        if case.build is not None:
            model = case.build()
        elif name == "Bidirectional":
            model = keras.Sequential([keras.Input(case.shape), keras.layers.Bidirectional(keras.layers.GRU(3))])
        else:
            layer = names.exported("layers")[name](**case.arguments)
            model = keras.Sequential([keras.Input(case.shape), layer])
    except (TypeError, ValueError, ImportError, AttributeError, NotImplementedError):
        return None
    return canonical.model_text(model, case.shape)


@pytest.mark.slow
@pytest.mark.parametrize("step", [12, pytest.param(1, marks=pytest.mark.proof)])
def test_names_do_not_count_what_was_built_before(step: int) -> None:
    """The same network, built a second time in one process, is the same recipe, whatever its layers' class."""
    texts = {name: (canonical_text(name), canonical_text(name)) for name in [*KNOWN["layers"]][::step]}
    assert [name for name, (first, second) in texts.items() if first != second] == []
    assert sum(first is not None for first, _ in texts.values()) > 100 // step


def test_names_in_bidirectional_do_not_count() -> None:
    first, second = canonical_text("Bidirectional"), canonical_text("Bidirectional")
    assert first is not None
    assert first == second
    assert '"backward_gru"' in first


def test_a_class_that_keras_names_otherwise() -> None:
    first = canonical_text("GroupQueryAttention")
    assert first is not None
    assert first == canonical_text("GroupQueryAttention")
