"""Where an arm's noise comes from: runs in which one stream varies and the others are held at seed 0."""

from __future__ import annotations

from collections.abc import Iterable

from paribus.analysis.noise import NoiseShares
from paribus.backends.base import Backend
from paribus.data import summarize
from paribus.display.base import Display
from paribus.errors import UsageError
from paribus.records import Seeds, StudyKind
from paribus.results.noise import STREAMS, SUFFIX, counts, shares_of_arm
from paribus.runner.jobs import describe_arms
from paribus.runner.run import run_study
from paribus.runner.tuning import tune_arms
from paribus.store.base import Store, StoredArm, StoredRun
from paribus.study.document import StudyDocument


def measure_noise(
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
    tuned = tune_arms(alone, document, data, store, backend, display)
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
    streams = [stream for stream in STREAMS if counts(stream, recipe)]
    design = tuple(_design(streams, runs))
    planned = run_study(one, store, backend, display, whole=whole, seeds=design, kind=StudyKind.NOISE)
    found = tuple(StoredRun(job.seeds, job.fingerprint) for job in planned.wanted)
    return shares_of_arm(document, data, StoredArm(arm, recipe, found), store)


def _design(streams: Iterable[str], runs: int) -> Iterable[Seeds]:
    """Every stream varied by itself around seed 0; the run with all seeds 0 belongs to every stream."""
    base = dict.fromkeys(STREAMS, 0)
    wanted = [Seeds(**{**base, stream: seed}) for stream in streams for seed in range(runs)]
    return dict.fromkeys(wanted)
