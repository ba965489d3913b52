"""Scores networks that ``paribus export --to keras`` wrote, with plain Keras on any backend.

    paribus run digits && paribus export digits --to keras
    KERAS_BACKEND=tensorflow python examples/score_exported.py digits-keras

Needs Keras, NumPy and a backend. The test split comes from a file (``--test split.npz``: ``x_test``, ``y_test``)
or from `paribus.data`, which needs nothing but NumPy (and scikit-learn for its digits). Exits with 1 where
an accuracy is not the one that paribus measured, by more than ``--tolerance`` examples.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np


def prepare(x: Any, manifest: dict[str, Any], network: dict[str, Any]) -> Any:
    """What the network reads, by what the manifest says."""
    how = manifest["preparation"] or network["preparation"]
    x = np.asarray(x, "float32").reshape(-1, *how["example_shape"])
    if how["mean"] is not None:
        x = (x - np.float32(how["mean"])) / np.float32(how["deviation"])
    elif how["scale"] is not None:
        x = x / np.float32(how["scale"])
    return x.reshape(-1, *network["input_shape"])


def answers(
    folder: Path, manifest: dict[str, Any], network: dict[str, Any], x: Any
) -> Any:
    """The classes that an exported network answers."""
    model = keras.saving.load_model(folder / network["file"])
    outputs = model.predict(prepare(x, manifest, network), batch_size=1000, verbose=0)
    return (
        outputs.argmax(-1)
        if outputs.shape[-1] > 1
        else (outputs[:, 0] > manifest["threshold"]).astype(int)
    )


def test_split(manifest: dict[str, Any], file: Path | None) -> tuple[Any, Any]:
    """Test examples and their class indices; with folds all examples."""
    if file is not None:
        with np.load(file, allow_pickle=False) as split:
            return split["x_test"], split["y_test"]
    from paribus.data import load
    from paribus.records import DataSpec

    data = load(DataSpec(manifest["data"]["source"]))
    if "folds" in manifest["data"]:
        # Their fingerprint is one of all folds; the test accuracies say whether these are the examples.
        return np.concatenate([data.x_train, data.x_test]), np.concatenate(
            [data.y_train, data.y_test]
        )
    if data.fingerprint != manifest["data"]["fingerprint"]:
        raise SystemExit(f"{data.name}: not the data that the networks were scored on")
    return data.x_test, data.y_test


def main() -> int:
    """Print a line a network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", type=Path, help="what `paribus export --to keras` wrote"
    )
    parser.add_argument(
        "--test", type=Path, metavar="FILE", help="an .npz file with x_test and y_test"
    )
    parser.add_argument(
        "--tolerance",
        type=int,
        default=0,
        metavar="N",
        help="examples that may differ (0)",
    )
    options = parser.parse_args()
    manifest = json.loads(
        (options.folder / "manifest.json").read_text(encoding="utf-8")
    )
    x, labels = test_split(manifest, options.test)
    print(
        f"Keras {keras.__version__} on {keras.backend.backend()}, {len(labels)} test examples"
    )
    folds = options.folder / "folds.npy"
    codes = np.load(folds, allow_pickle=False) if folds.exists() else None
    worst = 0
    for network in manifest["networks"]:
        tested = np.arange(len(labels))
        if codes is not None:
            tested = np.flatnonzero(codes[network["repeat"]] == network["fold"])
        right = int(
            np.sum(
                answers(options.folder, manifest, network, x[tested]) == labels[tested]
            )
        )
        expected = round(network["test_accuracy"] * len(tested))
        worst = max(worst, abs(right - expected))
        shares = (right / len(tested), expected / len(tested))
        print(
            f"{network['file']}: {right} right, {shares[0]:.4f}; paribus: {expected}, {shares[1]:.4f}"
        )
    print("the same accuracies" if worst == 0 else f"up to {worst} examples differ")
    return int(worst > options.tolerance)


if __name__ == "__main__":
    raise SystemExit(main())
