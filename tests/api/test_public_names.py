"""What ``import paribus`` offers, and what it costs."""

from __future__ import annotations

import pytest

import paribus as pb
from project_files import HEAVY, imported_by


def test_importing_paribus_imports_nothing_heavy() -> None:
    assert not imported_by("import paribus") & {*HEAVY, "pydantic", "rich", "typer"}


def test_names_that_need_little_import_little() -> None:
    assert not imported_by("import paribus; paribus.ParibusError, paribus.errors, paribus.__version__") & HEAVY
    assert not imported_by("import paribus; paribus.Study.load('digits').document") & {"keras", "jax"}
    assert not imported_by("import paribus; paribus.compare, paribus.ablate, paribus.Results") & {"keras", "jax"}


def test_names_can_be_listed_and_others_are_no_attributes() -> None:
    assert dir(pb) == sorted(pb.__all__)
    with pytest.raises(AttributeError, match="module 'paribus' has no attribute 'anything'"):
        pb.anything  # noqa: B018
