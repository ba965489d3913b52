"""Writers of small data files, good and bad, for tests: each maker writes into an empty folder and returns the spec."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from paribus.records import DataSpec


def idx_bytes(shape: tuple[int, ...] = (4, 2, 2), *, code: int = 8, values: bytes | None = None) -> bytes:
    count = int(np.prod(shape))
    body = bytes(i % 2 for i in range(count)) if values is None else values
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape) + body


IDX_GOOD = {
    "train-images-idx3-ubyte": idx_bytes(),
    "train-labels-idx1-ubyte": idx_bytes((4,)),
    "t10k-images-idx3-ubyte": idx_bytes((2, 2, 2)),
    "t10k-labels-idx1-ubyte": idx_bytes((2,)),
}


def idx_folder(folder: Path, **changed: bytes | None) -> DataSpec:
    """A good IDX folder in which files (named with _ for -) are replaced, or left out where None."""
    files = IDX_GOOD | {name.replace("_", "-"): content for name, content in changed.items()}
    for name, content in files.items():
        if content is not None:
            (folder / name).write_bytes(content)
    return DataSpec(str(folder))


def idx(content: bytes) -> Callable[[Path], DataSpec]:
    return lambda folder: idx_folder(folder, train_images_idx3_ubyte=content)


def write_idx(folder: Path, x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> None:
    """Bytes of images and labels as four IDX files, in the layout of MNIST and Fashion-MNIST."""
    for part, x, y in (("train", x_train, y_train), ("t10k", x_test, y_test)):
        images, labels = np.asarray(x).astype(np.uint8), np.asarray(y).astype(np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(images.shape, values=images.tobytes()))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels.shape, values=labels.tobytes()))


def good_arrays() -> dict[str, np.ndarray]:
    x = np.arange(24, dtype=np.float32).reshape(6, 4)
    return {"x_train": x[:4], "y_train": np.array([0, 1, 0, 1]), "x_test": x[4:], "y_test": np.array([0, 1])}


def npz(**changed: np.ndarray | None) -> Callable[[Path], DataSpec]:
    def make(folder: Path) -> DataSpec:
        arrays = {name: array for name, array in (good_arrays() | changed).items() if array is not None}
        np.savez(folder / "data.npz", **arrays)
        return DataSpec(str(folder / "data.npz"))

    return make


def npz_raw(change: Callable[[bytes], bytes]) -> Callable[[Path], DataSpec]:
    def make(folder: Path) -> DataSpec:
        spec = npz()(folder)
        path = Path(spec.source)
        path.write_bytes(change(path.read_bytes()))
        return spec

    return make


def npz_member(content: bytes, compression: int = zipfile.ZIP_DEFLATED) -> Callable[[Path], DataSpec]:
    """An archive whose x_train is exactly these bytes."""

    def make(folder: Path) -> DataSpec:
        with zipfile.ZipFile(folder / "data.npz", "w", compression) as archive:
            archive.writestr("x_train.npy", content)
            for name, array in good_arrays().items():
                if name != "x_train":
                    archive.writestr(f"{name}.npy", npy_bytes(array))
        return DataSpec(str(folder / "data.npz"))

    return make


def npy_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npy_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode("latin-1")


def npy_folder(**changed: bytes | None) -> Callable[[Path], DataSpec]:
    def make(folder: Path) -> DataSpec:
        files = {name: npy_bytes(array) for name, array in good_arrays().items()} | changed
        for name, content in files.items():
            if content is not None:
                (folder / f"{name}.npy").write_bytes(content)
        return DataSpec(str(folder))

    return make


def with_sidecar(content: str) -> Callable[[Path], DataSpec]:
    def make(folder: Path) -> DataSpec:
        (folder / "dataset.json").write_text(content)
        return npy_folder()(folder)

    return make


GOOD_CSV = "age,city,class\n1,Rome,a\n2,Oslo,b\n3,Rome,a\n4,Oslo,b\n"


def csv(content: str | bytes, **options: object) -> Callable[[Path], DataSpec]:
    def make(folder: Path) -> DataSpec:
        (folder / "data.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        return DataSpec(str(folder / "data.csv"), **({"label": "class"} | options))

    return make


def csv_pair(train: str, test: str) -> Callable[[Path], DataSpec]:
    def make(folder: Path) -> DataSpec:
        (folder / "test.csv").write_text(test)
        return csv(train, test=str(folder / "test.csv"))(folder)

    return make


def parquet(**columns: object) -> Callable[[Path], DataSpec]:
    def make(folder: Path) -> DataSpec:
        import pyarrow
        from pyarrow import parquet as pq

        pq.write_table(pyarrow.table(columns), folder / "data.parquet")
        return DataSpec(str(folder / "data.parquet"), label="class")

    return make


def parquet_bytes(content: bytes) -> Callable[[Path], DataSpec]:
    def make(folder: Path) -> DataSpec:
        (folder / "data.parquet").write_bytes(content)
        return DataSpec(str(folder / "data.parquet"), label="class")

    return make


def png(width: int = 2, height: int = 2, mode: str = "L", fill: object = None) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.new(mode, (width, height), fill).save(stream, "PNG")
    return stream.getvalue()


def png_header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def images(**changed: bytes | None) -> Callable[[Path], DataSpec]:
    """A folder of images by class; keys are paths with __ for / and the suffix .png, None leaves a file out."""

    def make(folder: Path) -> DataSpec:
        good = {f"{part}__{name}__{i}": png() for part in ("train", "test") for name in "ab" for i in range(2)}
        for name, content in (good | changed).items():
            path = folder / (name.replace("__", "/") + ("" if "." in name else ".png"))
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_bytes(content)
        return DataSpec(str(folder))

    return make


def named(source: str, **options: object) -> Callable[[Path], DataSpec]:
    return lambda _: DataSpec(source, **options)


def file(name: str, content: bytes = b"") -> Callable[[Path], DataSpec]:
    def make(folder: Path) -> DataSpec:
        (folder / name).write_bytes(content)
        return DataSpec(str(folder / name))

    return make


class Evil:
    """Unpickling it would write a file: nothing may ever unpickle it."""

    def __reduce__(self) -> tuple[object, ...]:
        return (exec, ("raise SystemExit('code from a data file was run')",))


def encrypted(content: bytes) -> bytes:
    changed = bytearray(content)
    # The flag that says "encrypted", in the first member's local header and in its directory entry.
    changed[6] |= 1
    changed[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def lying_directory(content: bytes) -> bytes:
    """The directory claims 4 GiB - 2 for a member of a few hundred bytes."""
    changed = bytearray(content)
    place = content.index(b"PK\x01\x02") + 24
    changed[place : place + 4] = struct.pack("<I", 2**32 - 2)
    return bytes(changed)


def flipped(content: bytes) -> bytes:
    """One bit of the first member's values is changed."""
    changed = bytearray(content)
    changed[content.index(npy_bytes(good_arrays()["x_train"])) + 140] ^= 1
    return bytes(changed)


FASHION = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's dataset-fashion-mnist lies."""


def jpeg() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((24, 24), 50).save(stream, "JPEG")
    return stream.getvalue()


def archive(*, packed: bool) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(stream, **good_arrays())
    return stream.getvalue()


def table_bytes() -> list[bytes]:
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"n": list(range(40)), "word": ["u", "v"] * 20, "class": ["a", "b"] * 20})
    written = []
    for options in ({}, {"compression": "gzip", "use_dictionary": False}):
        stream = io.BytesIO()
        parquet.write_table(table, stream, **options)
        written.append(stream.getvalue())
    return written
