"""``pb.load_results``: the stored results of a study, without computing anything."""

from __future__ import annotations

import os
from pathlib import Path

from paribus.api.results import Results
from paribus.api.study import Study
from paribus.results.stored_study import open_document, open_results
from paribus.store.sqlite import SqliteStore

DEFAULT_STORE = "paribus-runs"


def load_results(study: str | os.PathLike[str] | Study, store: str | os.PathLike[str] = DEFAULT_STORE) -> Results:
    """Open the results of a study that was run. Nothing is trained, and the store is only read.

    Args:
        study: the name under which it is stored, also that of a study written in Python; a ``.toml`` file; or a
            :class:`Study`.
        store: the folder of the runs.

    Returns:
        The answer of all stored runs, as ``Study.run`` returned it.

    Raises:
        UnknownNameError: nothing is stored of such a study; the message lists what is.
        UsageError: the study is not what was run under its name.
        StoreError: the store cannot be read.

    Example:
        >>> results = study.run(seeds=2, store=folder / "runs", progress=False)
        >>> loaded = pb.load_results("large-vs-small", folder / "runs")
        >>> repr(loaded) == repr(results)
        True
    """
    opened = SqliteStore.open(Path(store).expanduser(), mode="read")
    if isinstance(study, Study):
        results = open_document(study.document, opened)
        return Results(results.outcome(), opened, study, source=results)
    results = open_results(os.path.expanduser(os.fspath(study)), opened)  # noqa: PTH111 - it may be a name
    return Results(results.outcome(), opened, source=results)
