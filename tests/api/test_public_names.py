"""What ``import paribus`` offers, and what it costs."""

from __future__ import annotations

import pytest

import paribus as pb
from paribus.backends.fake import FakeBackend
from project_files import HEAVY, imported_by

PUBLIC = {
    "paribus": "Ablation Contrast ParibusError Results Study __version__ ablate analysis compare data errors judge "
    "load_results",
    "Results": "arms best_model check confusion contrast contrasts curves export model noise outcome plan plot "
    "plot_curves predict predictions report to_json to_pandas",
    "Study": "document document_in load name of parameters run",
}
"""A name more is a promise more: add it here and to docs/reference, with an example."""


def test_public_names_are_few_and_these() -> None:
    results = pb.Study.load("digits").run(1, backend=FakeBackend(), progress=False)
    names = {
        "paribus": pb.__all__,
        "Results": [name for name in dir(results) if not name.startswith("_") and name != "of"],
        "Study": [name for name in dir(pb.Study) if not name.startswith("_") and name != "of"] + ["of"],
    }
    assert {name: " ".join(sorted(of)) for name, of in names.items()} == {
        name: " ".join(sorted(text.split())) for name, text in PUBLIC.items()
    }


def test_importing_paribus_imports_nothing_heavy() -> None:
    assert not imported_by("import paribus") & {*HEAVY, "pydantic", "rich", "typer"}


def test_names_that_need_little_import_little() -> None:
    assert not imported_by("import paribus; paribus.ParibusError, paribus.errors, paribus.__version__") & HEAVY
    assert not imported_by("import paribus; paribus.Study.load('digits').document") & {"keras", "jax"}
    assert not imported_by("import paribus; paribus.compare, paribus.ablate, paribus.Results, paribus.load_results") & {
        "keras",
        "jax",
    }


def test_names_can_be_listed_and_others_are_no_attributes() -> None:
    assert dir(pb) == sorted(pb.__all__)
    with pytest.raises(AttributeError, match="module 'paribus' has no attribute 'anything'"):
        pb.anything  # noqa: B018
