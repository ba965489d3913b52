"""A study in Python: from Keras models or from a file, to be run."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self, Unpack

from paribus.api import keras_objects
from paribus.api.contrasts_argument import declare_contrasts
from paribus.api.data_argument import DataArgument, read_data_argument
from paribus.api.grid_argument import with_grids
from paribus.api.keras_callbacks import read_callbacks
from paribus.api.models import Model, take_down
from paribus.api.options import StudyOptions, resolve_options, shows_options
from paribus.api.results import Results
from paribus.backends.base import Backend
from paribus.data.spooling import make_lasting_folder
from paribus.display.base import Silent
from paribus.display.choose import suitable
from paribus.errors import Mistake, StudyError, UsageError, unknown_name
from paribus.runner.run import run_study, start_workers
from paribus.runner.session import local_backend, open_session
from paribus.study.document import Arm, StudyDocument
from paribus.study.identity import stored_name
from paribus.study.load import check_table, load_study
from paribus.study.overrides import check_arms, override


class Study:
    """A question, data, what is held equal, arms, and the comparisons that answer the question.

    Models are recipes: every run draws its own initial weights from its seed, and the weights that a model has are not
    used. Their own metrics are not used either; what is measured is measured the same way for all.

    Args:
        arms: Keras models by name, compiled or not (Sequential, functional, or registered subclasses). A compiled one
            brings its own optimizer and loss. Scikit-learn classifiers, as baselines: their arguments count, without
            ``random_state`` (each seed gives one) and ``n_jobs``.
        data: a name or a path (see ``paribus.data``); four arrays ``(x_train, y_train, x_test, y_test)`` or two pairs
            as ``keras.datasets`` gives them, labels as integers or one-hot; or a mapping like ``[data]`` of a study
            file.
        name: what the study is called where it is stored; the arms' names by default.
        question: what it asks, in words.
        seeds: how many seeds every arm is trained with.
        first_seed: the first of them; seeds before it do not count.
        epochs: how often the training data is gone through.
        batch_size: examples in a batch.
        optimizer: for models that are not compiled: a name or a Keras optimizer.
        loss: for models that are not compiled: a name or a Keras loss; categorical cross-entropy by default.
        validation_split: the share of the training data that is not trained on but validated on.
        validation: which examples that takes: the "last" ones, as Keras does, or each class in proportion
            ("stratified").
        class_weight: weights of classes while training, by index; or "balanced".
        early_stopping: the patience with which to stop once the validation loss no longer improves, keeping the weights
            of the best epoch; or a mapping such as ``{"patience": 3, "monitor": "val_accuracy"}``.
        callbacks: ``keras.callbacks.EarlyStopping`` with ``restore_best_weights=True``, in place of
            ``early_stopping``; others are refused, each with what to do instead.
        precision: of matrix products and convolutions while training: "float32", or "bf16" for operands rounded to bf16
            and sums in float32.
        metrics: what to measure beside accuracy and loss, on both splits after training: names or objects of Keras
            metrics, such as ``keras.metrics.F1Score("macro")``.
        positive: the class that metrics of a yes or no are about (AUC, recall ...), by its name, such as "fraud"; by
            default the second of two classes.
        grid: values to choose from on a validation split before anything is judged, by the arguments that they are for:
            ``{"learning_rate": [0.001, 0.01], "dropout": [0.2, 0.5]}`` for all arms; or such a mapping for each arm by
            its name, an empty one for an arm that stays as it is. Every arm gets the same number of trainings.
        tuning: how they are chosen, like ``[tuning]`` of a study file: ``seeds``, ``budget``, ``monitor``,
            ``validation_split``, ``epochs``.
        baseline: compare every other arm with this one only; by default every arm with every other.
        contrasts: compare only these: pairs of arms, triples with a metric, or mappings like ``[[contrasts]]``.
        levels: where each arm stands in a factorial design: ``{"big": {"size": "big", "dropout": "off"}, ...}``; then
            main effects and interactions are judged.
        primary: what the study is run for: a pair of arms, or an effect by its factor, or a list of those. Primary
            statements divide ``primary_share`` of the allowed error, the others the rest.
        primary_share: see there.
        margin: differences smaller than this count as equivalent, in units of the metric (0.001 is 0.1 points of
            accuracy, which is the default there; other metrics have none).
        level: at which all intervals hold at once.
        scope: what verdicts are about: "new data" or "this test set".
        scale: what pixels are divided by; "auto" divides those of named image data by the largest that they can be, and
            leaves arrays and files as they are.
        standardize: subtract each feature's mean and divide by its standard deviation, both of the training split.

    Raises:
        UsageError: something is not what it should be; the message says what and how to mend it.
        ModelError: a model cannot be trained elsewhere (Python code in a Lambda, a class that is not registered ...).
        StudyError: names or values break rules, all of which are listed.
        DataError: arrays do not agree.

    Example:
        >>> import keras, paribus as pb
        >>> def network(units):
        ...     hidden = keras.layers.Dense(units, activation="relu")
        ...     return keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10, activation="softmax")])
        >>> study = pb.Study({"large": network(32), "small": network(2)}, "digits", epochs=5)
        >>> study
        Study('large-vs-small': large, small; data digits; seeds 5)
        >>> results = study.run(seeds=2, progress=False)
        >>> [len(arm.runs) for arm in results.arms.values()]
        [2, 2]
        >>> pb.Study.load("digits")
        Study('digits': small, large, large-dropout; data digits; seeds 5)
    """

    @shows_options()
    def __init__(self, arms: Mapping[str, Any], data: Any, **options: Unpack[StudyOptions]) -> None:
        if not isinstance(arms, Mapping) or not arms:
            raise UsageError('arms: a mapping of names to models is expected, like {"dropout": a, "none": b}')
        said = resolve_options(options)
        if said["callbacks"]:
            said["early_stopping"] = read_callbacks(said["callbacks"], said["early_stopping"])
        models = take_down(arms, said["optimizer"])
        readers = [model.reads for model in models.values() if model.reads is not None]
        argument = read_data_argument(data, scale=said["scale"], standardize=said["standardize"], readers=readers)
        self._given: DataArgument | None = argument
        baseline = said["baseline"]
        if baseline is not None and baseline not in arms:
            raise unknown_name("arm", baseline, arms, "baseline")
        self._models = models
        contrasts, effects = declare_contrasts(list(arms), said["contrasts"], baseline, said["primary"])
        stopping, positive, levels = said["early_stopping"], said["positive"], said["levels"] or {}
        written = with_grids(
            {arm: _with_levels(model.arm, levels.get(arm)) for arm, model in models.items()}, said["grid"]
        )
        self._template = check_table(
            {
                "name": said["name"] or _joined(arms),
                "question": said["question"],
                "seeds": said["seeds"],
                "first_seed": said["first_seed"],
                "data": argument.table,
                "protocol": {
                    "loss": _one_loss(models, said["loss"]),
                    "epochs": said["epochs"],
                    "batch_size": said["batch_size"],
                    "validation_split": said["validation_split"],
                    "validation": said["validation"],
                    "class_weight": _by_text(said["class_weight"]),
                    "early_stopping": {"patience": stopping} if type(stopping) is int else stopping,
                    "precision": said["precision"],
                    "metrics": keras_objects.metrics(said["metrics"]),
                    "positive": None if positive is None else str(positive),
                },
                "comparison": {
                    "margin": said["margin"],
                    "level": said["level"],
                    "scope": said["scope"],
                    "all_pairs": baseline is None and said["contrasts"] is None and not levels,
                    "factorial": bool(levels),
                    "primary_share": said["primary_share"],
                    "primary_effects": effects,
                },
                "arms": written,
                **({} if (tuning := said["tuning"]) is None else {"tuning": dict(tuning)}),
                "contrasts": contrasts,
            },
            "study",
        )

    @classmethod
    def load(cls, source: str | os.PathLike[str]) -> Self:
        """A study by name (``digits``, ``mnist-mlps`` ...), from a TOML file, or from ``module:object``.

        Raises:
            UnknownNameError: there is no such study.
            StudyError: it breaks rules; every mistake is listed.
        """
        return cls.of(load_study(os.fspath(source)))

    @classmethod
    def of(cls, document: StudyDocument) -> Self:
        """A study from its checked document."""
        study = cls.__new__(cls)
        study._template, study._given, study._models = document, None, {}
        return study

    @property
    def name(self) -> str:
        """What the study is called."""
        return self._template.name

    @cached_property
    def document(self) -> StudyDocument:
        """The study as a study file would say it. Arrays are written to a temporary folder for as long as it lives."""
        if self._given is None or self._given.arrays is None:
            return self._template
        folder, remove = make_lasting_folder()
        weakref.finalize(self, remove)
        return self._with_data(folder)

    def run(
        self,
        seeds: int | None = None,
        *,
        epochs: int | None = None,
        arms: Sequence[str] = (),
        store: str | os.PathLike[str] | None = None,
        workers: int | None = None,
        lanes: int | None = None,
        backend: Backend | None = None,
        progress: bool = True,
    ) -> Results:
        """Train what is missing and judge it.

        Args:
            seeds: how many, if not the study's number.
            epochs: how many, if not the study's number.
            arms: only these; all by default.
            store: the folder that runs are kept in, and where runs that are there already are found; by default they
                are kept in memory, for as long as the results are.
            workers: worker processes; one per GPU by default, or per core where there is none (a few more where that
                ends few runs sooner).
            lanes: how many seeds a worker trains side by side; by default 8 on a GPU, 1 on a core.
            backend: where to compute, instead of worker processes of this machine; it is closed at the end.
            progress: whether to show how it goes.

        Raises:
            UsageError: a value is out of range, or there is no such arm.
            ModelError: Keras refuses an arm; nothing was trained.
            DataError, StoreError, BackendError: as their names say.
            InterruptedRunError: it was interrupted; what was finished is kept where ``store`` names a folder.
        """
        for what, number in (("seeds", seeds), ("epochs", epochs)):
            if number is not None and (type(number) is not int or number < 1):
                raise UsageError(f"{what}={number!r}: a whole number of {what}, 1 or more, is expected")
        folder = None if store is None else Path(store).expanduser()
        declared = self.document_in(folder)
        study = override(declared, seeds=seeds, epochs=epochs)
        asked = check_arms(study, arms)
        backend = backend or local_backend(study, workers, lanes)
        display = suitable() if progress else Silent()
        name = stored_name(declared, study)
        with open_session(folder, backend) as opened:
            start_workers(study, opened, backend, stored_as=name, arms=asked)
            outcome = run_study(study, opened, backend, display, stored_as=name, arms=asked, parameters=self.parameters)
        return Results.of(outcome, opened, self)

    def document_in(self, store: Path | None) -> StudyDocument:
        """The document with arrays written into a store's folder, where later processes find them; None: see above."""
        if store is None or self._given is None or self._given.arrays is None:
            return self.document
        return self._with_data(store / "data")

    @property
    def parameters(self) -> dict[str, int]:
        """How many weights each arm's model has, where that is known."""
        return {name: model.parameters for name, model in self._models.items() if model.parameters is not None}

    def _with_data(self, folder: Path) -> StudyDocument:
        assert self._given is not None
        return self._template.model_copy(update={"data": self._given.with_arrays_in(folder)})

    def __repr__(self) -> str:
        document = self._template
        return (
            f"Study({document.name!r}: {', '.join(document.arms)}; data {document.data.source}; seeds {document.seeds})"
        )


def _with_levels(arm: Arm, levels: Mapping[str, str] | None) -> Arm:
    return arm if levels is None else arm.model_copy(update={"levels": dict(levels)})


def _joined(arms: Mapping[str, Any]) -> str:
    """``dropout-vs-none``; long lists are cut."""
    return "-vs-".join(arms)[:100].rstrip("-._")


def _by_text(weights: Mapping[int, float] | str | None) -> Any:
    """Class weights as a study file has them, whose keys are texts."""
    if not isinstance(weights, Mapping):
        return weights
    return {str(index): float(weight) for index, weight in weights.items()}


def _one_loss(models: Mapping[str, Model], given_loss: Any) -> keras_objects.Written:
    """The loss that all arms share: that of compiled models, else that of the call.

    Raises:
        StudyError: they do not share one.
    """
    losses = {name: model.loss for name, model in models.items() if model.loss is not None}
    plain = [name for name, model in models.items() if model.loss is None and model.arm.estimator is None]
    if (plain and given_loss is not None) or not losses:
        loss = keras_objects.loss("categorical_crossentropy" if given_loss is None else given_loss)
        losses |= dict.fromkeys(plain or models, loss)
    first, *others = losses.values()
    if any(other != first for other in others):
        said = "; ".join(f"'{name}' {_spelled(loss)}" for name, loss in losses.items())
        raise StudyError(
            "models",
            [Mistake("loss", f"arms are compared under one loss, found {said}; compile them all with the same one")],
        )
    return first


def _spelled(loss: keras_objects.Written) -> str:
    ((name, arguments),) = loss.items()
    return f"{name}({', '.join(f'{key}={value}' for key, value in arguments.items())})" if arguments else name
