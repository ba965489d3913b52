"""Data sets that other packages bring: Debian's Fashion-MNIST, ``keras.datasets``, scikit-learn's loaders."""

from __future__ import annotations

import contextlib
import os
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from paribus.data.dataset import Dataset, build
from paribus.data.folders import has_idx, read_idx
from paribus.data.split import DEFAULT_TEST_FRACTION, stratified
from paribus.errors import DataError, UnknownNameError

FASHION_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
FASHION_FOLDERS = ("/usr/share/datasets/fashion-mnist", "~/.keras/datasets/fashion-mnist")
"""Where Debian's package ``dataset-fashion-mnist`` and Keras put the files."""

FASHION_FINGERPRINT = "5880294187bd3bd1ffdbe8008b26f8278d55f80f74d796a4b447c4b2f2a75cde"
"""Of the files in Debian's package 0.0~git20200523: the original ones, but for the time stamp in the gzip header."""

CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
KERAS = ("mnist", "fashion_mnist", "cifar10", "cifar100")
KERAS_CLASS_NAMES = {"fashion_mnist": FASHION_NAMES, "cifar10": CIFAR10_NAMES}
SKLEARN = ("iris", "wine", "breast_cancer", "digits")


def read_fashion_mnist(folders: tuple[str, ...] = FASHION_FOLDERS) -> Dataset:
    """Fashion-MNIST from the first folder that has it: 60,000 + 10,000 images, uint8, shape (28, 28).

    Args:
        folders: where to look, in this order.

    Raises:
        UnknownNameError: no folder has it; the message says how to get it.
        DataError: its files are broken or hold something else.
    """
    for folder in (Path(name).expanduser() for name in folders):
        if has_idx(folder):
            dataset = read_idx(folder, name="fashion-mnist", class_names=FASHION_NAMES)
            if dataset.fingerprint != FASHION_FINGERPRINT:
                raise DataError(
                    f"{folder}: holds other images than Fashion-MNIST: fingerprint {dataset.fingerprint}, expected "
                    f"{FASHION_FINGERPRINT}. Give the folder as the data source if they are meant"
                )
            return dataset
    raise UnknownNameError(
        f"data 'fashion-mnist': its files are in none of {', '.join(folders)}. On Debian and Ubuntu: "
        "apt install dataset-fashion-mnist. Or give the folder that holds its four IDX files as the data source"
    )


def read_sklearn(name: str, test_fraction: float | None = None) -> Dataset:
    """One of scikit-learn's bundled classification sets, split by :func:`paribus.data.split.stratified`.

    Args:
        name: one of ``SKLEARN``.
        test_fraction: the share of the test split; a quarter by default.

    Raises:
        UnknownNameError: there is no such set.
        DataError: ``test_fraction`` leaves nothing to test on.
    """
    _check_known("sklearn", name, SKLEARN)
    from sklearn import datasets

    source = f"sklearn:{name}"
    bunch: Any = getattr(datasets, f"load_{name}")()
    x = np.asarray(bunch.images).astype(np.uint8) if name == "digits" else np.asarray(bunch.data, np.float32)
    y = np.asarray(bunch.target)
    train, test = stratified(y, DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction, source)
    return build(
        source,
        source,
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        class_names=tuple(map(str, bunch.target_names)),
    )


def read_keras(name: str) -> Dataset:
    """``keras.datasets.<name>.load_data()``; Keras downloads what it has not cached.

    Args:
        name: one of ``KERAS``.

    Raises:
        UnknownNameError: there is no such set, or it does not hold examples of one shape with classes.
        DataError: the download failed, or the cached files are broken.
    """
    _check_known("keras", name, KERAS)
    # Keras without a backend looks for TensorFlow; paribus always runs it on JAX.
    os.environ.setdefault("KERAS_BACKEND", "jax")
    from keras import datasets

    source = f"keras:{name}"
    try:
        # Keras shows its download on stdout, which belongs to results here.
        with contextlib.redirect_stdout(sys.stderr):
            (x_train, y_train), (x_test, y_test) = getattr(datasets, name).load_data()
    except Exception as error:
        # A failed download is a bare Exception (keras/src/utils/file_utils.py, get_file); broken files are the others.
        if type(error) is not Exception and not isinstance(
            error, OSError | ValueError | EOFError | KeyError | zlib.error
        ):
            raise
        raise DataError(f"{source}: Keras could not load it: {error}") from error
    return build(
        source,
        source,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=KERAS_CLASS_NAMES.get(name),
    )


def _check_known(package: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        listed = ", ".join(f"{package}:{known_name}" for known_name in known)
        raise UnknownNameError(
            f"data '{package}:{name}': not one of {listed}. Load anything else yourself and pass the arrays"
        )
