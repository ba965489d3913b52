"""Folders of images (PNG, JPEG, WebP, BMP), one folder a class."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from paribus.data.dataset import Dataset, build
from paribus.data.limits import MAX_ARRAY_BYTES, MAX_IMAGE_PIXELS, human
from paribus.data.split import DEFAULT_TEST_FRACTION, mixed_order, stratified
from paribus.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
VALIDATION_FOLDERS = ("validation", "valid", "val")
"""What people call the folder of images that validate."""

# What Pillow raises on broken files: seen when it was fed mutated ones (tests/data/test_fuzz.py).
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded image.

    Attributes:
        pixels: uint8, shape (height, width) for grey and (height, width, 3) for colour.
        turned: whether its pixels are stored turned, with a note of the camera (EXIF) that says how.
    """

    pixels: NDArray[np.uint8]
    turned: bool


@dataclass(frozen=True, slots=True)
class _Listing:
    """Files and the class of each."""

    paths: tuple[Path, ...]
    labels: NDArray[np.int32]

    def take(self, order: NDArray[np.intp]) -> _Listing:
        return _Listing(tuple(self.paths[index] for index in order), self.labels[order])

    def followed_by(self, other: _Listing) -> _Listing:
        return _Listing(self.paths + other.paths, np.concatenate([self.labels, other.labels]))


def read_folder(folder: Path, test_fraction: float | None = None) -> Dataset:
    """A data set from ``train/<class>/*.png`` and ``test/<class>/*.png``, or from ``<class>/*.png`` with a split.

    Classes are the training folders' names in alphabetical order. Images are PNG, JPEG, WebP or BMP, all of one size,
    all grey or all in colour; the examples are uint8 of shape (height, width) or (height, width, 3). Without ``train``
    and ``test``, every class is split by :func:`paribus.data.split.stratified` over the files in order of their names.
    Training examples come in a mixed order. Images are turned as their camera noted (EXIF), as viewers show them.

    The images of a folder ``validation`` beside ``train`` and ``test`` become the last training examples, which the
    data set says (``own_validation``): a protocol must validate on exactly those (decision 0069).

    Args:
        folder: the folder.
        test_fraction: the share of each class that is tested on, where there is no ``test``; a quarter by default.

    Raises:
        DataError: there are no such folders or images, an image is broken, too large, animated, or unlike the first.
    """
    parts = {inside.name: inside for inside in _folders(folder)}
    own: _Listing | None = None
    if {"train", "test"} <= set(parts) and len(parts) <= 3 and set(parts) <= {"train", "test", *VALIDATION_FOLDERS}:
        if test_fraction is not None:
            raise DataError(f"{folder}: has a test folder, so leave `test_fraction` out")
        names = _class_names(parts["train"])
        train, test = _listing(parts["train"], names), _listing(parts["test"], names)
        train = train.take(mixed_order(len(train.paths)))
        own = next((_listing(path, names) for name, path in parts.items() if name in VALIDATION_FOLDERS), None)
    else:
        _refuse_parts(folder, set(parts))
        names = _class_names(folder)
        everything = _listing(folder, names)
        fraction = DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction
        in_train, in_test = stratified(everything.labels, fraction, str(folder))
        train, test = everything.take(in_train), everything.take(in_test)
    empty = [name for label, name in enumerate(names) if label not in train.labels]
    if empty:
        raise DataError(f"{folder}: class {empty[0]!r} has no training images; fill its folder or remove it")
    whole = train if own is None else train.followed_by(own)
    first = read_image(train.paths[0])
    return build(
        folder.resolve().name or "images",
        str(folder),
        x_train=_stack(whole.paths, first),
        y_train=whole.labels,
        x_test=_stack(test.paths, first),
        y_test=test.labels,
        class_names=names,
        own_validation=0 if own is None else len(own.paths),
    )


def _refuse_parts(folder: Path, names: set[str]) -> None:
    """Folders that are named like the parts of a data set, and not like classes.

    Raises:
        DataError: one part is missing.
    """
    known_parts = names & {"train", "test", *VALIDATION_FOLDERS}
    if len(known_parts) >= 2 or (known_parts and len(names) == 1):
        raise DataError(
            f"{folder}: folders {', '.join(sorted(names))}; expected `train` and `test` (and perhaps `validation`), or "
            "one folder a class. Without a test folder, give the folder of the classes itself: a share is split off"
        )


def read_image(path: Path) -> NDArray[np.uint8]:
    """The pixels of one image file: uint8, shape ``(height, width)`` for grey and ``(height, width, 3)`` for colour.

    Raises:
        DataError: as :func:`read_picture`.
    """
    return read_picture(path).pixels


def read_picture(path: Path, content: BinaryIO | None = None) -> Picture:
    """Decode one PNG, JPEG, WebP or BMP file, and turn it as its camera noted.

    Args:
        path: the file.
        content: what it holds, where it is no file; ``path`` is what errors call it.

    Raises:
        DataError: the file cannot be read or decoded, is another format, is above 4096 x 4096 pixels, has 16 bits a
            channel, is animated, or is transparent somewhere.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        # Pillow warns about bombs when it reads the header; here a warning is a refusal.
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)  # of a camera's notes that are cut off
            with Image.open(path if content is None else content, formats=FORMATS) as image:
                if image.width * image.height > MAX_IMAGE_PIXELS:
                    raise DataError(
                        f"{path}: {image.width} x {image.height} pixels; at most {MAX_IMAGE_PIXELS} are decoded"
                    )
                _refuse_animation(image, path)
                turned = _turned(image)
                return Picture(_pixels(turned or image, path), turned is not None)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{path}: more pixels than the {MAX_IMAGE_PIXELS} that are decoded: {error}") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: not a PNG, JPEG, WebP or BMP image, although its name says so") from error
    except BROKEN as error:
        raise DataError(f"{path}: cannot be decoded: {error}") from error


def _refuse_animation(image: Image, path: Path) -> None:
    frames = int(getattr(image, "n_frames", 1))
    # A phone's JPEG may hold a small or a second picture behind the first, which is the one that viewers show.
    if frames > 1 and image.format not in ("JPEG", "MPO"):
        raise DataError(f"{path}: is animated, {frames} frames; expected one picture. Save one frame of it as PNG")


def _turned(image: Image) -> Image | None:
    """The image as its camera was held; None where it is so already, or where no note of that can be read."""
    from PIL import ExifTags, Image

    # Not ImageOps.exif_transpose: it writes all notes again, and fails on odd ones that have nothing to do with it.
    ways = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    image.load()  # what is broken is no matter of notes
    try:
        noted = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (*BROKEN, AttributeError, OverflowError):
        return None
    return image.transpose(ways[noted]) if isinstance(noted, int) and noted in ways else None


def _pixels(image: Image, path: Path) -> NDArray[np.uint8]:
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("LA" if image.mode in ("1", "L", "LA") else "RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            raise DataError(f"{path}: is transparent somewhere; expected an opaque image. Flatten it onto a background")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    elif image.mode in ("1", "P"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if image.mode not in ("L", "RGB"):
        raise DataError(f"{path}: pixels of mode {image.mode}; expected 8 bits of grey or RGB. Convert the image")
    return np.asarray(image, np.uint8)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from error


def _class_names(folder: Path) -> tuple[str, ...]:
    names = tuple(path.name for path in _folders(folder))
    if len(names) < 2:
        raise DataError(f"{folder}: {len(names)} folders; expected one folder of images a class, at least two")
    return names


def _listing(folder: Path, names: tuple[str, ...]) -> _Listing:
    unknown = sorted({path.name for path in _folders(folder)} - set(names))
    if unknown:
        raise DataError(f"{folder}: class {unknown[0]!r} is not among the training classes {', '.join(names)}")
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        files = _image_files(folder / name) if (folder / name).is_dir() else []
        paths += files
        labels += [label] * len(files)
    if not paths:
        raise DataError(f"{folder}: no images in the folders of its classes; expected files ending in {_ENDINGS}")
    return _Listing(tuple(paths), np.asarray(labels, np.int32))


def _image_files(folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from error
    for path in files:
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            raise DataError(f"{path}: not an image; expected only files ending in {_ENDINGS}. {_advice(path)}")
    return files


_ENDINGS = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"


def _advice(path: Path) -> str:
    if path.suffix.lower() in (".gif", ".tif", ".tiff", ".avif", ".heic"):
        return "Convert it to PNG"
    return "Move it elsewhere"


def _stack(paths: Sequence[Path], first: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = len(paths) * first.size
    if size > MAX_ARRAY_BYTES:
        raise DataError(
            f"{paths[0].parent.parent}: {len(paths)} images of {first.shape} take {human(size)}; at most "
            f"{human(MAX_ARRAY_BYTES)} are read into memory. Convert them to .npy files, which are memory-mapped"
        )
    stacked = np.empty((len(paths), *first.shape), np.uint8)
    for index, path in enumerate(paths):
        pixels = read_image(path)
        if pixels.shape != first.shape:
            raise DataError(
                f"{path}: {_words(pixels)}, but the first image is {_words(first)}; expected all images alike"
            )
        stacked[index] = pixels
    return stacked


def _words(pixels: NDArray[np.uint8]) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} {'grey' if pixels.ndim == 2 else 'colour'}"
