"""Converts any picture to one like those of the data, and lists each step in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.builtin import MNIST
from paribus.errors import DataError
from paribus.predict.picture_format import PictureFormat, border_value

if TYPE_CHECKING:
    from PIL import Image

Grey = NDArray[np.float64]

MNIST_BOX = 20
"""MNIST's authors scaled every digit into 20 x 20 pixels and put its centre of mass into the middle of 28 x 28."""

INK = 0.25
"""Pixels that differ from the background by this share of the strongest ink count as ink, when a digit is cut out."""


def convert_picture(
    pixels: NDArray[np.uint8], format: PictureFormat, source: str, invert: bool | None = None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """A picture as the data would have it.

    Args:
        pixels: shape ``(height, width)`` for grey, ``(height, width, 3)`` for colour; black is 0 and white is 255.
        format: the format of the data's pictures.
        source: what errors call it.
        invert: whether black and white change places; None leaves that to the rule: where the data is grey on a plain
            background, and the picture's border shows that it has the other one.

    Returns:
        The example, of the data's shape and kind of numbers; and what was done, in words.

    Raises:
        DataError: nothing stands out from the background.
    """
    notes: list[str] = []
    picture = _match_colour(pixels, format, notes).astype(np.float64)
    if invert if invert is not None else _has_other_background(picture, format):
        picture = 255 - picture
        why = (
            "as asked"
            if invert
            else f"its border is {'bright' if format.background == 'dark' else 'dark'}er than the rest"
        )
        reason = "" if format.background is None else f", and {format.name} has a {format.background} background"
        notes.append(f"inverted ({why}{reason})")
    picture = _match_size(picture, format, source, notes)
    if format.top != 255:
        picture = picture * (format.top / 255)
        notes.append(f"values 0 to 255 brought to 0 to {format.top:g}")
    if format.whole:
        return np.rint(picture).clip(0, format.top).astype(np.uint8).reshape(format.shape), tuple(notes)
    return picture.astype(np.float32).reshape(format.shape), tuple(notes)


def _match_colour(pixels: NDArray[np.uint8], format: PictureFormat, notes: list[str]) -> NDArray[np.uint8]:
    if pixels.ndim == 3 and not format.colour:
        notes.append("colour turned to grey")
        return np.asarray(_image(pixels).convert("L"))
    if pixels.ndim == 2 and format.colour:
        notes.append("grey repeated in three channels")
        return np.repeat(pixels[:, :, None], 3, axis=2)
    return pixels


def _has_other_background(picture: Grey, format: PictureFormat) -> bool:
    if format.background is None:
        return False
    edge, whole = border_value(picture), float(picture.mean())
    return edge > whole if format.background == "dark" else edge < whole


def _match_size(picture: Grey, format: PictureFormat, source: str, notes: list[str]) -> Grey:
    height, width = format.shape[:2]
    size = f"{picture.shape[1]} x {picture.shape[0]}"
    if picture.shape[:2] == (height, width):
        return picture
    if format.fingerprint == MNIST.fingerprint:
        notes.append(
            f"{size} pixels: the ink cut out, scaled into {MNIST_BOX} x {MNIST_BOX} and put into {width} x {height} "
            "by its centre of mass, as MNIST was made"
        )
        return _fit_like_mnist(picture, source)
    padded = _pad(picture, width / height)
    how = "resized" if padded.shape == picture.shape else "padded and resized"
    notes.append(f"{how} from {size} to {width} x {height}")
    return _resize(padded, width, height)


def _fit_like_mnist(picture: Grey, source: str) -> Grey:
    """A light digit on a dark background, as MNIST has them (http://yann.lecun.com/exdb/mnist, "details")."""
    ink = (picture - border_value(picture)).clip(0)
    # The noise of a photograph is no ink: the strongest pixels are left out.
    strongest = float(np.percentile(ink, 99.9))
    if strongest < 16:
        raise DataError(f"{source}: nothing stands out from its background; expected a digit")
    ink = (ink / strongest * 255).clip(0, 255)
    marked = ink > INK * 255
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share = MNIST_BOX / max(cut.shape)
    small = _resize(cut, max(1, round(cut.shape[1] * share)), max(1, round(cut.shape[0] * share)))
    made = np.zeros((28, 28))
    top, left = (_start(small, axis) for axis in (0, 1))
    made[top : top + small.shape[0], left : left + small.shape[1]] = small
    return made


def _start(small: Grey, axis: int) -> int:
    """The first pixel of a digit along an axis of 28 pixels, so that its centre of mass is at 14."""
    mass = small.sum(axis=1 - axis)
    centre = float((mass * (np.arange(len(mass)) + 0.5)).sum() / mass.sum())
    return int(np.clip(round(14 - centre), 0, 28 - len(mass)))


def _pad(picture: Grey, ratio: float) -> Grey:
    """Pad on two sides, with the colour of the border, to a ratio of width to height."""
    height, width = picture.shape[:2]
    more = (max(0, round(width / ratio) - height), max(0, round(height * ratio) - width))
    sides = [(pixels // 2, pixels - pixels // 2) for pixels in more]
    layers = picture[:, :, None] if picture.ndim == 2 else picture
    padded = [
        np.pad(layers[:, :, i], sides, constant_values=border_value(layers[:, :, i])) for i in range(layers.shape[2])
    ]
    return padded[0] if picture.ndim == 2 else np.stack(padded, axis=2)


def _resize(picture: Grey, width: int, height: int) -> Grey:
    """Resize with anti-aliasing, by Pillow's Lanczos filter."""
    from PIL import Image

    pixels = np.rint(picture).clip(0, 255).astype(np.uint8)
    return np.asarray(_image(pixels).resize((width, height), Image.Resampling.LANCZOS)).astype(np.float64)


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    from PIL import Image

    return Image.fromarray(pixels)
