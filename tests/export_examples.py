"""Studies that are trained once, in this process, for the tests of exports and predictions."""

from __future__ import annotations

from pathlib import Path

from in_process import InProcess
from paribus.display.base import Silent
from paribus.engine.engine import Engine
from paribus.runner.run import run_study
from paribus.store.sqlite import SqliteStore
from paribus.study.load import load_study, parse_study
from paribus.study.overrides import override

LOGITS = """
name = "logits"
seeds = 2
[data]
source = "digits"
standardize = true
[protocol]
loss = { SparseCategoricalCrossentropy = { from_logits = true } }
epochs = 2
batch_size = 100
validation_split = 0.2
[arms.dense]
optimizer = { SGD = { learning_rate = { CosineDecay = { initial_learning_rate = 0.1, decay_steps = 100 } } } }
layers = [
  "Flatten", { Dense = { units = 16, activation = "relu" } }, "BatchNormalization", { Dropout = { rate = 0.2 } },
  { Dense = { units = 10 } },
]
[arms.conv]
layers = [
  { Reshape = { target_shape = [8, 8, 1] } },
  { Conv2D = { filters = 4, kernel_size = 3, activation = "relu" } },
  "Flatten",
  { Dense = { units = 10 } },
]
"""
BINARY = """
name = "binary"
seeds = 1
[data]
source = "sklearn:breast_cancer"
standardize = true
[protocol]
loss = { BinaryCrossentropy = { from_logits = true } }
epochs = 2
batch_size = 50
[arms.one]
layers = [{ Dense = { units = 1 } }]
"""
STUDIES = ("digits", "logits", "binary")


def train_all(engine: Engine, store: Path) -> None:
    """Train ``STUDIES`` into a store."""
    digits = override(load_study("digits"), seeds=2, epochs=3)
    with SqliteStore.open(store, "write") as opened:
        for document in (digits, parse_study(LOGITS, "logits"), parse_study(BINARY, "binary")):
            run_study(document, opened, InProcess(engine), Silent())
