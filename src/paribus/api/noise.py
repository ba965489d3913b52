"""The noise of an arm of stored results; missing runs are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paribus.api.progress import choose_display
from paribus.api.questions import Answer
from paribus.api.text import render_text
from paribus.backends.base import Backend
from paribus.errors import UsageError
from paribus.report.noise import shares_document, shares_table
from paribus.results.stored_study import StoredResults
from paribus.runner.noise import measure_noise
from paribus.runner.session import choose_backend, resume_session
from paribus.store.sqlite import SqliteStore


def measure_arm_noise(
    results: StoredResults,
    arm: str,
    seeds: int,
    backend: Backend | str | None,
    choice: Mapping[str, Any],
    *,
    progress: bool,
) -> Answer:
    """Measure the noise of an arm: the share of each source in the variance of its test accuracy.

    Args:
        results: the stored study.
        arm: the arm.
        seeds: runs in which each stream varies, 2 or more.
        backend: computes the runs instead of worker processes.
        choice: ``workers``, ``lanes`` and the ``address`` of a Ray cluster, as :func:`choose_backend` takes them.
        progress: whether to show progress.

    Raises:
        UsageError: fewer than 2 seeds.
        UnknownNameError: there is no such arm.
        DataError, StoreError, BackendError, InterruptedRunError: as :meth:`Study.run`.
    """
    if type(seeds) is not int or seeds < 2:
        raise UsageError(f"seeds={seeds!r}: a variance needs 2 or more runs a stream; 5 or more are better")
    document = results.document
    results.require_arm(arm)
    computing = choose_backend(document, backend, **choice)
    folder = results.store.folder if isinstance(results.store, SqliteStore) else None
    display = choose_display("auto", folder, progress=progress)
    with resume_session(results.store, computing) as store:
        shares = measure_noise(document, arm, seeds, store, computing, display, stored_as=results.request.stored_as)
    text = render_text(shares_table(document.name, arm, shares))
    return Answer(text, shares_document(document.name, arm, shares))
