"""Folders of PNG and JPEG images, one folder a class."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paribus.data.dataset import Dataset, build
from paribus.data.limits import MAX_ARRAY_BYTES, MAX_IMAGE_PIXELS, human
from paribus.data.split import DEFAULT_TEST_FRACTION, mixed_order, stratified
from paribus.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg")
# What Pillow raises on broken files, found by feeding it mutated ones (tests/data/test_fuzz.py).
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded image.

    Attributes:
        pixels: uint8, shape (height, width) for grey and (height, width, 3) for colour.
        turned: whether it lies otherwise in its file, with a note of the camera (EXIF) that says how to hold it.
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


def read_folder(folder: Path, test_fraction: float | None = None) -> Dataset:
    """A data set from ``train/<class>/*.png`` and ``test/<class>/*.png``, or from ``<class>/*.png`` with a split.

    Classes are the training folders' names in alphabetical order. Images are PNG or JPEG, all of one size, all grey
    or all in colour; the examples are uint8 of shape (height, width) or (height, width, 3). Without ``train`` and
    ``test``, every class is split by :func:`paribus.data.split.stratified` over the files in order of their names.
    Training examples come in a mixed order. Images are turned as their camera noted (EXIF), as viewers show them.

    Raises:
        DataError: there are no such folders or images, an image is broken, too large, or unlike the first.
    """
    parts = {each.name: each for each in _folders(folder)}
    if set(parts) == {"train", "test"}:
        if test_fraction is not None:
            raise DataError(f"{folder}: has a test folder, so leave `test_fraction` out")
        names = _class_names(parts["train"])
        train, test = _listing(parts["train"], names), _listing(parts["test"], names)
        train = train.take(mixed_order(len(train.paths)))
    else:
        names = _class_names(folder)
        everything = _listing(folder, names)
        fraction = DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction
        chosen, held_out = stratified(everything.labels, fraction, str(folder))
        train, test = everything.take(chosen), everything.take(held_out)
    empty = [name for label, name in enumerate(names) if label not in train.labels]
    if empty:
        raise DataError(f"{folder}: class {empty[0]!r} has no training images; fill its folder or remove it")
    first = read_image(train.paths[0])
    return build(
        folder.resolve().name or "images",
        str(folder),
        x_train=_stack(train.paths, first),
        y_train=train.labels,
        x_test=_stack(test.paths, first),
        y_test=test.labels,
        class_names=names,
    )


def read_image(path: Path) -> NDArray[np.uint8]:
    """The pixels of one PNG or JPEG file, as :func:`read_picture` decodes it."""
    return read_picture(path).pixels


def read_picture(path: Path) -> Picture:
    """Decode one PNG or JPEG file, and turn it as its camera noted.

    Raises:
        DataError: the file cannot be read or decoded, is another format, is above 4096 x 4096 pixels, has 16 bits a
            channel, or is transparent somewhere.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        # Pillow warns about bombs when it reads the header; here a warning is a refusal.
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)  # of a camera's notes that are cut off
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                if image.width * image.height > MAX_IMAGE_PIXELS:
                    raise DataError(
                        f"{path}: {image.width} x {image.height} pixels; at most {MAX_IMAGE_PIXELS} are decoded"
                    )
                turned = _turned(image)
                return Picture(_pixels(turned or image, path), turned is not None)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{path}: more pixels than the {MAX_IMAGE_PIXELS} that are decoded: {error}") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: no PNG or JPEG image, whatever its name says") from error
    except BROKEN as error:
        raise DataError(f"{path}: cannot be decoded: {error}") from error


def _turned(image: Image) -> Image | None:
    """The image as its camera was held; None where it lies so already, or where no note of that can be read."""
    from PIL import ExifTags, Image

    # Not ImageOps.exif_transpose: it writes all notes anew, and fails on odd ones that have nothing to do with it.
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
        return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from error


def _class_names(folder: Path) -> tuple[str, ...]:
    names = tuple(each.name for each in _folders(folder))
    if len(names) < 2:
        raise DataError(f"{folder}: {len(names)} folders; expected one folder of images a class, at least two")
    return names


def _listing(folder: Path, names: tuple[str, ...]) -> _Listing:
    unknown = sorted({each.name for each in _folders(folder)} - set(names))
    if unknown:
        raise DataError(f"{folder}: class {unknown[0]!r} is not among the training classes {', '.join(names)}")
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        inside = _image_files(folder / name) if (folder / name).is_dir() else []
        paths += inside
        labels += [label] * len(inside)
    if not paths:
        raise DataError(f"{folder}: no images in the folders of its classes; expected files ending in .png or .jpg")
    return _Listing(tuple(paths), np.asarray(labels, np.int32))


def _image_files(folder: Path) -> list[Path]:
    try:
        files = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from error
    for each in files:
        if each.suffix.lower() not in SUFFIXES or not each.is_file():
            raise DataError(f"{each}: no image; expected only files ending in .png, .jpg or .jpeg. Move it elsewhere")
    return files


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
