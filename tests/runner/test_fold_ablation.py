"""A network is ablated over folds: every part is judged on new data and new training sets."""

from __future__ import annotations

import keras
import numpy as np

import paribus as pb
from in_process import InProcess
from paribus.engine.engine import Engine


def test_parts_are_judged_over_folds(engine: Engine) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(90, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(4, "relu"), keras.layers.Dropout(0.2), keras.layers.Dense(2, "softmax")]
    )
    ablation = pb.ablate(
        model, (x, y), parts=["no-dropout"], folds=3, seeds=1, epochs=1, backend=InProcess(engine), progress=False
    )
    contrast = ablation.contrast("as-it-is", "no-dropout")
    assert contrast.scope == "new data, new training sets"
    folded = contrast.comparison.folded
    assert (folded.folds, folded.repeats, len(folded.differences)) == (3, 1, 3)
    assert "new data and new training sets" in " ".join(repr(ablation).split())
