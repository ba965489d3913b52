"""The two data sets that need no download: MNIST, which paribus carries, and scikit-learn's digits.

Their content is fixed, so their summaries are constants and are checked on loading.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import idx
from paribus.data.dataset import Dataset, build
from paribus.data.split import DEFAULT_TEST_FRACTION, stratified
from paribus.errors import DataError
from paribus.records import DataSummary

DIGIT_NAMES = tuple("0123456789")

MNIST = DataSummary(
    "mnist", "07b608939c4458b299c3301293301233a03dacca8c1fa3ef4fdff0373d7fe677", 60_000, 10_000, (28, 28), 10
)
DIGITS = DataSummary(
    "digits", "c493aa44015c397914d66339e60b6996d794f4e27549aa5d8ed52a3505a2e536", 1_347, 450, (8, 8), 10
)

SUMMARIES = {summary.name: summary for summary in (MNIST, DIGITS)}

MNIST_FOLDER = Path(__file__).parent / "mnist"
MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": "71524e2cd1ad2968737f7f2f2ff69cbfc32df8ccddff51593f7cb2d4e0eb5b64",
    "train-labels-idx1-ubyte.gz": "fe03b8bd7915f70bf5aa08be480aa413fbd85afcaa58b35d230d335f284fd88e",
    "t10k-images-idx3-ubyte.gz": "5634745efa576a17e7d4cf5cd9d09123c75e6538e5114267c2d156edaf519341",
    "t10k-labels-idx1-ubyte.gz": "ae18e77e031ccde52407f794d123116439864147d33ac992975f85dd4dc42af6",
}
"""SHA-256 of the compressed files in the package."""


def load_mnist(folder: Path = MNIST_FOLDER) -> Dataset:
    """MNIST: 60,000 + 10,000 images, uint8, shape (28, 28).

    Args:
        folder: the folder of the four files; the package's own by default.

    Returns:
        The data set, with the fingerprint that this version knows.

    Raises:
        DataError: a file is missing or is not the one that was packaged.
    """
    x_train, y_train, x_test, y_test = (_packaged(folder / name, digest) for name, digest in MNIST_SHA256.items())
    return build(
        MNIST.name,
        MNIST.name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=DIGIT_NAMES,
        # The files' digests were just checked, and they determine the content.
        fingerprint=MNIST.fingerprint,
    )


def load_digits() -> Dataset:
    """scikit-learn's digits: 1,797 images, uint8 with values 0 .. 16, shape (8, 8).

    The split is :func:`paribus.data.split.stratified` with a quarter for testing: 1,347 and 450.

    Raises:
        DataError: scikit-learn's copy is not the one that this version of paribus knows.
    """
    rows = _digits_rows()
    x, y = rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(np.int64)
    train, test = stratified(y, DEFAULT_TEST_FRACTION, DIGITS.name)
    dataset = build(
        DIGITS.name,
        DIGITS.name,
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        class_names=DIGIT_NAMES,
    )
    if dataset.fingerprint != DIGITS.fingerprint:
        raise DataError(
            f"digits: scikit-learn's copy has the fingerprint {dataset.fingerprint}, expected {DIGITS.fingerprint}. "
            "Load it as `sklearn:digits` if the change is meant"
        )
    return dataset


def _digits_rows() -> NDArray[np.uint8]:
    """The rows of scikit-learn's file: 64 pixels and the label of each image.

    The file is read from the installed package, as ``sklearn.datasets.load_digits`` reads it. Importing scikit-learn
    takes 2 seconds, and most of them go into importing pandas and SciPy.
    """
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise DataError("digits: scikit-learn, which carries these images, is not installed. Install paribus again")
    path = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            return np.loadtxt(file, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}). Install scikit-learn again") from error


def _packaged(path: Path, digest: str) -> NDArray[Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}. Install paribus again") from error
    digest_read = hashlib.sha256(content).hexdigest()
    if digest_read != digest:
        raise DataError(
            f"{path}: not the file that paribus shipped: sha256 {digest_read}, expected {digest}. Install paribus again"
        )
    return idx.decode(content, str(path))
