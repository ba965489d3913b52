"""What the judging of contrasts needs to know of a study, whoever trained its arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from paribus.study.document import ComparisonSettings, DeclaredContrast


class Design(Protocol):
    """Arms, the contrasts between them, and how they are judged.

    A study document is one; so is a request about predictions from elsewhere
    (``docs/decisions/0095-predictions-from-elsewhere.md``).
    """

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def question(self) -> str:
        """The question in words; empty where none is asked."""

    @property
    def seeds(self) -> int:
        """The number of seeds of every arm."""

    @property
    def first_seed(self) -> int:
        """The first of them."""

    @property
    def comparison(self) -> ComparisonSettings:
        """How contrasts are judged."""

    @property
    def scope(self) -> str:
        """What the verdicts are about."""

    @property
    def contrasts(self) -> tuple[DeclaredContrast, ...]:
        """The contrasts that are written out."""

    @property
    def levels(self) -> Mapping[str, Mapping[str, str]]:
        """By arm its level of each factor of a factorial design."""

    def declared_contrasts(self) -> tuple[DeclaredContrast, ...]:
        """The contrasts that are written out, then (with ``all_pairs``) every other pair of arms on test accuracy."""
