"""A store that lives and dies with its process: for ``pb.compare`` without a folder, and for tests."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, final

from paribus.errors import StoreError
from paribus.records import DataSummary, Predictions, Recipe, RunResult, StudyKind
from paribus.store import base, checks
from paribus.store.base import Judgement, Store, StoredArm, StoredStudy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@final
class MemoryStore(Store):
    """Keeps the promises of ``Store`` for as long as the process lives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = True
        self._runs: dict[str, RunResult] = {}
        self._recipes: dict[str, Recipe] = {}
        self._studies: dict[tuple[str, StudyKind], StoredStudy] = {}
        self._judgements: dict[Judgement, None] = {}

    def record(self, *results: RunResult) -> None:
        """See ``Store.record``."""
        storable = [checks.storable(result) for result in results]
        with self._lock:
            self._check_open()
            for result in storable:
                old = self._runs.get(result.fingerprint)
                if old is None or base.gives_way(old.status, result.status):
                    weights = None if result.weights is None else dict(sorted(result.weights.items()))
                    self._runs[result.fingerprint] = replace(result, weights=weights)

    def runs(self, fingerprints: Sequence[str]) -> dict[str, RunResult]:
        """See ``Store.runs``."""
        for fingerprint in fingerprints:
            checks.check_fingerprint(fingerprint)
        with self._lock:
            self._check_open()
            asked = {fingerprint: self._runs.get(fingerprint) for fingerprint in fingerprints}
        return {key: replace(run, predictions=None, weights=None) for key, run in asked.items() if run is not None}

    def predictions(self, fingerprint: str) -> Predictions:
        """See ``Store.predictions``."""
        run = self._run(fingerprint)
        if run.predictions is None:
            raise base.without(fingerprint, run.status, "predictions")
        return run.predictions

    def weights(self, fingerprint: str) -> dict[str, NDArray[np.generic]]:
        """See ``Store.weights``."""
        run = self._run(fingerprint)
        if run.weights is None:
            raise base.without(fingerprint, run.status, "weights")
        return dict(run.weights)

    def recipe(self, key: str) -> Recipe | None:
        """See ``Store.recipe``."""
        with self._lock:
            self._check_open()
            return self._recipes.get(key)

    def save_recipe(self, key: str, recipe: Recipe) -> None:
        """See ``Store.save_recipe``."""
        with self._lock:
            self._check_open()
            self._recipes[key] = recipe

    def save_study(
        self,
        name: str,
        document: str,
        arms: Sequence[StoredArm],
        data: DataSummary | None = None,
        *,
        kind: StudyKind = StudyKind.STUDY,
        seeds: int | None = None,
        first_seed: int = 0,
    ) -> None:
        """See ``Store.save_study``."""
        checks.check_arms(arms)
        checks.check_seed_numbers(seeds, first_seed)
        with self._lock:
            self._check_open()
            new = StoredStudy(name, document, tuple(arms), data, kind, seeds, first_seed)
            self._studies[name, kind] = base.extended(self._studies.get((name, kind)), new)

    def rename_study(self, name: str, new_name: str, kind: StudyKind = StudyKind.STUDY) -> None:
        """See ``Store.rename_study``."""
        with self._lock:
            self._check_open()
            study = self._studies.pop((name, kind), None)
            if study is not None:
                self._studies[new_name, kind] = replace(study, name=new_name)

    def study(self, name: str, kind: StudyKind = StudyKind.STUDY) -> StoredStudy | None:
        """See ``Store.study``."""
        with self._lock:
            self._check_open()
            return self._studies.get((name, kind))

    def studies(self) -> tuple[StoredStudy, ...]:
        """See ``Store.studies``."""
        with self._lock:
            self._check_open()
            return tuple(self._studies[key] for key in sorted(self._studies))

    def record_judgements(self, judgements: Sequence[Judgement]) -> None:
        """See ``Store.record_judgements``."""
        checks.check_judgements(judgements)
        with self._lock:
            self._check_open()
            for judgement in judgements:
                self._judgements.setdefault(judgement)

    def judgements(self, anchors: Sequence[str]) -> tuple[Judgement, ...]:
        """See ``Store.judgements``."""
        for anchor in anchors:
            checks.check_anchor(anchor)
        with self._lock:
            self._check_open()
            return tuple(judgement for judgement in self._judgements if judgement.anchor in anchors)

    def close(self) -> None:
        """See ``Store.close``."""
        self._open = False

    def _run(self, fingerprint: str) -> RunResult:
        checks.check_fingerprint(fingerprint)
        with self._lock:
            self._check_open()
            run = self._runs.get(fingerprint)
        if run is None:
            raise base.no_run(fingerprint)
        return run

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError("this store was closed: open a new one")
