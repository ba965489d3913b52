"""Tuning, the pure part: which values stand where, equal budgets, and a choice that sees nothing but validation."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.errors import StudyError, UsageError
from paribus.outcome.choice import CandidateRun, ScoredCandidate, choose_candidate, score_candidate
from paribus.records import Curve, EarlyStopping, Status, canonical_json
from paribus.report.toml import to_toml
from paribus.study.candidates import Candidate, candidate_study, divide_budget, list_candidates
from paribus.study.document import MAX_SEED, Arm, StudyDocument
from paribus.study.grid import with_arguments
from paribus.study.load import check_table, parse_study

DENSE = [{"Dense": {"units": 8, "activation": "relu"}}, {"Dropout": {"rate": 0.5}}, {"Dense": {"units": 10}}]


def study(*, tuning: dict[str, Any] | None = None, **arms: dict[str, Any]) -> StudyDocument:
    table: dict[str, Any] = {"name": "s", "data": {"source": "digits", "flatten": True}}
    table["arms"] = {name: {"layers": DENSE, **arm} for name, arm in arms.items()}
    return check_table({**table, **({} if tuning is None else {"tuning": tuning})}, "s.toml")


def refused(*, tuning: dict[str, Any] | None = None, **arms: dict[str, Any]) -> list[str]:
    with pytest.raises(StudyError) as error:
        study(tuning=tuning, **arms)
    return [str(mistake) for mistake in error.value.mistakes]


def rates(number: int) -> dict[str, Any]:
    return {"grid": {"learning_rate": [0.001 * (place + 1) for place in range(number)]}}


# Where a key's value goes.


def test_plain_names_and_paths_change_what_they_say() -> None:
    arm = Arm.model_validate(
        {
            "layers": [
                {"Dropout": {"rate": 0.1}},
                {"Dense": {"units": 8, "kernel_regularizer": {"L2": {"l2": 0.1}}}},
                {"SpatialDropout1D": {"rate": 0.3}},
                {"Dense": {"units": 10}},
                "Softmax",
            ],
            "optimizer": {"SGD": {"momentum": 0.9}},
            "grid": {"dropout": [0.2, 0.4]},
        }
    )
    values = {
        "learning_rate": 0.5,
        "optimizer.momentum": 0.0,
        "dropout": 0.2,
        "Dense.units": 4,
        "layer 2.kernel_regularizer.l2": 0.01,
        "layer 4.use_bias": False,
    }
    new = with_arguments(arm, values)
    assert new.optimizer == {"SGD": {"momentum": 0.0, "learning_rate": 0.5}}
    assert new.layers == (
        {"Dropout": {"rate": 0.2}},
        {"Dense": {"units": 4, "kernel_regularizer": {"L2": {"l2": 0.01}}}},
        {"SpatialDropout1D": {"rate": 0.2}},
        {"Dense": {"units": 10, "use_bias": False}},
        {"Softmax": {}},
    )
    assert new.grid is None
    assert arm.optimizer == {"SGD": {"momentum": 0.9}}, "the arm itself stays as it is"


def test_a_keras_config_is_changed_like_a_stack() -> None:
    def layer(kind: str, **config: Any) -> dict[str, Any]:
        return {"class_name": kind, "module": "keras.layers", "config": config}

    inner = layer("Dense", units=8, kernel_regularizer={"class_name": "L2", "config": {"l2": 0.1}})
    stack = [layer("InputLayer"), inner, layer("Dropout", rate=0.5), layer("Dense", units=10)]
    arm = Arm(model=canonical_json({"class_name": "Sequential", "config": {"layers": stack}}))
    new = with_arguments(arm, {"dropout": 0.1, "Dense.units": 4, "layer 1.kernel_regularizer.l2": 0.01})
    config = json.loads(new.model or "")["config"]["layers"]
    assert config[1]["config"] == {"units": 4, "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}}}
    assert config[2]["config"] == {"rate": 0.1}
    assert config[3]["config"] == {"units": 10}
    with pytest.raises(UsageError, match="Dense has no argument 'unit'; it has kernel_reg"):
        with_arguments(arm, {"layer 1.unit": 4})


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [
        ("learning_rate", [0.1, 0], "0: a learning rate is a number above 0"),
        ("learning_rate", [0.1, True], "True: a learning rate is a number above 0"),
        ("dropout", [0.1, 1.5], "1.5: a rate lies in"),
        ("dropout", [], "no values"),
        ("dropout", [0.1, 0.2, 0.1], "0.1 is listed twice"),
        ("momentum", [0.1, 0.2], "no argument that can be tuned has this name"),
        ("layer 4.units", [1, 2], "3 layers, counted from 1; there is no layer 4"),
        ("layer 1.units", [1, 0], "Dense units 0"),
        ("layer 2.rate", [0.5, 1.2], "Dropout rate 1.2"),
        ("Conv2D.filters", [1, 2], "no Conv2D layer comes before the answer; the layers that do are Dense, Dropout"),
        ("layer 1.kernel_regularizer.l2", [0.1, 0.2], "not set, which has no arguments"),
        ("layer 1.activation", [{"relu": {}}, "tanh"], "a number, a text, true or false is expected"),
    ],
)
def test_a_key_that_does_not_fit_is_told_with_its_place(key: str, values: list[Any], said: str) -> None:
    (told,) = refused(big={"grid": {key: values}})
    assert told.startswith(f"arm 'big', grid, {key}: ")
    assert said in told


def test_a_schedule_is_not_replaced_by_plain_rates() -> None:
    schedule = {"Adam": {"learning_rate": {"CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 9}}}}
    (told,) = refused(big={"optimizer": schedule, "grid": {"learning_rate": [0.1, 0.2]}})
    assert "the learning_rate of Adam is CosineDecay, which a plain value" in told
    key = "optimizer.learning_rate.initial_learning_rate"
    assert key in told
    assert len(list_candidates(study(big={"optimizer": schedule, "grid": {key: [0.1, 0.2]}}))["big"]) == 2


def test_all_mistakes_are_told_at_once() -> None:
    told = refused(
        big={"grid": {"learning_rate": [-1, 0.1], "dropout": [2, 0.1]}},
        small={"grid": {"nothing": [1]}, "optimiser": "Adam"},
        plain={},
    )
    assert [line.split(":")[0] for line in told] == [
        "arm 'small', optimiser",
        "arm 'big', grid, learning_rate",
        "arm 'big', grid, dropout",
        "arm 'plain'",
    ]


# Equal budgets.


def test_an_arm_without_a_grid_beside_one_with_a_grid_must_say_so() -> None:
    (told,) = refused(big=rates(2), plain={})
    assert told.startswith("arm 'plain': it has no grid and big has")
    assert study(big=rates(2), plain={"grid": {}}).tuned == ("big",)


@pytest.mark.parametrize(
    ("sizes", "tuning", "said"),
    [
        ((6, 4), {}, "6 trainings an arm cannot be divided evenly (combinations: a 6, b 4; at least 1 seed each)"),
        ((6, 4), {}, "say budget = 12"),
        ((4, 4), {"budget": 5, "seeds": 2}, "say budget = 6"),
        ((4, 4), {"budget": 3, "seeds": 2}, "this is one candidate, which selects nothing"),
        ((200, 200), {"seeds": 100}, "20,000 trainings an arm"),
    ],
)
def test_budgets_that_cannot_be_equal_are_refused(sizes: tuple[int, int], tuning: dict[str, Any], said: str) -> None:
    (told,) = refused(tuning=tuning, a=rates(sizes[0]), b=rates(sizes[1]))
    assert told.startswith("tuning, budget: ")
    assert said in told
    if "say budget = " in told:
        mended = int(told.rpartition(" ")[2])
        assert study(tuning={**tuning, "budget": mended}, a=rates(sizes[0]), b=rates(sizes[1])).tuned


def test_other_mistakes_of_tuning() -> None:
    (told,) = refused(tuning={"seeds": 2}, a={})
    assert told == "tuning: no arm has a grid; give one to each arm, or leave [tuning] out"
    assert "one combination selects nothing" in refused(a=rates(1), b=rates(2))[0]
    assert "'best': input should be 'val_accuracy' or 'val_loss'" in refused(tuning={"monitor": "best"}, a=rates(2))[0]
    assert "did you mean 'budget'" in refused(tuning={"budgets": 3}, a=rates(2))[0]
    assert "at most 90" in refused(**{"a" * 95: rates(2)})[0]


@given(st.lists(st.integers(2, 12), min_size=1, max_size=4), st.integers(1, 3), st.integers(2, 40))
def test_every_arm_gets_the_same_number_of_trainings(sizes: list[int], seeds: int, budget: int) -> None:
    arms = {f"arm{place}": rates(size) for place, size in enumerate(sizes)}
    try:
        document = study(tuning={"seeds": seeds, "budget": budget}, **arms)
    except StudyError:
        (told,) = refused(tuning={"seeds": seeds, "budget": budget}, **arms)
        assert told.startswith("tuning, budget: ")
        return
    for name, found in list_candidates(document).items():
        assert sum(len(each.seeds) for each in found) == budget
        assert len({len(each.seeds) for each in found}) == 1
        assert all(len(each.seeds) >= seeds for each in found)
        assert len({each.values for each in found}) == len(found)
        listed = document.arms[name].grid
        assert listed is not None
        assert all(dict(each.values)["learning_rate"] in listed["learning_rate"] for each in found)
    assert list_candidates(document) == list_candidates(document), "a sample is the same every time"


def test_the_default_budget_lets_the_largest_grid_try_everything() -> None:
    document = study(tuning={"seeds": 2}, a=rates(6), b=rates(3))
    assert document.tuning.budget == 12
    found = list_candidates(document)
    assert [(len(found[arm]), len(found[arm][0].seeds)) for arm in "ab"] == [(6, 2), (3, 4)]
    assert divide_budget(1000, 12, 2).candidates == 6


def test_the_product_counts_like_itertools() -> None:
    document = study(a={"grid": {"learning_rate": [0.1, 0.2], "dropout": [0.0, 0.3, 0.6]}})
    values = [each.values for each in list_candidates(document)["a"]]
    assert values[:4] == [
        (("learning_rate", 0.1), ("dropout", 0.0)),
        (("learning_rate", 0.1), ("dropout", 0.3)),
        (("learning_rate", 0.1), ("dropout", 0.6)),
        (("learning_rate", 0.2), ("dropout", 0.0)),
    ]
    assert len(values) == 6


def test_candidates_have_seeds_that_no_study_has_and_a_protocol_with_validation() -> None:
    document = study(tuning={"epochs": 3, "seeds": 2}, a=rates(2))
    for each in list_candidates(document)["a"]:
        assert [seeds.seed for seeds in each.seeds] == [MAX_SEED, MAX_SEED + 1]
        assert all(seeds.init >= MAX_SEED for seeds in each.seeds)
    trials = candidate_study(document)
    assert (trials.protocol.epochs, trials.protocol.validation_split) == (3, 0.1)
    assert trials.tuned == ()
    assert StudyDocument.model_validate_json(trials.model_dump_json()) == trials


def test_a_tuned_study_is_written_as_toml_and_read_again() -> None:
    document = study(
        tuning={"monitor": "val_loss"},
        a={"grid": {"optimizer.beta_1": [0.5, 0.9], "learning_rate": [0.1, 1e-05]}},
        b={"grid": {}},
    )
    assert parse_study(to_toml(document), "s.toml") == document


# The choice.


def measured(place: int, scores: list[float], monitor: str = "val_accuracy") -> ScoredCandidate:
    candidate = Candidate("a", place + 1, (("learning_rate", place),), ())
    return score_candidate(candidate, [ending(score, monitor) for score in scores], monitor, None)  # type: ignore[arg-type]


def ending(score: float, monitor: str = "val_accuracy", status: Status = Status.FINISHED) -> CandidateRun:
    other = (0.5, 0.5)
    curve = Curve(other, other, *((other, (0.1, score)) if monitor == "val_accuracy" else ((0.1, score), other)))
    return CandidateRun(status, curve, None if status is Status.FINISHED else "why")


SCORES = st.lists(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7]), min_size=2, max_size=2), min_size=1, max_size=6)


@given(SCORES, st.sampled_from(["val_accuracy", "val_loss"]), st.randoms(use_true_random=False))
def test_the_best_is_chosen_in_any_order_and_the_first_among_equals(scores: Any, monitor: Any, random: Any) -> None:
    found = [measured(place, each, monitor) for place, each in enumerate(scores)]
    place = choose_candidate(found, monitor)
    assert place is not None
    means = [each.mean for each in found]
    best = max(means) if monitor == "val_accuracy" else min(means)  # type: ignore[type-var]
    assert place == means.index(best)
    mixed = list(found)
    random.shuffle(mixed)
    again = choose_candidate(mixed, monitor)
    assert again is not None
    assert mixed[again].mean == found[place].mean
    turned = [measured(place, each[::-1], monitor) for place, each in enumerate(scores)]
    assert choose_candidate(turned, monitor) == place, "the order of the seeds does not count"


def test_a_candidate_counts_with_its_last_epoch_and_not_with_its_best() -> None:
    fading = CandidateRun(Status.FINISHED, Curve((1, 1), (1, 1), (0.1, 0.9), (0.99, 0.5)))
    candidate = Candidate("a", 1, (), ())
    assert score_candidate(candidate, [fading], "val_accuracy", None).mean == 0.5
    rule = EarlyStopping(patience=1, monitor="val_loss")
    assert score_candidate(candidate, [fading], "val_accuracy", rule).mean == 0.99, (
        "early stopping keeps the best epoch"
    )


def test_diverged_candidates_score_what_they_score_and_failed_ones_have_no_score() -> None:
    candidate = Candidate("a", 1, (), ())
    lost = ending(math.nan, "val_loss", Status.DIVERGED)
    assert score_candidate(candidate, [lost], "val_loss", None).mean == math.inf
    chance = score_candidate(candidate, [ending(0.1, status=Status.DIVERGED)], "val_accuracy", None)
    assert (chance.mean, chance.remarks) == (0.1, ("diverged: why",))
    failed = CandidateRun(Status.FAILED, Curve((), ()), "killed")
    half = score_candidate(candidate, [ending(0.9), failed], "val_accuracy", None)
    assert (half.scores, half.mean, half.remarks) == ((0.9, None), None, ("failed: killed",))
    worse = measured(1, [0.2, 0.2])
    assert choose_candidate([half, worse], "val_accuracy") == 1
    assert choose_candidate([half], "val_accuracy") is None
    assert (
        choose_candidate(
            [score_candidate(candidate, [lost], "val_loss", None), measured(1, [9.0], "val_loss")], "val_loss"
        )
        == 1
    )
