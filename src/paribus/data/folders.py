"""Folders that hold a data set in four files: IDX under MNIST's names, or ``.npy``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from paribus.data import idx, known, npy
from paribus.data.dataset import Dataset, build
from paribus.errors import DataError

IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
NPY_FILES = ("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy")
SIDECAR = "dataset.json"
MAX_SIDECAR_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What arrays cannot say: the name of the data and of its classes."""

    name: str
    class_names: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps({"name": self.name, "class_names": self.class_names}) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Sidecar:
        """Read it.

        Raises:
            DataError: it is not what :meth:`write` writes.
        """
        try:
            with path.open("rb") as file:
                content = json.loads(file.read(MAX_SIDECAR_BYTES + 1))
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}: not valid JSON, or longer than {MAX_SIDECAR_BYTES} bytes: {error}") from error
        match content:
            case {"name": str(name), "class_names": [*names]} if all(isinstance(each, str) for each in names):
                return cls(name, tuple(str(each) for each in names))
        raise DataError(f'{path}: expected {{"name": "...", "class_names": ["...", "..."]}}, found something else')


def has_idx(folder: Path) -> bool:
    """Whether any of the four IDX files lies there."""
    return any(_idx_file(folder, name) for name in IDX_FILES)


def has_npy(folder: Path) -> bool:
    """Whether any of the four ``.npy`` files lies there."""
    return any((folder / name).is_file() for name in NPY_FILES)


def read_idx(
    folder: Path, source: str | None = None, name: str | None = None, class_names: tuple[str, ...] | None = None
) -> Dataset:
    """A data set from four IDX files under MNIST's names, each plain or ``.gz``; ``images-idx3`` or ``images.idx3``.

    Args:
        folder: where they lie.
        source: what errors call them; the folder by default.
        name: what to call the data; the folder's name by default.
        class_names: one name a class, where they are known.

    Raises:
        DataError: a file is missing or broken, or the arrays do not agree.
    """
    paths = [_idx_file(folder, file) for file in IDX_FILES]
    missing = [file for file, path in zip(IDX_FILES, paths, strict=True) if path is None]
    if missing:
        raise DataError(f"{folder}: {', '.join(missing)} not found, neither plain nor .gz; expected all four of MNIST")
    files = _stamps([path for path in paths if path is not None])
    x_train, y_train, x_test, y_test = (idx.read(path) for path in paths if path is not None)
    return build(
        name or _name(folder),
        source or str(folder),
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=class_names,
        files=files,
    )


def read_npy(folder: Path) -> Dataset:
    """A data set from ``x_train.npy, y_train.npy, x_test.npy, y_test.npy``, memory-mapped.

    A file ``dataset.json`` beside them (:class:`Sidecar`) may name the data and its classes.

    Raises:
        DataError: a file is missing or broken, or the arrays do not agree.
    """
    missing = [name for name in NPY_FILES if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder}: {', '.join(missing)} not found; expected {', '.join(NPY_FILES)}")
    files = _stamps([folder / name for name in NPY_FILES])
    x_train, y_train, x_test, y_test = (npy.read(folder / name) for name in NPY_FILES)
    named = Sidecar.read(folder / SIDECAR) if (folder / SIDECAR).exists() else None
    return build(
        named.name if named else _name(folder),
        str(folder),
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=named.class_names if named else None,
        files=files,
    )


def pending(folder: Path) -> int:
    """How many bytes of the four files must be read before their fingerprint is known; 0 if it is known, or not four.

    Raises:
        DataError: a file cannot be read.
    """
    npy_files = [folder / name for name in NPY_FILES]
    paths = npy_files if has_npy(folder) else [_idx_file(folder, file) for file in IDX_FILES]
    there = [path for path in paths if path is not None and path.is_file()]
    if len(there) < len(paths):
        return 0
    files = _stamps(there)
    return 0 if known.fingerprint(files) else sum(size for _, _, size, _ in files)


def _stamps(paths: list[Path]) -> tuple[known.Stamp, ...]:
    try:
        return known.stamps(paths)
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _idx_file(folder: Path, name: str) -> Path | None:
    dotted = name.replace("-idx", ".idx")
    for candidate in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    return None


def _name(folder: Path) -> str:
    return folder.resolve().name or "data"
