import gzip
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from paribus.data import builtin, class_names, load, sources, summarize
from paribus.data.dataset import content_fingerprint
from paribus.errors import DataError, UnknownNameError
from paribus.records import DataSpec

# From the table that came with the data: the original distribution's uncompressed files.
ORIGINAL_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


@pytest.mark.parametrize(("name", "md5"), ORIGINAL_MD5.items())
def test_mnist_files_are_the_original_distribution(name, md5):
    content = gzip.decompress((builtin.MNIST_FOLDER / f"{name}.gz").read_bytes())
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == md5
    assert md5 in (builtin.MNIST_FOLDER / "NOTICE").read_text()


def test_mnist_is_what_its_summary_says():
    mnist = load(DataSpec("mnist"))
    assert mnist.summary() == summarize(DataSpec("mnist"))
    assert content_fingerprint(mnist.x_train, mnist.y_train, mnist.x_test, mnist.y_test) == mnist.fingerprint
    assert mnist.x_train.dtype == np.uint8
    assert mnist.y_train.dtype == np.int32
    assert mnist.x_train.shape == (60_000, 28, 28)
    assert (mnist.x_train.max(), mnist.x_train.min()) == (255, 0)
    # Known facts of MNIST: the first labels and the mean pixel.
    assert mnist.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.y_test[:5].tolist() == [7, 2, 1, 0, 4]
    assert mnist.x_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert mnist.class_names == class_names(DataSpec("mnist")) == tuple("0123456789")


def test_digits_is_what_its_summary_says_and_stays_so():
    digits = load(DataSpec("digits"))
    assert digits.summary() == summarize(DataSpec("digits"))
    assert digits.fingerprint == "c493aa44015c397914d66339e60b6996d794f4e27549aa5d8ed52a3505a2e536"
    assert digits.x_train.dtype == np.uint8
    assert int(digits.x_train.max()) == 16
    assert (len(digits.x_train), len(digits.x_test)) == (1_347, 450)
    share = np.bincount(digits.y_test) / (np.bincount(digits.y_train) + np.bincount(digits.y_test))
    assert np.all(np.abs(share - 0.25) < 0.01)


def test_every_digit_is_in_exactly_one_part():
    from sklearn.datasets import load_digits

    digits = load(DataSpec("digits"))
    rows = np.concatenate([digits.x_train, digits.x_test]).reshape(1797, 64)
    original = load_digits().data
    assert sorted(map(tuple, rows.astype(int).tolist())) == sorted(map(tuple, original.astype(int).tolist()))


def test_flatten_reshapes_and_keeps_the_fingerprint():
    spec = DataSpec("digits", flatten=True)
    flat, square = load(spec), load(DataSpec("digits"))
    assert flat.input_shape == (64,)
    assert flat.fingerprint == square.fingerprint
    assert flat.summary() == summarize(spec)
    assert np.array_equal(flat.x_train.reshape(-1, 8, 8), square.x_train)


def test_a_changed_mnist_file_is_refused(tmp_path: Path):
    for name in builtin.MNIST_SHA256:
        (tmp_path / name).write_bytes((builtin.MNIST_FOLDER / name).read_bytes())
    changed = tmp_path / "train-labels-idx1-ubyte.gz"
    content = bytearray(changed.read_bytes())
    content[5] ^= 1
    changed.write_bytes(content)
    with pytest.raises(DataError, match=r"train-labels.*not the file that paribus shipped.*expected fe03b8bd"):
        builtin.load_mnist(tmp_path)
    changed.unlink()
    with pytest.raises(DataError, match=r"train-labels.*cannot be read: No such file"):
        builtin.load_mnist(tmp_path)


def test_a_changed_copy_of_digits_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(builtin, "DIGITS", builtin.MNIST)
    with pytest.raises(DataError, match=r"scikit-learn's copy has the fingerprint c493aa"):
        builtin.load_digits()


def test_summaries_of_built_in_data_import_nothing_heavy():
    code = (
        "import sys; from paribus.data import *; from paribus.records import DataSpec\n"
        "[(summarize(DataSpec(name)), class_names(DataSpec(name))) for name in ('mnist', 'digits')]\n"
        "load(DataSpec('mnist'))\n"
        "heavy = {'keras', 'jax', 'sklearn', 'scipy', 'pandas', 'pyarrow', 'PIL'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_unknown_source_lists_what_exists():
    assert "mnist" in sources()
    with pytest.raises(UnknownNameError, match=r"mnits.*mnist, digits"):
        load(DataSpec("mnits"))
