"""Studies with folds: which runs they have, and what does not go together with folds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from paribus.data import summarize
from paribus.errors import StudyError, UsageError
from paribus.records import Recipe, Seeds
from paribus.runner.sequential import with_looks
from paribus.study.document import StudyDocument
from paribus.study.fold_rules import check_fold_metrics
from paribus.study.identity import is_same_study
from paribus.study.load import check_table, parse_study
from paribus.study.plan import list_jobs
from paribus.study.request import list_seeds

STUDY = """
name = "folded"
seeds = 2
[data]
source = "digits"
scale = 16
flatten = true
folds = 3
repeats = 2
[arms.a]
layers = [{ Dense = { units = 10, activation = "softmax" } }]
[arms.b]
layers = [{ Dense = { units = 10, activation = "softmax" } }]
optimizer = "SGD"
[[contrasts]]
a = "a"
b = "b"
"""


def study(**changes: Any) -> StudyDocument:
    document = parse_study(STUDY, "study")
    table = document.model_dump(mode="json", exclude={"tuning"})
    for place, value in changes.items():
        table = _changed(table, place.split("__"), value)
    return check_table(table, "study")


def _changed(table: dict[str, Any], place: list[str], value: Any) -> dict[str, Any]:
    key, *rest = place
    if not rest:
        return {name: item for name, item in {**table, key: value}.items() if item is not None}
    return {**table, key: _changed(table.get(key, {}), rest, value)}


def test_a_run_is_an_arm_a_repetition_and_a_fold_with_its_own_seed() -> None:
    document = study()
    seeds = list_seeds(document)
    assert [seed.seed for seed in seeds] == list(range(2 * 3 * 2))
    data = summarize(document.data.spec())
    recipes = {name: Recipe(f'"{name}"', '"o"', 1, ()) for name in ("a", "b")}
    jobs = list_jobs(document, recipes, data, seeds)
    assert len({job.fingerprint for job in jobs}) == len(jobs) == 24
    of_a = [job for job in jobs if job.arm == "a"]
    places = [(job.data.folds.repeat, job.data.folds.fold) for job in of_a if job.data.folds is not None]
    assert places == [(repeat, fold) for _ in range(2) for repeat in range(2) for fold in range(3)]
    # Round by round the data is the same and the seed another.
    assert of_a[0].data_fingerprint == of_a[6].data_fingerprint
    assert len({job.data_fingerprint for job in of_a}) == 6
    # More seeds, or one repetition more with one seed, compute no run again.
    fewer = list_jobs(study(seeds=1), recipes, data, list_seeds(study(seeds=1)))
    assert {job.fingerprint for job in fewer} < {job.fingerprint for job in jobs}
    once = study(seeds=1, data__repeats=1)
    first = list_jobs(once, recipes, summarize(once.data.spec()), list_seeds(once))
    assert {job.fingerprint for job in first} < {job.fingerprint for job in jobs}


def test_first_seed_counts_whole_rounds() -> None:
    assert list_seeds(study(first_seed=4, seeds=1))[0] == Seeds.of(24)


def test_documents_without_folds_have_no_key_of_them() -> None:
    plain = study(data__folds=None, data__repeats=None)
    assert not {"folds", "repeats", "group", "partition"} & set(plain.data.model_dump(mode="json"))
    assert plain.scope == "new data"
    assert study().scope == "new data, new training sets"
    assert not is_same_study(plain, study())
    assert not is_same_study(study(), study(data__folds=4))
    assert is_same_study(study(), parse_study(STUDY, "study"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"comparison__scope": "this test set"}, "every example is a test example"),
        ({"comparison__scope": "these training sets"}, "it is about one partition"),
        ({"comparison__scope": "these training sets", "data__repeats": 1, "seeds": 1}, "write 2 seeds or more"),
        ({"comparison__looks": [2, 3]}, "planned looks with folds"),
        ({"arms__a__grid": {"learning_rate": [0.1, 0.2]}}, "tuning with folds"),
        ({"contrasts": [{"a": "a", "b": "b", "metric": "train_accuracy"}]}, "the training parts of the folds share"),
        (
            {"contrasts": [{"a": "a", "b": "b", "metric": "generalization_gap"}]},
            "the training parts of the folds share",
        ),
        ({"data__test_fraction": 0.2}, "`test_fraction` beside `folds`"),
        ({"data__folds": None}, "`repeats` means nothing without `folds`"),
        ({"data__folds": 1}, "greater than or equal to 2"),
        ({"data__folds": 21}, "less than or equal to 20"),
        ({"data__group": "x", "data__partition": "y.npy"}, "`group` beside `partition`"),
        (
            {"data__folds": None, "data__repeats": None, "comparison__scope": "these training sets"},
            "a scope of cross-validation",
        ),
        ({"seeds": 2**31 - 1}, "more seeds than there are"),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        study(**changes)


def test_commands_that_do_not_know_folds_refuse_them() -> None:
    with pytest.raises(UsageError, match=r"not supported by --until-decided: .*`paribus plan` and give `repeats`"):
        with_looks(study())


def test_metrics_need_every_class_in_every_fold() -> None:
    with_metrics = study(protocol={"metrics": [{"F1Score": {"average": "macro"}}]})
    data = summarize(with_metrics.data.spec())
    check_fold_metrics(with_metrics, data)
    fewer = replace(data, folds=(*data.folds[:4], replace(data.folds[4], test_classes=9), data.folds[5]))
    check_fold_metrics(study(), fewer)
    with pytest.raises(UsageError, match="fold 1 of repetition 1 has test examples of 9 of the 10 classes"):
        check_fold_metrics(with_metrics, fewer)
