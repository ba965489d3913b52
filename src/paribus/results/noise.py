"""The shares of an arm's noise, from runs in which one stream varies and the others have a fixed seed.

See ``docs/decisions/0014-noise-shares.md`` and ``docs/decisions/0053-noise-shares-again.md``.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.noise import NoiseShares, noise_shares
from paribus.records import DataSummary, Recipe, Seeds, StudyKind
from paribus.results.scores import StudyScores
from paribus.store.base import Store, StoredArm, StoredRun
from paribus.study.document import StudyDocument
from paribus.study.identity import trains_alike
from paribus.study.request import StudyRequest

STREAMS = ("init", "order", "dropout")

_DRAWS_MASKS = re.compile(r"Dropout|Noise|Random|\"(recurrent_)?dropout\":0?\.[0-9]*[1-9]")


def read_noise(request: StudyRequest, store: Store) -> dict[str, NoiseShares]:
    """Read the noise shares that ``paribus noise`` measured, by arm; empty where nothing was measured."""
    stored = store.study(request.stored_as, StudyKind.NOISE)
    if stored is None or stored.data != request.data:
        return {}
    if not trains_alike(StudyDocument.model_validate_json(stored.document), request.study):
        return {}
    scores = {arm.name: _scores_by_stream(request.study, request.data, arm, store) for arm in stored.arms}
    # An arm whose runs were lost has no stream left that was varied.
    return {
        name: noise_shares(by_stream, distinct_runs=runs) for name, (by_stream, runs) in scores.items() if by_stream
    }


def compute_shares(document: StudyDocument, data: DataSummary, arm: StoredArm, store: Store) -> NoiseShares:
    """Compute the shares of an arm's noise from its stored runs with one stream varied at a time.

    Args:
        document: the study that the arm belongs to.
        data: the summary of its data.
        arm: the arm with the seeds and fingerprints of those runs.
        store: holds them.

    Returns:
        The share of each stream and of the test sample.

    Raises:
        UsageError: no stream has two runs with scores.
        StoreError: a run's predictions cannot be read.
        DataError: the data can no longer be read, so that the labels are not known.
    """
    scores, runs = _scores_by_stream(document, data, arm, store)
    return noise_shares(scores, distinct_runs=runs)


def _scores_by_stream(
    document: StudyDocument, data: DataSummary, arm: StoredArm, store: Store
) -> tuple[dict[str, NDArray[np.generic]], int]:
    """Scores by varied stream, of streams with at least two runs; and how many different runs these are."""
    runs = store.runs([run.fingerprint for run in arm.runs])
    by_stream = []
    for stream in STREAMS:
        varied = [run for run in arm.runs if _varies_only(stream, run.seeds) and uses_stream(stream, arm.recipe)]
        renamed = tuple(StoredRun(Seeds.of(getattr(run.seeds, stream)), run.fingerprint) for run in varied)
        by_stream.append(StoredArm(stream, arm.recipe, renamed))
    study_scores = StudyScores(document, data, by_stream, runs, store.predictions)
    scores = {stream: study_scores.scores(stream, "test_accuracy").values for stream in STREAMS}
    by_name = {stream: values for stream, values in scores.items() if len(values) > 1}
    # The run with all seeds 0 belongs to every stream, so that there are fewer runs than rows.
    distinct = {run.fingerprint for of in by_stream if of.name in by_name for run in of.runs if run.fingerprint in runs}
    return by_name, len(distinct)


def _varies_only(stream: str, seeds: Seeds) -> bool:
    return all(getattr(seeds, other) == 0 for other in STREAMS if other != stream)


def uses_stream(stream: str, recipe: Recipe) -> bool:
    """Whether a stream changes an arm's runs: dropout only in networks that draw masks, init alone in estimators.

    Args:
        stream: ``init``, ``order`` or ``dropout``.
        recipe: the arm's canonical form.
    """
    if recipe.is_estimator:
        return stream == "init" and recipe.seeded
    return stream != "dropout" or bool(_DRAWS_MASKS.search(recipe.model))
