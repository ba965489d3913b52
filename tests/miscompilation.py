"""A program that jaxlib 0.10.2 compiles wrongly with its default CPU flags (jax issue 39103).

A vmapped matrix-vector product followed by a reduction, over more than 32,768 rows of a width that is no power of two:
the rows above 32,768 come out wrong. Run as a script it prints how many rows are wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SHAPES = ((32_769, 3), (40_000, 3), (40_000, 16))


def wrong_rows(rows: int, width: int) -> int:
    """How many rows the compiled program gets wrong, compared with NumPy in float64."""
    import jax
    import jax.numpy as jnp

    def squared_length(matrix: Any, row: Any) -> Any:
        return jnp.sum((matrix @ row) ** 2)

    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(width, width)).astype(np.float32)
    x = generator.normal(size=(rows, width)).astype(np.float32)
    found = np.asarray(jax.jit(jax.vmap(squared_length, in_axes=(None, 0)))(matrix, x))
    expected = np.sum((x.astype(np.float64) @ matrix.T.astype(np.float64)) ** 2, axis=1)
    return int(np.sum(~np.isclose(found, expected, rtol=1e-4, atol=1e-5)))


if __name__ == "__main__":
    print(sum(wrong_rows(*shape) for shape in SHAPES))
