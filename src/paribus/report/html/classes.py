"""Class by class: accuracy, confusions, and whether stated confidence can be believed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import Calibration, Confusion, Unit
from paribus.analysis.wording import counted
from paribus.report import numbers
from paribus.report.answers import ArmTestAnswers, MissingAnswers, StudyAnswers
from paribus.report.figures.reliability import draw_reliability
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import NARROW, details, folded_section, panel_grid, table, wide_table

_MOST_CLASSES = 20
_MOST_MISTAKES = 8


def classes_section(test_answers: StudyAnswers | MissingAnswers) -> Markup | None:
    """Accuracy of each class by arm, the commonest mistakes, and the whole tables of confusions."""
    if isinstance(test_answers, MissingAnswers):
        return None
    confusions = [
        (answers, answers.confusion) for answers in test_answers.by_arm.values() if answers.confusion is not None
    ]
    if not confusions:
        return None
    best = max(test_answers.by_arm.values(), key=lambda answers: float(answers.right.mean())).arm
    return folded_section(
        "classes",
        "Class by class",
        f"accuracy of each of {len(test_answers.class_names)} classes, and what is mistaken for what",
        tag("p", test_answers.remark) if test_answers.remark else None,
        _by_class(test_answers, [(answers.arm, confusion) for answers, confusion in confusions]),
        table(
            "The commonest mistakes of each arm: times a run, on average",
            ["Arm", "Mistakes"],
            [[answers.arm, _mistakes(test_answers, confusion)] for answers, confusion in confusions],
            numbers=9,
        ),
        [_matrix(test_answers, answers.arm, confusion, open_=answers.arm == best) for answers, confusion in confusions]
        if len(test_answers.class_names) <= _MOST_CLASSES
        else None,
    )


def calibration_section(test_answers: StudyAnswers | MissingAnswers) -> Markup | None:
    """Reliability diagrams and the expected calibration error of each arm."""
    if isinstance(test_answers, MissingAnswers):
        return None
    arms = [of_arm for of_arm in test_answers.by_arm.values() if of_arm.calibration.count.any()]
    if not arms:
        return None
    plots = [
        draw_reliability(of_arm.arm, of_arm.calibration, len(of_arm.seeds), f"calibration-{number}", NARROW)
        for number, of_arm in enumerate(arms)
    ]
    return folded_section(
        "calibration",
        "Calibration",
        "whether stated confidence can be believed",
        tag(
            "p",
            "Where a network says 90 %, it should be right nine times in ten: on the dashed line. Below it the network "
            "is too confident. Pale bins hold few test examples: their accuracy is mostly chance.",
        ),
        tag("p", test_answers.remark) if test_answers.remark else None,
        panel_grid(plots, "Accuracy against confidence in bins of equal width, all seeds together."),
        table(
            "Expected calibration error, in points: computed per seed, then averaged",
            ["Arm", "Error", "Mean confidence minus accuracy"],
            [[of_arm.arm, _error(of_arm.calibration), _leaning(of_arm)] for of_arm in arms],
        ),
    )


def _by_class(test_answers: StudyAnswers, confusions: Sequence[tuple[str, Confusion]]) -> list[Markup]:
    order = list(range(len(test_answers.class_names)))
    if len(order) > _MOST_CLASSES:
        order = [int(index) for index in np.argsort(_mean_accuracy(confusions), kind="stable")[:_MOST_CLASSES]]
    sizes = np.bincount(test_answers.labels, minlength=len(test_answers.class_names))
    rows: list[list[Child]] = [
        [
            test_answers.class_names[index],
            f"{sizes[index]:,}",
            *(_accuracy(confusion, index) for _, confusion in confusions),
        ]
        for index in order
    ]
    lowest = f" (the {_MOST_CLASSES} lowest)" if len(order) < len(test_answers.class_names) else ""
    caption = f"Accuracy by class{lowest}, %: mean over seeds, with the seeds' standard deviation"
    return wide_table(caption, ["Class", "Examples", *(arm for arm, _ in confusions)], rows, names=2)


def _mean_accuracy(confusions: Sequence[tuple[str, Confusion]]) -> NDArray[np.float64]:
    """Of each class, the mean over the arms; nan, which comes last in an order, of a class without test examples."""
    accuracy = np.stack([confusion.accuracy for _, confusion in confusions])
    known = np.isfinite(accuracy)
    count = known.sum(axis=0)
    total = np.where(known, accuracy, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _accuracy(confusion: Confusion, index: int) -> Child:
    value, sd = float(confusion.accuracy[index]), float(confusion.sd[index])
    if not math.isfinite(value):
        return numbers.UNDEFINED
    spread = tag("small", f" ±{sd * 100:.1f}") if math.isfinite(sd) else None
    return [f"{value * 100:.1f}", spread]


def _mistakes(test_answers: StudyAnswers, confusion: Confusion) -> Child:
    wrong = confusion.counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_MISTAKES]
    places = [np.unravel_index(index, wrong.shape) for index in order]
    names = test_answers.class_names
    mistakes = [
        f"{names[int(true)]} as {names[int(answered)]} ({wrong[true, answered] / confusion.seeds:.1f})"
        for true, answered in places
        if wrong[true, answered]
    ]
    return ", ".join(mistakes) or "none"


def _matrix(test_answers: StudyAnswers, arm: str, confusion: Confusion, *, open_: bool) -> Markup:
    """A table with one cell for each pair of classes, shaded by how often the mistake is made."""
    names = test_answers.class_names
    wrong = confusion.counts.copy()
    np.fill_diagonal(wrong, 0)
    most = max(int(wrong.max()), 1)
    head = tag("tr", tag("td", class_="corner"), [tag("th", name, scope="col") for name in names])
    rows = [
        tag(
            "tr",
            tag("th", names[true], scope="row"),
            [_cell(confusion, true, answered, most) for answered in range(len(names))],
        )
        for true in range(len(names))
    ]
    words = f"{arm}: rows are the true class, columns what was answered; times a run, on average"
    caption = tag("caption", tag("span", words))
    inner = tag("table", caption, tag("thead", head), tag("tbody", rows), class_="matrix")
    label = f"Confusions of {arm}"
    box = tag("div", inner, class_="scroll", role="region", tabindex=0, aria_label=label)
    return details(f"{label} ({counted(confusion.seeds, 'seed')})", box, open_=open_)


def _cell(confusion: Confusion, true: int, answered: int, most: int) -> Markup:
    value = int(confusion.counts[true, answered])
    if true == answered:
        return tag("td", f"{value / confusion.seeds:.0f}", class_="right")
    if not value:
        return tag("td", "·", class_="none")
    text = f"{value / confusion.seeds:.1f}"
    return tag("td", text, style=f"--share:{math.sqrt(value / most):.2f}")


def _error(calibration: Calibration) -> Child:
    error = calibration.error
    if error is None:
        return numbers.UNDEFINED
    low = None if error.low is None else max(error.low, 0.0)
    printed = numbers.format_interval(Unit.FRACTION, error.mean, low, error.high)
    return [printed.value, tag("small", f" {printed.limits}")] if printed.limits else printed.value


def _leaning(of_arm: ArmTestAnswers) -> Child:
    """Above zero the arm claims more than it holds."""
    filled = of_arm.calibration.count > 0
    weights = of_arm.calibration.count[filled] / of_arm.calibration.count.sum()
    difference = float(weights @ (of_arm.calibration.confidence[filled] - of_arm.calibration.accuracy[filled]))
    return numbers.format_fixed(difference * 100, 2, signed=True)
