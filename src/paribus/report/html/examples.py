"""Which test examples decide: always wrong, wrong for some seeds, and those that tell two arms apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import JudgedContrast
from paribus.analysis.wording import counted
from paribus.outcome.outcome import Outcome
from paribus.report.answers import ArmTestAnswers, MissingAnswers, StudyAnswers
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import details, section, table
from paribus.report.statements import written_contrasts

_SHOWN = 24
_SHOWN_EACH = 12
_MOST_CONTRASTS = 6


def examples_section(outcome: Outcome, test_answers: StudyAnswers | MissingAnswers) -> Markup:
    """Counts by arm, and galleries."""
    if isinstance(test_answers, MissingAnswers):
        return section("examples", "Which examples decide", tag("p", f"No examples are shown: {test_answers.reason}."))
    answers = list(test_answers.by_arm.values())
    return section(
        "examples",
        "Which examples decide",
        _shares(answers),
        _everybody(test_answers, answers),
        [_flips(test_answers, contrast) for contrast in _contrasts(outcome)],
        tag("h3", "Arm by arm"),
        [_arm(test_answers, found) for found in answers],
    )


def _contrasts(outcome: Outcome) -> list[JudgedContrast]:
    """Pairs of arms to look at: those written out in the study, else the first of all; a pair once."""
    pairs = {frozenset((contrast.a, contrast.b)): contrast for contrast in reversed(written_contrasts(outcome))}
    return list(reversed(pairs.values()))[:_MOST_CONTRASTS]


def _shares(answers: Sequence[ArmTestAnswers]) -> Markup:
    """How many examples are right with every seed, with some, with none."""
    rows: list[list[Child]] = []
    for found in answers:
        total = len(found.difficulty.wrong)
        never, always = int(np.count_nonzero(found.difficulty.wrong == 0)), len(found.difficulty.always_wrong)
        sometimes = total - never - always
        rows.append([found.arm, f"{never:,}", f"{sometimes:,}", f"{always:,}", str(found.difficulty.seeds)])
    head = ["Arm", "Right with every seed", "Depends on the seed", "Wrong with every seed", "Seeds"]
    return table("Test examples by arm", head, rows)


def _everybody(test_answers: StudyAnswers, answers: Sequence[ArmTestAnswers]) -> list[Child]:
    wrong = np.logical_and.reduce([found.difficulty.wrong == found.difficulty.seeds for found in answers])
    chosen = np.flatnonzero(wrong)
    if not len(chosen):
        return [tag("p", "No test example is wrong in every run of every arm.")]
    rows = [found.predicted for found in answers]
    runs = sum(len(found.seeds) for found in answers)
    said = f"{counted(len(chosen), 'example')} that every run of every arm gets wrong"
    return [tag("h3", said), _gallery(test_answers, chosen[:_SHOWN], rows, runs), _more(len(chosen), _SHOWN)]


def _flips(test_answers: StudyAnswers, contrast: JudgedContrast) -> list[Child]:
    found = test_answers.flips(contrast.a, contrast.b)
    if found is None:
        return []
    flips, seeds = found
    parts: list[Child] = [
        tag("h3", f"{contrast.a} against {contrast.b}"),
        tag(
            "p",
            f"{contrast.a} is right more often on {counted(len(flips.to_a), 'example')}, {contrast.b} on "
            f"{len(flips.to_b):,}; over {counted(len(seeds), 'seed')}. The difference in accuracy is what is left of "
            "these.",
        ),
    ]
    for winner, loser, chosen in ((contrast.a, contrast.b, flips.to_a), (contrast.b, contrast.a, flips.to_b)):
        if len(chosen):
            answers = test_answers.by_arm[loser]
            title = tag("h4", f"Won by {winner}: what {loser} answered")
            parts += [title, _gallery(test_answers, chosen[:_SHOWN_EACH], [answers.predicted], len(answers.seeds))]
    return parts


def _arm(test_answers: StudyAnswers, found: ArmTestAnswers) -> Markup:
    always, sometimes = found.difficulty.always_wrong, found.difficulty.sometimes_wrong
    parts: list[Child] = []
    for title, chosen in (("Wrong with every seed", always), ("Wrong with some seeds, most often first", sometimes)):
        if len(chosen):
            shown = _gallery(test_answers, chosen[:_SHOWN_EACH], [found.predicted], len(found.seeds))
            parts += [tag("h4", f"{title}: {len(chosen):,}"), shown]
    return details(found.arm, parts or tag("p", "Every answer of every seed is right."))


def _gallery(
    test_answers: StudyAnswers, chosen: Iterable[int], predicted: Sequence[NDArray[np.unsignedinteger]], runs: int
) -> Markup:
    """One card an example: the picture, what it is, and what it was most often mistaken for in how many runs."""
    return tag("ul", [_card(test_answers, int(index), predicted, runs) for index in chosen], class_="gallery")


def _card(
    test_answers: StudyAnswers, index: int, predicted: Sequence[NDArray[np.unsignedinteger]], runs: int
) -> Markup:
    label = int(test_answers.labels[index])
    answers = np.concatenate([rows[:, index] for rows in predicted])
    wrong = answers[answers != label]
    picture = None
    if test_answers.pictures is not None:
        shade = "picture strokes" if test_answers.pictures.dark else "picture"
        image = tag("img", src=test_answers.pictures.data_uri(index), alt=f"Test example {index}")
        picture = tag("span", image, class_=shade)
    if len(wrong):
        values, counts = np.unique(wrong, return_counts=True)
        usual, times = int(values[counts.argmax()]), int(counts.max())
        said: Child = ["said ", tag("b", test_answers.class_names[usual], class_="said")]
        often = f"{times} of {runs}, "
    else:
        said, often = "always right", ""
    return tag(
        "li",
        picture,
        tag("span", "is ", tag("b", test_answers.class_names[label])),
        tag("span", said),
        tag("small", f"{often}#{index}"),
    )


def _more(count: int, shown: int) -> Markup | None:
    return tag("p", f"and {count - shown:,} more", class_="more") if count > shown else None
