"""The digest of a run's final weights: two runs with equal digests are equal to the last bit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def weights_digest(weights: Mapping[str, NDArray[np.generic]]) -> str:
    """The digest of a network's weights, which names them in the store.

    Args:
        weights: arrays by path.

    Returns:
        The sha256, hexadecimal, over path, dtype, shape and little-endian bytes of every weight, in the order of paths.
    """
    digest = hashlib.sha256()
    for path in sorted(weights):
        value = np.ascontiguousarray(weights[path])
        digest.update(f"{path}\0{value.dtype.str}\0{value.shape}\0".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
