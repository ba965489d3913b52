"""Time matrix products and a triad on one core, with one library. Runs in the peers' environment.

Reads ``{"products": [[kind, batch, width, units], ...], "footprints": [bytes, ...]}`` on stdin and prints seconds a
product and bytes a second, one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SECONDS = 0.012
CHUNKS = 15


def least(call: Callable[[int], object]) -> float:
    """Seconds a call: the least over some chunks, each of about ``SECONDS``; ``call(n)`` calls n times."""
    call(3)
    count = 1
    while True:
        started = time.perf_counter()
        call(count)
        if (taken := time.perf_counter() - started) > SECONDS / 4 or count > 10**6:
            break
        count *= 4
    count = max(1, round(count * SECONDS / taken))
    chunks = []
    for _ in range(CHUNKS):
        started = time.perf_counter()
        call(count)
        chunks.append((time.perf_counter() - started) / count)
    return min(chunks)


def operands(kind: str, batch: int, width: int, units: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Both sides as a training step has them in memory, transposed views included."""
    generator = np.random.default_rng(0)
    x, w, dy = (generator.standard_normal(s, np.float32) for s in ((batch, width), (width, units), (batch, units)))
    return {"forward": (x, w), "inputs": (dy, w.T), "weights": (x.T, dy)}[kind]


def with_numpy(a: Any, b: Any, precision: str) -> Callable[[int], object]:
    if precision != "float32":
        raise SystemExit("NumPy has no bf16")
    out = np.empty((a.shape[0], b.shape[1]), np.float32)

    def call(count: int) -> None:
        for _ in range(count):
            np.dot(a, b, out=out)

    return call


def with_torch(a: Any, b: Any, precision: str) -> Callable[[int], object]:
    import torch

    torch.set_num_threads(1)
    kind = torch.float32 if precision == "float32" else torch.bfloat16
    # A transposed view stays one.
    left, right = (torch.from_numpy(np.ascontiguousarray(m.T)).to(kind).T if m.flags.f_contiguous
                   else torch.from_numpy(m).to(kind) for m in (a, b))  # fmt: skip
    out = torch.empty((a.shape[0], b.shape[1]), dtype=kind)

    def call(count: int) -> None:
        with torch.inference_mode():
            for _ in range(count):
                torch.mm(left, right, out=out)

    return call


def with_jax(a: Any, b: Any, precision: str) -> Callable[[int], object]:
    import jax
    import jax.numpy as jnp

    flipped = [m.flags.f_contiguous for m in (a, b)]
    kind = jnp.float32 if precision == "float32" else jnp.bfloat16
    left, right = (jnp.asarray(m.T if f else m, kind) for m, f in zip((a, b), flipped, strict=True))

    @jax.jit
    def loop(count: Any, left: Any, right: Any) -> Any:
        def body(_: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
            at, _ = carry
            x, y = (m.T if f else m for m, f in zip((at, right), flipped, strict=True))
            product = jnp.matmul(x, y, preferred_element_type=jnp.float32)
            # The next product depends on this one, or it would be computed once.
            return at.at[0, 0].set((product[0, 0] * 1e-30).astype(kind)), product

        first = jnp.zeros((a.shape[0], b.shape[1]), jnp.float32)
        return jax.lax.fori_loop(0, count, body, (left, first))[1]

    return lambda count: loop(count, left, right).block_until_ready()


def triad(footprint: int) -> float:
    """Bytes a second of ``a = b + s * c`` over three arrays that fill the footprint: two are read, one written."""
    import torch

    torch.set_num_threads(1)
    a, b, c = (torch.ones(footprint // 12) for _ in range(3))

    def call(count: int) -> None:
        with torch.inference_mode():
            for _ in range(count):
                torch.add(b, c, alpha=1.5, out=a)

    return 12 * (footprint // 12) / least(call)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", choices=("numpy", "torch", "jax"), required=True)
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32")
    options = parser.parse_args()
    request = json.load(sys.stdin)
    multiply = {"numpy": with_numpy, "torch": with_torch, "jax": with_jax}[options.library]
    seconds = [least(multiply(*operands(*product), options.precision)) for product in request["products"]]
    answer: dict[str, object] = {"seconds": seconds}
    if options.library == "torch" and options.precision == "float32":
        answer["rates"] = [triad(footprint) for footprint in request["footprints"]]
    if options.library == "numpy":
        from threadpoolctl import threadpool_info

        answer["blas"] = [f"{one['internal_api']} {one.get('architecture')}" for one in threadpool_info()]
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
