"""``paribus verify``: what is changed is noticed, what cannot be told is said to be, and no stranger's code is run."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from command_line import call
from in_process import InProcess
from paribus.analysis.spot_checks import chance_of_missing, smallest_noticed
from paribus.backends.base import Backend
from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.engine.digest import weights_digest
from paribus.engine.engine import Engine
from paribus.errors import UsageError
from paribus.keras_config.custom_objects import Imports
from paribus.records import Curve, Ended, Event, Job, Predictions, RunResult, Status
from paribus.report import render_report
from paribus.report.runs_block import read_runs_block
from paribus.results.stored_study import open_results
from paribus.runner.claims import Claims, read_report_claims, read_store_claims
from paribus.runner.run import run_study
from paribus.runner.verify import (
    Agreement,
    Verification,
    check_claims,
    draw_claims,
    trust_code,
    usual_difference,
)
from paribus.store.base import Store
from paribus.store.memory import MemoryStore
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.load import load_study
from paribus.study.overrides import override


class Changing(Backend):
    """A backend whose results are changed on their way."""

    def __init__(self, backend: Backend, **changes: Any) -> None:
        self.backend, self.changes, self.jobs = backend, changes, list[Job]()

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        self.jobs += jobs
        for event in self.backend.run(jobs):
            if isinstance(event, Ended):
                changes = {key: change(event.result) for key, change in self.changes.items()}
                yield Ended(event.job, replace(event.result, **changes))
            else:
                yield event


def fake() -> Backend:
    """The fake, with the digests that the engine would give its weights."""
    return Changing(FakeBackend(), weights_digest=lambda run: weights_digest(run.weights))


def digits(seeds: int = 3) -> StudyDocument:
    return override(load_study("digits"), seeds=seeds)


def stored(backend: Backend | None = None, document: StudyDocument | None = None) -> MemoryStore:
    store = MemoryStore()
    run_study(document or digits(), store, backend or fake(), Silent())
    return store


def verify(claims: Claims, backend: Backend | None = None, count: int = 100) -> Verification:
    return check_claims(claims, draw_claims(claims, count, Random(1)), backend or fake())


def forged(store: Store, **changes: Any) -> MemoryStore:
    """The store with its first run changed, as somebody could write it, checksums and all."""
    other = MemoryStore()
    for study in store.studies():
        other.save_study(study.name, study.document, study.arms, study.data, kind=study.kind, seeds=study.seeds)
        for number, stored_run in enumerate(run for arm in study.arms for run in arm.runs):
            name = stored_run.fingerprint
            run = replace(store.runs([name])[name], weights=store.weights(name), predictions=store.predictions(name))
            other.record(replace(run, **{key: change(run) for key, change in changes.items()}) if not number else run)
    return other


def flip_weight(run: RunResult) -> dict[str, np.ndarray]:
    assert run.weights is not None
    path, array = next(iter(run.weights.items()))
    flipped = np.array(array)
    flipped.view(np.uint8).reshape(-1)[0] ^= 1
    return {**run.weights, path: flipped}


def change_prediction(run: RunResult) -> Predictions:
    assert run.predictions is not None
    predicted = run.predictions.predicted.copy()
    predicted[7] = (predicted[7] + 1) % 10
    return replace(run.predictions, predicted=predicted)


def better_scores(run: RunResult) -> Any:
    assert run.scores is not None
    return replace(run.scores, test_accuracy=run.scores.test_accuracy + 1 / 450)


# What is drawn


@given(st.integers(1, 60), st.data())
def test_the_chance_is_that_of_scipy(runs: int, data: st.DataObject) -> None:
    checked, false = data.draw(st.integers(0, runs)), data.draw(st.integers(0, runs))
    expected = float(hypergeom.pmf(0, runs, false, checked))
    assert chance_of_missing(runs, checked, false) == pytest.approx(expected, abs=1e-12)
    noticed = smallest_noticed(runs, checked)
    if noticed is not None:
        assert chance_of_missing(runs, checked, noticed) <= 0.05
        assert noticed == 1 or chance_of_missing(runs, checked, noticed - 1) > 0.05
    else:
        assert checked == 0


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="4 checked and 0 false of 3 runs"):
        chance_of_missing(3, 4, 0)


def test_runs_are_drawn_from_all_of_them_and_none_twice() -> None:
    claims = read_store_claims(stored())
    assert len(claims.verifiable) == 9
    drawn = {draw_claims(claims, 3, Random(seed)) for seed in range(60)}
    assert all(len({claim.name for claim in each}) == 3 for each in drawn)
    assert {claim.name for each in drawn for claim in each} == {claim.name for claim in claims.verifiable}
    assert len(draw_claims(claims, 50, Random(1))) == 9
    with pytest.raises(UsageError, match="--runs 0"):
        draw_claims(claims, 0, Random(1))
    with pytest.raises(UsageError, match="none is stored"):
        draw_claims(read_store_claims(MemoryStore()), 1, Random(1))


# A store


def test_an_honest_store_holds_and_is_not_written_to(engine: Engine) -> None:
    store = stored(InProcess(engine), override(digits(2), epochs=2))
    verification = verify(read_store_claims(store), InProcess(engine))
    assert verification.holds
    assert {check.agreement for check in verification.checks} == {Agreement.SAME_BITS}
    assert verification.runs == len(verification.checks) == 6


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"weights": flip_weight}, "weights"),
        ({"weights_digest": lambda run: "0" * 64}, "weights digest"),
        ({"weights": flip_weight, "weights_digest": lambda run: weights_digest(flip_weight(run))}, "weights"),
        ({"predictions": change_prediction}, "predictions"),
        ({"scores": better_scores}, "scores"),
        ({"curve": lambda run: Curve(run.curve.fit_loss[::-1], run.curve.fit_accuracy)}, "curves"),
        ({"status": lambda run: Status.DIVERGED}, "status"),
    ],
)
def test_whatever_is_changed_is_noticed(changes: dict[str, Any], part: str) -> None:
    verification = verify(read_store_claims(forged(stored(), **changes)))
    (wrong,) = [check for check in verification.checks if check.agreement is not Agreement.SAME_BITS]
    assert wrong.agreement is Agreement.OTHER_BITS
    assert part in wrong.parts
    assert wrong.claim.name == "digits/small/0"
    assert verification.fails
    assert not verification.holds


def test_a_bit_that_flips_in_a_stored_file_is_noticed(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path, "write") as store:
        run_study(digits(1), store, fake(), Silent())
    path = next((tmp_path / "artifacts").rglob("*.weights.*"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with SqliteStore.open(tmp_path) as store:
        verification = verify(read_store_claims(store))
    (wrong,) = [check for check in verification.checks if check.agreement is Agreement.OTHER_BITS]
    assert "are damaged" in wrong.explanation
    assert verification.fails


def elsewhere(**changes: Any) -> Backend:
    """Another environment, whose arithmetic gives other bits."""
    return Changing(
        fake(),
        environment=lambda run: replace(run.environment, cpu="another"),
        weights=flip_weight,
        weights_digest=lambda run: weights_digest(flip_weight(run)),
        **changes,
    )


def test_in_another_environment_scores_are_compared_with_the_spread_of_seeds() -> None:
    claims = read_store_claims(stored(document=digits(5)))
    near = verify(claims, elsewhere())
    assert {check.agreement for check in near.checks} == {Agreement.USUAL}
    assert near.holds
    far = verify(claims, elsewhere(scores=lambda run: replace(run.scores, test_accuracy=0.2)))
    assert {check.agreement for check in far.checks} == {Agreement.UNUSUAL}
    assert far.fails
    alone = verify(read_store_claims(stored(document=digits(1))), elsewhere())
    assert {check.agreement for check in alone.checks} == {Agreement.UNKNOWN}
    assert (alone.holds, alone.fails) == (False, False)


def test_in_another_environment_stored_weights_are_those_of_the_stored_digest() -> None:
    verification = verify(read_store_claims(forged(stored(), weights=flip_weight)), elsewhere())
    (wrong,) = [check for check in verification.checks if check.agreement is Agreement.OTHER_BITS]
    assert wrong.claim.name == "digits/small/0"


def test_two_seeds_of_an_arm_rarely_differ_by_more_than_what_is_usual() -> None:
    generator = np.random.default_rng(3)
    beyond = 0
    for _ in range(2000):
        scores = generator.normal(0.9, 0.01, 7)
        usual = usual_difference(tuple(scores[:5]))
        assert usual is not None
        beyond += abs(scores[5] - scores[6]) > usual
    assert beyond / 2000 == pytest.approx(0.01, abs=0.006)
    assert usual_difference((0.9,)) is None


def test_a_run_that_fails_here_tells_nothing() -> None:
    claims = read_store_claims(stored())
    failing = Changing(fake(), scores=lambda run: None, status=lambda run: Status.FAILED, reason=lambda _: "no")
    verification = verify(claims, failing)
    assert {check.agreement for check in verification.checks} == {Agreement.UNKNOWN}
    assert "it failed here: no" in verification.checks[0].explanation


def test_candidates_are_verified_too_and_seeds_that_share_a_run_count_once() -> None:
    table = load_study("digits").model_dump(exclude_none=True)
    table["arms"] = {"one": {**table["arms"]["small"], "grid": {"learning_rate": (0.01, 0.1)}}}
    table |= {"contrasts": [], "seeds": 2}
    table["protocol"]["validation_split"] = 0.1
    store = stored(document=StudyDocument.model_validate(table))
    verification = verify(read_store_claims(store))
    assert verification.holds
    assert {check.claim.name.split("/")[0] for check in verification.checks} == {"digits", "digits.tuning"}
    assert len({check.claim.run.fingerprint for check in verification.checks}) == len(verification.checks)


def test_other_data_is_named_and_nothing_is_trained(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    arrays = {
        f"{kind}_{split}": generator.random((20, 64)) if kind == "x" else np.arange(20) % 10
        for kind in "xy"
        for split in ("train", "test")
    }
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", **arrays)
        arrays["x_test"] = arrays["x_test"] + 1
    document = override(digits(1), data=str(tmp_path / "a.npz"))
    document = document.model_copy(update={"data": document.data.model_copy(update={"scale": None, "flatten": False})})
    store = stored(document=document)
    assert verify(read_store_claims(store)).holds
    other = read_store_claims(store, str(tmp_path / "b.npz"))
    assert other.verifiable == ()
    with pytest.raises(UsageError, match=r"no run here can be computed again .*its data is another one: .*b.npz"):
        draw_claims(other, 1, Random(1))
    (tmp_path / "a.npz").rename(tmp_path / "moved.npz")
    (missing,) = read_store_claims(store).unverifiable
    assert "its data cannot be read" in missing.reason
    assert "--data" in missing.reason


# A report


@pytest.fixture(scope="module")
def report() -> tuple[str, Store]:
    store = stored()
    return render_report(open_results("digits", store).outcome(), "html"), store


def claims_of(html: str) -> Claims:
    return read_report_claims(read_runs_block(html, "report.html"), "report.html")


def test_a_report_is_verified_without_its_store(report: tuple[str, Store]) -> None:
    html, store = report
    claims = claims_of(html)
    assert [(c.job, c.run.weights_digest, c.run.scores) for c in claims.verifiable] == [
        (replace(c.job, recipe=replace(c.job.recipe, layers=())), c.run.weights_digest, c.run.scores)
        for c in read_store_claims(store).verifiable
    ]
    assert verify(claims).holds
    near = verify(claims, elsewhere())
    assert {check.agreement for check in near.checks} == {Agreement.USUAL}


def test_a_changed_number_of_a_report_is_noticed(report: tuple[str, Store]) -> None:
    html, store = report
    digest = store.runs([run.fingerprint for arm in store.studies()[0].arms for run in arm.runs])
    one = next(iter(digest.values()))
    assert one.weights_digest is not None
    assert one.scores is not None
    for old, new, part in (
        (one.weights_digest, "0" * 64, "weights digest"),
        (
            f'"test_accuracy":{one.scores.test_accuracy}',
            f'"test_accuracy":{one.scores.test_accuracy + 1 / 450}',
            "scores",
        ),
    ):
        block = re.search(r"<template.*</template>", html, re.DOTALL)
        assert block is not None
        assert old in block[0]
        verification = verify(claims_of(html.replace(block[0], block[0].replace(old, new, 1))))
        (wrong,) = [check for check in verification.checks if check.agreement is not Agreement.SAME_BITS]
        assert part in wrong.parts


def test_a_changed_study_of_a_report_is_another_fingerprint(report: tuple[str, Store]) -> None:
    claims = claims_of(report[0].replace("epochs = 20", "epochs = 21"))
    assert claims.verifiable == ()
    assert all("its fingerprint is not that of" in each.reason for each in claims.unverifiable)


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>not ours</p>",
        '<template id="paribus-runs">{}</template>',
        '<template id="paribus-runs">{"format":2}</template>',
        f'<template id="paribus-runs">{"[" * 100_000}</template>',
        '<template id="paribus-runs">not JSON</template>',
    ],
)
def test_what_is_no_report_is_refused(html: str) -> None:
    with pytest.raises(UsageError, match=r"report.html: .*verify the store"):
        claims_of(html)


def test_a_strangers_report_may_hold_anything(report: tuple[str, Store]) -> None:
    html = report[0]
    block = re.search(r'<template id="paribus-runs">(.*?)</template>', html, re.DOTALL)
    assert block is not None
    from html import escape, unescape

    whole = json.loads(unescape(block[1]))
    for change in (
        {"study": "name ="},
        {"study": ""},
        {"data": "ab" * 32},
        {"arms": [{**whole["arms"][0], "model": "[]"}]},
        {"arms": [{**whole["arms"][0], "model": "{"}]},
        {"arms": [{**whole["arms"][0], "optimizer": ""}]},
        {"arms": [{**whole["arms"][0], "name": "nobody"}]},
        {"environments": []},
        {"environments": [{}]},
    ):
        text = escape(json.dumps({**whole, **change}), quote=False)
        try:
            claims = claims_of(f'<template id="paribus-runs">{text}</template>')
        except UsageError:
            continue
        assert claims.unverifiable or "environments" in change, change


# Code


def needing_code(claims: Claims, digest: str) -> Claims:
    """The claims, the first of which needs a file."""
    first, *others = claims.verifiable
    model = json.dumps({**json.loads(first.job.recipe.model), "sources": {"own>Layer": digest}})
    job = replace(first.job, recipe=replace(first.job.recipe, model=model))
    return Claims((replace(first, job=job), *others), ())


def test_code_is_run_only_if_it_is_trusted_and_is_the_one(tmp_path: Path) -> None:
    import hashlib

    code = tmp_path / "layers.py"
    code.write_text("raise SystemExit\n")
    claims = needing_code(read_store_claims(stored()), hashlib.sha256(code.read_bytes()).hexdigest())
    imports, checked = trust_code((), claims)
    assert imports == Imports()
    assert len(checked.verifiable) == len(claims.verifiable) - 1
    assert "name it with --trust-code" in checked.unverifiable[0].reason
    imports, checked = trust_code([code], claims)
    assert imports == Imports(("layers",), (str(tmp_path),))
    assert len(checked.verifiable) == len(claims.verifiable)
    code.write_text("print('changed')\n")
    with pytest.raises(UsageError, match=r"layers.py: no run was computed with this file as it is"):
        trust_code([code], claims)
    with pytest.raises(UsageError, match="cannot be read"):
        trust_code([tmp_path / "none.py"], claims)


# The command


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[Any] = []

    def backend(*arguments: Any, **_: Any) -> Backend:
        made.append(arguments)
        return fake()

    monkeypatch.setattr("paribus.backends.choose.LocalBackend", backend)
    store = tmp_path / "runs"
    with SqliteStore.open(store, "write") as opened:
        run_study(digits(), opened, fake(), Silent())
        html = render_report(open_results("digits", opened).outcome(), "html")
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    for source in (store, tmp_path / "report.html"):
        said = call(capsys, monkeypatch, "verify", source, "--runs", 2)
        assert said.code == 0
        assert said.out.count("same bits") == 2
        assert "2 of 9 runs, drawn at random, were computed again." in said.out
        assert "1 false: 78 %" in said.out
        fields = json.loads(call(capsys, monkeypatch, "verify", source, "--json").out)
        assert (fields["holds"], fields["runs"], len(fields["checks"])) == (True, 9, 3)
        assert fields["chance_of_missing"][0] == {"false_runs": 1, "chance": pytest.approx(6 / 9)}
    (tmp_path / "report.html").write_text(re.sub(r'"test_accuracy":0\.\d+', '"test_accuracy":0.99', html))
    wrong = call(capsys, monkeypatch, "verify", tmp_path / "report.html")
    assert wrong.code == 3
    assert "other bits (scores)" in wrong.out
    assert {arguments[1] for arguments in made} == {Imports()}
    nothing = call(capsys, monkeypatch, "verify", tmp_path / "nowhere.html", "--json")
    assert (nothing.code, json.loads(nothing.out)["error"]["type"]) == (2, "UsageError")
