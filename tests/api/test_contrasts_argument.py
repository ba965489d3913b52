"""Contrasts, levels and primary statements declared from Python say what a study file says."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import paribus as pb
from paribus.api.options import DEFAULTS, StudyOptions
from paribus.errors import StudyError, UnknownNameError, UsageError
from paribus.study.load import parse_study
from paribus.study.statements import declared_statements

FILE = """
name = "mine"
[data]
source = "digits"
[arms.a]
layers = [{ Dense = { units = 10 } }]
[arms.b]
layers = [{ Dense = { units = 20 } }, { Dense = { units = 10 } }]
[arms.c]
layers = [{ Dense = { units = 30 } }, { Dense = { units = 10 } }]
"""


def models(*names: str) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    return {name: LogisticRegression(C=1.0 + index) for index, name in enumerate(names)}


def shares(study: pb.Study) -> dict[str, tuple[bool, float]]:
    return {s.name: (s.primary, round(s.share, 6)) for s in declared_statements(study.document)}


def test_all_pairs_are_compared_with_equal_shares_unless_something_is_said() -> None:
    assert shares(pb.Study(models("a", "b", "c"), "digits")) == {
        "a against b": (False, 0.333333),
        "a against c": (False, 0.333333),
        "b against c": (False, 0.333333),
    }


def test_a_primary_pair_gets_the_larger_share() -> None:
    study = pb.Study(models("a", "b", "c"), "digits", primary=("b", "a"))
    assert shares(study) == {"b against a": (True, 0.8), "a against c": (False, 0.1), "b against c": (False, 0.1)}


def test_only_the_contrasts_that_are_given_are_compared_on_any_metric() -> None:
    contrasts = [("a", "b"), ("a", "b", "test_loss"), {"a": "a", "b": "c", "margin": 0.01}]
    study = pb.Study(models("a", "b", "c"), "digits", contrasts=contrasts, primary=[("a", "b", "test_loss")])
    assert [(c.a, c.b, c.metric, c.margin, c.primary) for c in study.document.contrasts] == [
        ("a", "b", "test_accuracy", None, False),
        ("a", "b", "test_loss", None, True),
        ("a", "c", "test_accuracy", 0.01, False),
    ]
    assert not study.document.comparison.all_pairs


def test_levels_make_a_factorial_study_whose_effects_may_be_primary() -> None:
    levels = {f"{size}{drop}": {"size": size, "dropout": drop} for size in ("small", "big") for drop in ("off", "on")}
    study = pb.Study(models(*levels), "digits", levels=levels, primary="dropout")
    assert shares(study) == {
        "the effect of size": (False, 0.1),
        "the effect of dropout": (True, 0.8),
        "the effect of size x dropout": (False, 0.1),
    }
    with pytest.raises(StudyError, match="'colour' is not an effect of this study; its effects are size, dropout"):
        pb.Study(models(*levels), "digits", levels=levels, primary="colour")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"contrasts": [("a", "x")]}, UnknownNameError, "no arm 'x' in contrasts: there are a, b"),
        ({"contrasts": ["a"]}, UsageError, "contrast 'a': two arms"),
        ({"primary": ("a", "b"), "primary_share": 1.0}, StudyError, "primary_share"),
        ({"primary": "dropout"}, StudyError, "a study has effects where it is factorial"),
        ({"seed": 3}, UnknownNameError, "no argument 'seed': did you mean 'seeds'"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        pb.Study(models("a", "b"), "digits", **options)


def test_a_study_file_says_the_same() -> None:
    text = (
        FILE + '[[contrasts]]\na = "a"\nb = "b"\nprimary = true\n[comparison]\nall_pairs = true\nprimary_share = 0.6\n'
    )
    flags = [(s.name, s.primary, round(s.share, 6)) for s in declared_statements(parse_study(text, "mine"))]
    assert flags == [("a against b", True, 0.6), ("a against c", False, 0.2), ("b against c", False, 0.2)]


def test_every_option_is_shown_with_its_one_default() -> None:
    assert set(DEFAULTS) == set(StudyOptions.__annotations__)
    for function in (pb.compare, pb.Study.__init__, pb.ablate):
        shown = inspect.signature(function).parameters
        assert "options" not in shown
        assert all(shown[name].default == default for name, default in DEFAULTS.items() if name in shown)
    assert set(DEFAULTS) <= set(inspect.signature(pb.compare).parameters)
