"""The ``[data]`` table of a study, and what all its tables have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    Strict,
    model_serializer,
    model_validator,
)

from paribus import records
from paribus.records import DataSpec, Folds

Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]


class Table(BaseModel):
    """A table of a study file: unknown keys are mistakes, values never change and are never guessed at."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def without_defaults(table: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """A table as it is written to TOML or JSON, without keys that are empty or have their default.

    Args:
        table: the table.
        defaults: the defaults by key.
    """
    return {key: value for key, value in table.items() if key not in defaults or (value and value != defaults[key])}


def without_unset(written: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """A written table without those of some keys that are None.

    An empty table stays: it says something.

    Args:
        written: the table.
        keys: the keys.
    """
    return {key: value for key, value in written.items() if key not in keys or value is not None}


class ImputeSettings(Table):
    """How missing values of a table are filled in (see ``paribus.records.Imputation``)."""

    strategy: Literal["median", "most_frequent", "constant"] = "median"
    fill_value: Number | str | None = None
    indicator: Flag = False

    @model_validator(mode="after")
    def _fills(self) -> Self:
        if self.fill_value is not None and self.strategy != "constant":
            raise ValueError(
                f'`fill_value` means nothing for strategy "{self.strategy}"; leave it out, or say strategy = "constant"'
            )
        return self


def _strategy_alone(value: object) -> object:
    """``impute = "median"`` for ``impute = { strategy = "median" }``."""
    return {"strategy": value} if isinstance(value, str) else value


_NO_FOLDS: dict[str, Any] = {"folds": None, "repeats": 1, "group": None, "partition": None}
"""The keys of cross-validation, as they are without it."""


class Data(Table):
    """Where the data comes from, and how it is read and prepared (see ``paribus.records.DataSpec``).

    ``impute`` is a strategy, or a table of ``strategy``, ``fill_value`` and ``indicator``. ``folds``, ``repeats``,
    ``group`` and ``partition`` are those of ``paribus.records.Folds``.
    """

    source: str = Field(min_length=1)
    scale: Number | None = Field(default=None, gt=0)
    flatten: Flag = False
    standardize: Flag = False
    label: str | None = None
    categorical: tuple[str, ...] = ()
    test: str | None = None
    test_fraction: Number | None = Field(default=None, gt=0, lt=1)
    drop: tuple[str, ...] = ()
    impute: Annotated[ImputeSettings | None, BeforeValidator(_strategy_alone)] = None
    folds: Annotated[int, Strict()] | None = Field(default=None, ge=2, le=20)
    repeats: Annotated[int, Strict()] = Field(default=1, ge=1, le=100)
    group: str | None = None
    partition: str | None = None

    @model_validator(mode="after")
    def _divided(self) -> Self:
        extras = (("repeats", self.repeats > 1), ("group", self.group), ("partition", self.partition))
        alone = [name for name, value in extras if value]
        if self.folds is None and alone:
            raise ValueError(f"`{alone[0]}` means nothing without `folds`; give folds = 5, or leave it out")
        if self.folds is not None and self.test_fraction is not None:
            raise ValueError("`test_fraction` beside `folds`, which test every example; leave one of them out")
        if self.group is not None and self.partition is not None:
            raise ValueError("`group` beside `partition`, which says the fold of every example; leave one of them out")
        return self

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Documents stored before these keys existed stay equal, letter by letter (decision 0067)."""
        return without_defaults(handler(self), {"drop": (), "impute": None, **_NO_FOLDS})

    def spec(self) -> DataSpec:
        """The table as the frozen value that other packages use. With folds it names all of them."""
        imputation = None if self.impute is None else records.Imputation(**self.impute.model_dump())
        fields = {key: value for key, value in self.model_dump().items() if key not in _NO_FOLDS}
        return DataSpec(**{**fields, "drop": self.drop, "impute": imputation, "folds": self.divided})

    def sample_spec(self) -> DataSpec:
        """A data set that stands for all of them where arms are described: the first fold, or the data itself."""
        spec = self.spec()
        return spec if spec.folds is None else replace(spec, folds=spec.folds.of_seed(0))

    @property
    def runs_per_seed(self) -> int:
        """The runs of an arm that one of a study's ``seeds`` makes: one, or one in each fold of each repetition."""
        return 1 if self.divided is None else self.divided.runs

    @property
    def divided(self) -> Folds | None:
        """The folds of all examples; None with a fixed test split."""
        return None if self.folds is None else Folds(self.folds, self.repeats, self.group, self.partition)
