"""From files to a table: the same handwritten digits in every form that data comes in, trained and compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

import paribus as pb
from data_files import write_idx
from in_process import InProcess
from paribus.data import named
from paribus.engine.engine import Engine
from paribus.records import DataSpec

Pixels = NDArray[np.uint8]
Split = tuple[Pixels, NDArray[np.int64]]


def digits() -> tuple[Split, Split]:
    data = pb.data.load(DataSpec("digits"))
    x_train, x_test = (np.asarray(x).astype(np.uint8).reshape(-1, 8, 8) for x in (data.x_train, data.x_test))
    return (x_train, data.y_train), (x_test, data.y_test)


def as_idx(folder: Path, train: Split, test: Split) -> Any:
    write_idx(folder, *train, *test)
    return {"source": str(folder)}


def frame(split: Split) -> pd.DataFrame:
    x, y = split
    return pd.DataFrame(x.reshape(len(x), -1), columns=[f"pixel{i:02}" for i in range(64)]).assign(digit=y)


def as_csv(folder: Path, train: Split, test: Split) -> Any:
    frame(train).to_csv(folder / "train.csv", index=False)
    frame(test).to_csv(folder / "test.csv", index=False)
    return {"source": str(folder / "train.csv"), "test": str(folder / "test.csv"), "label": "digit"}


def as_parquet(folder: Path, train: Split, test: Split) -> Any:
    frame(train).to_parquet(folder / "train.parquet")
    frame(test).to_parquet(folder / "test.parquet")
    return {"source": str(folder / "train.parquet"), "test": str(folder / "test.parquet"), "label": "digit"}


def as_npz(folder: Path, train: Split, test: Split) -> Any:
    np.savez(folder / "digits.npz", x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1])
    return {"source": str(folder / "digits.npz")}


def as_pngs(folder: Path, train: Split, test: Split) -> Any:
    for part, (x, y) in (("train", train), ("test", test)):
        for number, (image, label) in enumerate(zip(x, y, strict=True)):
            place = folder / part / str(label)
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{number:04}.png")
    return {"source": str(folder)}


FORMS: dict[str, Callable[[Path, Split, Split], Any]] = {
    "idx": as_idx,
    "csv": as_csv,
    "parquet": as_parquet,
    "npz": as_npz,
    "pngs": as_pngs,
}


PROTOCOL: dict[str, Any] = {"seeds": 2, "epochs": 4, "batch_size": 50, "optimizer": keras.optimizers.Adam(0.01)}


def network(inputs: int, *hidden: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((inputs,)), *hidden, keras.layers.Dense(10, activation="softmax")])


ARMS = {"hidden": network(64, keras.layers.Dense(24, activation="relu")), "linear": network(64)}


@pytest.fixture(scope="module")
def built_in(engine: Engine) -> pb.Results:
    """The same arms on the built-in data, with one seed."""
    return pb.Study(ARMS, "digits", **PROTOCOL).run(1, backend=InProcess(engine), progress=False)


@pytest.mark.no_cover  # trains much, and other tests pass the same lines
@pytest.mark.parametrize("form", FORMS)
def test_digits_from_files(form: str, engine: Engine, built_in: pb.Results, tmp_path: Path) -> None:
    train, test = digits()
    data = FORMS[form](tmp_path, train, test) | {"scale": 16, "flatten": form not in {"csv", "parquet"}}
    results = pb.Study(ARMS, data, **PROTOCOL).run(backend=InProcess(engine), progress=False)
    assert all(run.scores and run.scores.test_accuracy > 0.8 for arm in results.arms.values() for run in arm.runs)
    assert results.contrast("hidden", "linear").comparison is not None
    assert "hidden" in repr(results)
    if form != "pngs":  # A folder lists its images class by class, which is another order to draw batches from.
        for name, arm in built_in.arms.items():
            assert arm.runs[0].weights_digest == results.arms[name].runs[0].weights_digest


def test_fashion_mnist_by_its_name_and_from_its_folder(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files in its layout, where Keras keeps them; that Debian's are the real ones is said in test_data_sources."""
    mnist = pb.data.load(DataSpec("mnist"))
    folder = tmp_path / ".keras" / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    write_idx(folder, mnist.x_train[:6000], mnist.y_train[:6000], mnist.x_test[:1000], mnist.y_test[:1000])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(named.read_fashion_mnist, "__defaults__", (named.FASHION_FOLDERS[1:],))
    monkeypatch.setattr(named, "FASHION_FINGERPRINT", pb.data.load(DataSpec(str(folder))).fingerprint)
    arms = {"hidden": network(784, keras.layers.Dense(32, activation="relu")), "linear": network(784)}
    by_name, from_folder = (
        pb.Study(arms, source, scale=255, epochs=2).run(seeds, backend=InProcess(engine), progress=False)
        for source, seeds in (("fashion-mnist", 2), (folder, 1))
    )
    assert by_name.outcome.data.name == "fashion-mnist"
    for name, arm in by_name.arms.items():
        assert all(run.scores and run.scores.test_accuracy > 0.75 for run in arm.runs)
        assert arm.runs[0].weights_digest == from_folder.arms[name].runs[0].weights_digest
    assert by_name.contrast("hidden", "linear").difference > 0  # type: ignore[operator]
