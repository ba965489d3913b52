"""What results hold in hand: frames, figures, questions, stored networks; opened again, and judged ones."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import paribus as pb
from paribus.api.trained_models import find_best_seed
from paribus.backends.fake import FakeBackend
from paribus.data import load
from paribus.errors import UnknownNameError, UsageError

ACCURACY = {"small": 0.8, "large": 0.95, "large-dropout": 0.95}


def run(store: Path | None = None, **options: object) -> pb.Results:
    backend = FakeBackend(lambda arm: ACCURACY[arm])
    return pb.Study.load("digits").run(4, backend=backend, store=store, progress=False, **options)


@pytest.fixture(scope="module")
def results() -> pb.Results:
    mpl.use("agg")
    return run()


def test_curves_have_a_row_for_each_measure_of_each_epoch(results: pb.Results) -> None:
    curves = results.curves()
    epochs = results.outcome.document.protocol.epochs
    assert list(curves.columns) == ["arm", "seed", "epoch", "measure", "value"]
    assert len(curves) == 3 * 4 * 2 * epochs
    one = curves.query("arm == 'small' and seed == 2 and measure == 'fit_loss'")
    assert one.value.tolist() == list(results.arms["small"].runs[2].curve.fit_loss)
    assert one.epoch.tolist() == list(range(1, epochs + 1))


def test_predictions_are_what_judge_reads_and_give_the_same_answer(results: pb.Results) -> None:
    again = pb.judge(results.predictions(), contrasts=[(c.a, c.b) for c in results.contrasts])
    for before, after in zip(results.contrasts, again.contrasts, strict=True):
        assert (before.difference, before.low, before.high) == (after.difference, after.low, after.high)
        assert before.verdict == after.verdict
    assert again.predictions().groupby(["arm", "seed"], observed=True).size().nunique() == 1


def test_a_confusion_matrix_counts_the_predictions(results: pb.Results) -> None:
    confusion, predictions = results.confusion("small"), results.predictions().query("arm == 'small'")
    assert (confusion.index.name, confusion.columns.name) == ("label", "prediction")
    assert int(np.trace(confusion.to_numpy())) == int((predictions.label == predictions.prediction).sum())
    assert int(confusion.to_numpy().sum()) == len(predictions)
    labels = load(results.outcome.document.data.spec()).y_test
    assert confusion.sum(axis=1).tolist() == (4 * np.bincount(labels)).tolist()
    with pytest.raises(UnknownNameError, match="no arm 'smal': did you mean 'small'"):
        results.confusion("smal")


def test_questions_are_those_of_the_command_line(results: pb.Results) -> None:
    assert results.check("large", "small", margin=0.01).exit_code == 0
    assert results.check("small", "large", margin=0.01).exit_code == 3
    answer = results.plan(0.02)
    assert answer.json["study"] == "digits"
    assert repr(answer) == answer.text


def test_judged_predictions_answer_questions_and_have_no_networks(results: pb.Results) -> None:
    judged = pb.judge(results.predictions())
    assert judged.check("large", "small", margin=0.01).exit_code == 0
    assert len(judged.plan(0.02).json["plans"]) == 3
    assert judged.confusion("large").equals(results.confusion("large"))
    for ask in (lambda: judged.model("large", 0), lambda: judged.export("keras"), lambda: judged.noise("large")):
        with pytest.raises(UsageError, match="predictions from elsewhere"):
            ask()
    for ask in (judged.curves, judged.plot_curves):
        with pytest.raises(UsageError, match="predictions from elsewhere"):
            ask()


def test_figures_are_axes(results: pb.Results) -> None:
    from matplotlib import pyplot

    axes = results.plot()
    assert axes.get_xlabel() == "difference in test accuracy, points"
    curves = results.plot_curves("fit_loss", arms=["large", "small"])
    assert [text.get_text() for text in curves.get_legend().get_texts()] == ["small", "large"]
    assert len(curves.lines) == 8
    assert results.plot_curves(ax=curves) is curves
    with pytest.raises(UsageError, match="no run has a curve of val_loss"):
        results.plot_curves("val_loss")
    with pytest.raises(UnknownNameError, match="no measure 'loss'"):
        results.plot_curves("loss")
    pyplot.close("all")


def test_an_arm_is_a_card(results: pb.Results) -> None:
    arm = results.arms["small"]
    assert arm.estimates["test_accuracy"] is results.outcome.arm("small").estimates["test_accuracy"]
    assert repr(arm).startswith("Arm('small': ")
    assert "4 seeds" in repr(arm)
    html = results.arms._repr_html_()
    assert html.count("<b>") == 3
    assert "test accuracy" in html


def test_without_a_validation_split_no_network_is_best(results: pb.Results, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no validation split to select a network by"):
        results.best_model("large")
    source = results._require_stored("best_model")
    runs = results.arms["large"].runs
    best = max(runs, key=lambda r: r.scores.test_accuracy)  # type: ignore[union-attr]
    assert find_best_seed(source, "large", "test_accuracy") == best.seeds.seed
    worst = max(runs, key=lambda r: r.scores.test_loss)  # type: ignore[union-attr]
    assert find_best_seed(source, "large", "test_loss") != worst.seeds.seed
    with pytest.raises(UnknownNameError, match="no measure 'accuracy'"):
        results.best_model("large", by="accuracy")


def test_stored_results_are_opened_by_name_and_by_study(tmp_path: Path) -> None:
    stored = run(tmp_path / "runs")
    for study in ("digits", pb.Study.load("digits")):
        loaded = pb.load_results(study, tmp_path / "runs")
        assert repr(loaded) == repr(stored)
        assert loaded.check("large", "small", margin=0.01).exit_code == 0
    with pytest.raises(UnknownNameError, match="nothing is stored of study 'digit'; stored: digits"):
        pb.load_results("digit", tmp_path / "runs")
    document = pb.Study.load("digits").document
    other = document.model_copy(update={"protocol": document.protocol.model_copy(update={"batch_size": 7})})
    with pytest.raises(UsageError, match=r"not what was run as 'digits' \(protocol.batch_size: .*, now 7\)"):
        pb.load_results(pb.Study.of(other), tmp_path / "runs")


def test_noise_is_measured_in_the_same_store(tmp_path: Path) -> None:
    for store in (None, tmp_path / "runs"):
        noise = run(store).noise("small", seeds=2, backend=FakeBackend(), progress=False)
        assert {share["source"] for share in noise.json["shares"]} >= {"init", "order", "test sample"}
        assert "where the variance of one run" in noise.text
    log = tmp_path / "runs" / "live.jsonl"
    stored = run(tmp_path / "runs")
    log.unlink()
    stored.noise("small", seeds=3, backend=FakeBackend(), progress=False)
    assert log.stat().st_size, "whoever follows the store sees these runs too"
    with pytest.raises(UsageError, match="seeds=1: a variance needs 2 or more"):
        run().noise("small", seeds=1)
    with pytest.raises(UsageError, match=r"address 'head:6379': it is that of a Ray cluster"):
        run().noise("small", address="head:6379")


@pytest.mark.parametrize(("seeds", "expected"), [(3, [0, 1, 2]), ([42, 43], [42, 43]), (range(5, 8), [5, 6, 7])])
def test_seeds_are_a_count_or_a_list(seeds: object, expected: list[int]) -> None:
    backend = FakeBackend(lambda arm: ACCURACY[arm])
    found = pb.Study.load("digits").run(seeds, backend=backend, verbose=0)  # type: ignore[arg-type]
    assert [run.seeds.seed for run in found.arms["small"].runs] == expected


@pytest.mark.parametrize(
    ("seeds", "message"),
    [([0, 7], "follow each other"), ([], "follow each other"), (["a"], "whole numbers"), ([1, 1], "follow each other")],
)
def test_other_lists_of_seeds_are_refused(seeds: list[object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        pb.Study.load("digits").run(seeds, verbose=0)  # type: ignore[arg-type]


def test_verbose_is_that_of_keras(capsys: pytest.CaptureFixture[str]) -> None:
    pb.Study.load("digits").run(1, backend=FakeBackend(), verbose=0)
    assert capsys.readouterr().err == ""
    pb.Study.load("digits").run(1, backend=FakeBackend(), verbose=2)
    assert "[3/3]" in capsys.readouterr().err
    with pytest.raises(UsageError, match="verbose=3"):
        pb.Study.load("digits").run(1, backend=FakeBackend(), verbose=3)


def test_a_policy_of_keras_is_no_precision() -> None:
    import keras

    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
    with pytest.raises(UsageError, match="dtype policy of Keras's layers"):
        pb.compare({"a": model, "b": model}, "digits", precision="mixed_bfloat16", backend=FakeBackend())
