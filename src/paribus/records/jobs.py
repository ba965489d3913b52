"""Requests to a backend: seeds, recipes, data, training, and the jobs that a backend computes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar


@dataclass(frozen=True, slots=True, order=True)
class Seeds:
    """The seed of each of a run's three streams; an ordinary run has one seed for all (decision 0006).

    Attributes:
        init: the seed of the initial weights.
        order: the seed of the order in which examples are trained on.
        dropout: the seed of the dropout masks.
    """

    init: int
    order: int
    dropout: int

    @classmethod
    def of(cls, seed: int) -> Seeds:
        """The seeds of an ordinary run: the same integer for every stream."""
        return cls(seed, seed, seed)

    @property
    def seed(self) -> int | None:
        """The run's one seed, or None where the streams were seeded apart (``paribus noise``)."""
        return self.init if self.init == self.order == self.dropout else None


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """One row of a model summary, like Keras's.

    Attributes:
        name: the layer's name.
        kind: the name of its class.
        output_shape: the shape of its output as text, such as ``(None, 10)``.
        parameters: the number of its weights.
    """

    name: str
    kind: str
    output_shape: str
    parameters: int


INITIAL_WEIGHTS = "initial_weights"
"""The key of a recipe's model under which the digest of its initial weights is, where it has any."""


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """A file of weights that all runs of an arm start from: its path, and the sha256 of its bytes."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """An arm in its canonical form: Keras configs as JSON, with every default spelled out by Keras.

    ``model`` and ``optimizer`` are JSON texts with sorted keys and without automatic names or seeds, so
    equal recipes are equal texts. ``parameters`` counts all weights (trainable or not, without seed states).

    For a scikit-learn estimator ``model`` holds class and arguments, with scikit-learn's defaults, and whether a run
    depends on its seed; ``optimizer`` and ``layers`` are empty. ``parameters`` is 0, as the number of parameters of an
    estimator is known only after it is fitted.
    """

    model: str
    optimizer: str
    parameters: int
    layers: tuple[LayerSummary, ...]

    @property
    def is_estimator(self) -> bool:
        """Whether this is a scikit-learn estimator, and no network.

        A network always has an optimizer and an estimator never has one. A field of its own would be missing from the
        recipes that are stored already, and ``model`` of a large network takes long to parse.
        """
        return not self.optimizer

    @property
    def kind(self) -> str:
        """The class name of a scikit-learn estimator; "network" for a network."""
        return str(next(iter(json.loads(self.model)["estimator"]))) if self.is_estimator else "network"

    @property
    def initial_weights(self) -> str | None:
        """The digest of the weights that every run starts from; None where each seed draws new ones (decision 0088)."""
        # The text of a large network takes long to parse.
        if self.is_estimator or f'"{INITIAL_WEIGHTS}":' not in self.model:
            return None
        digest = json.loads(self.model).get(INITIAL_WEIGHTS)
        return None if digest is None else str(digest)

    @property
    def seeded(self) -> bool:
        """Whether a run depends on its seeds; an estimator that draws nothing at random has one run for all of them."""
        return not self.is_estimator or json.loads(self.model)["seeded"] is not False


@dataclass(frozen=True, slots=True)
class Imputation:
    """How missing values of a table are filled in: the arguments of scikit-learn's ``SimpleImputer``.

    See ``paribus.data.features``.

    Attributes:
        strategy: "median", "most_frequent" or "constant"; words have no median and take the most frequent one.
        fill_value: what "constant" fills in; None for the other strategies.
        indicator: whether a 0/1 feature is added that says where a value was missing.
    """

    strategy: str
    fill_value: float | str | None = None
    indicator: bool = False


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Folds:
    """How all examples of a source are divided for cross-validation (decision 0116).

    In each of ``repeats`` repetitions every example is in one of ``count`` folds. ``group`` names the column of a table
    whose rows of one value stay in one fold; ``partition`` is a .npy file with the fold of each example, shape
    ``(repeats, examples)``, in place of paribus's own partition. ``repeat`` and ``fold`` select the split of one run:
    that fold is tested on and all others are trained on; None for all of them.
    """

    count: int
    repeats: int = 1
    group: str | None = None
    partition: str | None = None
    repeat: int | None = None
    fold: int | None = None

    @property
    def runs(self) -> int:
        """The number of runs of an arm with one seed in each fold."""
        return self.count * self.repeats

    def of_seed(self, seed: int) -> Folds:
        """The split of a run by its seed: repetition by repetition, fold by fold, and then the next round."""
        number = seed % self.runs
        return replace(self, repeat=number // self.count, fold=number % self.count)

    def complete_passes(self, runs: Iterable[tuple[int, T]]) -> dict[int, tuple[T, ...]]:
        """The passes over all folds that have a run of every fold: number of the pass -> its runs, fold by fold.

        Pass ``n`` is one of repetition ``n % repeats``.

        Args:
            runs: seeds of runs, each with what is to be arranged.
        """
        by_pass: dict[int, dict[int, T]] = {}
        for seed, run in runs:
            by_pass.setdefault(seed // self.count, {})[seed % self.count] = run
        complete = (number for number in sorted(by_pass) if len(by_pass[number]) == self.count)
        return {number: tuple(by_pass[number][fold] for fold in range(self.count)) for number in complete}


@dataclass(frozen=True, slots=True)
class FoldSummary:
    """The split of one fold: its fingerprint, its sizes, and the number of classes among its test examples."""

    fingerprint: str
    train: int
    test: int
    test_classes: int


@dataclass(frozen=True, slots=True)
class DataSpec:
    """The source of the data, how it is prepared before a network sees it, and how it is read.

    Attributes:
        source: a name or a path (see ``paribus.data``).
        scale: every value is divided by it; None where nothing is divided.
        flatten: whether each example becomes one vector.
        standardize: whether, instead of ``scale``, each feature's mean is subtracted and the rest divided by its
            standard deviation, both taken from the training split.
        label: the column of a table that holds the class.
        categorical: the columns of a table whose numbers are categories.
        test: the file of the test split, for a table.
        test_fraction: the share that is split off for testing where the source has no test split.
        drop: the columns of a table that are left out.
        impute: how missing values of a table are filled in; None where they are refused.
        folds: how all examples are divided for cross-validation; None for one test split.
    """

    source: str
    scale: float | None = None
    flatten: bool = False
    standardize: bool = False
    label: str | None = None
    categorical: tuple[str, ...] = ()
    test: str | None = None
    test_fraction: float | None = None
    drop: tuple[str, ...] = ()
    impute: Imputation | None = None
    folds: Folds | None = None


@dataclass(frozen=True, slots=True)
class DataSummary:
    """The data as reports describe it.

    Notes and class names do not identify the data: summaries that differ in them alone are equal (decision 0067).

    Attributes:
        name: the name of the data.
        fingerprint: the sha256 of its content, hexadecimal.
        train: the number of training examples.
        test: the number of test examples.
        input_shape: the shape of one example.
        classes: the number of classes.
        notes: remarks on how it was read, one sentence each.
        class_names: the name of each class, by index; empty where the names are the indices.
        folds: the splits of cross-validation, by repetition and then by fold; ``train`` and ``test`` are the sizes of
            the first, and ``fingerprint`` is a digest of all. Stored summaries do not have them.
    """

    name: str
    fingerprint: str
    train: int
    test: int
    input_shape: tuple[int, ...]
    classes: int
    notes: tuple[str, ...] = field(default=(), compare=False)
    class_names: tuple[str, ...] = field(default=(), compare=False)
    folds: tuple[FoldSummary, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Stop when the validation split no longer improves, and use the weights of the best epoch.

    The same as Keras's callback of that name with ``restore_best_weights``: an epoch is better if ``monitor``
    (``val_loss`` or ``val_accuracy``) improves by more than ``min_delta``; training ends ``patience`` epochs
    after the best one.
    """

    patience: int
    monitor: str = "val_loss"
    min_delta: float = 0.0


@dataclass(frozen=True, slots=True)
class ReduceLROnPlateau:
    """Multiply the learning rate by ``factor`` where the monitored measure no longer improves.

    The same as Keras's callback of that name: after ``patience`` epochs without an improvement of more than
    ``min_delta`` the rate is reduced, but never below ``min_lr``; for ``cooldown`` epochs afterwards none is counted.
    ``monitor`` is ``val_loss``, ``val_accuracy``, ``loss`` or ``accuracy``: the latter two are what ``fit`` prints.
    """

    factor: float = 0.1
    patience: int = 10
    monitor: str = "val_loss"
    min_delta: float = 1e-4
    cooldown: int = 0
    min_lr: float = 0.0


@dataclass(frozen=True, slots=True)
class Training:
    """The part of a protocol that the engine needs.

    Attributes:
        loss: a Keras loss: its name, or its config as JSON.
        epochs: the number of epochs, if none stops the training early.
        batch_size: the number of examples of a batch; the last batch of an epoch may be smaller.
        validation_split: the share of the training split that is not trained on and validates, in [0, 1).
        class_weight: weighs the loss of each example while training: pairs of class and weight (1 for classes that are
            not listed), or "balanced" for weights inversely proportional to how often a class is trained on. A study
            names a class by its label; in a job it is an index (see ``paribus.study.plan.with_class_indices``).
        early_stopping: when training ends before the last epoch; None for never.
        metrics: metrics of Keras to be measured as well, a JSON list of ``{class: {arguments}}``; a class of the user's
            is its registered name.
        precision: that of matrix products and convolutions while training: None for float32, or ``"bf16"`` for operands
            rounded to bf16 and sums in float32 (``docs/decisions/0021-bf16.md``).
        positive: the class that binary metrics are about; None for the second of two classes.
        validation: which training examples validate: None for the last ones, as Keras does, or "stratified" for each
            class in proportion.
        learning_rates: the learning rate of each epoch, in place of the optimizer's own. At most one of this and the
            next one is set (``docs/decisions/0086-learning-rates-by-epoch.md``).
        reduce_lr_on_plateau: how the optimizer's own rate is reduced after epochs without an improvement.
        metric_sources: the sha256 of the file that defines each class of the user's in ``metrics``, as JSON.
    """

    loss: str
    epochs: int
    batch_size: int
    validation_split: float = 0.0
    class_weight: tuple[tuple[int | str, float], ...] | str | None = None
    early_stopping: EarlyStopping | None = None
    metrics: str | None = None
    precision: str | None = None
    positive: str | None = None
    validation: str | None = None
    learning_rates: tuple[float, ...] | None = None
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    metric_sources: str | None = None


class StudyKind(StrEnum):
    """The purpose of the runs that are stored under a study's name.

    ``STUDY``: the runs that the study judges. ``TUNING``: the candidates of its arms with a grid. ``NOISE``: runs whose
    three streams are seeded apart. ``ABLATION``: a network and its variants, under a name of their own.
    """

    STUDY = "study"
    TUNING = "tuning"
    NOISE = "noise"
    ABLATION = "ablation"


def label_study(name: str, kind: StudyKind) -> str:
    """The name that users see and type: ``digits``, ``digits.tuning``, ``digits.noise``, ``ablate-digits-large``.

    Args:
        name: the name of the study.
        kind: the purpose of the runs.
    """
    return f"{name}.{kind}" if kind in (StudyKind.TUNING, StudyKind.NOISE) else name


@dataclass(frozen=True, slots=True)
class TrainJob:
    """One run to be computed: everything that determines its bits.

    Attributes:
        fingerprint: names the run in the store.
        arm: the name of its arm.
        seeds: the seeds of its three streams.
        recipe: the canonical form of the arm.
        training: how it is trained.
        data: the source of the data and its preparation.
        data_fingerprint: that of the data which the run is planned on: a worker refuses other data (decision 0070).
        data_files: stamps of the data's files at that time.
        kind: the purpose of the run. It is no part of the fingerprint, as it changes no bit of the run.
        initial_weights: the file of the weights it starts from. It is no part of the fingerprint either: the digest of
            the weights is in the recipe.
    """

    fingerprint: str
    arm: str
    seeds: Seeds
    recipe: Recipe
    training: Training
    data: DataSpec
    data_fingerprint: str | None = None
    data_files: tuple[tuple[str, int, int, int], ...] = ()
    kind: StudyKind = StudyKind.STUDY
    initial_weights: InitialWeights | None = None


@dataclass(frozen=True, slots=True)
class DescribeJob:
    """A request for the canonical form of an arm.

    Attributes:
        arm: the name of the arm.
        spec: the arm as the study writes it, JSON of ``study.document.Arm``.
        data: the source of the data, whose shape and classes the network must fit.
        training: how it will be trained.
        initial_weights: the file of weights that its runs start from; None where each seed draws new ones.
    """

    arm: str
    spec: str
    data: DataSpec
    training: Training
    initial_weights: InitialWeights | None = None

    @property
    def is_estimator(self) -> bool:
        """Whether the arm is a scikit-learn estimator, and no network."""
        return "estimator" in json.loads(self.spec)


Job = DescribeJob | TrainJob
