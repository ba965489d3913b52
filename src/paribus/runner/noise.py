"""Measuring the noise of an arm: runs in which one stream varies and the others have seed 0 (decisions 0014, 0053)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from paribus.analysis.noise import NoiseShares
from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.errors import UsageError
from paribus.records import Seeds, StudyKind
from paribus.results.noise import STREAMS, compute_shares, uses_stream
from paribus.runner.run import compute_request, resolve_request
from paribus.store.base import Store, StoredArm, StoredRun
from paribus.study.document import StudyDocument
from paribus.study.fold_rules import refuse_folds


def measure_noise(
    study: StudyDocument,
    arm: str,
    runs_per_stream: int,
    store: Store,
    backend: Backend,
    display: Display,
    *,
    stored_as: str | None = None,
) -> NoiseShares:
    """Train the missing runs of each stream, and divide the variance of the arm's test accuracy among the sources.

    Args:
        study: the study that the arm belongs to.
        arm: the name of the arm.
        runs_per_stream: the number of runs in which each stream is varied, at least 2.
        store: holds the runs.
        backend: computes the missing ones.
        display: shows the progress.
        stored_as: the name under which the runs are stored, if not the study's (see ``study.identity``).

    Returns:
        The share of each stream and of the test sample.

    Raises:
        UsageError: fewer than 2 runs a stream, a study with folds, or an estimator without any randomness.
        ModelError, DataError, StoreError, BackendError: as :func:`paribus.runner.run.run_study`.
    """
    if runs_per_stream < 2:
        raise UsageError(f"--seeds {runs_per_stream}: a variance needs at least 2 runs a stream (5 or more are better)")
    refuse_folds(
        study,
        "noise: every fold has a training part of its own, whose share of the variance would be taken for the streams'",
        'ask what seeds do within the folds with two seeds or more and scope = "these training sets"',
    )
    resolved = resolve_request(study, store, backend, display, stored_as=stored_as, arms=[arm])
    recipe = resolved.recipes[arm]
    if not recipe.seeded:
        raise UsageError(
            f"arm '{arm}': {recipe.kind} draws nothing at random, so that all seeds are one run and have no noise; "
            "name another arm"
        )
    streams = [stream for stream in STREAMS if uses_stream(stream, recipe)]
    request = replace(resolved, kind=StudyKind.NOISE, seeds=tuple(_list_seeds(streams, runs_per_stream)))
    compute_request(request, store, backend, display)
    runs_of_arm = tuple(StoredRun(job.seeds, job.fingerprint) for job in request.jobs())
    return compute_shares(study, request.data, StoredArm(arm, recipe, runs_of_arm), store)


def _list_seeds(streams: Iterable[str], runs_per_stream: int) -> Iterable[Seeds]:
    """List the seeds that vary one stream around seed 0; the run with all seeds 0 belongs to every stream."""
    base = dict.fromkeys(STREAMS, 0)
    seeds = [Seeds(**{**base, stream: seed}) for stream in streams for seed in range(runs_per_stream)]
    return dict.fromkeys(seeds)
