"""Runs that have ended and are not stored yet: they are committed together, and only then displayed."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final, final

from paribus.display.base import Display
from paribus.records import Ended
from paribus.store.base import Store

MOST: Final = 128
"""Runs in one commit; with more the medium is no faster, and an interruption costs more."""

MOST_BYTES: Final = 64 << 20
"""Bytes of weights after which a commit is due: large networks are not collected in memory."""

PATIENCE: Final = 0.5
"""Seconds that a run waits for others to be committed with."""


@final
class Recorder:
    """Collects the runs that end while others do; whoever adds them decides with ``is_due`` when to commit."""

    def __init__(self, store: Store, display: Display) -> None:
        """``store`` records the runs, ``display`` shows each once it is recorded."""
        self._store = store
        self._display = display
        self._runs: list[Ended] = []
        self._bytes = 0
        self._since = 0.0

    def add(self, run: Ended) -> None:
        """Keep a run that has ended until the next ``commit``.

        Args:
            run: the run and its result.
        """
        if not self._runs:
            self._since = time.monotonic()
        self._runs.append(replace(run, result=replace(run.result, ended=time.time())))
        self._bytes += sum(weight.nbytes for weight in (run.result.weights or {}).values())

    @property
    def is_empty(self) -> bool:
        """Whether no run waits."""
        return not self._runs

    @property
    def is_due(self) -> bool:
        """Whether the runs must not wait for others any longer."""
        waited = bool(self._runs) and time.monotonic() - self._since >= PATIENCE
        return len(self._runs) >= MOST or self._bytes >= MOST_BYTES or waited

    def commit(self) -> None:
        """Store the runs with one commit, then show them.

        Raises:
            StoreError: they could not be stored; they are not tried again.
        """
        runs, self._runs, self._bytes = self._runs, [], 0
        if runs:
            self._store.record(*(run.result for run in runs))
        for run in runs:
            self._display.show(run)

    def close(self) -> None:
        """Commit what is left, also after an interruption."""
        self.commit()
