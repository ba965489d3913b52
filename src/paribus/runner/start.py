"""Starting workers before what they wait for is imported: this module imports next to nothing (decision 0145)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paribus.backends.base import Backend
    from paribus.store.base import Store
    from paribus.study.document import StudyDocument


def start_workers(
    study: StudyDocument,
    store: Store,
    backend: Backend,
    *,
    stored_as: str | None = None,
    arms: Sequence[str] = (),
    shards: int = 1,
) -> None:
    """Start workers while the data is read and the other modules are imported.

    None are started for a study that is stored already, as it may need none. Where ``shards`` machines share the study,
    one of them needs workers for its part alone. The other arguments are those of :func:`run_study`.
    """
    if store.study(stored_as or study.name) is None:
        selected = [study.arms[name] for name in arms or study.arms]
        seeds = math.ceil(study.seeds * study.data.runs_per_seed / shards)
        backend.warm_up(seeds * sum(arm.estimator is None for arm in selected))
