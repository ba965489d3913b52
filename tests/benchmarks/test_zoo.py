"""The zoo's arithmetic: ratios within a round, and processor seconds of one run."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.peers.contenders import processor_seconds
from benchmarks.zoo.networks import NETWORKS
from benchmarks.zoo.report import compared, table
from proof import zoo_bits


def entry(number: int, contender: str, seconds: float) -> dict[str, Any]:
    return {"round": number, "contender": contender, "arm": "lenet", "epoch_seconds": seconds, "foreign": 0.0}


def test_ratios_are_taken_within_a_round() -> None:
    entries = [
        entry(0, "paribus", 1.0),
        entry(0, "keras-jax", 2.0),
        entry(1, "paribus", 2.0),
        entry(1, "keras-jax", 6.0),
    ]
    entries += [entry(2, "keras-jax", 100.0), {**entry(0, "keras-torch", 9.0), "arm": "lstm"}]
    rows = compared(entries, "epoch_seconds")
    assert rows.keys() == {"lenet"}, "without paribus there is nothing to compare with"
    spread = rows["lenet"]["keras-jax"]
    assert (spread.median, spread.low, spread.high, spread.n) == (2.5, 2.0, 3.0, 2)
    assert table(rows).splitlines()[2] == "| lenet | 2.50 (2.00–3.00) |"


def test_processor_seconds_are_those_of_one_run() -> None:
    """Two workers' seconds are read together by the driver; a peer's process counts itself."""
    assert processor_seconds([{"processor_ends": [[1.0, 3.0, 5.0], [1.0, 3.0, 5.0]]}]) == pytest.approx(1.0)
    assert processor_seconds([{"processor_ends": [[1.0, 3.0]]}]) == pytest.approx(2.0)
    assert processor_seconds([{"processor_ends": [[1.0, 3.0]]}, {"processor_ends": [[2.0, 6.0]]}]) == pytest.approx(3.0)
    assert processor_seconds([{"epochs": [1.0]}]) is None


def test_the_proof_of_equal_bits_knows_every_network() -> None:
    assert set(zoo_bits.PARTS) == set(NETWORKS)
