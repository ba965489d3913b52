"""What an epoch of an arm must compute: its matrix products and the optimizer's passes over memory. Pure."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BYTES = 4
WORDS = {"Adam": 7, "SGD": 5}
"""Words an optimizer reads and writes for each parameter: weights, gradient, and one moment (SGD) or two (Adam)."""

ARRAYS = {"Adam": 4, "SGD": 3}
"""Arrays of the weights' size that it goes through."""


@dataclass(frozen=True, slots=True, order=True)
class Product:
    """One matrix product of a Dense layer: ``forward``, ``inputs`` (gradient of its inputs) or ``weights``."""

    kind: str
    batch: int
    width: int
    units: int

    @property
    def operations(self) -> int:
        """Multiplications and additions."""
        return 2 * self.batch * self.width * self.units


def products(widths: Sequence[int], batch: int) -> Counter[Product]:
    """The products of one step of a dense network with these widths, inputs first; the data needs no gradient."""
    counts: Counter[Product] = Counter()
    for number, (width, units) in enumerate(itertools.pairwise(widths)):
        counts[Product("forward", batch, width, units)] += 1
        counts[Product("weights", batch, width, units)] += 1
        if number:
            counts[Product("inputs", batch, width, units)] += 1
    return counts


def parameters(widths: Sequence[int]) -> int:
    """Kernels and biases."""
    return sum((width + 1) * units for width, units in itertools.pairwise(widths))


def footprint(widths: Sequence[int], optimizer: str) -> int:
    """Bytes that the optimizer goes through each step."""
    return ARRAYS[optimizer] * BYTES * parameters(widths)


@dataclass(frozen=True, slots=True)
class Floor:
    """Seconds an epoch: of the matrix products, and of the optimizer's memory traffic."""

    products: float
    optimizer: float

    @property
    def seconds(self) -> float:
        """Both, one after the other."""
        return self.products + self.optimizer


def floor(
    widths: Sequence[int], optimizer: str, batch: int, steps: int, seconds: Mapping[Product, float], rate: float
) -> Floor:
    """From the seconds of one product of each kind and the memory's rate (bytes a second) at this footprint."""
    of_step = sum(count * seconds[product] for product, count in products(widths, batch).items())
    traffic = WORDS[optimizer] * BYTES * parameters(widths)
    return Floor(steps * of_step, steps * traffic / rate)


def fastest(by_library: Mapping[str, Mapping[Product, float]]) -> dict[Product, tuple[float, str]]:
    """For each product the least seconds that any library takes, and which one."""
    best: dict[Product, tuple[float, str]] = {}
    for library, times in by_library.items():
        for product, seconds in times.items():
            if product not in best or seconds < best[product][0]:
                best[product] = (seconds, library)
    return best
