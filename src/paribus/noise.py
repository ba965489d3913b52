"""Where an arm's noise comes from: runs in which one stream varies and the others are held at seed 0."""

from __future__ import annotations

import re
from collections.abc import Iterable

from paribus.analysis.noise import NoiseShares, noise_shares
from paribus.backends.base import Backend
from paribus.data import summarize
from paribus.display.base import Display
from paribus.errors import UsageError
from paribus.evidence import Evidence
from paribus.jobs import describe_arms
from paribus.records import DataSummary, Recipe, Seeds
from paribus.run import run_study
from paribus.store.base import Store, StoredArm, StoredRun
from paribus.study import StudyDocument
from paribus.tune import settled

STREAMS = ("init", "order", "dropout")
SUFFIX = ".noise"
_DRAWS_MASKS = re.compile(r"Dropout|Noise|Random|\"(recurrent_)?dropout\":0?\.[0-9]*[1-9]")


def measure(
    document: StudyDocument, arm: str, runs: int, store: Store, backend: Backend, display: Display
) -> NoiseShares:
    """Train what is missing for ``runs`` runs a stream, and split the variance of the arm's test accuracy.

    Raises:
        UsageError: fewer than 2 runs a stream, or an estimator without any randomness.
    """
    if runs < 2:
        raise UsageError(f"--seeds {runs}: a variance needs at least 2 runs a stream (5 or more are better)")
    data = summarize(document.data.spec())
    alone = document.model_copy(update={"arms": {arm: document.arms[arm]}})
    # A tuned arm is measured with the values that were chosen for it.
    tuned = settled(alone, document, data, store, backend, display)
    one = document.model_copy(
        update={
            "name": document.name + SUFFIX,
            "arms": {arm: tuned.arms[arm]},
            "contrasts": (),
            "comparison": document.comparison.model_copy(update={"factorial": False, "all_pairs": False, "looks": ()}),
        }
    )
    whole = one.model_copy(update={"arms": document.arms})
    recipe = describe_arms(one, data, store, backend)[arm]
    if not recipe.seeded:
        raise UsageError(
            f"arm '{arm}': {recipe.kind} draws nothing at random here, so that all seeds are one run and there is no "
            "noise to share out; ask for the noise of another arm"
        )
    streams = [stream for stream in STREAMS if _counts(stream, recipe)]
    planned = run_study(one, store, backend, display, whole=whole, seeds=tuple(_design(streams, runs)))
    found = tuple(StoredRun(job.seeds, job.fingerprint) for job in planned.wanted)
    return _shares(document, data, StoredArm(arm, recipe, found), store)


def stored_shares(document: StudyDocument, data: DataSummary, store: Store) -> dict[str, NoiseShares]:
    """What earlier calls of ``measure`` left in the store, by arm; empty where nothing was measured."""
    found = store.study(document.name + SUFFIX)
    if found is None:
        return {}
    kept = StudyDocument.model_validate_json(found.document)
    said = (document.arms, document.data, document.protocol, document.tuning)
    if (kept.arms, kept.data, kept.protocol, kept.tuning) != said:
        return {}
    return {arm.name: _shares(document, data, arm, store) for arm in found.arms}


def _design(streams: Iterable[str], runs: int) -> Iterable[Seeds]:
    """Every stream varied by itself around seed 0; the run with all seeds 0 belongs to every stream."""
    base = dict.fromkeys(STREAMS, 0)
    wanted = [Seeds(**{**base, stream: seed}) for stream in streams for seed in range(runs)]
    return dict.fromkeys(wanted)


def _shares(document: StudyDocument, data: DataSummary, arm: StoredArm, store: Store) -> NoiseShares:
    runs = store.runs([run.fingerprint for run in arm.runs])
    by_stream = []
    for stream in STREAMS:
        varied = [run for run in arm.runs if _only(stream, run.seeds) and _counts(stream, arm.recipe)]
        renamed = tuple(StoredRun(Seeds.of(getattr(run.seeds, stream)), run.fingerprint) for run in varied)
        by_stream.append(StoredArm(stream, arm.recipe, renamed))
    evidence = Evidence(document, data, by_stream, runs, store)
    scores = {stream: evidence.scores(stream, "test_accuracy").values for stream in STREAMS}
    return noise_shares({stream: values for stream, values in scores.items() if len(values) > 1})


def _only(stream: str, seeds: Seeds) -> bool:
    return all(getattr(seeds, other) == 0 for other in STREAMS if other != stream)


def _counts(stream: str, recipe: Recipe) -> bool:
    """A network that draws no masks has no dropout stream: its runs would all be one. An estimator has one stream."""
    if recipe.is_estimator:
        return stream == "init" and recipe.seeded
    return stream != "dropout" or bool(_DRAWS_MASKS.search(recipe.model))
