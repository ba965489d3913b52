"""Inner products of independent normal vectors with thousands of entries, drawn without drawing the entries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def coordinates(vectors: int, freedom: int, draws: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Standard normal vectors in ``freedom`` dimensions, in an orthonormal basis of the space they span.

    Bartlett's (1933) decomposition: row j has j normal coordinates and then the root of a chi-square with freedom - j
    degrees of freedom. Inner products of the rows have the law of those of the full vectors.

    Returns:
        Shape ``(draws, vectors, vectors)``, lower triangular in the last two axes.
    """
    lower = np.tril(generator.standard_normal((draws, vectors, vectors)), -1)
    for row in range(vectors):
        lower[:, row, row] = np.sqrt(generator.chisquare(freedom - row, draws))
    return lower
