"""What must be run: every arm with every seed, less what is stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.data import summarize
from paribus.records import Curve, Recipe, RunResult, Seeds, Status, TrainJob
from paribus.study.document import StudyDocument
from paribus.study.fingerprint import run_fingerprint
from paribus.study.load import load_study
from paribus.study.plan import list_jobs, plan_runs

DOCUMENT = load_study("digits")
DATA = summarize(DOCUMENT.data.spec())
RECIPES = {name: Recipe(name, "{}", 100, ()) for name in DOCUMENT.arms}


def wanted(seeds: int = 2, document: StudyDocument = DOCUMENT, recipes: dict[str, Recipe] = RECIPES) -> list[TrainJob]:
    return list(list_jobs(document, recipes, DATA, [Seeds.of(seed) for seed in range(seeds)]))


def stored(job: TrainJob, status: Status) -> RunResult:
    return RunResult(job.fingerprint, status, job.seeds, None, Curve((), ()), 0.0, None, None)


def test_every_arm_with_every_seed_in_the_studys_order() -> None:
    jobs = wanted()
    assert [(job.arm, job.seeds.seed) for job in jobs] == [(arm, seed) for arm in DOCUMENT.arms for seed in (0, 1)]
    assert len({job.fingerprint for job in jobs}) == len(jobs)
    for job in jobs:
        assert job.recipe == RECIPES[job.arm]
        assert (job.training, job.data) == (DOCUMENT.protocol.training(), DOCUMENT.data.spec())
        assert job.fingerprint == run_fingerprint(job.recipe, job.training, job.data, DATA, job.seeds)


def test_nothing_stored_everything_missing() -> None:
    jobs = wanted()
    planned = plan_runs(jobs, {})
    assert planned.jobs == planned.missing == tuple(jobs)


@pytest.mark.parametrize(
    ("status", "again"), [(Status.FINISHED, False), (Status.DIVERGED, False), (Status.FAILED, True)]
)
def test_which_stored_runs_are_computed_again(status: Status, *, again: bool) -> None:
    jobs = wanted()
    planned = plan_runs(jobs, {jobs[0].fingerprint: stored(jobs[0], status)})
    assert (jobs[0] in planned.missing) == again
    assert planned.missing[-len(jobs) + 1 :] == tuple(jobs[1:])


def test_more_seeds_run_only_what_is_missing() -> None:
    have = {job.fingerprint: stored(job, Status.FINISHED) for job in wanted(2)}
    planned = plan_runs(wanted(3), have)
    assert [(job.arm, job.seeds.seed) for job in planned.missing] == [(arm, 2) for arm in DOCUMENT.arms]
    assert plan_runs(wanted(1), have).missing == ()


def test_arms_of_one_recipe_share_their_runs() -> None:
    """Two names for the same network: computed once, shown under both."""
    shared = dict.fromkeys(DOCUMENT.arms, RECIPES["small"])
    planned = plan_runs(wanted(2, recipes=shared), {})
    assert len(planned.jobs) == 2 * len(DOCUMENT.arms)
    assert [job.seeds.seed for job in planned.missing] == [0, 1]


def test_the_runs_of_one_arm() -> None:
    planned = plan_runs(wanted(3), {})
    assert [job.seeds.seed for job in planned.of_arm("large")] == [0, 1, 2]
    assert {job.arm for job in planned.of_arm("large")} == {"large"}
    assert planned.of_arm("nobody") == ()


@given(st.dictionaries(st.integers(0, 14), st.sampled_from(list(Status))))
def test_missing_and_kept_are_the_whole(statuses: dict[int, Status]) -> None:
    jobs = wanted(5)
    have = {jobs[i].fingerprint: stored(jobs[i], status) for i, status in statuses.items()}
    planned = plan_runs(jobs, have)
    kept = {jobs[i].fingerprint for i, status in statuses.items() if status is not Status.FAILED}
    assert [job.fingerprint for job in planned.missing] == [j.fingerprint for j in jobs if j.fingerprint not in kept]
    after = {job.fingerprint: stored(job, Status.FINISHED) for job in planned.missing}
    assert plan_runs(jobs, have | after).missing == (), "a second run has nothing to do"
