"""A request to judge predictions that were made elsewhere: which arms, which contrasts, and how they are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from paribus.analysis.comparison import Scope
from paribus.errors import Mistake, StudyError
from paribus.study.document import ComparisonSettings, DeclaredContrast, list_contrasts
from paribus.study.mistakes import translate_mistakes


@dataclass(frozen=True, slots=True)
class PredictionsRequest:
    """What was asked about a table of predictions.

    Attributes:
        name: the name of the answer.
        question: the question in words; empty where none is asked.
        arms: the names of the arms.
        seeds: the number of seeds of every arm.
        comparison: how contrasts are judged.
        contrasts: the contrasts that are written out.
        source: the file or frame.
        fingerprint: sha256 of the table.
        examples: the number of test examples.
        classes: the names of the classes.
        groups: the number of groups that the examples belong to; None where they are independent.
        notes: remarks on how the table was read.
        folds: the number of folds of cross-validation; None with one test set.
        repeats: how often the examples were divided into folds.
    """

    name: str
    question: str
    arms: tuple[str, ...]
    seeds: int
    comparison: ComparisonSettings
    contrasts: tuple[DeclaredContrast, ...]
    source: str
    fingerprint: str
    examples: int
    classes: tuple[str, ...]
    groups: int | None = None
    notes: tuple[str, ...] = ()
    folds: int | None = None
    repeats: int = 1

    @property
    def first_seed(self) -> int:
        """All seeds of the table count."""
        return 0

    @property
    def scope(self) -> str:
        """What the verdicts are about; one seed an arm on one test set says nothing about the recipes."""
        if self.folds is not None:
            return Scope.NEW_TRAINING_SETS if self.comparison.scope == "new data" else self.comparison.scope
        return self.comparison.scope if self.seeds > 1 else Scope.THESE_NETWORKS

    @property
    def levels(self) -> Mapping[str, Mapping[str, str]]:
        """No factorial design is known of predictions."""
        return {arm: {} for arm in self.arms}

    def declared_contrasts(self) -> tuple[DeclaredContrast, ...]:
        """The contrasts that are written out, then with ``all_pairs`` every other pair of arms on test accuracy."""
        return list_contrasts(self.arms, self.contrasts, self.comparison)


def check_judging(
    comparison: Mapping[str, Any], contrasts: Sequence[Mapping[str, Any]], source: str
) -> tuple[ComparisonSettings, tuple[DeclaredContrast, ...]]:
    """Check how predictions are to be judged, written like ``[comparison]`` and ``[[contrasts]]`` of a study file.

    Args:
        comparison: the table ``[comparison]``.
        contrasts: the tables ``[[contrasts]]``.
        source: the predictions in errors.

    Raises:
        StudyError: a value breaks its rule, or a contrast is declared twice; every mistake is listed.
    """
    mistakes: list[Mistake] = []
    settings, declared = ComparisonSettings(), []
    try:
        settings = ComparisonSettings.model_validate(comparison)
    except ValidationError as error:
        mistakes += translate_mistakes(error, ComparisonSettings)
    for number, contrast in enumerate(contrasts, 1):
        try:
            declared.append(DeclaredContrast.model_validate(contrast))
        except ValidationError as error:
            translated = translate_mistakes(error, DeclaredContrast)
            mistakes += [
                Mistake(f"contrast {number} {mistake.place}".rstrip(), mistake.message) for mistake in translated
            ]
    keys = [(frozenset((contrast.a, contrast.b)), contrast.metric) for contrast in declared]
    for item, key in zip(declared, keys, strict=True):
        if keys.count(key) > 1:
            message = f"'{item.a}' against '{item.b}' on {item.metric} is declared twice; keep one"
            mistakes.append(Mistake("contrasts", message))
            break
    if mistakes:
        raise StudyError(source, mistakes)
    return settings, tuple(declared)
