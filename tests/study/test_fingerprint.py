"""What makes two runs the same run, and what does not."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from paribus.records import (
    DataSpec,
    DataSummary,
    EarlyStopping,
    Folds,
    Imputation,
    LayerSummary,
    Recipe,
    ReduceLROnPlateau,
    Seeds,
    Training,
)
from paribus.study import fingerprint
from paribus.study.document import Arm
from paribus.study.fingerprint import recipe_key, run_fingerprint

RECIPE = Recipe('{"class_name":"Sequential"}', '{"class_name":"Adam"}', 79_510, (LayerSummary("d", "Dense", "", 1),))
TRAINING = Training('{"categorical_crossentropy":{}}', 10, 100)
SPEC = DataSpec("mnist", 255.0, flatten=True)
DATA = DataSummary("mnist", "ab" * 32, 60_000, 10_000, (784,), 10)
SEEDS = Seeds.of(3)
ARM = Arm.model_validate({"layers": [{"Dense": {"units": 10}}]})


def of(
    recipe: Recipe = RECIPE,
    training: Training = TRAINING,
    spec: DataSpec = SPEC,
    data: DataSummary = DATA,
    seeds: Seeds = SEEDS,
) -> str:
    return run_fingerprint(recipe, training, spec, data, seeds)


CHANGES: dict[str, dict[str, Any]] = {
    "model": {"recipe": replace(RECIPE, model="{}")},
    "optimizer": {"recipe": replace(RECIPE, optimizer="{}")},
    "loss": {"training": replace(TRAINING, loss='{"mean_squared_error":{}}')},
    "epochs": {"training": replace(TRAINING, epochs=11)},
    "batch size": {"training": replace(TRAINING, batch_size=101)},
    "validation split": {"training": replace(TRAINING, validation_split=0.1)},
    "class weights": {"training": replace(TRAINING, class_weight=((0, 2.0),))},
    "other class weights": {"training": replace(TRAINING, class_weight=((0, 3.0),))},
    "balanced classes": {"training": replace(TRAINING, class_weight="balanced")},
    "early stopping": {"training": replace(TRAINING, early_stopping=EarlyStopping(3))},
    "patience": {"training": replace(TRAINING, early_stopping=EarlyStopping(4))},
    "what is monitored": {"training": replace(TRAINING, early_stopping=EarlyStopping(3, "val_accuracy"))},
    "least improvement": {"training": replace(TRAINING, early_stopping=EarlyStopping(3, min_delta=0.1))},
    "metrics": {"training": replace(TRAINING, metrics='[{"AUC":{}}]')},
    "own metrics": {"training": replace(TRAINING, metrics='[{"AUC":{}}]', metric_sources='{"my>Cost":"ab"}')},
    "the file of own metrics": {
        "training": replace(TRAINING, metrics='[{"AUC":{}}]', metric_sources='{"my>Cost":"cd"}')
    },
    "initial weights": {"recipe": replace(RECIPE, model='{"class_name":"Sequential","initial_weights":"ab"}')},
    "other initial weights": {"recipe": replace(RECIPE, model='{"class_name":"Sequential","initial_weights":"cd"}')},
    "the positive class": {"training": replace(TRAINING, metrics='[{"AUC":{}}]', positive="1")},
    "precision": {"training": replace(TRAINING, precision="bf16")},
    "which examples validate": {"training": replace(TRAINING, validation="stratified")},
    "learning rates": {"training": replace(TRAINING, learning_rates=(0.1, 0.01))},
    "other learning rates": {"training": replace(TRAINING, learning_rates=(0.1, 0.02))},
    "plateaus": {"training": replace(TRAINING, reduce_lr_on_plateau=ReduceLROnPlateau())},
    "the patience of plateaus": {"training": replace(TRAINING, reduce_lr_on_plateau=ReduceLROnPlateau(patience=3))},
    "scale": {"spec": replace(SPEC, scale=256.0)},
    "no scale": {"spec": replace(SPEC, scale=None)},
    "flatten": {"spec": replace(SPEC, flatten=False)},
    "standardize": {"spec": replace(SPEC, scale=None, standardize=True)},
    "content of the data": {"data": replace(DATA, fingerprint="cd" * 32)},
    "init seed": {"seeds": replace(SEEDS, init=4)},
    "order seed": {"seeds": replace(SEEDS, order=4)},
    "dropout seed": {"seeds": replace(SEEDS, dropout=4)},
}
SAME: dict[str, dict[str, Any]] = {
    "where the data lies": {"spec": replace(SPEC, source="/somewhere/else")},
    "where the test split lies": {"spec": replace(SPEC, test="/somewhere/test.csv")},
    "how the data is read": {"spec": replace(SPEC, label="y", categorical=("a",), test_fraction=0.2)},
    "how missing values are filled in": {"spec": replace(SPEC, drop=("id",), impute=Imputation("median"))},
    "that the data is a fold, which is in its content": {"spec": replace(SPEC, folds=Folds(5, repeat=0, fold=1))},
    "remarks on the data": {"data": replace(DATA, notes=("a remark",), class_names=("a", "b"))},
    "the data's name": {"data": replace(DATA, name="digits of 1998")},
    "layer summaries": {"recipe": replace(RECIPE, layers=())},
    "a whole number for a scale": {"spec": replace(SPEC, scale=255)},
    "a whole number for a split": {"training": replace(TRAINING, validation_split=0)},
}


def test_a_fingerprint_is_pinned() -> None:
    """If this changes, no stored run is found again: raise ``ENGINE`` and say so in the changelog."""
    assert of() == "58b6e00265422a82b96785d156e2d9292f67c9c0b5171c2d0e5656febaccb5b3"


def test_networks_with_convolutions_have_a_mark_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of their kernels names only their runs anew."""
    convolutional = replace(RECIPE, model=RECIPE.model + '{"class_name":"Conv2D"}')
    before, plain = of(recipe=convolutional), of()
    monkeypatch.setattr(fingerprint, "KERNELS", fingerprint.KERNELS + 1)
    assert of(recipe=convolutional) != before
    assert of() == plain


def test_networks_of_sequences_have_a_mark_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    recurrent = replace(RECIPE, model=RECIPE.model + '{"class_name":"LSTM"}')
    convolutional = replace(RECIPE, model=RECIPE.model + '{"class_name":"Conv2D"}')
    before, others = of(recipe=recurrent), (of(), of(recipe=convolutional))
    monkeypatch.setattr(fingerprint, "SEQUENCES", fingerprint.SEQUENCES + 1)
    assert of(recipe=recurrent) != before
    assert (of(), of(recipe=convolutional)) == others


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_fingerprint(change: str) -> None:
    assert of(**CHANGES[change]) != of()


def test_no_two_changes_have_one_fingerprint() -> None:
    assert len({of(**change) for change in CHANGES.values()}) == len(CHANGES)


@pytest.mark.parametrize("same", SAME)
def test_what_does_not(same: str) -> None:
    assert of(**SAME[same]) == of()


def test_every_seed_of_the_three_has_its_own_place() -> None:
    """Not a sum or a set of them: (1, 2, 3) and (3, 2, 1) are different runs."""
    assert len({of(seeds=Seeds(*each)) for each in [(1, 2, 3), (3, 2, 1), (2, 1, 3), (1, 3, 2)]}) == 4


def test_a_new_engine_has_new_fingerprints(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of(), recipe_key(ARM, TRAINING, DATA)
    monkeypatch.setattr(fingerprint, "ENGINE", fingerprint.ENGINE + 1)
    assert of() != before[0]
    assert recipe_key(ARM, TRAINING, DATA) != before[1]


def test_no_field_is_forgotten() -> None:
    """A new field of these records changes bits or does not: decide, and add it to one of the two tables above."""
    assert [f.name for f in fields(Training)] == [
        *("loss", "epochs", "batch_size", "validation_split", "class_weight", "early_stopping", "metrics", "precision"),
        *("positive", "validation", "learning_rates", "reduce_lr_on_plateau", "metric_sources"),
    ]
    assert [f.name for f in fields(EarlyStopping)] == ["patience", "monitor", "min_delta"]
    assert [f.name for f in fields(Seeds)] == ["init", "order", "dropout"]
    assert [f.name for f in fields(Recipe)] == ["model", "optimizer", "parameters", "layers"]
    assert [f.name for f in fields(DataSpec)] == [
        *("source", "scale", "flatten", "standardize", "label", "categorical", "test", "test_fraction"),
        *("drop", "impute", "folds"),
    ]


def key(arm: Arm = ARM, training: Training = TRAINING, data: DataSummary = DATA) -> str:
    return recipe_key(arm, training, data)


def with_weights(sha256: str, file: str = "base.weights.h5") -> Arm:
    layers = [{"Dense": {"units": 10}}]
    return Arm.model_validate({"layers": layers, "initial_weights": {"file": file, "sha256": sha256}})


def test_what_a_canonical_form_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        key(arm=Arm.model_validate({"layers": [{"Dense": {"units": 11}}]})),
        key(arm=Arm.model_validate({"layers": [{"Dense": {"units": 10}}], "optimizer": "SGD"})),
        key(training=replace(TRAINING, loss='{"sparse_categorical_crossentropy":{}}')),
        key(data=replace(DATA, input_shape=(28, 28))),
        key(data=replace(DATA, classes=11)),
        key(training=replace(TRAINING, metrics='[{"AUC":{}}]')),
        key(training=replace(TRAINING, metrics='[{"AUC":{}}]', positive="1")),
        key(training=replace(TRAINING, metrics='[{"AUC":{}}]', metric_sources='{"my>Cost":"ab"}')),
        *(key(arm=with_weights(sha256)) for sha256 in ("ab", "cd")),
    ]
    monkeypatch.setattr(fingerprint.importlib.metadata, "version", lambda name: f"another {name}")
    assert len({key(), *others}) == 11
    monkeypatch.undo()
    assert key() not in others


def test_what_it_does_not_depend_on() -> None:
    assert key(arm=ARM.model_copy(update={"levels": {"size": "small"}})) == key()
    assert key(training=replace(TRAINING, epochs=99, batch_size=1)) == key()
    assert key(training=replace(TRAINING, learning_rates=(0.1,), reduce_lr_on_plateau=ReduceLROnPlateau())) == key()
    assert key(arm=ARM.model_copy(update={"learning_rates": (0.1,)})) == key()
    assert key(arm=with_weights("ab", "elsewhere.weights.h5")) == key(arm=with_weights("ab"))
    assert key(data=replace(DATA, name="x", fingerprint="cd" * 32, train=1, test=1)) == key()
