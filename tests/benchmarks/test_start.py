"""The time until training begins: read from the ends of the epochs."""

from __future__ import annotations

import pytest

from benchmarks.start import until_training


def test_the_first_epoch_is_taken_off_at_the_length_of_the_second() -> None:
    line = {"epoch_ends": [[120.0, 126.0], [118.0, 123.0]], "processor_ends": [[30.0, 41.0], [28.0, 37.0]]}
    assert until_training(line, 100.0) == pytest.approx({"seconds": 13.0, "processor_seconds": 19.0})
