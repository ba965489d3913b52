"""How numbers are printed, alike in every table: fractions as percentages, differences in points, losses in nats.

Two decimals of a percentage are one example in 10,000. More are printed where two would hide much: an interval that
would look as if it had no width, or a 99.997 that would read 100.00.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from paribus.analysis import METRICS, Estimate, Metric, Unit
from paribus.analysis.possible import print_limits
from paribus.analysis.wording import differences, magnitude, p_text
from paribus.keras_config.names import is_loss_in_nats, snake_case
from paribus.records import Recipe, Seeds
from paribus.study.document import StudyDocument

MINUS = "\N{MINUS SIGN}"
UNDEFINED = "\N{EN DASH}"
"""The text of a number that is undefined."""

_HYPHEN = re.compile(r"(?<=[\s(\[])-(?=\d)")
_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class PrintedInterval:
    """A number and, where there is one, its interval, printed to the same decimals."""

    value: str
    low: str | None
    high: str | None

    @property
    def limits(self) -> str:
        """``[98.02, 98.53]``, or nothing."""
        return "" if self.low is None else f"[{self.low}, {self.high}]"

    def __str__(self) -> str:
        return f"{self.value} {self.limits}".rstrip()


def with_minus(sentence: str) -> str:
    """A sentence for readers, with the minus sign of tables; JSON, CSV and ``Contrast.sentence`` have ASCII's."""
    return _HYPHEN.sub(MINUS, sentence)


def format_estimate(metric: Metric | str, value: Estimate | None) -> PrintedInterval:
    """An arm's mean with its interval; the gap carries a sign."""
    if value is None:
        return PrintedInterval(UNDEFINED, None, None)
    known = METRICS[metric] if isinstance(metric, str) else metric
    return format_interval(known.unit, value.mean, value.low, value.high, signed=known.name == "generalization_gap")


def format_difference(
    metric: Metric, value: float, low: float | None, high: float | None, factors: int = 1
) -> PrintedInterval:
    """A difference between arms with its interval, to the digits of its sentence.

    Args:
        metric: what is compared; fractions are printed in points, losses in nats.
        value: the difference, in the metric's units.
        low: lower limit of the interval; None without one, as for ``high``.
        high: upper limit. Limits beyond the largest possible difference are cut there (decision 0131).
        factors: how many factors an effect has.
    """
    limits = None if low is None or high is None else print_limits(metric, low, high, factors)
    texts = differences([value] if limits is None else [value, limits.low, limits.high], metric.unit)
    printed = [text.replace("-", MINUS) for text in texts]
    return PrintedInterval(*printed) if len(printed) == 3 else PrintedInterval(printed[0], None, None)


def format_interval(
    unit: Unit, value: float, low: float | None, high: float | None, *, signed: bool = False
) -> PrintedInterval:
    """A number and its limits, scaled to the unit and rounded alike.

    Args:
        unit: fractions of 1 are printed as percentages, all others as they are.
        value: the number, before it is scaled; not finite is printed as undefined.
        low: lower limit; None without an interval, as for ``high``.
        high: upper limit.
        signed: whether a positive number has a plus sign.
    """
    factor = 100.0 if unit is Unit.FRACTION else 1.0
    numbers = [value * factor] + [limit * factor for limit in (low, high) if limit is not None]
    if not all(math.isfinite(number) for number in numbers):
        return PrintedInterval(UNDEFINED, None, None)
    if len({f"{number:.{_MOST_DECIMALS}f}" for number in numbers}) == 1:
        numbers = numbers[:1]  # a width that no table can show, as of an arm whose runs are all one
    decimals = _decimals(unit, numbers)
    texts = [format_fixed(number, decimals, signed=signed) for number in numbers]
    return PrintedInterval(texts[0], *texts[1:]) if len(texts) == 3 else PrintedInterval(texts[0], None, None)


def format_value(metric: Metric | str, value: float) -> str:
    """One run's value of a metric, in the unit of its table."""
    known = METRICS[metric] if isinstance(metric, str) else metric
    return str(format_interval(known.unit, value, None, None, signed=known.name == "generalization_gap"))


def loss_unit(document: StudyDocument) -> str:
    """What a heading adds to "test loss": ``, nats`` for a cross-entropy or divergence, else the name of the loss."""
    loss = document.protocol.loss
    return ", nats" if is_loss_in_nats(loss) else f" ({snake_case(next(iter(loss)))})"


def parameter_count(recipe: Recipe) -> int | None:
    """The number of parameters; None for an estimator, of which it is not known."""
    return None if recipe.is_estimator else recipe.parameters


def format_parameters(recipe: Recipe) -> str:
    """``1,111,460``, or a dash."""
    count = parameter_count(recipe)
    return UNDEFINED if count is None else f"{count:,}"


def format_percent(value: float, decimals: int = 2) -> str:
    """``98.28 %`` with a space that does not break."""
    return f"{format_fixed(value * 100, decimals)}\N{NO-BREAK SPACE}%"


def format_points(value: float, decimals: int = 2, *, signed: bool = True) -> str:
    """``+0.25 points`` with a space that does not break."""
    return f"{format_fixed(value * 100, decimals, signed=signed)}\N{NO-BREAK SPACE}points"


def format_p(value: float | None, level: float) -> str:
    """A p value to the digits of its sentence: on the same side of 1 - level in print as in truth."""
    return UNDEFINED if value is None else p_text(value, 1 - level).removeprefix("p ").removeprefix("= ")


def format_margin(value: float | None, unit: Unit) -> str:
    """``0.10 points`` with a space that does not break; a dash without a margin."""
    return UNDEFINED if value is None else magnitude(value, unit).replace(" ", "\N{NO-BREAK SPACE}")


def format_fixed(value: float, decimals: int, *, signed: bool = False) -> str:
    """A number with so many decimals, a true minus sign, and never a negative zero."""
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0.0:
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def format_duration(seconds: float) -> str:
    """``48 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole}\N{NO-BREAK SPACE}s"
    if whole < 3600:
        return f"{whole // 60}\N{NO-BREAK SPACE}min {whole % 60:02d}\N{NO-BREAK SPACE}s"
    return f"{whole // 3600}\N{NO-BREAK SPACE}h {whole % 3600 // 60:02d}\N{NO-BREAK SPACE}min"


def pairing_seed(seeds: Seeds) -> int:
    """The number that pairs a run with runs of other arms, as the analysis takes it."""
    return seeds.init if seeds.seed is None else seeds.seed


def _decimals(unit: Unit, numbers: list[float]) -> int:
    decimals = 2 if unit is Unit.FRACTION else _loss_decimals(numbers[0])
    while decimals < _MOST_DECIMALS and _hides(unit, numbers, decimals):
        decimals += 1
    return decimals


def _loss_decimals(value: float) -> int:
    """Three significant digits of a loss."""
    return 3 if value == 0 else min(max(2 - math.floor(math.log10(abs(value))), 1), 4)


def _hides(unit: Unit, numbers: list[float], decimals: int) -> bool:
    texts = [f"{number:.{decimals}f}" for number in numbers]
    no_width = len(set(texts)) == 1 and len(set(numbers)) > 1
    perfect = unit is Unit.FRACTION and any(
        float(text) == 100.0 and number < 100.0 for text, number in zip(texts[:1], numbers[:1], strict=True)
    )
    return no_width or perfect
