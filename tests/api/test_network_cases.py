"""Every network of the collection: trained as plain Keras trains it, or refused before anything trains."""

from __future__ import annotations

import runpy

import pytest

from network_cases import NETWORKS
from paribus.errors import ParibusError
from plain_keras import NetworkCase, Recorder, check_equal, study_of
from project_files import ROOT

# float64 is float32 where JAX has it so, and Keras's CategoryEncoding calls NumPy in an old way (keras 3.15).
pytestmark = [
    pytest.mark.no_cover,
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype float64:UserWarning"),
    pytest.mark.filterwarnings("ignore:Exception encountered when calling CategoryEncoding:DeprecationWarning"),
]

TRAINED = [case for case in NETWORKS if not case.says]
REFUSED = [case for case in NETWORKS if case.says]
SAMPLE = (
    "Sequential without an Input",
    "functional, a layer called twice",
    "LSTM with dropout and recurrent dropout",
    "BatchNormalization",
    "a subclassed network with `training`",
    "a layer of one's own",
    "logits under a sparse loss",
    "hinge, one tanh unit",
    "EMA that overwrites the weights",
)
"""Trained here; ``make proof`` trains all."""


@pytest.mark.parametrize("case", [case for case in TRAINED if case.what in SAMPLE], ids=lambda case: case.what)
def test_a_sample_is_trained_as_keras_trains_it(case: NetworkCase) -> None:
    check_equal(case)


@pytest.mark.proof
@pytest.mark.filterwarnings("default")  # Keras and JAX warn of some of them, and train them all the same
@pytest.mark.parametrize("case", [case for case in TRAINED if case.what not in SAMPLE], ids=lambda case: case.what)
def test_the_others_are_too(case: NetworkCase) -> None:
    check_equal(case)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.what)
def test_what_is_refused_says_why_before_anything_trains(case: NetworkCase) -> None:
    recorder = Recorder()
    with pytest.raises(ParibusError) as caught:
        study_of(case).run(backend=recorder, progress=False)
    assert case.says in " ".join(str(caught.value).split())
    assert recorder.runs == []


def test_there_are_as_many_as_was_asked_for() -> None:
    assert len({case.what for case in NETWORKS}) == len(NETWORKS) >= 40
    assert len([case for case in TRAINED if case.what in SAMPLE]) == len(SAMPLE)


@pytest.mark.slow
def test_the_page_says_what_comes_of_each() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "network_cases_page.py"))["page"]()
    assert (ROOT / "docs" / "network-cases.md").read_text(encoding="utf-8") == page, "run docs/network_cases_page.py"
