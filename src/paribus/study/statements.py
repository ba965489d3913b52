"""The statements that a study declares: its contrasts and effects, with their shares of the allowed error.

Shares are those of ``docs/decisions/0050-shares-of-the-error.md``. The statements are those of the
whole study, whichever of its arms are run, so that no answer depends on the order of commands
(``docs/decisions/0080-a-study-is-one-study.md``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from paribus.analysis.factorial import EffectPattern, Factor, effect_patterns
from paribus.analysis.shares import error_shares
from paribus.study.design import Design
from paribus.study.document import DeclaredContrast

EFFECT_METRIC = "test_accuracy"
"""The metric of the effects of a factorial study."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One contrast or effect of a study, before there are data.

    Attributes:
        metric: the metric that is compared.
        coefficients: by arm; 1 and -1 for a contrast, those of the cells for an effect.
        margin: differences smaller than this count as equivalent; None where none is declared for this statement.
        primary: whether it is primary.
        share: its share of the error 1 - level of the whole study.
        contrast: the declared contrast; None for an effect.
        effect: the effect; None for a contrast.
    """

    metric: str
    coefficients: Mapping[str, float]
    margin: float | None
    primary: bool
    share: float
    contrast: DeclaredContrast | None = None
    effect: EffectPattern | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that it compares."""
        return tuple(self.coefficients)

    @property
    def key(self) -> tuple[object, ...]:
        """Identifies it among the study's statements; the judged contrast or effect has the same key."""
        if self.contrast is not None:
            return (self.contrast.a, self.contrast.b, self.metric)
        assert self.effect is not None, "a statement is a contrast or an effect"
        return (self.effect.factors, self.effect.levels)

    @property
    def name(self) -> str:
        """Its name in sentences: ``big-dropout against big``, ``the effect of dropout``."""
        if self.contrast is not None:
            return f"{self.contrast.a} against {self.contrast.b}"
        assert self.effect is not None, "a statement is a contrast or an effect"
        return f"the effect of {' x '.join(self.effect.factors)}"


def declared_statements(document: Design, primary_share: float | None = None) -> tuple[Statement, ...]:
    """List the contrasts of a study and then its effects, in their order.

    Args:
        document: the whole study.
        primary_share: the share of the error for all primary statements together, if not the study's own.

    Returns:
        The statements with their shares, which sum to 1.
    """
    contrasts = document.declared_contrasts()
    factors = list_factors(document)
    patterns = tuple(effect_patterns(factors)) if factors else ()
    flags = [contrast.primary for contrast in contrasts]
    flags += [_effect_name(pattern) in document.comparison.primary_effects for pattern in patterns]
    if not flags:
        return ()
    shares = error_shares(flags, primary_share or document.comparison.primary_share)
    of_contrasts = zip(contrasts, flags, shares, strict=False)
    of_effects = zip(patterns, flags[len(contrasts) :], shares[len(contrasts) :], strict=True)
    cells = (
        {tuple(levels[f.name] for f in factors): name for name, levels in document.levels.items()} if factors else {}
    )
    return (
        *(
            Statement(c.metric, {c.a: 1.0, c.b: -1.0}, c.margin, flag, share, contrast=c)
            for c, flag, share in of_contrasts
        ),
        *(
            Statement(
                EFFECT_METRIC,
                {cells[key]: weight for key, weight in pattern.weights.items()},
                None,
                flag,
                share,
                effect=pattern,
            )
            for pattern, flag, share in of_effects
        ),
    )


def list_factors(document: Design) -> tuple[Factor, ...]:
    """List the factors of a factorial study with their levels, in the order in which the arms name them.

    Empty where the study is not factorial, or where not every combination of levels has an arm.
    """
    if not document.comparison.factorial:
        return ()
    levels: dict[str, dict[str, None]] = {}
    for of_arm in document.levels.values():
        for factor, level in of_arm.items():
            levels.setdefault(factor, {})[level] = None
    cells = {tuple(of_arm[factor] for factor in levels) for of_arm in document.levels.values()}
    crossed = len(cells) == math.prod(len(names) for names in levels.values())
    varied = all(len(names) > 1 for names in levels.values())
    return tuple(Factor(name, tuple(names)) for name, names in levels.items()) if crossed and varied else ()


def _effect_name(pattern: EffectPattern) -> str:
    """The name of an effect in ``primary_effects``: ``dropout``, or ``architecture x dropout`` for an interaction."""
    return " x ".join(pattern.factors)
