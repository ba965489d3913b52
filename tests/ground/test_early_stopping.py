"""Early stopping keeps the epoch that Keras's callback keeps, and ends where it ends."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.early_stopping import find_best_epoch, judge_epochs, list_monitored
from paribus.errors import StudyError
from paribus.outcome.outcome import ArmOutcome
from paribus.records import Curve, EarlyStopping, EpochReport, Recipe, RunResult, Scores, Seeds, Status
from paribus.results.notes import list_notes
from paribus.study.load import parse_study

values = st.lists(st.floats(0, 1).map(lambda v: round(v, 2)), min_size=1, max_size=12)


class Counting:
    """A model whose weights are the number of the epoch."""

    stop_training = False
    epoch = 0

    def get_weights(self) -> int:
        return self.epoch

    def set_weights(self, weights: int) -> None:
        self.epoch = weights


def keras_says(rule: EarlyStopping, monitored: list[float]) -> tuple[int, int]:
    """The epoch that Keras's callback keeps, and the one after which it stops, numbered from 1."""
    callback = keras.callbacks.EarlyStopping(
        rule.monitor,
        min_delta=rule.min_delta,
        patience=rule.patience,
        restore_best_weights=True,
        mode="max" if rule.monitor == "val_accuracy" else "min",
    )
    model: Any = Counting()
    callback.set_model(model)
    callback.on_train_begin()
    for index, value in enumerate(monitored):
        model.epoch = index + 1
        callback.on_epoch_end(index, {rule.monitor: value})
        if model.stop_training:
            break
    ended = model.epoch
    callback.on_train_end()
    return model.epoch, ended


@given(values, st.integers(0, 4), st.sampled_from(["val_loss", "val_accuracy"]), st.sampled_from([0.0, 0.1]))
def test_it_is_kerass_callback(monitored: list[float], patience: int, monitor: str, min_delta: float) -> None:
    rule = EarlyStopping(patience, monitor, min_delta)
    ended = next((n for n in range(1, len(monitored) + 1) if judge_epochs(rule, monitored[:n]).stop), len(monitored))
    assert (judge_epochs(rule, monitored[:ended]).best_epoch, ended) == keras_says(rule, monitored)


def test_the_kept_epoch_of_an_ended_run() -> None:
    curve = Curve((3.0, 2.0, 1.0), (0.1, 0.2, 0.3), (1.0, 0.5, 0.7), (0.2, 0.1, 0.9))
    assert find_best_epoch(EarlyStopping(3), curve) == 2
    assert find_best_epoch(EarlyStopping(3, "val_accuracy"), curve) == 3
    assert find_best_epoch(None, curve) == 3
    assert find_best_epoch(EarlyStopping(3), Curve((), ())) == 0


def test_what_is_watched_is_what_is_monitored() -> None:
    reports = [EpochReport(n, 2, 1.0, 0.1, n / 10, n / 100) for n in (1, 2)]
    assert list_monitored(EarlyStopping(1), reports) == [0.1, 0.2]
    assert list_monitored(EarlyStopping(1, "val_accuracy"), reports) == [0.01, 0.02]


STUDY = 'name = "s"\n[data]\nsource = "digits"\n[arms.a]\nlayers = ["Flatten"]\n[protocol]\n'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("early_stopping = { patience = 3 }", "early_stopping monitors a validation split; write validation_split"),
        ("validation_split = 0.1\nearly_stopping = { patience = -1 }", "patience: -1"),
        ("validation_split = 0.1\nearly_stopping = { patience = 3, monitor = 'loss' }", "'val_loss' or 'val_accuracy'"),
        ("validation_split = 0.1\nearly_stopping = {}", "patience: missing"),
        ("class_weight = 'even'", '"balanced", or a table of labels'),
        ("class_weight = 2", '"balanced", or a table of labels'),
        ("class_weight = { 0 = -1.0 }", "class 0: weight -1; a weight is 0 or more"),
        ("class_weight = { 0 = 'a' }", "a number is expected"),
    ],
)
def test_mistakes_are_told_with_their_place(line: str, said: str) -> None:
    with pytest.raises(StudyError, match="protocol") as caught:
        parse_study(STUDY + line, "s.toml")
    assert said in str(caught.value)


def test_they_are_written_like_this() -> None:
    lines = "validation_split = 0.1\nearly_stopping = { patience = 3 }\nclass_weight = { 1 = 2, 0 = 0.5 }"
    training = parse_study(STUDY + lines, "s.toml").protocol.training()
    assert training.early_stopping == EarlyStopping(3, "val_loss", 0.0)
    assert training.class_weight == ((0, 0.5), (1, 2.0))
    assert parse_study(STUDY + 'class_weight = "balanced"', "s.toml").protocol.training().class_weight == "balanced"


def test_a_note_says_which_epochs_are_judged() -> None:
    lines = "validation_split = 0.1\nepochs = 9\nearly_stopping = { patience = 3 }"
    document = parse_study(STUDY + lines, "s.toml")
    scores = Scores(0.9, 0.1, 0.9, 0.1, 0.9, 0.1)
    runs = tuple(
        RunResult(
            "ab" * 32, Status.FINISHED, Seeds.of(seed), scores, Curve((1.0,) * 4, (0.5,) * 4, losses), 1.0, None, None
        )
        for seed, losses in enumerate([(3.0, 1.0, 2.0, 2.0), (4.0, 3.0, 2.0, 1.0)])
    )
    arm = ArmOutcome("a", Recipe("{}", "{}", 1, ()), {}, runs, (), {})
    (note,) = list_notes(document, [arm], [])
    assert note == "Early stopping chose by validation loss the epoch whose weights are judged, of at most 9: a 2 to 4."
    assert list_notes(parse_study(STUDY, "s.toml"), [arm], []) == ()
