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
from paribus.report.html.parts import details, folded_section, section, table
from paribus.report.statements import written_contrasts

_MOST_EXAMPLES = 24
_MOST_IN_GALLERY = 12
_MOST_CONTRASTS = 6
_MOST_IN_WORDS = 8
"""Examples that are described in words take more space than pictures."""

_A_PASS = (
    "A pass goes over all folds: it answers every example once, by the one run of each arm that did not train on it."
)


def examples_section(outcome: Outcome, test_answers: StudyAnswers | MissingAnswers) -> Markup:
    """Counts by arm, and galleries."""
    if isinstance(test_answers, MissingAnswers):
        return section("examples", "Which examples decide", tag("p", f"No examples: {test_answers.reason}."))
    answers = list(test_answers.by_arm.values())
    wrong = np.flatnonzero(
        np.logical_and.reduce([of_arm.difficulty.wrong == of_arm.difficulty.seeds for of_arm in answers])
    )
    return folded_section(
        "examples",
        "Which examples decide",
        f"{counted(len(wrong), 'test example')} wrong in every run{_tested_on(test_answers, wrong)}, and those that "
        "tell arms apart",
        tag("p", _A_PASS) if test_answers.folds is not None else None,
        _shares(answers, test_answers.kind),
        explain_features(test_answers),
        _everybody(test_answers, answers, wrong),
        [flips_between(test_answers, contrast.a, contrast.b) for contrast in _contrasts(outcome)],
        tag("h3", "Arm by arm"),
        [_arm(test_answers, of_arm) for of_arm in answers],
    )


def _contrasts(outcome: Outcome) -> list[JudgedContrast]:
    """Pairs of arms to look at: those written out in the study, else the first of all; a pair once."""
    pairs = {frozenset((contrast.a, contrast.b)): contrast for contrast in reversed(written_contrasts(outcome))}
    return list(reversed(pairs.values()))[:_MOST_CONTRASTS]


def _tested_on(test_answers: StudyAnswers, indices: NDArray[np.intp]) -> str:
    """Over folds a run is tested on some of the examples: of which runs ``every run`` speaks."""
    if test_answers.folds is None:
        return ""
    return f" tested on {'it' if len(indices) == 1 else 'them'}"


def _shares(answers: Sequence[ArmTestAnswers], kind: str) -> Markup:
    """How many examples are right with every seed, or in every pass over folds, with some, with none."""
    rows: list[list[Child]] = []
    for of_arm in answers:
        total = len(of_arm.difficulty.wrong)
        never, always = int(np.count_nonzero(of_arm.difficulty.wrong == 0)), len(of_arm.difficulty.always_wrong)
        sometimes = total - never - always
        rows.append([of_arm.arm, f"{never:,}", f"{sometimes:,}", f"{always:,}", str(of_arm.difficulty.seeds)])
    every = _every(kind)
    head = ["Arm", f"Right {every}", f"Depends on the {kind}", f"Wrong {every}", f"{kind.capitalize()}{_plural(kind)}"]
    return table("Test examples by arm", head, rows)


def _every(kind: str) -> str:
    return "with every seed" if kind == "seed" else "in every pass"


def _plural(kind: str) -> str:
    return "es" if kind.endswith("s") else "s"


def explain_features(test_answers: StudyAnswers) -> Markup | None:
    """Which columns describe an example, where they are not all."""
    features = test_answers.features
    if test_answers.pictures is not None or features is None or not features.are_selected:
        return None
    return tag(
        "p",
        f"Of the {len(features.columns)} columns each example has those in which it lies farthest from the mean of the "
        "test split, counted in standard deviations.",
    )


def _everybody(test_answers: StudyAnswers, answers: Sequence[ArmTestAnswers], indices: NDArray[np.intp]) -> list[Child]:
    if not len(indices):
        tested = "" if test_answers.folds is None else " that was tested on it"
        return [tag("p", f"No test example is wrong in every run of every arm{tested}.")]
    rows = [of_arm.predicted for of_arm in answers]
    runs = sum(len(of_arm.seeds) for of_arm in answers)
    tested = _tested_on(test_answers, indices)
    title = f"{counted(len(indices), 'example')} that every run of every arm{tested} gets wrong"
    return [
        tag("h3", title),
        _gallery(test_answers, indices[: _limit(test_answers, _MOST_EXAMPLES)], rows, runs),
        _more(len(indices), _limit(test_answers, _MOST_EXAMPLES)),
    ]


def flips_between(test_answers: StudyAnswers, a: str, b: str) -> list[Child]:
    """The examples that tell two arms apart, over their common seeds; nothing where they have none."""
    most = _limit(test_answers, _MOST_IN_GALLERY)
    common = test_answers.flips(a, b)
    if common is None:
        return []
    flips, seeds = common
    kind = test_answers.kind
    over = f"{len(seeds)} {kind}{_plural(kind) if len(seeds) > 1 else ''}"
    parts: list[Child] = [
        tag("h3", f"{a} against {b}"),
        tag(
            "p",
            f"{a} is right more often on {counted(len(flips.to_a), 'example')}, {b} on "
            f"{len(flips.to_b):,}; over {over}. The difference in accuracy is what is left of "
            "these.",
        ),
    ]
    for winner, loser, indices in ((a, b, flips.to_a), (b, a, flips.to_b)):
        if len(indices):
            answers = test_answers.by_arm[loser]
            title = tag("h4", f"Won by {winner}: what {loser} answered")
            parts += [
                title,
                _gallery(test_answers, indices[:most], [answers.predicted], len(answers.seeds)),
            ]
    return parts


def _arm(test_answers: StudyAnswers, of_arm: ArmTestAnswers) -> Markup:
    most = _limit(test_answers, _MOST_IN_GALLERY)
    always, sometimes = of_arm.difficulty.always_wrong, of_arm.difficulty.sometimes_wrong
    parts: list[Child] = []
    every, some = (_every(test_answers.kind), "with some seeds" if test_answers.kind == "seed" else "in some passes")
    for title, indices in ((f"Wrong {every}", always), (f"Wrong {some}, most often first", sometimes)):
        if len(indices):
            gallery = _gallery(test_answers, indices[:most], [of_arm.predicted], len(of_arm.seeds))
            parts += [tag("h4", f"{title}: {len(indices):,}"), gallery]
    return details(of_arm.arm, parts or tag("p", f"Every answer of every {test_answers.kind} is right."))


def _gallery(
    test_answers: StudyAnswers, indices: Iterable[int], predicted: Sequence[NDArray[np.unsignedinteger]], runs: int
) -> Markup:
    """One card an example: the picture, what it is, and what it was most often mistaken for in how many runs."""
    cards = [_card(test_answers, int(index), predicted, runs) for index in indices]
    return tag("ul", cards, class_="gallery words" if _in_words(test_answers) else "gallery")


def _in_words(test_answers: StudyAnswers) -> bool:
    return test_answers.pictures is None and test_answers.features is not None


def _limit(test_answers: StudyAnswers, most: int) -> int:
    return min(most, _MOST_IN_WORDS) if _in_words(test_answers) else most


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
    features = None
    if _in_words(test_answers) and test_answers.features is not None:
        pairs = test_answers.features.describe(index)
        features = tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs])
    if len(wrong):
        values, counts = np.unique(wrong, return_counts=True)
        usual, times = int(values[counts.argmax()]), int(counts.max())
        prediction: Child = ["said ", tag("b", test_answers.class_names[usual], class_="said")]
        often = f"{times} of {runs}, "
    else:
        prediction, often = "always right", ""
    return tag(
        "li",
        picture,
        tag("span", "is ", tag("b", test_answers.class_names[label])),
        tag("span", prediction),
        tag("small", f"{often}{test_answers.name_example(index)}"),
        features,
    )


def _more(count: int, listed: int) -> Markup | None:
    return tag("p", f"and {count - listed:,} more", class_="more") if count > listed else None
