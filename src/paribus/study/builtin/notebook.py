"""What a built-in study's notebook printed and claimed about its networks, read from a file beside its TOML.

See ``docs/decisions/0078-a-notebooks-numbers-are-data.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class PrintedScores:
    """What the notebook printed of one network, trained once.

    Attributes:
        parameters: the network's number of parameters, by which it is recognized.
        test_accuracy: a fraction of 1.
        fit_accuracy: what ``fit`` printed in the last epoch, a fraction of 1; None where it has no output of it.
    """

    parameters: int
    test_accuracy: float
    fit_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the notebook about arm ``a`` against arm ``b``."""

    quote: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class ConfoundedClaim:
    """A sentence about two arms that differ in two ways.

    Attributes:
        quote: the sentence.
        a: the first arm.
        b: the second arm.
        between: an arm that differs from ``b`` in the first change alone, and from ``a`` in the second alone.
        changes: names of the two changes.
        crossed_by: the built-in study that varies both independently.
    """

    quote: str
    a: str
    b: str
    between: str
    changes: tuple[str, str]
    crossed_by: str


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook's printed numbers and its claims.

    Attributes:
        data: the data that it trained on.
        printed: its scores by arm.
        generalization: which of two networks generalizes better, by their gaps.
        conclusion: which of two networks is better, by one run of each.
        question: which of two changes made a difference.
    """

    data: str
    printed: Mapping[str, PrintedScores]
    generalization: Claim
    conclusion: Claim
    question: ConfoundedClaim


def load_notebook(study: str) -> Notebook | None:
    """The notebook that the built-in study of this name repeats; None where there is none."""
    file = files(__package__).joinpath(f"{study}.notebook.toml")
    if "/" in study or not file.is_file():
        return None
    values = tomllib.loads(file.read_text(encoding="utf-8"))
    question = values["question"]
    return Notebook(
        data=values["data"],
        printed={name: PrintedScores(**scores) for name, scores in values["printed"].items()},
        generalization=Claim(**values["generalization"]),
        conclusion=Claim(**values["conclusion"]),
        question=ConfoundedClaim(**{**question, "changes": tuple(question["changes"])}),
    )
