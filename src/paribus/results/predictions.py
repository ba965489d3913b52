"""A cache of predictions: a file is read and hashed when its run is first needed."""

from __future__ import annotations

from collections import OrderedDict

from paribus.records import Predictions
from paribus.store.base import Store

MAX_BYTES = 256 << 20
"""Bytes of predictions that stay in memory; beyond them the least recently used are dropped."""


class PredictionCache:
    """The predictions of stored runs by fingerprint; a call reads what is not in memory.

    Args:
        store: holds the runs.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: OrderedDict[str, Predictions] = OrderedDict()
        self._bytes = 0

    def __call__(self, fingerprint: str) -> Predictions:
        """The predictions of a run on the test split.

        Raises:
            StoreError: there is no such run, it has no predictions, or they were damaged since they were written.
        """
        if fingerprint in self._read:
            self._read.move_to_end(fingerprint)
            return self._read[fingerprint]
        predictions = self._store.predictions(fingerprint)
        self._read[fingerprint] = predictions
        self._bytes += _size(predictions)
        while self._bytes > MAX_BYTES and len(self._read) > 1:
            self._bytes -= _size(self._read.popitem(last=False)[1])
        return predictions


def _size(predictions: Predictions) -> int:
    return predictions.predicted.nbytes + predictions.confidence.nbytes + predictions.true_probability.nbytes
