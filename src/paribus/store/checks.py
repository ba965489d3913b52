"""The rules for what a store may be asked to hold, checked before anything is written."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from paribus.errors import StoreError
from paribus.records import Predictions, RunResult, Seeds
from paribus.store.base import Judgement, StoredArm

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_SEED_LIMIT = 2**63
_PREDICTIONS = (("predicted", "int32"), ("confidence", "float32"), ("true_probability", "float32"))


def is_fingerprint(text: str) -> bool:
    """Whether this is 64 lower-case hexadecimal digits."""
    return _FINGERPRINT.fullmatch(text) is not None


def check_fingerprint(fingerprint: str) -> None:
    """Check that a text is a fingerprint; names of files are made of it.

    Raises:
        StoreError: it is not 64 lower-case hexadecimal digits.
    """
    if not is_fingerprint(fingerprint):
        raise StoreError(f"fingerprint {fingerprint!r}: a fingerprint is 64 lower-case hexadecimal digits (a sha256)")


def check_seeds(seeds: Seeds) -> None:
    """Check that every store can hold these seeds.

    Raises:
        StoreError: one of them is not in [-2**63, 2**63).
    """
    for name, seed in (("init", seeds.init), ("order", seeds.order), ("dropout", seeds.dropout)):
        if not -_SEED_LIMIT <= seed < _SEED_LIMIT:
            raise StoreError(f"{name} seed {seed}: a store holds seeds in [-2**63, 2**63); choose a smaller one")


def storable(result: RunResult) -> RunResult:
    """The run as stores keep it: lone surrogates (undecodable bytes of a dead worker's last line) are spelled out.

    Args:
        result: the run as a backend ended it.

    Raises:
        StoreError: its fingerprint, seeds or predictions are not what :class:`paribus.store.base.Store` allows.
    """
    check_fingerprint(result.fingerprint)
    check_seeds(result.seeds)
    if result.predictions is not None:
        check_predictions(result.predictions)
    if result.reason is None:
        return result
    return replace(result, reason=result.reason.encode("utf-8", "backslashreplace").decode("utf-8"))


def check_predictions(predictions: Predictions) -> None:
    """Check the dtypes and shapes of predictions.

    Raises:
        StoreError: they are not what ``records.Predictions`` says.
    """
    arrays = [(name, getattr(predictions, name), kind) for name, kind in _PREDICTIONS]
    sizes = {array.shape for _, array, _ in arrays}
    wrong = [f"{name} is {array.dtype}, not {kind}" for name, array, kind in arrays if array.dtype != kind]
    if wrong or len(sizes) != 1 or len(next(iter(sizes))) != 1:
        shapes = ", ".join(str(size) for size in sorted(sizes))
        raise StoreError(f"predictions: {'; '.join(wrong) or 'shapes ' + shapes}; all have shape (examples,)")


def check_arms(arms: Sequence[StoredArm]) -> None:
    """Check that every store can hold these arms.

    Raises:
        StoreError: a fingerprint or a seed of an arm is not one.
    """
    for arm in arms:
        for run in arm.runs:
            check_fingerprint(run.fingerprint)
            check_seeds(run.seeds)


def check_seed_numbers(seeds: int | None, first_seed: int) -> None:
    """Check the number of seeds that a study asks for.

    Args:
        seeds: how many; None where that is not known.
        first_seed: the first of them.

    Raises:
        StoreError: there are fewer than one, or the first one is not in [0, 2**63).
    """
    if not 0 <= first_seed < _SEED_LIMIT:
        raise StoreError(f"first seed {first_seed}: it must be in [0, 2**63); choose a smaller one")
    if seeds is not None and not 1 <= seeds < _SEED_LIMIT:
        raise StoreError(f"{seeds} seeds: a study asks for at least one")


def check_judgements(judgements: Sequence[Judgement]) -> None:
    """Check the numbers and shares of judgements.

    Raises:
        StoreError: they are not what :class:`paribus.store.base.Judgement` says.
    """
    for judgement in judgements:
        check_anchor(judgement.anchor)
        if judgement.seeds < 1 or not (judgement.look is None or judgement.look >= 1):
            raise StoreError(f"{judgement}: seeds and looks are counted from 1")
        if not (math.isfinite(judgement.share) and 0 < judgement.share <= 1):
            raise StoreError(f"{judgement}: a share of the error must be in (0, 1]")


def check_anchor(anchor: str) -> None:
    """Check that a text can be the name of a statement.

    Raises:
        StoreError: it is not 64 lower-case hexadecimal digits.
    """
    if not _FINGERPRINT.fullmatch(anchor):
        raise StoreError(f"anchor {anchor!r}: it is 64 lower-case hexadecimal digits (a sha256)")
