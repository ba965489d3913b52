"""The rows of a table's test split that a study's arms disagree on, up to the last look."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.wording import counted
from paribus.dashboard.studies import Answer
from paribus.report.answers import ArmTestAnswers, MissingAnswers, StudyAnswers, read_answers
from paribus.report.html.build import Markup, tag
from paribus.report.html.examples import explain_features
from paribus.report.html.parts import section

MOST: Final = 12
"""Rows that are listed."""


def disagreement_section(answer: Answer) -> Markup:
    """The rows whose commonest answer differs between arms; most evenly divided first.

    Args:
        answer: the study's answer up to the last look: nothing else is read.

    Raises:
        StoreError: a run's answers are damaged.
    """
    title = "Rows that arms disagree on"
    if not any(answer.moments.seeds.values()):
        return section("rows", title, tag("p", "Nothing of the test split before the first look."))
    answers = read_answers(answer.outcome)
    if isinstance(answers, MissingAnswers):
        return section("rows", title, tag("p", f"No rows: {answers.reason}."))
    arms = list(answers.by_arm.values())
    majority = np.stack([_majority(arm, len(answers.class_names)) for arm in arms])
    places = np.flatnonzero((majority != majority[0]).any(axis=0))
    if not len(places):
        return section("rows", title, tag("p", "None: the seeds' commonest answer is the same for every arm."))
    shares = np.stack([[(majority[:, place] == k).sum() for k in range(len(answers.class_names))] for place in places])
    order = places[np.argsort(shares.max(axis=1), kind="stable")][:MOST]
    text = f"{counted(len(places), 'test example')} on which the seeds' commonest answer differs between arms."
    cards = [_card(answers, arms, majority, int(index)) for index in order]
    return section("rows", title, tag("p", text), explain_features(answers), tag("ul", cards, class_="gallery words"))


def _majority(arm: ArmTestAnswers, classes: int) -> NDArray[np.intp]:
    votes = np.stack([(arm.predicted == k).sum(axis=0) for k in range(classes)])
    majority: NDArray[np.intp] = votes.argmax(axis=0)
    return majority


def _card(answers: StudyAnswers, arms: list[ArmTestAnswers], majority: NDArray[np.intp], index: int) -> Markup:
    names = answers.class_names
    replies = [
        tag("div", tag("dt", arm.arm), tag("dd", names[int(majority[row, index])])) for row, arm in enumerate(arms)
    ]
    features = () if answers.features is None else answers.features.describe(index)
    values = [tag("div", tag("dt", name), tag("dd", value)) for name, value in features]
    return tag(
        "li",
        tag("span", "is ", tag("b", names[int(answers.labels[index])])),
        tag("small", answers.name_example(index)),
        tag("dl", replies),
        tag("dl", values) if values else None,
    )
