"""Folders as people have them, each with what plain Pillow or NumPy reads of it, or with why it is refused.

``docs/data-cases.md`` is written from these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from data_files import idx_bytes
from paribus.records import DataSpec

Sorted = list[tuple[str, bytes]]
"""The examples of a split as pairs of class and bytes, sorted: in which order they are read is no matter here."""


@dataclass(frozen=True)
class FolderCase:
    """What it is, how to write it, and what must come of it: ``reference``'s examples, or a refusal that ``says``."""

    what: str
    make: Callable[[Path], DataSpec]
    reference: Callable[[Path], tuple[Sorted, Sorted]] | None = None
    says: str = ""
    notes: str = ""


def picture(seed: int, mode: str = "L", size: tuple[int, int] = (6, 4)) -> Image.Image:
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    return Image.fromarray(np.random.default_rng(seed).integers(0, 200, shape, np.uint8))


def folder(
    suffix: str = ".png",
    mode: str = "L",
    parts: Sequence[str] = ("train", "test"),
    change: Callable[[Image.Image], Image.Image] = lambda image: image,
    extra: Callable[[Path], None] = lambda _: None,
    **options: Any,
) -> Callable[[Path], DataSpec]:
    """``part/<class>/<n>.png`` with two classes; ``extra`` changes what was written."""

    def make(place: Path) -> DataSpec:
        for number, part in enumerate(parts):
            for name in ("ant", "bee"):
                (place / part / name).mkdir(parents=True)
                for i in range(4):
                    image = change(picture(100 * number + 10 * ord(name[0]) + i, mode))
                    image.save(place / part / name / f"{i}{suffix}", **options)
        extra(place)
        return DataSpec(str(place))

    return make


def pillow(
    parts: Sequence[Sequence[str]] = (("train",), ("test",)), read: Callable[[Image.Image], Image.Image] = lambda i: i
) -> Callable[[Path], tuple[Sorted, Sorted]]:
    """What Pillow decodes, for each split the folders in ``parts``."""

    def split(place: Path, folders: Sequence[str]) -> Sorted:
        paths = [path for part in folders for path in (place / part).glob("*/[!.]*")]
        return sorted((path.parent.name, np.asarray(read(Image.open(path))).tobytes()) for path in paths)

    return lambda place: (split(place, parts[0]), split(place, parts[1]))


def write(name: str, content: bytes = b"") -> Callable[[Path], None]:
    def extra(place: Path) -> None:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)

    return extra


def save(name: str, image: Image.Image, **options: Any) -> Callable[[Path], None]:
    def extra(place: Path) -> None:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(place / name, **options)

    return extra


def animated(name: str) -> Callable[[Path], None]:
    return save(name, picture(1, "RGB"), save_all=True, append_images=[picture(2, "RGB"), picture(3, "RGB")])


def turned(image: Image.Image) -> Image.Image:
    image.info["exif"] = b""
    return image


def exif(orientation: int) -> bytes:
    notes = Image.Exif()
    notes[0x0112] = orientation
    return notes.tobytes()


def idx(place: Path) -> DataSpec:
    """EMNIST's letters are labelled 1 to 26."""
    labels = bytes(i % 26 + 1 for i in range(52))
    for name, content in {
        "train-images-idx3-ubyte": idx_bytes((52, 2, 2)),
        "train-labels-idx1-ubyte": idx_bytes((52,), values=labels),
        "t10k-images-idx3-ubyte": idx_bytes((52, 2, 2)),
        "t10k-labels-idx1-ubyte": idx_bytes((52,), values=labels),
    }.items():
        (place / name).write_bytes(content)
    return DataSpec(str(place))


def idx_reference(_: Path) -> tuple[Sorted, Sorted]:
    pixels = np.frombuffer(idx_bytes((52, 2, 2))[16:], np.uint8).reshape(52, -1)
    both = sorted((str(i % 26 + 1), pixels[i].tobytes()) for i in range(52))
    return both, both


def npy(labels: Any, *, x: np.ndarray | None = None) -> Callable[[Path], DataSpec]:
    def make(place: Path) -> DataSpec:
        examples = np.random.default_rng(0).random((12, 3), np.float32) if x is None else x
        for name, array in (("x_train", examples), ("y_train", labels), ("x_test", examples), ("y_test", labels)):
            np.save(place / f"{name}.npy", array)
        return DataSpec(str(place))

    return make


def npy_reference(names: Sequence[str]) -> Callable[[Path], tuple[Sorted, Sorted]]:
    def reference(place: Path) -> tuple[Sorted, Sorted]:
        x = np.load(place / "x_train.npy").astype(np.float32)
        both = sorted((name, example.tobytes()) for name, example in zip(names, x, strict=True))
        return both, both

    return reference


BOTH = pillow((("",), ("",)))

FOLDERS = (
    FolderCase("grey PNG, `train` and `test`", folder(), pillow()),
    FolderCase("colour JPEG", folder(".jpg", "RGB"), pillow(), notes="Pixels are in 0 to "),
    FolderCase("WebP", folder(".webp", "RGB", lossless=True), pillow(), notes="Pixels are in 0 to "),
    FolderCase("BMP", folder(".bmp"), pillow()),
    FolderCase("suffixes in capitals", folder(".PNG"), pillow()),
    FolderCase(
        "PNG with a palette",
        folder(change=lambda i: i.convert("P"), mode="RGB"),
        pillow(read=lambda i: i.convert("RGB")),
        notes="Pixels are in 0 to ",
    ),
    FolderCase(
        "PNG of one bit a pixel", folder(change=lambda i: i.convert("1")), pillow(read=lambda i: i.convert("L"))
    ),
    FolderCase(
        "PNG with an alpha channel that is opaque",
        folder(mode="RGB", change=lambda i: i.convert("RGBA")),
        pillow(read=lambda i: i.convert("RGB")),
        notes="Pixels are in 0 to ",
    ),
    FolderCase(
        "JPEG that a phone holds upright",
        folder(".jpg", "RGB", exif=exif(6)),
        pillow(read=ImageOps.exif_transpose),
        notes="Pixels are in 0 to ",
    ),
    FolderCase("hidden files of the system", folder(extra=write("train/ant/.DS_Store")), pillow()),
    FolderCase(
        "`train`, `validation` and `test`",
        folder(parts=("train", "validation", "test")),
        pillow((("train", "validation"), ("test",))),
    ),
    FolderCase(
        "`train`, `val` and `test`", folder(parts=("train", "val", "test")), pillow((("train", "val"), ("test",)))
    ),
    FolderCase(
        "`train` and `validation` alone", folder(parts=("train", "validation")), says="expected `train` and `test`"
    ),
    FolderCase("`train` alone", folder(parts=("train",)), says="expected `train` and `test`"),
    FolderCase("an animated GIF", folder(extra=animated("train/ant/9.gif")), says="9.gif: not an image"),
    FolderCase(
        "an animated WebP",
        folder(".webp", "RGB", extra=animated("train/ant/9.webp"), lossless=True),
        says="9.webp: is animated, 3 frames; expected one picture",
    ),
    FolderCase(
        "an animated PNG",
        folder(mode="RGB", extra=animated("train/ant/9.png")),
        says="9.png: is animated, 3 frames; expected one picture",
    ),
    FolderCase("TIFF", folder(".tif"), says="0.tif: not an image; expected only files ending in"),
    FolderCase(
        "a picture of another size",
        folder(extra=save("train/ant/9.png", picture(0, size=(7, 4)))),
        says="grey, but the first image is",
    ),
    FolderCase(
        "one picture in colour",
        folder(extra=save("test/bee/9.png", picture(0, "RGB"))),
        says="9.png: 6 x 4 colour, but the first image is 6 x 4 grey",
    ),
    FolderCase(
        "a picture with a hole in it",
        folder(extra=save("train/ant/9.png", Image.new("RGBA", (6, 4)))),
        says="is transparent somewhere",
    ),
    FolderCase(
        "16 bits a pixel", folder(extra=save("train/ant/9.png", Image.new("I;16", (6, 4)))), says="pixels of mode I;16"
    ),
    FolderCase(
        "a list of thumbnails among the pictures",
        folder(extra=write("train/ant/Thumbs.db")),
        says="Thumbs.db: not an image",
    ),
    FolderCase(
        "a PNG that was cut off", folder(extra=write("train/ant/9.png", b"\x89PNG\r\n\x1a\n\0\0")), says="9.png"
    ),
    FolderCase(
        "a class that only `test` has",
        folder(extra=save("test/cat/0.png", picture(0))),
        says="class 'cat' is not among the training classes",
    ),
    FolderCase(
        "a class without pictures",
        folder(extra=lambda place: (place / "train" / "cat").mkdir()),
        says="class 'cat' has no training images",
    ),
    FolderCase(
        "a folder in a class's folder", folder(extra=save("train/ant/old/0.png", picture(0))), says="old: not an image"
    ),
    FolderCase("IDX: EMNIST's letters, labelled 1 to 26", idx, idx_reference, notes="Label 0 never occurs"),
    FolderCase(".npy: class indices", npy(np.arange(12) % 3), npy_reference([str(i % 3) for i in range(12)])),
    FolderCase(".npy: one-hot rows", npy(np.eye(3)[np.arange(12) % 3]), npy_reference([str(i % 3) for i in range(12)])),
    FolderCase(
        ".npy: labels 1 to 3",
        npy(np.arange(12) % 3 + 1),
        npy_reference([str(i % 3 + 1) for i in range(12)]),
        notes="Label 0 never occurs",
    ),
    FolderCase(".npy: labels -1 and 1", npy(np.arange(12) % 2 * 2 - 1), says="label -1 of example 0"),
    FolderCase(".npy: words for labels", npy(np.array(list("ab") * 6)), says="holds values of type '<U1'"),
    FolderCase(
        ".npy: examples with a gap",
        npy(np.arange(12) % 2, x=np.where(np.eye(12)[:, :3], np.nan, 0)),
        says="value nan at x_train[0, 0]",
    ),
)
