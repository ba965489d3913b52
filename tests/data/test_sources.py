import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data_files import FASHION, IDX_GOOD, good_arrays, idx_folder, npy_bytes, npy_folder, npy_header, npz
from paribus.data import load, named, sources, summarize
from paribus.errors import DataError, UnknownNameError, UsageError
from paribus.records import DataSpec


def test_every_name_is_listed_in_the_error():
    with pytest.raises(UnknownNameError) as caught:
        load(DataSpec("nothing"))
    for name in (
        *sources(),
        "sklearn:wine",
        "keras:cifar10",
        "IDX",
        "x_train.npy",
        "images",
        ".npz",
        ".csv",
        ".parquet",
    ):
        assert name in str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dotted", [False, True])
def test_idx_folder_in_every_naming(tmp_path: Path, packed, dotted):
    for name, content in IDX_GOOD.items():
        written = name.replace("-idx", ".idx") if dotted else name
        (tmp_path / (written + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)
    data = load(DataSpec(str(tmp_path)))
    assert data.name == tmp_path.name
    assert data.x_train.tolist() == [[[0, 1], [0, 1]]] * 4
    assert data.y_test.tolist() == [0, 1]
    assert isinstance(data.x_train, np.memmap) is not packed


def test_the_same_content_has_the_same_fingerprint_wherever_it_lies(tmp_path: Path):
    for name in ("idx", "gz", "npz", "npy"):
        (tmp_path / name).mkdir()
    plain = load(idx_folder(tmp_path / "idx"))
    for name, content in IDX_GOOD.items():
        (tmp_path / "gz" / f"{name}.gz").write_bytes(gzip.compress(content))
    arrays = {name: getattr(plain, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    specs = [
        DataSpec(str(tmp_path / "gz")),
        npz(**arrays)(tmp_path / "npz"),
        npy_folder(**{name: npy_bytes(array) for name, array in arrays.items()})(tmp_path / "npy"),
    ]
    assert {load(spec).fingerprint for spec in specs} == {plain.fingerprint}


def test_npz_of_every_kind_is_read(tmp_path: Path):
    expected = good_arrays()
    fortran = {name: np.asfortranarray(array) for name, array in expected.items()}
    np.savez(tmp_path / "stored.npz", **expected, more=np.array("x"))
    np.savez_compressed(tmp_path / "packed.NPZ.npz", **fortran)
    for path in tmp_path.iterdir():
        data = load(DataSpec(str(path)))
        assert data.name == path.name
        assert data.summary() == summarize(DataSpec(str(path)))
        assert np.array_equal(data.x_train, expected["x_train"])
        assert data.x_train.flags.c_contiguous
        assert data.y_test.tolist() == [0, 1]


def test_npz_with_an_array_twice_is_refused(tmp_path: Path):
    spec = npz()(tmp_path)
    with zipfile.ZipFile(spec.source, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("y_test.npy", npy_bytes(np.array([1, 1])))
    with pytest.raises(DataError, match="2 arrays named y_test"):
        load(spec)


def test_npy_in_fortran_order_is_read(tmp_path: Path):
    x = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(4, 3))
    data = load(npy_folder(x_train=npy_bytes(x), x_test=npy_bytes(x[:2]))(tmp_path))
    assert np.array_equal(data.x_train, x)
    assert data.x_train.flags.c_contiguous


def test_a_home_folder_is_found(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    npz()(tmp_path)
    assert load(DataSpec("~/data.npz")).classes == 2


@pytest.mark.parametrize(("name", "sizes"), [("iris", (112, 38)), ("wine", (133, 45)), ("breast_cancer", (426, 143))])
def test_sklearn_sets(name, sizes):
    data = load(DataSpec(f"sklearn:{name}"))
    assert (len(data.x_train), len(data.x_test)) == sizes
    assert data.x_train.dtype == np.float32
    # The files are sorted by class; the split is neither.
    assert len(set(data.y_train[-20:].tolist())) == data.classes
    assert data.name == f"sklearn:{name}"


def test_sklearn_split_and_names_can_be_relied_on():
    iris = load(DataSpec("sklearn:iris"))
    assert iris.class_names == ("setosa", "versicolor", "virginica")
    assert iris.fingerprint == "5ea5281f971faa8eecc43071603fc3a96c960b6f515d1dbd64d94ba2e84a3e78"
    assert load(DataSpec("sklearn:digits")).fingerprint == load(DataSpec("digits")).fingerprint
    assert len(load(DataSpec("sklearn:iris", test_fraction=0.5)).x_test) == 75


def test_fashion_mnist_is_looked_for_and_missed_by_name(tmp_path: Path):
    with pytest.raises(UnknownNameError, match=r"apt install dataset-fashion-mnist"):
        named.read_fashion_mnist((str(tmp_path), str(tmp_path / "none")))


def test_fashion_mnist_is_found_and_must_be_itself(tmp_path: Path, monkeypatch):
    stand_in = load(idx_folder(tmp_path))
    with pytest.raises(DataError, match="holds other images than Fashion-MNIST"):
        named.read_fashion_mnist((str(tmp_path / "none"), str(tmp_path)))
    monkeypatch.setattr(named, "FASHION_FINGERPRINT", stand_in.fingerprint)
    found = named.read_fashion_mnist((str(tmp_path / "none"), str(tmp_path)))
    assert (found.name, found.classes, found.class_names[9]) == ("fashion-mnist", 10, "Ankle boot")


@pytest.mark.skipif(
    not FASHION.exists(), reason="Fashion-MNIST itself is not here: Debian's package dataset-fashion-mnist has it"
)
def test_debians_fashion_mnist_is_itself():
    data = load(DataSpec("fashion-mnist"))
    assert data.x_train.shape == (60_000, 28, 28)
    assert np.bincount(data.y_train).tolist() == [6000] * 10


def keras_in_a_process(home: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Keras reads KERAS_HOME once, hence a process of its own; the proxy makes downloads fail at once."""
    code = (
        "from paribus.data import load; from paribus.records import DataSpec\n"
        f"data = load(DataSpec({name!r}))\n"
        "print(data.name, data.x_train.shape, data.y_test.tolist(), data.class_names[-1])"
    )
    nowhere = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | nowhere | {"KERAS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_keras_datasets_are_read_from_kerass_cache(tmp_path: Path):
    cache = tmp_path / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True)
    images = np.zeros((3, 28, 28), np.uint8)
    for part, count in (("train", 3), ("t10k", 2)):
        header = bytes([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28])
        (cache / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + images[:count].tobytes()))
        labels = bytes([0, 0, 8, 1, 0, 0, 0, count, *range(count)])
        (cache / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    done = keras_in_a_process(tmp_path, "keras:fashion_mnist")
    assert done.stdout == "keras:fashion_mnist (3, 28, 28) [0, 1] Ankle boot\n", done.stderr


def test_a_download_that_fails_is_a_data_error_and_stdout_stays_clean(tmp_path: Path):
    done = keras_in_a_process(tmp_path, "keras:cifar10")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "paribus.errors.DataError: keras:cifar10: Keras could not load it: URL fetch failure" in done.stderr


@pytest.mark.parametrize("option", [{"label": "x"}, {"categorical": ("x",)}, {"test": "x"}, {"test_fraction": 0.5}])
def test_options_that_would_do_nothing_are_refused(option, tmp_path: Path):
    specs = [DataSpec("mnist", **option), DataSpec("digits", **option)]
    specs += [DataSpec(make(tmp_path).source, **option) for make in (idx_folder, npz())]
    for spec in specs:
        for entry in (load, summarize):
            with pytest.raises(UsageError, match=f"`{next(iter(option))}` means nothing for"):
                entry(spec)


def test_npy_header_with_a_separator_that_only_unicode_calls_a_space_is_refused(tmp_path: Path):
    # Found by fuzzing: int() refuses what the header's pattern let through.
    header = npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4,\x1c4), }")
    with pytest.raises(DataError, match="the NPY header does not describe a plain array"):
        load(npy_folder(x_train=header + bytes(64))(tmp_path))
