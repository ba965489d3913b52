"""Weights that all runs of an arm start from, as a study says it: a file and its digest (decision 0088)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from paribus import records
from paribus.errors import Mistake, StudyError
from paribus.files.whole import hash_file
from paribus.study.data_table import Table

ENDINGS = (".weights.h5", ".keras")
"""The files of weights that Keras writes."""


class InitialWeightsSettings(Table):
    """The file of the weights; ``sha256`` is that of its bytes, and filled in where a study is read from a file."""

    file: str = Field(min_length=1)
    sha256: str | None = None

    def as_record(self) -> records.InitialWeights:
        """As the frozen value that the other packages know."""
        assert self.sha256 is not None, "it is filled in where a study is loaded"
        return records.InitialWeights(self.file, self.sha256)


def _file_alone(value: object) -> object:
    """``initial_weights = "base.weights.h5"`` for ``initial_weights = { file = "base.weights.h5" }``."""
    return {"file": value} if isinstance(value, str) else value


def _check_ending(value: InitialWeightsSettings | None) -> InitialWeightsSettings | None:
    if value is not None and not value.file.endswith(ENDINGS):
        raise ValueError(f"{value.file}: a file of Keras with weights is expected, .weights.h5 or .keras")
    return value


WeightsFile = Annotated[InitialWeightsSettings | None, BeforeValidator(_file_alone), AfterValidator(_check_ending)]
"""A file of weights, or none."""


def with_files(arms: dict[str, Any], locate: Callable[[str], str], source: str) -> dict[str, Any]:
    """Locate the files of the arms' initial weights, and fill in their digests.

    Args:
        arms: the arms of a study, by name.
        locate: makes a path of the study an absolute one.
        source: the study in errors.

    Returns:
        The arms with absolute paths and digests.

    Raises:
        StudyError: a file cannot be read, or is not the one that the study was made with.
    """
    mistakes: list[Mistake] = []
    changed = {}
    for name, arm in arms.items():
        weights = arm.initial_weights
        if weights is None:
            continue
        path = locate(weights.file)
        place = f"arm '{name}', initial_weights"
        try:
            digest = hash_file(Path(path).expanduser())
        except OSError as error:
            mistakes.append(Mistake(place, f"{path}: it cannot be read: {error.strerror or error}"))
            continue
        if weights.sha256 not in (None, digest):
            mistakes.append(
                Mistake(
                    place,
                    f"{path}: it is not the file that the study was made with (sha256 {digest[:12]}, the study has "
                    f"{str(weights.sha256)[:12]}): put that file back, or leave sha256 out for another study",
                )
            )
        settings = InitialWeightsSettings(file=path, sha256=digest)
        changed[name] = arm.model_copy(update={"initial_weights": settings})
    if mistakes:
        raise StudyError(source, mistakes)
    return {**arms, **changed}
