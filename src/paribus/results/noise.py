"""The shares of an arm's noise, from runs in which one stream varies and the others are held."""

from __future__ import annotations

import re

from paribus.analysis.noise import NoiseShares, noise_shares
from paribus.records import DataSummary, Recipe, Seeds, StudyKind
from paribus.results.scores import StudyScores
from paribus.store.base import Store, StoredArm, StoredRun
from paribus.study.document import StudyDocument

STREAMS = ("init", "order", "dropout")


SUFFIX = ".noise"


_DRAWS_MASKS = re.compile(r"Dropout|Noise|Random|\"(recurrent_)?dropout\":0?\.[0-9]*[1-9]")


def stored_noise(document: StudyDocument, data: DataSummary, store: Store) -> dict[str, NoiseShares]:
    """What earlier calls of ``measure`` left in the store, by arm; empty where nothing was measured."""
    found = store.study(document.name, StudyKind.NOISE)
    if found is None:
        return {}
    kept = StudyDocument.model_validate_json(found.document)
    said = (document.arms, document.data, document.protocol, document.tuning)
    if (kept.arms, kept.data, kept.protocol, kept.tuning) != said:
        return {}
    return {arm.name: shares_of_arm(document, data, arm, store) for arm in found.arms}


def shares_of_arm(document: StudyDocument, data: DataSummary, arm: StoredArm, store: Store) -> NoiseShares:
    """The shares of an arm's noise, from its stored runs with one stream varied at a time."""
    runs = store.runs([run.fingerprint for run in arm.runs])
    by_stream = []
    for stream in STREAMS:
        varied = [run for run in arm.runs if _only(stream, run.seeds) and counts(stream, arm.recipe)]
        renamed = tuple(StoredRun(Seeds.of(getattr(run.seeds, stream)), run.fingerprint) for run in varied)
        by_stream.append(StoredArm(stream, arm.recipe, renamed))
    evidence = StudyScores(document, data, by_stream, runs, store)
    scores = {stream: evidence.scores(stream, "test_accuracy").values for stream in STREAMS}
    return noise_shares({stream: values for stream, values in scores.items() if len(values) > 1})


def _only(stream: str, seeds: Seeds) -> bool:
    return all(getattr(seeds, other) == 0 for other in STREAMS if other != stream)


def counts(stream: str, recipe: Recipe) -> bool:
    """A network that draws no masks has no dropout stream: its runs would all be one. An estimator has one stream."""
    if recipe.is_estimator:
        return stream == "init" and recipe.seeded
    return stream != "dropout" or bool(_DRAWS_MASKS.search(recipe.model))
