"""Factors of a study file become arms with sensible names, levels and contrasts; what is wrong is told at once."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.errors import StudyError
from paribus.study.factors import expand_factors
from paribus.study.load import check_table, load_study, parse_study
from paribus.study.statements import list_factors

HEAD = 'name = "s"\n[data]\nsource = "digits"\nflatten = true\n'
FACTORS = """
[factors]
activation = ["relu", "tanh"]
dropout = { off = 0.0, on = 0.3 }
normalization = { off = [], on = ["BatchNormalization"] }
[template]
optimizer = { SGD = { learning_rate = 0.1 } }
layers = [
  { Dense = { units = 8, activation = "$activation" } },
  "$normalization",
  { Dropout = { rate = "$dropout" } },
  { Dense = { units = 10, activation = "softmax" } },
]
"""


def study(text: str, design: str | None = None) -> Any:
    return parse_study((f'design = "{design}"\n' if design else "") + HEAD + text, "s.toml")


def test_every_combination_is_an_arm_of_a_factorial_study() -> None:
    document = study(FACTORS)
    assert list(document.arms) == [
        "relu",
        "relu-normalization",
        "relu-dropout",
        "relu-dropout-normalization",
        "tanh",
        "tanh-normalization",
        "tanh-dropout",
        "tanh-dropout-normalization",
    ]
    assert document.comparison.factorial
    assert [factor.name for factor in list_factors(document)] == ["activation", "dropout", "normalization"]
    arm = document.arms["tanh-dropout-normalization"]
    assert arm.levels == {"activation": "tanh", "dropout": "on", "normalization": "on"}
    assert [next(iter(layer)) for layer in arm.layers] == ["Dense", "BatchNormalization", "Dropout", "Dense"]
    assert arm.layers[0] == {"Dense": {"units": 8, "activation": "tanh"}}
    assert arm.layers[2] == {"Dropout": {"rate": 0.3}}
    assert arm.optimizer == {"SGD": {"learning_rate": 0.1}}
    assert len(document.arms["relu"].layers) == 3
    assert document.declared_contrasts() == ()


def test_one_at_a_time_changes_the_baseline() -> None:
    document = study(FACTORS.replace("off = 0.0, on = 0.3", "on = 0.3, off = 0.0"), "one at a time")
    assert list(document.arms) == ["baseline", "tanh", "no-dropout", "normalization"]
    assert not document.comparison.factorial
    assert [(c.a, c.b) for c in document.contrasts] == [
        ("tanh", "baseline"),
        ("no-dropout", "baseline"),
        ("normalization", "baseline"),
    ]
    assert document.arms["no-dropout"].levels == {"activation": "relu", "dropout": "off", "normalization": "off"}
    rates = [layer["Dropout"]["rate"] for arm in document.arms.values() for layer in arm.layers if "Dropout" in layer]
    assert rates == [0.3, 0.3, 0.0, 0.3]


def test_the_built_in_study_could_be_written_with_factors() -> None:
    """The same arms, networks, levels and names as the ones written out."""
    written = load_study("dropout-or-architecture")
    dense = [{"Dense": {"units": 500, "activation": "tanh"}}] * 3
    table = {
        "name": "x",
        "data": {"source": "mnist"},
        "factors": {
            "architecture": {"deep": [{"Dense": {"units": 200, "activation": "relu"}}] * 5, "wide": dense},
            "dropout": {"off": [], "on": [{"Dropout": {"rate": 0.2}}]},
        },
        "template": {
            "layers": ["$dropout", "$architecture", "$dropout", {"Dense": {"units": 10, "activation": "softmax"}}]
        },
    }
    made = check_table(table, "x")
    assert list(made.arms) == ["deep", "deep-dropout", "wide", "wide-dropout"]
    for name, arm in made.arms.items():
        assert (arm.spec(), arm.levels) == (written.arms[name].spec(), written.arms[name].levels)


NAMES = {
    "numbers": (
        {"units": [8, 16], "rate": [0.001, 0.1]},
        ["units-8-rate-0.001", "units-8-rate-0.1", "units-16-rate-0.001"],
    ),
    "switches": ({"dropout": [False, True], "norm": {"no": 0, "yes": 1}}, ["plain", "norm", "dropout", "dropout-norm"]),
    "same words": (
        {"first": ["relu", "tanh"], "last": ["relu", "tanh"]},
        ["first-relu-last-relu", "first-relu-last-tanh"],
    ),
    "clash": ({"dropout": ["on", "off"], "kind": ["dropout", "x"]}, ["dropout-kind-dropout", "dropout-x"]),
}


@pytest.mark.parametrize("case", NAMES)
def test_names_are_those_a_person_would_give(case: str) -> None:
    factors, names = NAMES[case]
    layers = [{"Dense": {name: f"${name}" for name in factors}}]
    made = expand_factors({"factors": factors, "template": {"layers": layers}}, "x")["arms"]
    assert list(made)[: len(names)] == names


@given(
    st.dictionaries(
        st.sampled_from("abc"), st.lists(st.sampled_from(["on", "off", "1", "a", "b"]), unique=True, min_size=2)
    )
)
def test_every_combination_is_there_once(factors: dict[str, list[str]]) -> None:
    if not factors:
        return
    table = {"factors": factors, "template": {"layers": [f"${name}" for name in factors]}}
    every = expand_factors(table, "x")["arms"]
    cells = [tuple(arm["levels"].items()) for arm in every.values()]
    assert len(set(cells)) == len(cells) == math.prod(map(len, factors.values()))
    assert all(arm["layers"] == list(arm["levels"].values()) for arm in every.values())
    one = expand_factors({**table, "design": "one at a time"}, "x")
    changed = [
        sum(x != y for x, y in zip(arm["layers"], one["arms"]["baseline"]["layers"], strict=True))
        for arm in one["arms"].values()
    ]
    assert sorted(changed) == [0] + [1] * sum(len(levels) - 1 for levels in factors.values())
    assert len(one["contrasts"]) == len(one["arms"]) - 1


MISTAKES = {
    "no template": ("[factors]\na = [1, 2]", "template: missing; [factors] and [template] belong together"),
    "no factors": ('[template]\nlayers = ["Flatten"]', "factors: missing"),
    "arms too": (FACTORS + '[arms.a]\nlayers = ["Flatten"]', "arms: arms are made from [factors] and [template]"),
    "one level": (FACTORS.replace('["relu", "tanh"]', '["relu"]'), "factors, activation: 1 level; a factor has two"),
    "twice": (
        FACTORS.replace('["relu", "tanh"]', '["relu", "relu"]'),
        "factors, activation: a level is listed twice",
    ),
    "not a list": (FACTORS.replace('["relu", "tanh"]', '"relu"'), "factors, activation: 'relu': a list of levels"),
    "lists": (FACTORS.replace('["relu", "tanh"]', "[[], []]"), "factors, activation: levels that are lists or tables"),
    "unused": (FACTORS.replace('"$activation"', '"relu"'), "template: factor 'activation' is not in it"),
    "unknown": (FACTORS.replace('"$activation"', '"$activatoin"'), "'$activatoin' is not a factor; .* did you mean"),
    "many": (FACTORS.replace('["relu", "tanh"]', str(list(range(60)))), "factors: 240 arms; at most 200"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_told(case: str) -> None:
    text, said = MISTAKES[case]
    with pytest.raises(StudyError) as caught:
        study(text)
    place, _, rest = said.partition(" .* ")
    assert place in str(caught.value)
    assert rest in str(caught.value)


def test_a_wrong_design_is_told() -> None:
    with pytest.raises(StudyError, match='design: \'all\': "every combination" or "one at a time" is expected'):
        study(FACTORS, "all")


def test_what_a_level_breaks_is_told_with_its_arm() -> None:
    with pytest.raises(StudyError, match=r"arm 'relu-dropout', layer 2: Dropout rate 1.5"):
        study(FACTORS.replace("on = 0.3", "on = 1.5"))


def test_studies_without_factors_are_as_they_were() -> None:
    table = tomllib.loads(HEAD + '[arms.a]\nlayers = ["Flatten"]')
    assert expand_factors(table, "s.toml") == table
