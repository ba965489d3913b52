"""The networks of a study, held ready: their weights are in memory, and a program for one example is compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset
from paribus.errors import ModelError
from paribus.predict.arms import ArmPredictions, inference_of
from paribus.results.selection import RunSelection, SelectedRun
from paribus.study.document import StudyDocument

if TYPE_CHECKING:
    from paribus.engine.inference import NetworkInference, PlacedNetwork

MAX_BYTES: Final = 2 << 30
"""Weights that are held in memory at most."""


@dataclass
class _Arm:
    inference: NetworkInference
    networks: dict[str, tuple[int | None, PlacedNetwork]] = field(default_factory=dict)


class WarmPredictor:
    """Answers for one example at a time, without reading or compiling anything again.

    Keras is imported here; ``engine.environment.prepare`` must have been called.

    Args:
        document: the study, whose test split is fixed: every fold would be other data.
        data: its data, as loaded without ``flatten``.

    Attributes:
        problems: arms whose networks cannot be built here, with the reason.
        left_out: networks that were left out, as ``MAX_BYTES`` would be exceeded.
    """

    def __init__(self, document: StudyDocument, data: Dataset) -> None:
        self._build = inference_of(document, data)
        self._flatten = document.data.spec().flatten
        self._arms: dict[str, _Arm] = {}
        self._bytes = 0
        self.problems: dict[str, str] = {}
        self.left_out = 0

    def update(self, selection: RunSelection) -> None:
        """Add the finished networks of a selection that are not there yet.

        Raises:
            StoreError: weights are damaged.

        Args:
            selection: the study's runs, those that are here already included.
        """
        self.left_out = 0
        for selected in selection.networks:
            name = selected.arm.name
            if name in self.problems or selected.run.fingerprint in self._networks(name):
                continue
            if self._bytes > MAX_BYTES:
                self.left_out += 1
                continue
            try:
                self._add(selection, selected)
            except ModelError as error:
                self.problems[name] = str(error)

    def predict(self, example: NDArray[Any]) -> list[ArmPredictions]:
        """Every arm's predictions.

        Args:
            example: one example, as the data has it without ``flatten``.

        Returns:
            For each arm with a finished network the probabilities, (networks, 1, classes), and the predicted classes,
            by seed.
        """
        x = example[None].reshape(1, -1) if self._flatten else example[None]
        made = []
        for name, arm in self._arms.items():
            if not arm.networks:
                continue
            networks = sorted(arm.networks.values(), key=lambda item: (item[0] is None, item[0] or 0))
            answers = [network.answer(x) for _, network in networks]
            probabilities = np.stack([answer.probabilities for answer in answers])
            predicted = np.stack([answer.predicted for answer in answers])
            seeds = tuple(seed for seed, _ in networks)
            made.append(ArmPredictions(name, seeds, probabilities, predicted, (None,) * len(seeds)))
        return made

    def _networks(self, name: str) -> dict[str, tuple[int | None, PlacedNetwork]]:
        return self._arms[name].networks if name in self._arms else {}

    def _add(self, selection: RunSelection, selected: SelectedRun) -> None:
        name, run = selected.arm.name, selected.run
        if name not in self._arms:
            self._arms[name] = _Arm(self._build(selected.arm))
        weights = selection.results.store.weights(run.fingerprint)
        self._bytes += sum(array.nbytes for array in weights.values())
        self._arms[name].networks[run.fingerprint] = (run.seeds.seed, self._arms[name].inference.place(weights))
