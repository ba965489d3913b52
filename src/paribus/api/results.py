"""The results that ``pb.compare`` and ``Study.run`` return: the outcome as text, tables, JSON and reports."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from paribus.api.arm_card import Arm, Arms
from paribus.api.contrast import Contrast, find_contrast, make_contrast
from paribus.api.text import render_text
from paribus.errors import UsageError
from paribus.errors.control_characters import show_control_characters
from paribus.outcome.outcome import Outcome
from paribus.results.judged_predictions import JudgedPredictions
from paribus.results.predictions import PredictionCache
from paribus.results.stored_study import StoredResults
from paribus.runner.session import reopen_for_reading
from paribus.store.base import Store

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from paribus.api.questions import Answer, Source
    from paribus.backends.base import Backend


class Results:
    """The answer of a study: a table and a figure in Jupyter, text elsewhere.

    Args:
        outcome: the outcome that everything is made from.
        resources: objects that the results need as long as they live (an open store, a temporary folder).
        source: what the outcome was made from: stored results, or a table of predictions.

    Example:
        >>> results = study.run(seeds=3, progress=False)
        >>> results.contrast("large", "small").verdict
        'better'
        >>> results.arms["large"].estimates["test_accuracy"].n
        3
        >>> results.to_pandas().groupby("arm").test_accuracy.max().round().tolist()
        [1.0, 0.0]
        >>> results.curves().columns.tolist()
        ['arm', 'seed', 'epoch', 'measure', 'value']
        >>> int(results.confusion("large").to_numpy().sum()) == 3 * len(results.predictions().example.unique())
        True
        >>> results.check("large", "small", margin=0.01).exit_code
        0
        >>> results.plan(detect=0.05).json["plans"][0]["detect"]
        0.05
        >>> results.model("large", 0).count_params()
        2410
        >>> results.best_model("large", by="test_accuracy").name == results.model("large", 1).name
        True
        >>> results.predict(np.zeros((2, 64))).columns.tolist()[:5]
        ['arm', 'seed', 'example', 'prediction', 'p_0']
        >>> results.plot().get_xlabel()
        'difference in test accuracy, points'
        >>> results.plot_curves("fit_loss").get_xlabel()
        'epoch'
        >>> results.noise("small", seeds=2, progress=False).json["arm"]
        'small'
        >>> len(results.export("keras", folder / "networks", arms=["large"], seeds=[0]))
        3
        >>> results.report(folder / "large.html").name
        'large.html'
    """

    def __init__(
        self, outcome: Outcome, *resources: object, source: StoredResults | JudgedPredictions | None = None
    ) -> None:
        self.outcome = outcome
        self._held = resources
        self._source = source

    @classmethod
    def of(cls, outcome: Outcome, store: Store, *resources: object) -> Self:
        """Results that read from a store whose session has ended.

        Args:
            outcome: the outcome; its predictions are read from the store, which is opened again.
            store: the store that the session wrote.
            *resources: other objects that the results need as long as they live.
        """
        reading = reopen_for_reading(store)
        cache = PredictionCache(reading)
        assert outcome.predictions_request is None, "predictions from elsewhere are in no store"
        source = StoredResults.of(outcome.study_request, reading, cache)
        return cls(replace(outcome, predictions=cache), reading, *resources, source=source)

    @property
    def arms(self) -> dict[str, Arm]:
        """The arms by name, with their runs and the estimates of their metrics, in the study's order."""
        return Arms((arm.name, Arm.of(arm)) for arm in self.outcome.arms)

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """The declared contrasts, in their order, judged as one family."""
        return tuple(make_contrast(contrast, contrast.a) for contrast in self.outcome.contrasts)

    def contrast(self, a: str, b: str, metric: str = "test_accuracy") -> Contrast:
        """Arm ``a`` against arm ``b``: difference, interval, verdict, sentence.

        Args:
            a: the first arm.
            b: the second arm; the difference is a - b, whichever way round it was declared.
            metric: the metric that is compared.

        Raises:
            UnknownNameError: there is no such arm, or this contrast was not declared; the message lists those that are.
        """
        return find_contrast(self.outcome, a, b, metric)

    def to_json(self) -> dict[str, Any]:
        """The answer as plain values, the same as ``paribus run --json`` prints."""
        from paribus.report.json import outcome_fields

        return outcome_fields(self.outcome)

    def to_pandas(self) -> pd.DataFrame:
        """One row a run: ``arm``, ``seed``, with folds ``repeat`` and ``fold``, and the other fields of the JSON.

        Raises:
            UsageError: pandas is not installed.
        """
        from paribus.api.frames import list_runs

        return list_runs(self.outcome)

    def curves(self) -> pd.DataFrame:
        """Measures by epoch, a row each: ``arm``, ``seed``, ``epoch`` (from 1), ``measure``, ``value``.

        Measures are ``fit_loss`` and ``fit_accuracy``, and with a validation split ``val_loss`` and ``val_accuracy``.

        Raises:
            UsageError: these are predictions from elsewhere, or pandas is not installed.
        """
        from paribus.api.frames import list_curves

        return list_curves(self.outcome)

    def predictions(self) -> pd.DataFrame:
        """Predictions on the test split, a row for each example of each run, in the form that ``pb.judge`` reads.

        Columns: ``arm``, ``seed``, ``example``, ``label``, ``prediction``; ``confidence`` (the probability of the
        predicted class) and ``true_probability`` (that of the right class), nan where they are not known. With folds
        also ``repeat`` and ``fold``, from 0: every example is there once in each repetition, by the run that did not
        train on it, and is numbered by its place in the data, the source's training split first.

        Raises:
            UsageError: pandas is not installed.
            DataError: no run is scored, or the labels cannot be read any more.
            StoreError: predictions are damaged.
        """
        from paribus.api.frames import list_predictions

        return list_predictions(self.outcome)

    def confusion(self, arm: str) -> pd.DataFrame:
        """How often each class (columns) was predicted for each true class (rows), over all seeds or passes.

        Raises:
            UnknownNameError: there is no such arm.
            UsageError: there are too many classes, or pandas is not installed.
            DataError, StoreError: as :meth:`predictions`.
        """
        from paribus.api.frames import tabulate_confusion

        return tabulate_confusion(self.outcome, arm)

    def plot(self, metric: str | None = None) -> Any:
        """Draw the contrasts with their intervals, as the report does; the Matplotlib axes of a new figure.

        Args:
            metric: of the contrasts; by default that of the first one. Without a contrast arms are drawn.
        """
        from paribus.api.plots import plot_outcome

        return plot_outcome(self.outcome, metric)

    def plot_curves(self, measure: str | None = None, arms: Sequence[str] = (), ax: Any = None) -> Any:
        """Draw learning curves, a line for each run; the Matplotlib axes.

        Args:
            measure: one of those of :meth:`curves`; by default the validation accuracy, else the fit accuracy.
            arms: only these; all by default.
            ax: axes to draw on; those of a new figure by default.
        """
        from paribus.api.plots import plot_curves

        return plot_curves(self.outcome, measure, arms, ax)

    def check(self, new: str, old: str, margin: float, metric: str = "test_accuracy") -> Answer:
        """Is the new arm not worse than the old one by the margin or more? As ``paribus check``.

        Args:
            new: the arm that must not be worse.
            old: the arm that it is compared with.
            margin: the loss that would be too much, in units of the metric.
            metric: the metric.

        Returns:
            The answer: its text, its ``json``, and as ``exit_code`` 0 (it holds), 3 (it does not) or 4 (undecided).

        Raises:
            UnknownNameError, UsageError: there is no such arm or metric, or the margin cannot be meant.
        """
        from paribus.api import questions

        return questions.check(self._read_source("check"), new, old, metric, margin)

    def plan(self, detect: float, power: float = 0.8) -> Answer:
        """How many seeds would detect a difference? As ``paribus plan``.

        Args:
            detect: the difference to detect, in units of the metric.
            power: the chance of detecting it.

        Raises:
            UsageError: no contrast is declared, there are fewer than 2 seeds, or a number cannot be meant.
        """
        from paribus.api import questions

        return questions.plan(self._read_source("plan"), detect, power)

    def noise(
        self,
        arm: str,
        seeds: int = 5,
        *,
        workers: int | None = None,
        lanes: int | None = None,
        backend: Backend | str | None = None,
        address: str | None = None,
        progress: bool = True,
    ) -> Answer:
        """Where the variance of an arm's test accuracy comes from. As ``paribus noise``: trains the missing runs.

        Args:
            arm: the arm.
            seeds: runs in which each stream varies.
            workers: worker processes.
            lanes: how many seeds a worker trains side by side.
            backend: what computes the runs, as :meth:`Study.run`.
            address: where a Ray cluster runs, as :meth:`Study.run`.
            progress: whether to show progress.

        Raises:
            UsageError: fewer than 2 seeds, or these are predictions from elsewhere; otherwise as :meth:`Study.run`.
        """
        from paribus.api.noise import measure_arm_noise

        choice = {"workers": workers, "lanes": lanes, "address": address}
        return measure_arm_noise(self._require_stored("noise"), arm, seeds, backend, choice, progress=progress)

    def model(
        self, arm: str, seed: int | None = None, *, repeat: int | None = None, fold: int | None = None
    ) -> keras.Model:
        """The trained network of one run: a built and compiled Keras model with its weights.

        It reads examples as training did, scaled and standardized; :meth:`predict` prepares them itself.

        Args:
            arm: the arm.
            seed: the run's seed, as tables have it. With folds each run has its own, so that it says all.
            repeat: with folds, the repetition, from 0; with ``fold`` it does for the seed, where a fold has one.
            fold: with folds, the fold that the network was tested on, from 0, and did not train on.

        Raises:
            UnknownNameError: there is no such arm or seed, repetition or fold.
            UsageError: several runs are meant, or none; the run did not finish or is no network, or Keras does not run
                on JAX in this process.
            ModelError, StoreError: the network cannot be built here, or its weights are damaged.
        """
        from paribus.api.trained_models import build_model

        return build_model(self._require_stored("model"), arm, seed, repeat, fold)

    def best_model(
        self, arm: str, by: str | None = None, *, repeat: int | None = None, fold: int | None = None
    ) -> keras.Model:
        """The trained network of an arm's best seed.

        Its test accuracy is not that of the arm: the estimate of ``arms`` is about any seed, not about the best one.

        Args:
            arm: the arm.
            by: the measure that selects: by default that of the validation split. Without a validation split it must be
                named, such as ``test_accuracy``, which is then too high to be reported.
            repeat: with folds, the repetition.
            fold: the fold; needed with folds, as networks of different folds are measured on different examples.

        Raises:
            UsageError: there is no validation split and no ``by``; or as :meth:`model`.
            UnknownNameError: there is no such arm or measure.
        """
        from paribus.api.trained_models import build_model, find_best_seed

        stored = self._require_stored("best_model")
        return build_model(stored, arm, find_best_seed(stored, arm, by, repeat, fold))

    def predict(
        self,
        examples: Any,
        *,
        arms: Sequence[str] = (),
        repeat: int | None = None,
        fold: int | None = None,
        invert: bool | None = None,
    ) -> pd.DataFrame:
        """Predictions of all trained networks for new examples, a row for each example of each run.

        With folds those of all folds answer, to be averaged. For the study's own examples see :meth:`predictions`.

        Args:
            examples: an array of one or several examples in the data's own numbers, not scaled; or files as for
                ``paribus predict``: pictures, ``.npy``.
            arms: only these; all by default.
            repeat: with folds, only networks of this repetition; all by default.
            fold: with folds, only networks that were tested on this fold; all by default.
            invert: whether black and white of pictures are exchanged; by default where their border says so.

        Returns:
            Columns ``arm``, ``seed`` (``repeat``, ``fold``), ``example``, ``prediction``, and a probability
            ``p_<class>`` for each class.

        Raises:
            UsageError: no network finished, or Keras does not run on JAX in this process.
            DataError: examples have another shape than the data's, or a file cannot be read.
        """
        from paribus.api.trained_models import predict_frame

        stored = self._require_stored("predict")
        return predict_frame(stored, examples, arms=arms, repeat=repeat, fold=fold, invert=invert)

    def export(
        self,
        to: str,
        folder: str | os.PathLike[str] | None = None,
        *,
        arms: Sequence[str] = (),
        seeds: Sequence[int] = (),
        replace: bool = False,
    ) -> tuple[Path, ...]:
        """Export networks or measures as files of other programs, and return their paths. As ``paribus export``.

        Args:
            to: keras, parquet, mlflow or tensorboard.
            folder: the folder to write; ``STUDY-keras`` and so on by default.
            arms: only these; all by default.
            seeds: only these; all by default.
            replace: whether existing files may be replaced.

        Raises:
            UsageError: there is no such target, arm or seed, or a file is there already.
        """
        from paribus.api.trained_models import export_runs

        place = None if folder is None else Path(folder).expanduser()
        return export_runs(self._require_stored("export"), to, place, arms=arms, seeds=seeds, replace=replace).files

    def report(self, path: str | Path, format: str | None = None) -> Path:
        """Write the report to a file, and return its path.

        Args:
            path: the file to write.
            format: html, md, latex, csv or json; by default that of the file's ending, and html where it has none.

        Raises:
            UsageError: no report has such a format or ending, they contradict, or the file cannot be written.
        """
        from paribus.api.report_file import write_report_file

        return write_report_file(self.outcome, Path(path).expanduser(), format)

    def _read_source(self, method: str) -> Source[Any]:
        if self._source is None:
            raise UsageError(f"{method}: these results were made from an outcome alone; use those of `pb.load_results`")
        return self._source

    def _require_stored(self, method: str) -> StoredResults:
        source = self._read_source(method)
        if not isinstance(source, StoredResults):
            raise UsageError(f"{method}: these are predictions from elsewhere, and their networks are not stored")
        return source

    def __repr__(self) -> str:
        from paribus.report.terminal import render

        return render_text(render(self.outcome))

    def _repr_html_(self) -> str:
        """The display in Jupyter: verdicts, the arms drawn with their intervals, and the table."""
        from paribus.report.html import outcome_fragment

        return show_control_characters(outcome_fragment(self.outcome))
