"""A sample of the simulations over folds; ``make proof`` runs them whole."""

from __future__ import annotations

import numpy as np

from paribus.analysis.simulate.folds import LEARNERS, components_coverage, draw_examples, learners_table


def test_intervals_of_real_learners_cover() -> None:
    table = learners_table(16, np.random.default_rng(0), sizes=(300,))
    assert table.broken == ()
    assert "| ridge on 20 and 40 random features | 300 |" in table.text


def test_the_correction_covers_where_folds_are_as_alike_as_it_says_and_not_where_they_are_more() -> None:
    generator = np.random.default_rng(0)
    assert components_coverage(5, 1, 0.5, 0.2, 4_000, generator) > 0.935
    assert components_coverage(10, 10, 0.9, 0.6, 2_000, generator) < 0.8


def test_learners_learn_and_differ() -> None:
    generator = np.random.default_rng(0)
    x, y = draw_examples((1, 600), generator)
    fresh, labels = draw_examples((1, 4_000), generator)
    for arms in LEARNERS.values():
        accuracies = [float((learn(x, y, fresh, generator) == labels).mean()) for learn in arms]
        assert min(accuracies) > 0.65
        assert accuracies[0] != accuracies[1]
