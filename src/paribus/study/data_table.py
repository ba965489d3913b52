"""The ``[data]`` table of a study, and what all its tables have in common."""

from __future__ import annotations

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
from paribus.records import DataSpec

Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]


class Table(BaseModel):
    """A table of a study file: unknown keys are mistakes, values never change and are never guessed at."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def without_defaults(table: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """A table as it is written to TOML or JSON, without keys that are empty or have these values."""
    return {key: value for key, value in table.items() if key not in defaults or (value and value != defaults[key])}


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


class Data(Table):
    """Where the data comes from, and how it is read and prepared (see ``paribus.records.DataSpec``).

    ``impute`` is a strategy, or a table of ``strategy``, ``fill_value`` and ``indicator``.
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

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Documents stored before these keys existed stay equal, letter by letter (decision 0067)."""
        return without_defaults(handler(self), {"drop": (), "impute": None})

    def spec(self) -> DataSpec:
        """The table as the frozen value that other packages use."""
        imputation = None if self.impute is None else records.Imputation(**self.impute.model_dump())
        return DataSpec(**{**self.model_dump(), "drop": self.drop, "impute": imputation})
