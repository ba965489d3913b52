"""Which job an idle worker takes next: speed only, so every choice is right, but not every one is quick."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from digits_jobs import DIGITS
from paribus.backends.schedule import Program, Waiting, choose, cost, program_of
from paribus.records import DescribeJob, Job, Recipe, Seeds, Training, TrainJob

SMALL, BIG, HUGE = (Recipe(name, "{}", parameters, ()) for name, parameters in (("s", 10), ("b", 100), ("h", 1000)))


def job(recipe: Recipe, seed: int = 0, epochs: int = 5) -> TrainJob:
    return TrainJob(f"{recipe.model}{seed}", recipe.model, Seeds.of(seed), recipe, Training("{}", epochs, 10), DIGITS)


DESCRIBE = DescribeJob("arm", "{}", DIGITS, Training("{}", 5, 10))


def test_a_worker_stays_with_the_network_it_has_compiled() -> None:
    assert choose([job(HUGE), job(BIG), job(SMALL)], (SMALL, None), [None]) == 2


def test_otherwise_the_costliest_that_nobody_has() -> None:
    waiting = [job(SMALL), job(HUGE), job(BIG)]
    assert choose(waiting, None, [None]) == 1
    assert choose(waiting, None, [(HUGE, None)]) == 2
    assert choose(waiting, (Recipe("done", "{}", 1, ()), None), [(HUGE, None), (BIG, None)]) == 0


def test_with_nothing_of_its_own_left_it_helps_with_the_costliest() -> None:
    assert choose([job(SMALL), job(BIG), job(HUGE)], None, [(SMALL, None), (BIG, None), (HUGE, None)]) == 2


def test_epochs_count_as_work() -> None:
    assert choose([job(BIG, epochs=1), job(SMALL, epochs=20)], None, []) == 1
    assert (cost(job(BIG, epochs=1)), cost(job(SMALL, epochs=20)), cost(DESCRIBE)) == (100, 200, 0)


def test_of_equal_jobs_the_first() -> None:
    assert choose([job(BIG, 3), job(BIG, 1), job(BIG, 2)], (BIG, None), []) == 0


def test_describing_compiles_nothing() -> None:
    assert program_of(DESCRIBE) is None
    assert program_of(job(BIG)) == (BIG, None)


@given(
    st.lists(st.sampled_from([DESCRIBE, job(SMALL), job(BIG), job(HUGE)]), min_size=1),
    st.sampled_from([None, (SMALL, None), (BIG, None), (HUGE, "bf16")]),
    st.lists(st.sampled_from([None, (SMALL, None), (BIG, None), (HUGE, "bf16")])),
)
def test_the_choice_is_a_waiting_job_and_its_own_network_if_there_is_one(
    waiting: list[Job], mine: Program | None, others: list[Program | None]
) -> None:
    chosen = waiting[choose(waiting, mine, others)]
    if any(program_of(each) == mine for each in waiting):
        assert program_of(chosen) == mine


@given(
    st.lists(st.tuples(st.sampled_from([SMALL, BIG, HUGE]), st.integers(0, 5), st.sampled_from([1, 2])), unique=True),
    st.integers(1, 4),
    st.integers(1, 3),
    st.data(),
)
def test_every_job_is_taken_exactly_once(
    wanted: list[tuple[Recipe, int, int]], workers: int, lanes: int, data: st.DataObject
) -> None:
    """Whatever is put back is taken again, and each time it is as good a job as ``choose`` would find among all."""
    all_jobs: list[Job] = [job(*each) for each in wanted]
    waiting, left, taken = Waiting(all_jobs, lanes), list(all_jobs), list[Job]()
    compiled: list[Program | None] = [None] * workers
    turn = 0
    while waiting:
        assert len(waiting) == len(left)
        mine = turn % workers
        others = compiled[:mine] + compiled[mine + 1 :]
        best = left[choose(left, compiled[mine], others)]
        groups = waiting.groups
        group = waiting.take(compiled[mine], others)
        found = group[0]
        assert 1 <= len(group) <= lanes
        assert waiting.groups == groups - 1
        assert all(replace(each, seeds=found.seeds, fingerprint=found.fingerprint) == found for each in group)
        assert (program_of(found) == compiled[mine]) == (program_of(best) == compiled[mine])
        assert (program_of(found) in others, cost(found)) == (program_of(best) in others, cost(best))
        if turn < 5 and data.draw(st.booleans()):
            waiting.put_back(group)
        else:
            left = [each for each in left if each not in group]
            taken += group
            compiled[mine] = program_of(found)
        turn += 1
    assert sorted(taken, key=str) == sorted(all_jobs, key=str)


def test_a_group_is_of_one_arm_and_one_training_and_estimators_go_alone() -> None:
    seeds = [job(BIG, seed) for seed in range(5)]
    forest = Recipe('{"estimator": {"RandomForestClassifier": {}}, "seeded": true}', "", 0, ())
    waiting = Waiting([*seeds, job(BIG, 0, epochs=1), DESCRIBE, DESCRIBE, job(forest), job(forest, 1)], lanes=4)
    assert (len(waiting), waiting.groups) == (10, 2 + 1 + 2 + 2)
    taken = [waiting.take((BIG, None), []) for _ in range(7)]
    assert sorted(map(len, taken)) == [1, 1, 1, 1, 1, 1, 4]
    assert taken[0] == tuple(seeds[:4])
    assert not waiting


def test_what_is_tried_again_comes_first_and_in_its_order() -> None:
    seeds = [job(BIG, seed) for seed in range(5)]
    waiting = Waiting(seeds, lanes=3)
    waiting.put_back(waiting.take(None, [])[1:])
    assert waiting.take(None, []) == (seeds[1], seeds[2], seeds[3])
