"""Where an arm's noise comes from: runs in which one stream varies and the others are held at seed 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from paribus.analysis.noise import NoiseShares
from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.errors import UsageError
from paribus.records import Seeds, StudyKind
from paribus.results.noise import STREAMS, counts, shares_of_arm
from paribus.runner.run import compute_request, resolve_request
from paribus.store.base import Store, StoredArm, StoredRun
from paribus.study.document import StudyDocument


def measure_noise(
    study: StudyDocument,
    arm: str,
    runs: int,
    store: Store,
    backend: Backend,
    display: Display,
    *,
    stored_as: str | None = None,
) -> NoiseShares:
    """Train what is missing for ``runs`` runs a stream, and split the variance of the arm's test accuracy.

    Raises:
        UsageError: fewer than 2 runs a stream, or an estimator without any randomness.
    """
    if runs < 2:
        raise UsageError(f"--seeds {runs}: a variance needs at least 2 runs a stream (5 or more are better)")
    asked = resolve_request(study, store, backend, display, stored_as=stored_as, arms=[arm])
    recipe = asked.recipes[arm]
    if not recipe.seeded:
        raise UsageError(
            f"arm '{arm}': {recipe.kind} draws nothing at random here, so that all seeds are one run and there is no "
            "noise to share out; ask for the noise of another arm"
        )
    streams = [stream for stream in STREAMS if counts(stream, recipe)]
    request = replace(asked, kind=StudyKind.NOISE, seeds=tuple(_design(streams, runs)))
    compute_request(request, store, backend, display)
    runs_of_arm = tuple(StoredRun(job.seeds, job.fingerprint) for job in request.jobs())
    return shares_of_arm(study, request.data, StoredArm(arm, recipe, runs_of_arm), store)


def _design(streams: Iterable[str], runs: int) -> Iterable[Seeds]:
    """Every stream varied by itself around seed 0; the run with all seeds 0 belongs to every stream."""
    base = dict.fromkeys(STREAMS, 0)
    wanted = [Seeds(**{**base, stream: seed}) for stream in streams for seed in range(runs)]
    return dict.fromkeys(wanted)
