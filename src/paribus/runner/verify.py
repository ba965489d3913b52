"""Verifying a store or a report: runs drawn at random are computed again and compared (decision 0100).

In the environment that a run was computed in its bits must come out again. In another one they need not: there the test
accuracy may differ by as much as two seeds of the arm do, which is what other arithmetic makes of a run at most.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path
from random import Random

import numpy as np
from scipy import special

from paribus.backends.base import Backend
from paribus.engine.digest import weights_digest
from paribus.errors import StoreError, UsageError
from paribus.keras_config.custom_objects import Imports
from paribus.records import Ended, Predictions, RunResult
from paribus.runner.claims import Claim, Claims, Unverifiable, claimed_arrays

LEVEL = 0.99
"""A difference between two seeds of an arm is smaller than what counts as usual in this share of cases."""


class Agreement(StrEnum):
    """What came out when a run was computed again."""

    SAME_BITS = "same bits"
    OTHER_BITS = "other bits"
    USUAL = "other bits, as usual in another environment"
    UNUSUAL = "another score than is usual in another environment"
    UNKNOWN = "undecided"


HOLDS = (Agreement.SAME_BITS, Agreement.USUAL)


@dataclass(frozen=True, slots=True)
class Check:
    """A run that was computed again.

    Attributes:
        claim: what was claimed.
        run: what came out.
        agreement: how both compare.
        parts: what differs: status, weights, weights digest, predictions, scores, curves, or what is damaged.
        usual: the largest difference of test accuracy that counts as usual; None where bits are compared, or where
            fewer than two seeds are claimed of the arm.
        explanation: a sentence, where one is needed.
    """

    claim: Claim
    run: RunResult
    agreement: Agreement
    parts: tuple[str, ...] = ()
    usual: float | None = None
    explanation: str = ""

    @property
    def difference(self) -> float | None:
        """Test accuracy here minus the claimed one."""
        here, claimed = self.run.scores, self.claim.run.scores
        return None if here is None or claimed is None else here.test_accuracy - claimed.test_accuracy


@dataclass(frozen=True, slots=True)
class Verification:
    """What came out when drawn runs were computed again.

    Attributes:
        runs: the number of runs that are claimed and could be checked.
        checks: the runs that were drawn, each compared with its claim.
        unverifiable: the claims that cannot be checked here, with the reason.
    """

    runs: int
    checks: tuple[Check, ...]
    unverifiable: tuple[Unverifiable, ...]

    @property
    def fails(self) -> bool:
        """Whether a run is not what was claimed."""
        return any(check.agreement in (Agreement.OTHER_BITS, Agreement.UNUSUAL) for check in self.checks)

    @property
    def holds(self) -> bool:
        """Whether every checked run is what was claimed."""
        return bool(self.checks) and all(check.agreement in HOLDS for check in self.checks)


def trust_code(files: Sequence[Path], claims: Claims) -> tuple[Imports, Claims]:
    """What workers import, and the claims that can be checked with it: code that is not trusted is not run.

    Args:
        files: Python files that the user trusts.
        claims: the claims; those that need other code become unverifiable.

    Raises:
        UsageError: a file cannot be read, or no run was computed with it.
    """
    digests: dict[str, Path] = {}
    for file in files:
        try:
            digests[hashlib.sha256(file.read_bytes()).hexdigest()] = file.resolve()
        except OSError as error:
            raise UsageError(f"--trust-code {file}: cannot be read: {error.strerror}") from error
        if file.suffix != ".py" or not file.stem.isidentifier():
            raise UsageError(f"--trust-code {file}: a Python file that can be imported is expected, such as layers.py")
    needed = frozenset().union(*(claim.code_digests for claim in claims.verifiable))
    if unused := [str(digests[digest]) for digest in digests if digest not in needed]:
        raise UsageError(
            f"--trust-code {', '.join(unused)}: no run was computed with this file as it is; take the file that came "
            "with the runs, unchanged"
        )
    verifiable = tuple(claim for claim in claims.verifiable if claim.code_digests <= digests.keys())
    refused = tuple(
        Unverifiable(
            claim.name,
            "it was computed with code of its own, which is not run unless you trust it: read the file, then name it "
            "with --trust-code",
        )
        for claim in claims.verifiable
        if not claim.code_digests <= digests.keys()
    )
    modules = tuple(sorted({path.stem for path in digests.values()}))
    folders = tuple(sorted({str(path.parent) for path in digests.values()}))
    return Imports(modules, folders), Claims(verifiable, (*claims.unverifiable, *refused))


def draw_claims(claims: Claims, count: int, random: Random) -> tuple[Claim, ...]:
    """Draw so many of the verifiable runs, all of them where there are fewer.

    Args:
        claims: the claims.
        count: how many are drawn.
        random: draws them.

    Raises:
        UsageError: ``count`` is below 1, or no run can be verified.
    """
    if count < 1:
        raise UsageError(f"--runs {count}: write 1 or more")
    if not claims.verifiable:
        reasons = "; ".join(dict.fromkeys(f"{run.name}: {run.reason}" for run in claims.unverifiable[:3]))
        raise UsageError(f"no run here can be computed again{f' ({reasons})' if reasons else ': none is stored'}")
    ordered = sorted(claims.verifiable, key=lambda claim: claim.run.fingerprint)
    return tuple(random.sample(ordered, min(count, len(ordered))))


def check_claims(
    claims: Claims, drawn: Sequence[Claim], backend: Backend, progress: Callable[[Check], None] | None = None
) -> Verification:
    """Compute runs again, and compare them with what is claimed. Nothing is stored.

    Args:
        claims: all claims.
        drawn: those to check.
        backend: computes the runs.
        progress: called with every run as soon as it is compared.

    Returns:
        Each drawn run with its claim, compared.

    Raises:
        BackendError: workers cannot be started.
        DataError: the data cannot be read.
    """
    waiting = {claim.job.fingerprint: claim for claim in drawn}
    checks: dict[str, Check] = {}
    with closing(backend.run([claim.job for claim in drawn])) as events:
        for event in events:
            if isinstance(event, Ended):
                name = event.job.fingerprint
                checks[name] = compare_run(waiting[name], event.result)
                if progress is not None:
                    progress(checks[name])
    return Verification(
        len(claims.verifiable), tuple(checks[claim.job.fingerprint] for claim in drawn), claims.unverifiable
    )


def compare_run(claim: Claim, run: RunResult) -> Check:
    """Compare a run with what is claimed of it.

    Args:
        claim: the claim.
        run: the run, computed here.
    """
    if run.scores is None:
        return Check(claim, run, Agreement.UNKNOWN, explanation=f"it failed here: {run.reason}")
    try:
        parts = tuple(_list_differences(claim, run))
    except StoreError as error:
        # What was damaged after it was written is not what was claimed, whatever the environment.
        return Check(claim, run, Agreement.OTHER_BITS, ("stored arrays",), explanation=str(error))
    if not parts:
        return Check(claim, run, Agreement.SAME_BITS)
    if claim.run.environment == run.environment:
        return Check(claim, run, Agreement.OTHER_BITS, parts)
    if inconsistent := _check_stored_arrays(claim):
        return Check(claim, run, Agreement.OTHER_BITS, parts, explanation=inconsistent)
    return _compare_scores(claim, run, parts)


def _compare_scores(claim: Claim, run: RunResult, parts: tuple[str, ...]) -> Check:
    """In another environment: whether the test accuracies are as near as those of two seeds."""
    assert run.scores is not None
    assert claim.run.scores is not None
    usual = usual_difference(claim.arm_scores)
    if usual is None:
        text = "it was computed in another environment, and one seed of its arm shows no spread to compare with"
        return Check(claim, run, Agreement.UNKNOWN, parts, explanation=text)
    difference = abs(run.scores.test_accuracy - claim.run.scores.test_accuracy)
    agreement = Agreement.USUAL if difference <= usual else Agreement.UNUSUAL
    return Check(claim, run, agreement, parts, usual)


def usual_difference(scores: Sequence[float]) -> float | None:
    """The largest usual difference between two runs of an arm, from the scores of its seeds; None of fewer than two.

    Two runs of different seeds differ by a normal of variance 2 s2: t(n - 1) * s * sqrt(2), at ``LEVEL``. A run that is
    computed elsewhere with the same seed has the same weights to begin with, and differs by less.
    """
    if len(scores) < 2:
        return None
    quantile = float(special.stdtrit(len(scores) - 1, (1 + LEVEL) / 2))
    return quantile * statistics.stdev(scores) * math.sqrt(2)


def _list_differences(claim: Claim, run: RunResult) -> list[str]:
    """The parts of a run in which it is not what is claimed, to the last bit."""
    claimed = claim.run
    differences = []
    if run.status is not claimed.status:
        differences.append("status")
    if run.weights_digest != claimed.weights_digest:
        differences.append("weights digest")
    if _spell(run) != _spell(claimed):
        differences.append("scores")
    arrays = claimed_arrays(claim)
    if arrays is None:
        return differences
    predictions, weights = arrays
    if weights is not None and not _equal_weights(weights, run.weights or {}):
        differences.append("weights")
    if run.predictions is None or not _equal_predictions(predictions, run.predictions):
        differences.append("predictions")
    if astuple(claimed.curve) != astuple(run.curve) and repr(claimed.curve) != repr(run.curve):
        differences.append("curves")
    return differences


def _check_stored_arrays(claim: Claim) -> str:
    """Why stored arrays cannot be those that were scored, whatever the environment; empty where they can."""
    arrays = claimed_arrays(claim)
    if arrays is None:
        return ""
    _, weights = arrays
    if weights is not None and weights_digest(weights) != claim.run.weights_digest:  # type: ignore[arg-type]
        return "the stored weights are not those of the stored digest"
    return ""


def _spell(run: RunResult) -> str:
    """Scores to the last bit; what a report cannot say (infinity) is nan in both."""
    assert run.scores is not None
    values = [*astuple(run.scores), *(value for _, value in sorted(run.metrics.items()))]
    return repr([value if math.isfinite(value) else math.nan for value in values])


def _equal_weights(first: Mapping[str, object], second: Mapping[str, object]) -> bool:
    return first.keys() == second.keys() and all(_equal(first[path], second[path]) for path in first)


def _equal_predictions(first: Predictions, second: Predictions) -> bool:
    names = ("predicted", "confidence", "true_probability")
    return all(_equal(getattr(first, name), getattr(second, name)) for name in names)


def _equal(first: object, second: object) -> bool:
    a, b = np.asarray(first), np.asarray(second)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
