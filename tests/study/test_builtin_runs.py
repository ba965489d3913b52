"""The runs of the built-in studies are named as they were when first stored, and have the weights that they had."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from in_process import InProcess
from paribus.data import summarize
from paribus.display.base import Silent
from paribus.engine.engine import Engine
from paribus.records import Seeds, TrainJob
from paribus.runner.jobs import describe_arms
from paribus.runner.run import run_study
from paribus.store.memory import MemoryStore
from paribus.study.load import load_study
from paribus.study.overrides import override
from paribus.study.plan import list_jobs

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[1] / "fixtures" / "builtin-runs.json").read_text("utf-8"))
STUDIES: dict[str, Any] = RECORDED["studies"]


def recorded(study: str, job: TrainJob) -> dict[str, Any]:
    return next(run for run in STUDIES[study]["arms"][job.arm] if run["seed"] == job.seeds.seed)


@pytest.mark.parametrize("study", STUDIES)
def test_fingerprints_stay(study: str, engine: Engine) -> None:
    document = override(load_study(study), epochs=STUDIES[study]["epochs"])
    data = summarize(document.data.spec())
    with MemoryStore() as store:
        recipes = describe_arms(document, data, store, InProcess(engine))
    jobs = list_jobs(document, recipes, data, [Seeds.of(0)])
    assert [job.arm for job in jobs] == list(document.arms)
    assert [job.fingerprint for job in jobs] == [recorded(study, job)["fingerprint"] for job in jobs]


def test_weights_stay(engine: Engine) -> None:
    """To the last bit, on the kind of machine that they were recorded on; elsewhere other bits are promised."""
    document = override(load_study("digits"), seeds=2)
    with MemoryStore() as store:
        outcome = run_study(document, store, InProcess(engine), Silent())
    environments = {json.dumps(asdict(environment)) for environment in outcome.environments}
    if environments != {json.dumps(RECORDED["environment"])}:
        pytest.skip("recorded on another kind of machine or with other versions")
    for arm in outcome.arms:
        expected = [run["weights_digest"] for run in STUDIES["digits"]["arms"][arm.name]]
        assert [run.weights_digest for run in arm.runs] == expected
