"""The study document: question, data, protocol, arms, contrasts. Written in TOML; all mistakes are reported at once.

A Keras object is its class name, or a table with that one name and its arguments
(``docs/decisions/0002-keras-objects-in-toml.md``)::

    optimizer = "Adam"
    optimizer = { SGD = { learning_rate = 0.001, momentum = 0.9 } }

Keras itself judges the arguments when the arm is built (``paribus.engine.describe``); this module judges the rest. A
scikit-learn classifier is written in the same way, and judged by scikit-learn (``paribus.estimators``)::

    estimator = { LogisticRegression = { C = 0.5 } }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    Strict,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from paribus import records
from paribus.errors import UsageError
from paribus.keras_config.metric_forms import has_positive_class
from paribus.keras_config.names import is_registered_name, name_of
from paribus.records import Training, canonical_json
from paribus.study.data_table import Data, Flag, Number, Table, without_defaults, without_unset
from paribus.study.fields import ClassWeight, Estimator, KerasMetric, KerasObject, check_metrics_differ, check_not_empty
from paribus.study.fold_rules import SCOPES
from paribus.study.initial_weights import WeightsFile
from paribus.study.learning_rates import LearningRates, ReduceLROnPlateauSettings
from paribus.study.own_metrics import OwnMetricSettings, find_metric_mistakes, list_forms
from paribus.study.rules import find_contradictions, make_mistake

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
MAX_SEED = 2**31 - 1

Precision = Literal["float32", "bf16"]

Whole = Annotated[int, Strict()]
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=100)]


class EarlyStoppingSettings(Table):
    """When training ends before its last epoch (see ``paribus.records.EarlyStopping``)."""

    patience: Whole = Field(ge=0)
    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"
    min_delta: Number = Field(default=0.0, ge=0)


class Protocol(Table):
    """Everything that is equal for all arms.

    ``class_weight`` is ``"balanced"``, or a table of labels with their weights: ``{ 0 = 1.0, 1 = 5.0 }``.
    ``validation`` says which examples the validation split takes: the last ones, as Keras does, or each class in
    proportion ("stratified").
    ``metrics`` are metrics of Keras, measured on both splits after training beside accuracy and loss. ``positive`` is
    the class that binary metrics are about (AUC, recall ...): a label; by default the second of two classes.
    ``precision`` is that of matrix products and convolutions while training (see ``paribus.records.Training``).
    ``learning_rates`` are those of the epochs, in place of the optimizers' own; ``reduce_lr_on_plateau`` reduces the
    optimizers' own (``docs/decisions/0086-learning-rates-by-epoch.md``). ``own_metrics`` says of each metric of a class
    of the user's own, by its name, what is better (``docs/decisions/0087-own-metrics.md``).
    """

    loss: KerasObject = Field(default={"categorical_crossentropy": {}})
    epochs: Whole = Field(default=10, ge=1)
    batch_size: Whole = Field(default=100, ge=1)
    validation_split: Number = Field(default=0.0, ge=0.0, lt=1.0)
    class_weight: ClassWeight = None
    early_stopping: EarlyStoppingSettings | None = None
    metrics: Annotated[tuple[KerasMetric, ...], AfterValidator(check_metrics_differ)] = ()
    precision: Precision = "float32"
    positive: Annotated[str, Field(min_length=1)] | None = None
    validation: Literal["last", "stratified"] = "last"
    learning_rates: LearningRates = None
    reduce_lr_on_plateau: ReduceLROnPlateauSettings | None = None
    own_metrics: dict[str, OwnMetricSettings] = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Documents that were stored before there were these keys stay equal, letter by letter (decision 0067)."""
        return without_unset(
            without_defaults(handler(self), {"validation": "last", "positive": None, "own_metrics": {}}),
            ("learning_rates", "reduce_lr_on_plateau"),
        )

    @model_validator(mode="after")
    def _validated(self) -> Self:
        if self.early_stopping is not None and not self.validation_split:
            raise ValueError("early_stopping monitors a validation split; write validation_split as well, such as 0.1")
        plateau = self.reduce_lr_on_plateau
        if plateau is not None and plateau.monitor.startswith("val_") and not self.validation_split:
            raise ValueError(
                f"reduce_lr_on_plateau monitors the {plateau.monitor.replace('val_', 'validation ')}; write "
                'validation_split as well, such as 0.1, or monitor = "loss"'
            )
        if mistakes := list(find_metric_mistakes(self.metrics, self.own_metrics)):
            raise ValueError("; ".join(mistakes))
        binary = [item for item in self.list_metric_forms() if has_positive_class(*item)]
        if self.positive is not None and not binary:
            raise ValueError(
                f"positive = '{self.positive}', and no metric is about a positive class; add one, such as AUC or Recall"
            )
        return self

    def list_metric_forms(self) -> list[tuple[str, dict[str, Any]]]:
        """The metrics with their arguments, those of the user's own under the class of Keras that they extend."""
        return list_forms(self.metrics, self.own_metrics)

    @property
    def own_metric_classes(self) -> tuple[str, ...]:
        """The registered names of the classes of the user's own metrics."""
        return tuple(cls for table in self.metrics for cls in table if is_registered_name(cls))

    def training(self, arm: Arm | None = None) -> Training:
        """The same as the frozen record that the engine uses, with an arm's own precision and learning rates."""
        weights, stopping, plateau = self.class_weight, self.early_stopping, self.reduce_lr_on_plateau
        precision = (None if arm is None else arm.precision) or self.precision
        rates = (None if arm is None else arm.learning_rates) or self.learning_rates
        if isinstance(weights, dict):
            pairs = tuple(
                (label, float(weights[str(label)])) for label in sorted(map(_parse_label, weights), key=_label_order)
            )
        return Training(
            canonical_json(self.loss),
            self.epochs,
            self.batch_size,
            self.validation_split,
            pairs if isinstance(weights, dict) else weights,
            None if stopping is None else records.EarlyStopping(**stopping.model_dump()),
            canonical_json(self.metrics) if self.metrics else None,
            None if precision == "float32" else "bf16",
            self.positive,
            None if self.validation == "last" else self.validation,
            None if rates is None else tuple(map(float, rates)),
            None if plateau is None else records.ReduceLROnPlateau(**plateau.model_dump()),
            self._metric_sources(),
        )

    def _metric_sources(self) -> str | None:
        sources = {
            cls: self.own_metrics[name_of(cls, arguments)].source
            for table in self.metrics
            for cls, arguments in table.items()
            if is_registered_name(cls)
        }
        return canonical_json(sources) if sources else None


def _parse_label(key: str) -> int | str:
    """A class as a table of weights names it: a whole number where it is written as one."""
    return int(key) if key.isascii() and key.isdigit() and str(int(key)) == key else key


def _label_order(label: int | str) -> tuple[bool, int, str]:
    return isinstance(label, str), 0 if isinstance(label, str) else label, str(label)


_NO_RECIPE = {"levels", "precision", "grid", "learning_rates", "initial_weights"}
"""The fields of an arm that change nothing about its network."""


class Arm(Table):
    """One recipe: a network (a stack of ``layers``, or a ``model``: a Keras config as JSON text) or an ``estimator``.

    An estimator is a scikit-learn classifier, which has no optimizer. ``levels`` says where the arm is in a
    factorial design: ``{ architecture = "deep", dropout = "on" }``. ``precision`` and ``learning_rates`` take the place
    of the protocol's, where they are what is compared. ``grid`` lists values to choose from on a validation split, by
    the arguments that they are for (see ``paribus.study.grid``); an empty one says that the arm stays as it is where
    others are tuned. ``initial_weights`` is a file of weights that every run starts from, whatever its seed
    (``docs/decisions/0088-initial-weights.md``).
    """

    layers: Annotated[tuple[KerasObject, ...] | None, AfterValidator(check_not_empty)] = None
    model: str | None = None
    estimator: Estimator | None = None
    optimizer: KerasObject = Field(default={"Adam": {}})
    precision: Precision | None = None
    levels: dict[str, str] = Field(default_factory=dict)
    grid: dict[str, tuple[JsonValue, ...]] | None = None
    learning_rates: LearningRates = None
    initial_weights: WeightsFile = None

    @model_validator(mode="after")
    def _one_recipe(self) -> Self:
        present = [f"`{name}`" for name in ("layers", "model", "estimator") if getattr(self, name) is not None]
        mistakes = []
        if len(present) != 1:
            listing = f"it has {' and '.join(present)}" if present else "it has none"
            mistakes.append(f"an arm has one of `layers`, `model` and `estimator`, {listing}; give one of them")
        if self.estimator is not None and "optimizer" in self.model_fields_set:
            mistakes.append("a scikit-learn estimator has no `optimizer`; leave it out, or give the network's `layers`")
        if self.estimator is not None and self.precision is not None:
            mistakes.append("a scikit-learn estimator has no `precision` to choose; leave it out")
        if self.estimator is not None and self.learning_rates is not None:
            mistakes.append("a scikit-learn estimator has no epochs and no `learning_rates`; leave them out")
        if self.estimator is not None and self.initial_weights is not None:
            mistakes.append("a scikit-learn estimator has no `initial_weights`; leave them out")
        if self.estimator is not None and self.grid:
            mistakes.append(
                "`grid`: values are selected by the curves of the validation split, and a scikit-learn estimator has "
                "none; give its variants as arms, or let it tune itself, as LogisticRegressionCV does"
            )
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    @model_serializer(mode="wrap")
    def _what_it_has(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """An estimator has no optimizer, a network no estimator: documents stored before there were any stay equal."""
        fields: dict[str, Any] = handler(self)
        unused = "estimator" if self.estimator is None else "optimizer"
        written = {key: value for key, value in fields.items() if key != unused}
        return without_unset(written, ("learning_rates", "initial_weights"))

    def spec(self) -> str:
        """The recipe alone as JSON, without what changes nothing about the network."""
        return canonical_json(self.model_dump(exclude=_NO_RECIPE, exclude_none=True))


def _cut(rates: tuple[float, ...], epochs: int) -> dict[str, tuple[float, ...]]:
    return {"learning_rates": rates[:epochs]}


class DeclaredContrast(Table):
    """A declared comparison: ``a`` minus ``b`` on one metric, one of ``METRICS`` or of the protocol's own.

    A ``primary`` contrast is what the study is run for: it gets a larger share of the allowed error.
    """

    a: str
    b: str
    metric: str = "test_accuracy"
    margin: Number | None = Field(default=None, gt=0)
    primary: Flag = False

    @model_validator(mode="after")
    def _two_arms(self) -> Self:
        if self.a == self.b:
            raise ValueError(f"'{self.a}' is compared with itself; name two arms")
        return self


class ComparisonSettings(Table):
    """How contrasts are judged. ``all_pairs`` adds every arm against every other, on test accuracy.

    ``margin`` is the largest difference that counts as equivalent, in the metric's units: by default 0.001 of accuracy,
    and none of other metrics (``docs/decisions/0052-no-margin-that-nobody-declared.md``). ``level`` is the confidence
    level of the intervals. ``looks`` are the numbers of seeds at which a growing study is judged (``--until-decided``
    plans them, ``docs/decisions/0012-planned-looks.md``); without any it is judged once.

    ``primary_effects`` are effects of a factorial study that it is run for, by factor (``["dropout"]``) or by the
    factors of an interaction (``["architecture x dropout"]``). All primary statements divide ``primary_share`` of the
    allowed error among them, the others the rest (``docs/decisions/0050-shares-of-the-error.md``).
    """

    scope: Literal["new data", "this test set", "new data, new training sets", "these training sets"] = "new data"
    level: Number = Field(default=0.95, gt=0.5, lt=1)
    margin: Number | None = Field(default=None, gt=0)
    all_pairs: Flag = False
    factorial: Flag = False
    primary_share: Number = Field(default=0.8, gt=0, lt=1)
    primary_effects: tuple[str, ...] = ()
    looks: tuple[Annotated[Whole, Field(ge=2)], ...] = ()

    @field_validator("looks")
    @classmethod
    def _looks_grow(cls, looks: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(looks)):
            raise ValueError(
                f"looks {list(looks)}: each planned look has more seeds than the one before, like [3, 6, 10]"
            )
        return looks


class Tuning(Table):
    """How the values of the arms' grids are selected: on a validation split, every arm with the same ``budget``.

    The budget is a number of trainings an arm. Its default lets the arm with the most combinations try each of them on
    ``seeds`` seeds (``docs/decisions/0037-equal-budgets.md``). ``epochs`` and ``validation_split`` are the protocol's
    by default.
    """

    seeds: Whole = Field(default=1, ge=1, le=1000)
    budget: Whole | None = Field(default=None, ge=2)
    monitor: Literal["val_accuracy", "val_loss"] = "val_accuracy"
    validation_split: Number | None = Field(default=None, gt=0, lt=1)
    epochs: Whole | None = Field(default=None, ge=1)


class StudyDocument(Table):
    """A whole study as values, in the order of its TOML. ``paribus.Study`` runs it.

    Every arm is trained with ``seeds`` seeds from ``first_seed`` on; seeds before it do not count.
    """

    name: Name
    question: str = ""
    seeds: Whole = Field(default=5, ge=1, le=MAX_SEED)
    first_seed: Whole = Field(default=0, ge=0, le=MAX_SEED)
    data: Data
    protocol: Protocol = Protocol()
    comparison: ComparisonSettings = ComparisonSettings()
    tuning: Tuning = Tuning()
    arms: Annotated[dict[Name, Arm], AfterValidator(check_not_empty)]
    contrasts: tuple[DeclaredContrast, ...] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _consistent(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Check the rules between tables, and report what breaks them with the mistakes inside the tables."""
        contradictions = list(find_contradictions(value))
        try:
            document = handler(value)
        except ValidationError as error:
            inside = [make_mistake(e["loc"], e["msg"], e["type"], e["input"]) for e in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, [*inside, *contradictions]) from None
        if contradictions:
            raise ValidationError.from_exception_data(cls.__name__, contradictions)
        return document._with_budget()

    def _with_budget(self) -> Self:
        """The document with the default budget of tuning filled in: it stays the same where only some arms are run."""
        sizes = [prod(len(values) for values in arm.grid.values()) for arm in self.arms.values() if arm.grid]
        if not sizes or self.tuning.budget is not None:
            return self
        budget = max(sizes) * self.tuning.seeds
        return self.model_copy(update={"tuning": self.tuning.model_copy(update={"budget": budget})})

    def with_epochs(self, epochs: int) -> Self:
        """The study with other epochs; tables of learning rates are cut to them.

        Raises:
            UsageError: a table has fewer rates.
        """
        longest = [name for name, rates in self._learning_rates().items() if len(rates) < epochs]
        if longest:
            raise UsageError(
                f"{epochs} epochs: {longest[0]} has {len(self._learning_rates()[longest[0]])} learning rates, one for "
                "each epoch of the study; write the study with more of them"
            )
        arms = {
            name: arm if arm.learning_rates is None else arm.model_copy(update=_cut(arm.learning_rates, epochs))
            for name, arm in self.arms.items()
        }
        rates = {} if self.protocol.learning_rates is None else _cut(self.protocol.learning_rates, epochs)
        protocol = self.protocol.model_copy(update={"epochs": epochs, **rates})
        return self.model_copy(update={"protocol": protocol, "arms": arms})

    def _learning_rates(self) -> dict[str, tuple[float, ...]]:
        """The tables of learning rates, by where they stand."""
        tables = {"the protocol": self.protocol.learning_rates}
        tables |= {f"arm '{name}'": arm.learning_rates for name, arm in self.arms.items()}
        return {name: rates for name, rates in tables.items() if rates is not None}

    @property
    def tuned(self) -> tuple[str, ...]:
        """The arms that have a grid to choose from."""
        return tuple(name for name, arm in self.arms.items() if arm.grid)

    def declared_contrasts(self) -> tuple[DeclaredContrast, ...]:
        """The contrasts of the file, then (with ``all_pairs``) every other pair of arms on test accuracy."""
        return list_contrasts(tuple(self.arms), self.contrasts, self.comparison)

    @property
    def scope(self) -> str:
        """What the verdicts are about; by default in cross-validation, new data and new training sets."""
        return SCOPES[0] if self.data.folds and self.comparison.scope == "new data" else self.comparison.scope

    @property
    def levels(self) -> Mapping[str, Mapping[str, str]]:
        """By arm its level of each factor of a factorial design."""
        return {name: arm.levels for name, arm in self.arms.items()}


def list_contrasts(
    arms: Sequence[str], contrasts: Sequence[DeclaredContrast], comparison: ComparisonSettings
) -> tuple[DeclaredContrast, ...]:
    """The contrasts that are written out, then (with ``all_pairs``) every other pair of arms on test accuracy."""
    declared = list(contrasts)
    if comparison.all_pairs:
        done = {frozenset((c.a, c.b)) for c in declared if c.metric == "test_accuracy"}
        declared += [DeclaredContrast(a=a, b=b) for a, b in combinations(arms, 2) if frozenset((a, b)) not in done]
    return tuple(declared)
