"""One shard of a study: its runs are computed and stored, and nothing is judged (decision 0098)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.records import RunResult, Seeds
from paribus.runner.run import compute_request, resolve_request
from paribus.store.base import Store
from paribus.study.document import StudyDocument
from paribus.study.request import StudyRequest
from paribus.study.shard import Shard


@dataclass(frozen=True, slots=True)
class ShardRun:
    """A run of a shard: its arm, its seeds, and its result, which is None where it was interrupted before it ended."""

    arm: str
    seeds: Seeds
    result: RunResult | None


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """A shard that was computed.

    Attributes:
        request: the request for the whole study, as it is stored.
        shard: which part of it was computed.
        seeds: the seeds of that part.
        runs: its runs, by arm and then by seed.
    """

    request: StudyRequest
    shard: Shard
    seeds: tuple[Seeds, ...]
    runs: tuple[ShardRun, ...]


def run_shard(
    study: StudyDocument,
    store: Store,
    backend: Backend,
    display: Display,
    shard: Shard,
    *,
    stored_as: str | None = None,
    arms: Sequence[str] = (),
) -> ShardOutcome:
    """Compute the missing runs of one shard. The whole study is stored as requested, so that shards can be merged.

    Args:
        study: as for :func:`paribus.runner.run.run_study`; so are the others.
        store: holds the runs.
        backend: computes the missing ones.
        display: shows the progress.
        shard: the part of the study.
        stored_as: the name under which the runs are stored.
        arms: only these are run.

    Returns:
        The shard with its runs; nothing is judged.

    Raises:
        UsageError: the study has fewer seeds than there are shards, or it is tuned and not all candidates are stored.
        ModelError: Keras refuses an arm; nothing was trained.
        DataError, StoreError, BackendError: as their names say; runs that have ended stay stored.
    """
    shard.check(study)
    request = resolve_request(study, store, backend, display, stored_as=stored_as, arms=arms, shard=shard)
    seeds = shard.select(study, request.data)
    request = compute_request(request, store, backend, display, only=seeds)
    jobs = [job for job in request.jobs() if job.seeds in seeds]
    results = store.runs([job.fingerprint for job in jobs])
    runs = tuple(ShardRun(job.arm, job.seeds, results.get(job.fingerprint)) for job in jobs)
    return ShardOutcome(request, shard, seeds, runs)
