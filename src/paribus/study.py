"""What a study says: question, data, protocol, arms, contrasts. Written in TOML, checked here, all mistakes at once.

A Keras object is written as its class name, or as a table with that one name and its arguments::

    optimizer = "Adam"
    optimizer = { SGD = { learning_rate = 0.001, momentum = 0.9 } }

Keras itself judges the arguments when the arm is built (``paribus.engine.describe``); this module judges the rest.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from paribus.records import DataSpec, Training

METRICS = ("test_accuracy", "test_loss", "train_accuracy", "train_loss", "generalization_gap", "fit_accuracy")
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
MAX_SEED = 2**31 - 1

Metric = Literal[
    "test_accuracy", "test_loss", "train_accuracy", "train_loss", "generalization_gap", "fit_accuracy", "fit_loss"
]


class _Table(BaseModel):
    """A table of a study file: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


def _spell_out(value: object) -> object:
    """``"Adam"`` is short for ``{Adam = {}}``."""
    return {value: {}} if isinstance(value, str) else value


def _one_class(value: dict[str, dict[str, JsonValue]]) -> dict[str, dict[str, JsonValue]]:
    if len(value) != 1:
        found = ", ".join(value) or "nothing"
        raise ValueError(
            f"one Keras class name with its arguments is expected, found {found}; "
            "write it like { Dense = { units = 100 } }"
        )
    (name, arguments), *_ = value.items()
    rate = arguments.get("rate")
    if name.endswith("Dropout") and isinstance(rate, int | float) and not 0 <= rate < 1:
        raise ValueError(f"{name} rate {rate}: a rate lies in [0, 1); write 0.2 to drop a fifth of the units")
    units = arguments.get("units")
    if name == "Dense" and units is not None and (not isinstance(units, int) or units < 1):
        raise ValueError(f"Dense units {units}: a layer has a whole number of units, 1 or more")
    return value


KerasObject = Annotated[dict[str, dict[str, JsonValue]], BeforeValidator(_spell_out), AfterValidator(_one_class)]
"""A Keras class and its arguments: exactly one key."""


class Data(_Table):
    """Where the data comes from, and how it is read and prepared (see ``paribus.records.DataSpec``)."""

    source: str = Field(min_length=1)
    scale: float | None = Field(default=None, gt=0)
    flatten: bool = False
    standardize: bool = False
    label: str | None = None
    categorical: tuple[str, ...] = ()
    test: str | None = None
    test_fraction: float | None = Field(default=None, gt=0, lt=1)

    def spec(self) -> DataSpec:
        """As the frozen value that the other rooms know."""
        return DataSpec(**self.model_dump())


class Protocol(_Table):
    """What is held equal for all arms."""

    loss: KerasObject = Field(default={"categorical_crossentropy": {}})
    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=100, ge=1)
    validation_split: float = Field(default=0.0, ge=0.0, lt=1.0)

    def training(self) -> Training:
        """As the frozen value that the engine knows."""
        return Training(canonical_json(self.loss), self.epochs, self.batch_size, self.validation_split)


class Arm(_Table):
    """One recipe. Its network is either a stack of ``layers`` or a ``model`` (a Keras config as JSON text).

    ``levels`` says where the arm stands in a factorial design: ``{ architecture = "deep", dropout = "on" }``.
    """

    layers: tuple[KerasObject, ...] | None = Field(default=None, min_length=1)
    model: str | None = None
    optimizer: KerasObject = Field(default={"Adam": {}})
    levels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_network(self) -> Self:
        if (self.layers is None) == (self.model is None):
            raise ValueError("an arm has either `layers` or `model`; give one of them")
        return self

    def spec(self) -> str:
        """The recipe alone as JSON (without ``levels``, which change nothing about the network)."""
        return canonical_json(self.model_dump(exclude={"levels"}, exclude_none=True))


class Contrast(_Table):
    """A declared comparison: ``a`` minus ``b`` on one metric."""

    a: str
    b: str
    metric: Metric = "test_accuracy"
    margin: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _two_arms(self) -> Self:
        if self.a == self.b:
            raise ValueError(f"'{self.a}' is compared with itself; name two arms")
        return self


class Comparison(_Table):
    """How contrasts are judged. ``all_pairs`` adds every arm against every other, on test accuracy.

    ``margin`` (a fraction of 1) is what counts as equivalent; ``level`` is that of the intervals. ``looks`` are the
    numbers of seeds at which a growing study is judged (``--until-decided`` plans them); empty for one look at all.
    """

    scope: Literal["new data", "this test set"] = "new data"
    level: float = Field(default=0.95, gt=0.5, lt=1)
    margin: float = Field(default=0.001, gt=0)
    all_pairs: bool = False
    factorial: bool = False
    looks: tuple[Annotated[int, Field(ge=2)], ...] = ()

    @field_validator("looks")
    @classmethod
    def _looks_grow(cls, looks: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(looks)):
            raise ValueError(
                f"looks {list(looks)}: each planned look has more seeds than the one before, like [3, 6, 10]"
            )
        return looks


class StudyDocument(_Table):
    """A whole study, as its TOML says it. ``paribus.Study`` adds the verbs."""

    name: str = Field(pattern=NAME_PATTERN, max_length=100)
    question: str = ""
    seeds: int = Field(default=5, ge=1, le=MAX_SEED)
    data: Data
    protocol: Protocol = Protocol()
    comparison: Comparison = Comparison()
    arms: dict[Annotated[str, Field(pattern=NAME_PATTERN, max_length=100)], Arm] = Field(min_length=1)
    contrasts: tuple[Contrast, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [
            f"contrast {index}: unknown arm '{arm}'; the arms are {', '.join(self.arms)}"
            for index, contrast in enumerate(self.contrasts, 1)
            for arm in (contrast.a, contrast.b)
            if arm not in self.arms
        ]
        seen = [frozenset((c.a, c.b, c.metric)) for c in self.contrasts]
        problems += [
            f"contrast {index}: '{c.a}' against '{c.b}' on {c.metric} is declared twice; keep one"
            for index, c in enumerate(self.contrasts, 1)
            if frozenset((c.a, c.b, c.metric)) in seen[: index - 1]
        ]
        if self.comparison.factorial:
            designs = {tuple(sorted(arm.levels)) for arm in self.arms.values()}
            if len(designs) != 1 or not next(iter(designs)):
                problems.append("comparison.factorial = true: every arm needs `levels` of the same factors")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def declared_contrasts(self) -> tuple[Contrast, ...]:
        """The contrasts written out, then (with ``all_pairs``) every other pair of arms on test accuracy."""
        declared = list(self.contrasts)
        if self.comparison.all_pairs:
            done = {frozenset((c.a, c.b)) for c in declared if c.metric == "test_accuracy"}
            names = list(self.arms)
            declared += [
                Contrast(a=a, b=b) for i, a in enumerate(names) for b in names[i + 1 :] if frozenset((a, b)) not in done
            ]
        return tuple(declared)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values are equal texts."""
    import json

    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
