"""A study in Python, from Keras models or from a file."""

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
from paribus.api.folds_argument import Division
from paribus.api.grid_argument import add_grids
from paribus.api.initial_weights import check_names, with_weights_in
from paribus.api.keras_callbacks import read_callbacks
from paribus.api.models import ModelArm, read_models
from paribus.api.options import StudyOptions, resolve_options, show_options
from paribus.api.own_metrics import describe_own_metrics
from paribus.api.progress import choose_display
from paribus.api.rate_table import add_rate_tables
from paribus.api.results import Results
from paribus.api.seeds_argument import read_seeds
from paribus.backends.base import Backend
from paribus.errors import Mistake, StudyError, UsageError, unknown_name
from paribus.errors.control_characters import show_control_characters
from paribus.files.temporary import make_lasting_folder
from paribus.runner.run import run_study
from paribus.runner.session import choose_backend, open_session
from paribus.runner.start import start_workers
from paribus.study.document import Arm, StudyDocument
from paribus.study.identity import stored_name
from paribus.study.load import check_table, load_study
from paribus.study.overrides import check_arms, override


class Study:
    """A question, data, a protocol, arms, and the contrasts that answer the question.

    Models are recipes: every run draws its own initial weights from its seed, and the weights that a model has are used
    only where ``initial_weights`` names it. Their own metrics are not used; what is measured is measured the same way
    for all.

    Args:
        arms: Keras models by name, compiled or not (Sequential, functional, or registered subclasses). A compiled one
            brings its own optimizer and loss. Scikit-learn classifiers, as baselines: their arguments count, without
            ``random_state`` (it comes from the seed) and ``n_jobs``.
        data: a name or a path (see ``paribus.data``); four arrays ``(x_train, y_train, x_test, y_test)`` or two pairs
            as ``keras.datasets`` gives them, labels as integers or one-hot; or a mapping like ``[data]`` of a study
            file.
        name: the name under which the study is stored; by default made of the arms' names.
        question: the question that it answers, in words.
        seeds: the number of seeds of every arm; or a list of seeds that follow each other, such as ``[42, 43, 44]``.
        first_seed: the first of them; seeds before it do not count.
        epochs: the number of passes through the training data; 10 by default, where Keras's ``fit`` has 1.
        batch_size: examples in a batch; 100 by default, where Keras's ``fit`` has 32. With smaller batches an epoch has
            more steps: to repeat a training of Keras, say the batch size that it had.
        optimizer: for models that are not compiled: a name or a Keras optimizer.
        loss: for models that are not compiled: a name or a Keras loss; categorical cross-entropy by default.
        validation_split: the share of the training data that is not trained on but validated on.
        validation: the examples of the validation split: the "last" ones, as Keras does, or each class in proportion
            ("stratified").
        class_weight: weights of classes while training, by index; or "balanced".
        early_stopping: the patience with which to stop once the validation loss no longer improves, keeping the weights
            of the best epoch; or a mapping such as ``{"patience": 3, "monitor": "val_accuracy"}``.
        callbacks: of ``keras.callbacks``, for all arms: ``EarlyStopping`` with ``restore_best_weights=True``, in place
            of ``early_stopping``; ``LearningRateScheduler``, whose function is asked for the rate of every epoch before
            anything trains; ``ReduceLROnPlateau``. Others are refused, each with what to do instead.
        precision: of matrix products and convolutions while training: "float32", or "bf16" for operands rounded to bf16
            and sums in float32. ``mixed_bfloat16`` is a policy of Keras's layers instead: models that were made under
            it are trained with it.
        metrics: metrics to measure beside accuracy and loss, on both splits after training: names or objects of Keras
            metrics, such as ``keras.metrics.F1Score("macro")``, and objects of registered subclasses of
            ``keras.metrics.Metric``.
        positive: the class that binary metrics are about (AUC, recall ...), by its name, such as "fraud"; by
            default the second of two classes.
        initial_weights: the names of the arms that start from the weights that their models have now, whatever the
            seed, with frozen layers as they are (transfer learning). All others draw new weights from each seed.
        grid: values to select from on a validation split before anything is judged, by the names of their arguments:
            ``{"learning_rate": [0.001, 0.01], "dropout": [0.2, 0.5]}`` for all arms; or such a mapping for each arm by
            its name, an empty one for an arm that is not tuned. Every arm gets the same number of trainings.
        tuning: how they are selected, like ``[tuning]`` of a study file: ``seeds``, ``budget``, ``monitor``,
            ``validation_split``, ``epochs``.
        baseline: compare every other arm with this one only; by default every arm with every other.
        contrasts: compare only these: pairs of arms, triples with a metric, or mappings like ``[[contrasts]]``.
        levels: the levels of each arm in a factorial design: ``{"big": {"size": "big", "dropout": "off"}, ...}``; then
            main effects and interactions are judged.
        primary: the statements that the study is run for: a pair of arms, or an effect by its factor, or a
            list of those. Primary statements divide ``primary_share`` of the allowed error, the others the rest.
        primary_share: the share of the allowed error for all primary statements together.
        margin: differences smaller than this count as equivalent, in units of the metric (0.001 is 0.1 points of
            accuracy, which is the default there; other metrics have none).
        level: the confidence level at which all intervals hold at once.
        scope: the scope of the verdicts: "new data" or "this test set"; with folds "new data, new training sets" (the
            default there) or "these training sets".
        scale: pixels are divided by this; "auto" divides those of named image data by their largest possible value, and
            leaves arrays and files as they are.
        standardize: subtract each feature's mean and divide by its standard deviation, both of the training split.
        folds: the number of folds of cross-validation, 2 to 20, in place of a fixed test split; ``data`` may then be
            the pair ``(x, y)``. With arrays also a splitter of scikit-learn, such as ``StratifiedKFold(5)``, whose test
            parts have every example once (in each repetition). ``seeds`` is then the number of seeds in each fold.
        repeats: how often the examples are divided into folds.
        groups: examples of one group stay in one fold: the name of a column of a table, or with arrays the group of
            each example.

    Raises:
        UsageError: an argument is invalid; the message names it and the remedy.
        ModelError: a worker cannot rebuild a model (Python code in a Lambda, a class that is not registered ...).
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

    @show_options()
    def __init__(self, arms: Mapping[str, Any], data: Any, **options: Unpack[StudyOptions]) -> None:
        if not isinstance(arms, Mapping) or not arms:
            raise UsageError('arms: a mapping of names to models is expected, like {"dropout": a, "none": b}')
        settings = resolve_options(options)
        seeds, first_seed = read_seeds(settings["seeds"], settings["first_seed"])
        _refuse_policy(settings["precision"])
        callbacks = read_callbacks(settings["callbacks"], settings["early_stopping"])
        starts = check_names(settings["initial_weights"], arms)
        folder = self._make_folder() if starts else None
        models = read_models(arms, settings["optimizer"], starts, folder)
        readers = [model.input_shape for model in models.values() if model.input_shape is not None]
        argument = read_data_argument(
            data,
            scale=settings["scale"],
            standardize=settings["standardize"],
            readers=readers,
            division=Division(settings["folds"], settings["repeats"], settings["groups"]),
        )
        self._data_argument: DataArgument | None = argument
        baseline = settings["baseline"]
        if baseline is not None and baseline not in arms:
            raise unknown_name("arm", baseline, arms, "baseline")
        self._models = models
        contrasts, effects = declare_contrasts(list(arms), settings["contrasts"], baseline, settings["primary"])
        stopping, positive, levels = callbacks.early_stopping, settings["positive"], settings["levels"] or {}
        with_levels = {arm: _add_levels(model.arm, levels.get(arm)) for arm, model in models.items()}
        with_rates, rates = add_rate_tables(with_levels, callbacks.schedule, settings["epochs"])
        metrics = keras_objects.write_metrics(settings["metrics"])
        arm_tables = add_grids(with_rates, settings["grid"])
        self._template = check_table(
            {
                "name": settings["name"] or _join_names(arms),
                "question": settings["question"],
                "seeds": seeds,
                "first_seed": first_seed,
                "data": argument.table,
                "protocol": {
                    "loss": _find_shared_loss(models, settings["loss"]),
                    "epochs": settings["epochs"],
                    "batch_size": settings["batch_size"],
                    "validation_split": settings["validation_split"],
                    "validation": settings["validation"],
                    "class_weight": _write_class_weights(settings["class_weight"]),
                    "early_stopping": {"patience": stopping} if type(stopping) is int else stopping,
                    "precision": settings["precision"],
                    "metrics": metrics,
                    "positive": None if positive is None else str(positive),
                    "learning_rates": rates,
                    "own_metrics": describe_own_metrics(settings["metrics"], metrics),
                    "reduce_lr_on_plateau": callbacks.reduce_lr_on_plateau,
                },
                "comparison": {
                    "margin": settings["margin"],
                    "level": settings["level"],
                    "scope": settings["scope"],
                    "all_pairs": baseline is None and settings["contrasts"] is None and not levels,
                    "factorial": bool(levels),
                    "primary_share": settings["primary_share"],
                    "primary_effects": effects,
                },
                "arms": arm_tables,
                **({} if (tuning := settings["tuning"]) is None else {"tuning": dict(tuning)}),
                "contrasts": contrasts,
            },
            "study",
        )

    @classmethod
    def load(cls, source: str | os.PathLike[str]) -> Self:
        """A study by name (``digits``, ``mnist-mlps`` ...), from a TOML file, or from ``module:object``.

        Args:
            source: the name, the path of a ``.toml`` file, or ``module:object``, whose module is imported.

        Raises:
            UnknownNameError: there is no such study.
            StudyError: it breaks rules; every mistake is listed.
        """
        return cls.of(load_study(os.fspath(source)))

    @classmethod
    def of(cls, document: StudyDocument) -> Self:
        """A study from its checked document.

        Args:
            document: what ``paribus.study.load.load_study`` returned.
        """
        study = cls.__new__(cls)
        study._template, study._data_argument, study._models = document, None, {}
        return study

    @property
    def name(self) -> str:
        """The name of the study."""
        return self._template.name

    @cached_property
    def document(self) -> StudyDocument:
        """The study document. Arrays are written to a temporary folder that is deleted with the study."""
        if self._data_argument is None or self._data_argument.arrays is None:
            return self._template
        return self._with_data(self._make_folder())

    def run(
        self,
        seeds: int | Sequence[int] | None = None,
        *,
        epochs: int | None = None,
        arms: Sequence[str] = (),
        store: str | os.PathLike[str] | None = None,
        workers: int | None = None,
        lanes: int | None = None,
        backend: Backend | str | None = None,
        address: str | None = None,
        progress: bool = True,
        verbose: int | str = "auto",
    ) -> Results:
        """Train the missing runs and judge the study.

        Args:
            seeds: the number of seeds, or a list of them, if not the study's.
            epochs: the number of epochs, if not the study's.
            arms: only these; all by default.
            store: the folder for runs; those that it holds already are not computed again. By default runs are in
                memory, and live as long as the results.
            workers: worker processes; one per GPU by default, or per core where there is none (a few more where that
                ends few runs sooner).
            lanes: how many seeds a worker trains side by side; by default 8 on a GPU, 1 on a core.
            backend: what computes the runs: "local" (the default), worker processes of this machine; "ray", the nodes
                of a Ray cluster; or a backend, which is closed at the end.
            address: with "ray" the cluster's address, "auto" for the one that this machine is part of; by default the
                one that ``RAY_ADDRESS`` names, else one of this machine alone.
            progress: whether to show progress.
            verbose: as in Keras's ``fit``: 0 shows nothing, 1 or "auto" progress in place, 2 a line for each run.

        Returns:
            The answer of all stored runs of the study, those of earlier calls included.

        Raises:
            UsageError: a value is out of range, or there is no such arm.
            ModelError: Keras refuses an arm; nothing was trained.
            DataError, StoreError, BackendError: as their names say.
            InterruptedRunError: it was interrupted; runs that ended are stored where ``store`` names a folder.
        """
        first_seed = None
        if seeds is not None and not isinstance(seeds, int):
            seeds, first_seed = read_seeds(seeds)
        for what, number in (("seeds", seeds), ("epochs", epochs)):
            if number is not None and (type(number) is not int or number < 1):
                raise UsageError(f"{what}={number!r}: a whole number of {what}, 1 or more, is expected")
        folder = None if store is None else Path(store).expanduser()
        declared = self.document_in(folder)
        study = override(declared, seeds=seeds, epochs=epochs)
        if first_seed is not None:
            study = study.model_copy(update={"first_seed": first_seed})
        selected = check_arms(study, arms)
        computing = choose_backend(study, backend, workers=workers, lanes=lanes, address=address)
        display = choose_display(verbose, folder, progress=progress)
        name = stored_name(declared, study)
        with open_session(folder, computing) as opened:
            start_workers(study, opened, computing, stored_as=name, arms=selected)
            outcome = run_study(
                study, opened, computing, display, stored_as=name, arms=selected, parameters=self.parameters
            )
        return Results.of(outcome, opened, self)

    def document_in(self, store: Path | None) -> StudyDocument:
        """The document with its files (arrays, initial weights) written into a store's folder for later processes.

        Args:
            store: the folder; None for ``document`` as it is.

        Raises:
            DataError: a file cannot be written.
        """
        if store is None or self._data_argument is None:
            return self.document
        document = self._with_data(store / "data") if self._data_argument.arrays is not None else self._template
        return with_weights_in(document, store / "data")

    @property
    def parameters(self) -> dict[str, int]:
        """The number of weights of each arm's model, where it is known."""
        return {name: model.parameters for name, model in self._models.items() if model.parameters is not None}

    def _make_folder(self) -> Path:
        """A temporary folder that is deleted with the study."""
        folder, remove = make_lasting_folder()
        weakref.finalize(self, remove)
        return folder

    def _with_data(self, folder: Path) -> StudyDocument:
        assert self._data_argument is not None
        return self._template.model_copy(update={"data": self._data_argument.with_arrays_in(folder)})

    def __repr__(self) -> str:
        document = self._template
        return show_control_characters(
            f"Study({document.name!r}: {', '.join(document.arms)}; data {document.data.source}; seeds {document.seeds})"
        )


def _refuse_policy(precision: Any) -> None:
    """Refuse the names of Keras's policies, which say something else than ``bf16`` (decision 0121).

    Raises:
        UsageError: it is one.
    """
    if precision in ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16"):
        raise UsageError(
            f"precision={precision!r}: this is a dtype policy of Keras's layers, which belongs to the models: call "
            '`keras.config.set_dtype_policy("mixed_bfloat16")` before they are made, and they are trained with it. '
            'precision="bf16" is less: operands of products are rounded to bf16, everything else stays float32'
        )


def _add_levels(arm: Arm, levels: Mapping[str, str] | None) -> Arm:
    return arm if levels is None else arm.model_copy(update={"levels": dict(levels)})


def _join_names(arms: Mapping[str, Any]) -> str:
    """``dropout-vs-none``; long lists are cut."""
    return "-vs-".join(arms)[:100].rstrip("-._")


def _write_class_weights(weights: Mapping[int, float] | str | None) -> Any:
    """Class weights as a table of a study file, whose keys are texts."""
    if not isinstance(weights, Mapping):
        return weights
    return {str(index): float(weight) for index, weight in weights.items()}


def _find_shared_loss(models: Mapping[str, ModelArm], default_loss: Any) -> keras_objects.ObjectTable:
    """Find the loss that all arms share: that of compiled models, else that of the call.

    Raises:
        StudyError: they do not share one.
    """
    losses = {name: model.loss for name, model in models.items() if model.loss is not None}
    uncompiled = [name for name, model in models.items() if model.loss is None and model.arm.estimator is None]
    if (uncompiled and default_loss is not None) or not losses:
        loss = keras_objects.write_loss("categorical_crossentropy" if default_loss is None else default_loss)
        losses |= dict.fromkeys(uncompiled or models, loss)
    first, *others = losses.values()
    if any(other != first for other in others):
        listing = "; ".join(f"'{name}' {_format_loss(loss)}" for name, loss in losses.items())
        raise StudyError(
            "models",
            [
                Mistake(
                    "loss",
                    f"arms are compared under one loss, these have {listing}; compile them all with the same one",
                )
            ],
        )
    return first


def _format_loss(loss: keras_objects.ObjectTable) -> str:
    ((name, arguments),) = loss.items()
    return f"{name}({', '.join(f'{key}={value}' for key, value in arguments.items())})" if arguments else name
