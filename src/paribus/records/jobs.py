"""Requests to a backend: seeds, recipes, data, training, and the jobs that a backend computes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Seeds:
    """The seed of each of a run's three streams; an ordinary run has one seed for all (decision 0006)."""

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
    """One row of a model summary, like Keras's: name, class, output shape, number of parameters."""

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

    ``strategy`` is "median", "most_frequent" or "constant"; words have no median and take the most frequent one. See
    ``paribus.data.features``.
    """

    strategy: str
    fill_value: float | str | None = None
    indicator: bool = False


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


@dataclass(frozen=True, slots=True)
class FoldSummary:
    """The split of one fold: its fingerprint, its sizes, and the number of classes among its test examples."""

    fingerprint: str
    train: int
    test: int
    test_classes: int


@dataclass(frozen=True, slots=True)
class DataSpec:
    """The source of the data and how it is prepared before a network sees it.

    ``source`` is a name or a path (see ``paribus.data``). How it is prepared: pixels are divided by ``scale``;
    ``standardize`` (instead of ``scale``) subtracts each feature's mean and divides by its standard deviation, both
    taken from the training split; ``flatten`` makes each example one vector.

    How it is read, for sources that ask for it: ``label`` names the column that holds the class, ``categorical`` the
    columns whose numbers are categories, ``test`` the file of the test split; ``test_fraction`` is the share split
    off for testing where the source has no test split. ``drop`` names columns that are left out, ``impute`` says how
    missing values of a table are filled in. ``folds`` divides all examples for cross-validation.
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
    """The data as reports describe it: name, fingerprint (sha256 of content), sizes.

    ``notes`` are remarks on how it was read; ``class_names`` are empty where they are the indices. Neither identifies
    the data: summaries that differ in them alone are equal (decision 0067). ``folds`` are the splits of
    cross-validation, by repetition and then by fold; ``train`` and ``test`` are the sizes of the first, and
    ``fingerprint`` is a digest of all. Stored summaries do not have them.
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
    """The part of a protocol that the engine needs. ``loss`` is a Keras loss: its name or its config as JSON.

    ``class_weight`` weighs the loss of each example while training: pairs of class and weight (1 for classes that are
    not listed), or "balanced" for weights inversely proportional to how often a class is trained on. A study names a
    class by its label; in a job it is an index (see ``paribus.study.plan.with_class_indices``).

    ``validation`` says which training examples the validation split takes: None for the last ones, as Keras does, or
    "stratified" for each class in proportion.

    ``metrics`` are metrics of Keras to be measured as well, a JSON list of ``{class: {arguments}}``; a class of the
    user's is its registered name, ``metric_sources`` the digest of the file that defines each of those, as JSON.

    ``positive`` names the class that binary metrics are about; None for the second of two classes.

    ``precision`` is that of matrix products and convolutions while training: None for float32, or ``"bf16"`` for
    operands rounded to bf16 and sums in float32 (``docs/decisions/0021-bf16.md``).

    ``learning_rates`` are those of the epochs, one for each, ``reduce_lr_on_plateau`` reduces the optimizer's own after
    epochs without an improvement; at most one of them is set (``docs/decisions/0086-learning-rates-by-epoch.md``).
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
    """The name that users see and type: ``digits``, ``digits.tuning``, ``digits.noise``, ``ablate-digits-large``."""
    return f"{name}.{kind}" if kind in (StudyKind.TUNING, StudyKind.NOISE) else name


@dataclass(frozen=True, slots=True)
class TrainJob:
    """One run to be computed: everything that determines its bits. ``fingerprint`` names it in the store.

    ``data_fingerprint`` is that of the data which the run is planned on, ``data_files`` are stamps of its files at that
    time: a worker refuses other data (decision 0070). ``kind`` is the purpose of the run. It is no part of the
    fingerprint, as it changes no bit of the run. Nor is the file of ``initial_weights``: their digest is in the recipe.
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
    """A request for the canonical form of an arm of a study (``spec``, JSON of ``study.Arm``)."""

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
