"""Tables of predictions for tests of ``paribus judge``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

ARMS = (("new", 0.05), ("old", 0.15))


def predictions(
    arms: Sequence[tuple[str, float]] = ARMS,
    seeds: Sequence[int | str] = range(4),
    examples: int = 120,
    classes: Sequence[object] = (0, 1, 2),
    *,
    probabilities: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """A row for each answer of each run: arms with their share of wrong answers, some examples harder than others."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, len(classes), examples)
    hard = generator.random(examples)
    frames = []
    for arm, error in arms:
        for run in seeds:
            wrong = 0.5 * generator.random(examples) + 0.5 * hard < 1.5 * error
            answers = np.where(wrong, (labels + 1) % len(classes), labels)
            columns = {
                "arm": arm,
                "seed": run,
                "example": np.arange(examples),
                "label": [classes[index] for index in labels],
            }
            if probabilities:
                matrix = generator.uniform(0.05, 0.1, (examples, len(classes)))
                matrix[np.arange(examples), answers] += 1
                matrix /= matrix.sum(axis=1, keepdims=True)
                columns |= {f"p_{name}": matrix[:, index] for index, name in enumerate(classes)}
            else:
                columns |= {"prediction": [classes[index] for index in answers]}
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
