"""The JSON of ``paribus run --json`` is a contract: its keys, its nesting, null for what is undefined."""

from __future__ import annotations

import json
import math

import pytest

import report_examples as examples
from paribus.analysis import Verdict
from paribus.analysis.sentences import contrast_sentence, effect_sentence
from paribus.records import Status
from paribus.report.json import outcome_fields

ESTIMATE = {"mean", "low", "high", "sd", "n"}
RUN = {
    *("seed", "status", "test_accuracy", "train_accuracy", "fit_accuracy", "test_loss", "train_loss", "seconds"),
    "weights_digest",
}
CONTRAST = {
    *("a", "b", "metric", "difference", "low", "high", "p_value", "p_adjusted", "scope", "verdict", "sentence"),
}


@pytest.fixture(scope="module")
def tiny():
    return outcome_fields(examples.tiny(4))


def test_the_keys_of_the_contract(tiny):
    assert {"study", "data", "arms", "contrasts"} <= set(tiny)
    assert tiny["study"] == "digits"
    assert {"name", "fingerprint", "train", "test"} <= set(tiny["data"])
    assert (tiny["data"]["train"], tiny["data"]["test"]) == (1347, 450)
    for arm in tiny["arms"]:
        assert {"name", "parameters", "seeds", "runs"} <= set(arm)
        for metric in ("test_accuracy", "train_accuracy", "fit_accuracy", "generalization_gap", "test_loss"):
            assert set(arm[metric]) >= ESTIMATE
        for run in arm["runs"]:
            assert set(run) >= RUN
    for contrast in tiny["contrasts"]:
        assert set(contrast) >= CONTRAST


def test_values_are_those_of_the_outcome():
    outcome = examples.tiny(3)
    found = outcome_fields(outcome)
    for arm, said in zip(outcome.arms, found["arms"], strict=True):
        estimate = arm.estimates["test_accuracy"]
        assert said["test_accuracy"]["mean"] == estimate.mean
        assert said["test_accuracy"]["high"] == estimate.high
        assert said["seeds"] == [0, 1, 2]
        assert said["parameters"] == arm.recipe.parameters
        for run, row in zip(arm.runs, said["runs"], strict=True):
            assert row["test_accuracy"] == run.scores.test_accuracy
            assert row["weights_digest"] == run.weights_digest
    for contrast, said in zip(outcome.contrasts, found["contrasts"], strict=True):
        assert said["difference"] == contrast.comparison.difference
        assert said["sentence"] == contrast_sentence(contrast)
        assert said["scope"] == "new data"


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_interval_p_and_verdict_agree(seeds):
    for contrast in outcome_fields(examples.tiny(seeds))["contrasts"]:
        apart = contrast["low"] > 0 or contrast["high"] < 0
        assert apart == (contrast["verdict"] in ("better", "worse"))
        assert apart == (contrast["p_adjusted"] <= 0.05)
        assert contrast["low"] < contrast["difference"] < contrast["high"]


def test_one_seed_has_no_interval():
    found = outcome_fields(examples.tiny(1))
    for arm in found["arms"]:
        estimate = arm["test_accuracy"]
        assert estimate["mean"] is not None
        assert (estimate["low"], estimate["high"], estimate["sd"], estimate["n"]) == (None, None, None, 1)
    for contrast in found["contrasts"]:
        assert (contrast["low"], contrast["high"], contrast["p_value"]) == (None, None, None)
        assert contrast["verdict"] == "undecided"


def end_badly(arm, seed):
    if arm == "small":
        return {0: Status.DIVERGED, 1: Status.FAILED, 2: None}.get(seed, Status.FINISHED)
    return Status.FINISHED


def test_diverged_failed_and_missing_runs_are_all_there():
    small = outcome_fields(examples.tiny(5, end=end_badly))["arms"][0]
    assert small["seeds"] == [0, 1, 3, 4]
    assert small["missing"] == [2]
    diverged, failed, *_ = small["runs"]
    assert diverged["status"] == "diverged"
    assert diverged["test_accuracy"] is not None
    assert diverged["fit_loss"] is None, "nan is null"
    assert "nan" in diverged["reason"]
    assert failed["status"] == "failed"
    assert failed["test_accuracy"] is None
    assert failed["weights_digest"] is None
    assert small["test_accuracy"]["n"] == 3


def test_an_arm_without_any_score_keeps_its_keys():
    found = outcome_fields(examples.tiny(2, end=lambda arm, seed: Status.FAILED if arm == "small" else Status.FINISHED))
    assert found["arms"][0]["test_accuracy"] == {
        **{"mean": None, "low": None, "high": None, "sd": None, "n": 0, "scope": None}
    }
    lost = [contrast for contrast in found["contrasts"] if "small" in (contrast["a"], contrast["b"])]
    assert lost
    for contrast in lost:
        assert contrast["difference"] is None
        assert contrast["verdict"] == "undecided"
        assert set(contrast) == set(found["contrasts"][0]), "the same keys with and without a comparison"


@pytest.mark.parametrize(
    "make",
    [
        lambda: examples.tiny(5, end=end_badly),
        lambda: examples.tiny(1, end=lambda arm, seed: Status.DIVERGED),
        lambda: examples.tiny(1, end=lambda arm, seed: None),
        lambda: examples.tiny(2, contrasts=[], comparison={"all_pairs": False}),
    ],
)
def test_nan_and_infinity_never_appear(make):
    found = outcome_fields(make())
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found, "plain values only"


def test_effects_of_a_factorial_study():
    outcome = examples.tiny_factorial(3)
    found = outcome_fields(outcome)
    assert [effect["interaction"] for effect in found["effects"]] == [False, False, True]
    for effect, said in zip(outcome.effects, found["effects"], strict=True):
        assert said["sentence"] == effect_sentence(effect)
        assert said["verdict"] in set(Verdict)
        assert math.isclose(said["difference"], effect.comparison.difference)
    assert found["effects"][0]["factors"] == [{"factor": "width", "low": "small", "high": "large"}]


def test_without_contrasts():
    found = outcome_fields(examples.tiny(2, contrasts=[], comparison={"all_pairs": False}))
    assert found["contrasts"] == []
    assert found["effects"] == []
