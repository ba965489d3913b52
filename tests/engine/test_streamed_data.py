"""Examples streamed from memory-mapped files: the same bits as examples in memory."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digits_jobs import DIGITS, DROPOUT, TWO_EPOCHS, arm, describe_job, train_job
from paribus.data import load, mapped, spool
from paribus.engine import splits as splits_module
from paribus.engine.engine import Engine
from paribus.engine.splits import Resident, Streamed, resident_bytes, splits
from paribus.errors import DataError, UsageError
from paribus.records import DataSpec, EarlyStopping, RunResult, Training

BATCH = 50
"""Makes 27 batches of the 1,347 examples, the last one of 47."""

Trained = tuple[object, ...]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits as four ``.npy`` files."""
    written = tmp_path_factory.mktemp("data") / "digits"
    spool(load(DataSpec("digits")), written)
    return written


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes everything memory-mapped streamed, in chunks of so many examples."""

    def in_chunks_of(count: int) -> None:
        monkeypatch.setenv("PARIBUS_RESIDENT", "0")
        monkeypatch.setattr(splits_module, "CHUNK_BYTES", count * 64)

    return in_chunks_of


def bits(result: RunResult) -> Trained:
    """Everything that a run says, apart from how long it took."""
    assert result.predictions is not None
    told = (result.predictions.predicted, result.predictions.confidence, result.predictions.true_probability)
    return result.weights_digest, result.scores, result.curve, result.status, [each.tobytes() for each in told]


def trained(engine: Engine, folder: Path, training: Training, spec: DataSpec) -> Trained:
    data = replace(spec, source=str(folder))
    recipe = engine.describe(describe_job(arm(DROPOUT), training=training, data=data))
    return bits(engine.run(train_job(recipe, 3, training, data=data)))


PLAIN_TRAINING = replace(TWO_EPOCHS, batch_size=BATCH)
RICH = replace(
    PLAIN_TRAINING,
    epochs=4,
    validation_split=0.2,
    class_weight="balanced",
    early_stopping=EarlyStopping(1, "val_accuracy", 0.5),
)


@pytest.mark.no_cover  # trains much, and other tests pass the same lines
@pytest.mark.parametrize(
    ("training", "spec", "chunks"),
    [
        # Six chunks of four batches and one of two and the short one; or each batch, and the short one, by itself.
        pytest.param(PLAIN_TRAINING, DIGITS, (200, 50), marks=pytest.mark.proof),
        (replace(PLAIN_TRAINING, batch_size=449), replace(DIGITS, scale=None), (449,)),
        (RICH, replace(DIGITS, scale=None, standardize=True), (150,)),
    ],
    ids=["scaled", "no-short-batch", "validated-weighted-standardized"],
)
def test_streamed_training_has_the_bits_of_resident_training(
    folder: Path, streamed: Callable[[int], None], training: Training, spec: DataSpec, chunks: tuple[int, ...]
) -> None:
    in_memory = trained(Engine(), folder, training, spec)
    for count in chunks:
        streamed(count)
        assert trained(Engine(), folder, training, spec) == in_memory, f"in chunks of {count}"


def test_what_is_large_and_mapped_is_streamed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, in_memory = load(DataSpec(str(folder), flatten=True)), load(DataSpec("digits"))
    assert isinstance(splits(data, 0.0).train, Resident)
    monkeypatch.setenv("PARIBUS_RESIDENT", "0")
    found = splits(data, 0.25)
    assert [type(split) for split in found.every] == [Streamed, Streamed, Streamed]
    assert isinstance(splits(in_memory, 0.0).train, Resident), "what is no memory map is in memory already"
    monkeypatch.setenv("PARIBUS_RESIDENT", "1")
    assert isinstance(splits(data, 0.0).train, Resident)


def test_the_threshold_is_a_number_of_mebibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < resident_bytes() <= 512 << 20
    monkeypatch.setenv("PARIBUS_RESIDENT", "3")
    assert resident_bytes() == 3 << 20
    monkeypatch.setenv("PARIBUS_RESIDENT", "1.5GB")
    with pytest.raises(UsageError, match=r"PARIBUS_RESIDENT=1\.5GB: expected a whole number of MiB"):
        resident_bytes()


def test_chunks_hold_every_example_once_in_the_order_of_the_epoch(
    folder: Path, streamed: Callable[[int], None]
) -> None:
    streamed(200)
    data = load(DataSpec(str(folder)))
    train = splits(data, 0.1).train
    order = np.random.default_rng(0).permutation(len(train)).astype(np.int32)
    chunks = list(train.epoch(order, BATCH))
    assert tuple(len(chunk.order) for chunk in chunks) == train.lengths(BATCH) == (200, 200, 200, 200, 200, 200, 12)
    np.testing.assert_array_equal(np.concatenate([c.x[c.order] for c in chunks]), data.x_train[order])
    np.testing.assert_array_equal(np.concatenate([c.labels[c.order] for c in chunks]), data.y_train[order])
    np.testing.assert_array_equal(train.rows(7, 30), data.x_train[7:30])


@pytest.mark.parametrize("change", ["longer", "replaced", "gone"])
def test_a_file_that_changes_under_training_is_an_error(
    folder: Path, tmp_path: Path, streamed: Callable[[int], None], change: str
) -> None:
    streamed(200)
    copied = tmp_path / "copy"
    spool(load(DataSpec(str(folder))), copied)
    train = splits(load(DataSpec(str(copied))), 0.0).train
    order = np.arange(len(train), dtype=np.int32)
    chunks = train.epoch(order, BATCH)
    next(chunks)
    file = copied / "x_train.npy"
    if change == "longer":
        with file.open("ab") as stream:
            stream.write(b"more")
    elif change == "replaced":
        os.replace(copied / "x_test.npy", file)  # noqa: PTH105 - a rename over a file that is there
    else:
        file.unlink()
    with pytest.raises(DataError, match=r"x_train\.npy: (has changed while it was trained on|cannot be read any more)"):
        list(chunks)


def test_a_mapped_file_is_read_without_being_held(tmp_path: Path) -> None:
    """32 MiB, read row by row and whole: pages that were touched are let go of again."""
    written = np.random.default_rng(0).integers(0, 255, (1 << 15, 1 << 10), np.uint8)
    np.save(tmp_path / "x.npy", written)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    before = mapped_bytes()
    rows = np.sort(np.random.default_rng(1).permutation(len(x))[:20_000])
    np.testing.assert_array_equal(mapped.take(x[:], rows), written[rows])
    np.testing.assert_array_equal(mapped.copy(x.reshape(1 << 14, -1)[:9000]), written[:18_000].reshape(9000, -1))
    assert mapped_bytes() - before < 4 << 20
    assert mapped.mapping(np.asarray(x[3:]).reshape(-1)) is not None
    assert mapped.mapping(written[3:]) is None


def mapped_bytes() -> int:
    """How much of mapped files this process holds."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssFile:"))


def test_an_engine_keeps_the_data_that_was_used_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many studies a worker sees; going back and forth between two reads nothing again."""
    alive: list[weakref.ref[object]] = []

    def loaded(spec: DataSpec) -> object:
        data = load(spec)
        alive.append(weakref.ref(data.x_train))
        return data

    monkeypatch.setattr("paribus.engine.engine.load", loaded)
    one, engine = arm(DROPOUT), Engine()
    for divisor in (1, 2, 3, 4, 3, 4, 2, 4):
        engine.describe(describe_job(one, data=replace(DIGITS, scale=divisor)))
        gc.collect()
        assert sum(data() is not None for data in alive) <= 2
    assert len(alive) == 5
