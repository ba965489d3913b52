"""Numbers in words: enough digits that what is printed never contradicts what is meant."""

from __future__ import annotations

from collections.abc import Sequence

from paribus.analysis.metrics import Unit

_FEWEST_DECIMALS = {Unit.FRACTION: 2, Unit.NATS: 4, Unit.PLAIN: 4}
_FACTOR = {Unit.FRACTION: 100.0, Unit.NATS: 1.0, Unit.PLAIN: 1.0}
_NAME = {Unit.FRACTION: "points", Unit.NATS: "nats", Unit.PLAIN: "plain numbers"}
_MOST_DECIMALS = 8
_NEARLY_ONE = 0.99
_MANY = 1000.0
"""From here on decimals are noise: the intervals of two or three seeds under strict levels."""


def differences(values: Sequence[float], unit: Unit) -> tuple[str, ...]:
    """Differences with their sign and without their unit, all with the same number of digits.

    Fractions become percentage points. There are as many decimals as it takes for numbers that differ in sign or in
    size to be printed differently; values too small for that are printed in scientific notation.

    Args:
        values: differences in the metric's own units.
        unit: the metric's unit.

    Returns:
        One text for each value.
    """
    scaled = [value * _FACTOR[unit] for value in values]
    fewest = 0 if max(map(abs, scaled), default=0) >= _MANY else _FEWEST_DECIMALS[unit]
    for decimals in range(fewest, _MOST_DECIMALS + 1):
        texts = tuple(_signed(value, decimals) for value in scaled)
        if _faithful(scaled, texts):
            return texts
    return tuple(f"{value:+.1e}" if value else "0" for value in scaled)


def magnitude(value: float, unit: Unit) -> str:
    """A size such as a margin, without sign and with its unit: ``0.10 points``."""
    return with_unit(without_unit(value, unit), unit)


def with_unit(text: str, unit: Unit) -> str:
    """``+0.36 points``; plain numbers have no unit."""
    return text if unit is Unit.PLAIN else f"{text} {_NAME[unit]}"


def without_unit(value: float, unit: Unit) -> str:
    """A size such as a margin where its unit has been named just before: ``0.10``."""
    (text,) = differences([value], unit)
    return text.lstrip("+")


def unit_name(unit: Unit) -> str:
    """How differences in this unit are called in headings: points, nats, or plain numbers."""
    return _NAME[unit]


def p_text(p_value: float, alpha: float) -> str:
    """``p = 0.012``, ``p < 0.0001`` or ``p > 0.99``; on the same side of ``alpha`` in print as in truth."""
    if p_value < 0.0001 < alpha:
        return "p < 0.0001"
    if p_value > _NEARLY_ONE > alpha:
        return f"p > {_NEARLY_ONE}"
    for decimals in range(3, 12):
        rounded = round(p_value, decimals)
        if (rounded <= alpha) == (p_value <= alpha) and rounded > 0:
            return f"p = {rounded:.{decimals}f}"
    return f"p = {p_value:.3e}"


def percent(level: float) -> str:
    """``95 %``."""
    return f"{level * 100:.6g} %"


def confidence(level: float) -> str:
    """``96 %``, ``99.89 %``: the level of one interval of a family, its error rounded to two digits."""
    error = 100 * (1 - level)
    return f"{100 - float(f'{error:.2g}' if error < 1 else f'{error:.2f}'):.10g} %"


def with_unit_name(subject: str, unit: Unit) -> str:
    """A heading with the unit of its numbers: ``Difference, points``; plain numbers have none."""
    return ", ".join(filter(None, (subject, "" if unit is Unit.PLAIN else unit_name(unit))))


def counted(count: int, noun: str) -> str:
    """``1 seed``, ``5 seeds``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(items: Sequence[object]) -> str:
    """``1``, ``1 and 2``, ``1, 2 and 3``."""
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def capitalized(text: str) -> str:
    """The text with its first letter large and all others as they are."""
    return text[:1].upper() + text[1:]


def _signed(value: float, decimals: int) -> str:
    text = f"{value:+.{decimals}f}"
    return text if float(text) else f"{0:.{decimals}f}"


def _faithful(values: Sequence[float], texts: Sequence[str]) -> bool:
    """Whether the printed numbers have the signs and the order of the true ones."""
    printed = [float(text) for text in texts]
    if any((value > 0) != (text > 0) or (value < 0) != (text < 0) for value, text in zip(values, printed, strict=True)):
        return False
    return len(set(printed)) == len(set(values))
