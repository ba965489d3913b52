from pathlib import Path

import pytest

from bad_inputs import BAD_INPUTS, BadInput
from data_files import GOOD_CSV, csv, idx_folder, images, npy_folder, npz
from paribus.data import load, summarize
from paribus.errors import ParibusError


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=lambda bad: bad.name)
def test_bad_input_is_refused_with_its_message(bad: BadInput, tmp_path: Path):
    spec = bad.make(tmp_path)
    for entry in (load, summarize):
        with pytest.raises(ParibusError) as caught:
            entry(spec)
        assert type(caught.value) is bad.error
        message = str(caught.value)
        assert bad.says in message
        # The source is always named, and the message stays readable.
        assert (spec.source or "''")[:20].rstrip("\0b") in message or str(tmp_path) in message
        assert len(message) < 6_000


def test_names_are_unique_and_there_are_enough():
    assert len({bad.name for bad in BAD_INPUTS}) == len(BAD_INPUTS) >= 40


def test_what_the_bad_inputs_are_made_from_is_good(tmp_path: Path):
    # Without this, a mistake in a generator would make every bad input "refused".
    for number, make in enumerate((idx_folder, npz(), npy_folder(), csv(GOOD_CSV), images())):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert load(make(folder)).classes == 2
