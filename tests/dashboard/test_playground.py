"""The playground: networks held ready answer as `paribus predict` does, in a process that is ended when it must be."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dashboard_server import document, fill
from paribus.dashboard import predictor as child
from paribus.dashboard.disagreement import disagreement_section
from paribus.dashboard.playground import Playground
from paribus.dashboard.predictor import Predictor
from paribus.dashboard.studies import Studies
from paribus.data import load
from paribus.errors import DataError, ParibusError, UsageError
from paribus.predict.arms import predict_arms
from paribus.predict.inputs import read_array
from paribus.records import DataSpec
from paribus.results.selection import select_runs
from paribus.results.stored_study import open_results
from paribus.store.sqlite import SqliteStore
from project_files import imported_by
from table_cases import frame

# What it answers


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("study", ["digits", "binary"])
def test_networks_held_ready_answer_as_predict_does(trained_studies: Path, study: str) -> None:
    predictor = Predictor(trained_studies, study)
    predictor.update()
    with SqliteStore.open(trained_studies, "read") as store:
        results = open_results(study, store)
        spec = results.document.data.spec()
        examples = load(replace(spec, flatten=False)).x_test[:3]
        given = examples if predictor.describe()["kind"] == "picture" else examples + (load(spec).offset or 0)
        expected = list(predict_arms(select_runs(results), read_array(given, "test", spec)))
    for index, example in enumerate(examples):
        answers = predictor._networks.predict(example)
        assert [(answer.arm, answer.seeds) for answer in answers] == [(one.arm, one.seeds) for one in expected]
        for answer, one in zip(answers, expected, strict=True):
            np.testing.assert_allclose(answer.probabilities[:, 0], one.probabilities[:, index], rtol=1e-5, atol=1e-7)


def test_a_picture_comes_back_as_the_networks_see_it_beside_its_like(trained_studies: Path) -> None:
    predictor = Predictor(trained_studies, "digits")
    described = predictor.answer(b"describe\n")
    assert (described["kind"], described["classes"]) == ("picture", [str(digit) for digit in range(10)])
    data = load(DataSpec("digits"))
    own = png(np.rint(data.x_train[17] * (255 / 16)))
    answer = predictor.answer(b"picture\n" + own)
    assert answer["nearest"][0]["index"] == 17
    assert answer["nearest"][0]["label"] == str(data.y_train[17])
    assert answer["seen"] == answer["nearest"][0]["picture"]
    assert [arm["arm"] for arm in answer["arms"]] == ["small", "large", "large-dropout"]
    for arm in answer["arms"]:
        assert np.shape(arm["probabilities"]) == (2, 10)
        assert np.argmax(arm["probabilities"], axis=1).tolist() == arm["predicted"]
    json.dumps(answer, allow_nan=False)
    for content in (b"", b"no picture", own[:40], b"[1, 2]"):
        with pytest.raises(DataError, match="the picture"):
            predictor.answer(b"picture\n" + content)
    with pytest.raises(UsageError, match="Draw a picture"):
        predictor.answer(b"row\n[]")


def test_a_row_has_a_value_for_each_column(trained_studies: Path) -> None:
    predictor = Predictor(trained_studies, "binary")
    described = predictor.answer(b"describe\n")
    assert described["kind"] == "row"
    start = [column["start"] for column in described["columns"]]
    assert len(start) == 30
    (arm,) = predictor.answer(b"row\n" + json.dumps(start).encode())["arms"]
    assert np.sum(arm["probabilities"]) == pytest.approx(1, abs=1e-3)
    for values in (start[:-1], [*start[:-1], "x"], [*start[:-1], None], [*start[:-1], True], [*start[:-1], 1e300], {}):
        with pytest.raises(DataError, match=r"a list of 30 values|is not a finite number"):
            predictor.answer(b"row\n" + json.dumps(values).encode())
    with pytest.raises(UsageError, match="is a table"):
        predictor.answer(b"picture\n")


def test_words_of_a_table_become_the_features_that_training_had(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "train.csv", index=False)
    frame(20, 1).to_csv(tmp_path / "test.csv", index=False)
    spec = DataSpec(str(tmp_path / "train.csv"), label="label", test=str(tmp_path / "test.csv"), categorical=("city",))
    data = load(spec)
    assert data.columns is not None
    order = [column.name for column in data.columns]
    rows = frame(20, 1)[order].to_dict("records")
    for row, example in zip(rows, data.x_test, strict=True):
        assert np.array_equal(child._row(data, [row[name] for name in order]), example)
    described = child._columns(data)
    assert [column["name"] for column in described] == order
    assert [column["words"] for column in described if column["name"] == "city"] == [("Bonn", "Oslo", "Rome")]
    with pytest.raises(DataError, match="city: 'Paris' is not one of the words"):
        child._row(data, [{"city": "Paris", "age": 1, "count": 1}[name] for name in order])


def test_rows_that_arms_disagree_on_are_those_of_the_last_look(tmp_path: Path) -> None:
    table = {"source": "sklearn:breast_cancer"}
    looked = {"comparison": {"looks": [2, 4]}, "data": table, "contrasts": [{"a": "large", "b": "small"}]}
    texts = []
    for seeds in (1, 2, 3):
        fill(tmp_path / str(seeds), document(seeds=seeds, **looked))
        studies = Studies(tmp_path / str(seeds))
        assert studies.is_table("digits")
        answer = studies.answer("digits")
        assert answer is not None
        texts.append(disagreement_section(answer).text)
    assert "Nothing of the test split before the first look" in texts[0]
    assert "the seeds' commonest answer differs" in texts[1]
    assert texts[1] == texts[2]
    assert "feature " in texts[1]


# The process

STUB = """
import json, sys, time
store, label = sys.argv[1:]
while head := sys.stdin.buffer.read(4):
    frame = sys.stdin.buffer.read(int.from_bytes(head, "big"))
    kind, _, content = frame.partition(b"\\n")
    if content == b"sleep":
        time.sleep(600)
    if content == b"end":
        sys.exit(3)
    answer = {"problem": "no such thing"} if content == b"refuse" else {"label": label, "size": len(content)}
    reply = json.dumps(answer).encode()
    sys.stdout.buffer.write(len(reply).to_bytes(4, "big") + reply)
    sys.stdout.buffer.flush()
"""


@pytest.fixture
def command(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "stub.py").write_text(STUB)
    return sys.executable, "-S", str(tmp_path / "stub.py")


@pytest.fixture
def playground(tmp_path: Path, command: tuple[str, ...]) -> Iterator[Playground]:
    playground = Playground(tmp_path, command=command)
    yield playground
    playground.close()


def test_one_process_answers_until_another_study_is_asked(playground: Playground) -> None:
    assert playground.process is None
    assert playground.ask("digits", "picture", b"x" * 300_000) == {"label": "digits", "size": 300_000}
    first = playground.process
    assert playground.ask("digits", "row")["size"] == 0
    assert playground.process == first
    assert playground.ask("other", "describe")["label"] == "other"
    assert playground.process != first
    assert first is not None
    assert not Path(f"/proc/{first}").exists()


def test_what_cannot_be_answered_has_a_reason_and_the_next_question_an_answer(playground: Playground) -> None:
    with pytest.raises(ParibusError, match="no such thing"):
        playground.ask("digits", "picture", b"refuse")
    with pytest.raises(ParibusError, match="cannot be asked"):
        playground.ask("digits", "exec")
    with pytest.raises(ParibusError, match="The next question starts another one"):
        playground.ask("digits", "picture", b"end")
    assert playground.ask("digits", "picture")["size"] == 0


def test_an_answer_that_takes_too_long_ends_the_process(tmp_path: Path, command: tuple[str, ...]) -> None:
    playground = Playground(tmp_path, command=command, answer=0.2)
    playground.ask("digits", "picture")
    first = playground.process
    with pytest.raises(ParibusError, match="took longer"):
        playground.ask("digits", "picture", b"sleep")
    assert playground.process is None
    assert not Path(f"/proc/{first}").exists()


def test_it_ends_when_nothing_is_asked_for_a_while(tmp_path: Path, command: tuple[str, ...]) -> None:
    playground = Playground(tmp_path, command=command, idle=0.05)
    playground.ask("digits", "picture")
    deadline = time.monotonic() + 60
    while playground.process is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert playground.process is None
    assert playground.ask("digits", "picture")["size"] == 0
    playground.close()


def test_the_dashboard_itself_imports_no_keras() -> None:
    assert not imported_by("import paribus.dashboard.serve") & {"keras", "jax", "jaxlib"}


def test_networks_that_cannot_be_built_are_left_out_with_the_reason(tmp_path: Path) -> None:
    fill(tmp_path, document(seeds=1))  # what its store holds is no network of Keras
    answer = Predictor(tmp_path, "digits").answer(b"describe\n")
    assert list(answer["problems"]) == ["small", "large", "large-dropout"]
    assert "Keras cannot build it in this process" in answer["problems"]["small"]


def frames(*contents: bytes) -> io.BytesIO:
    stream = io.BytesIO()
    for content in contents:
        child.write_frame(stream, content)
    stream.seek(0)
    return stream


def test_frames_that_are_cut_off_are_the_end() -> None:
    stream = frames(b"one", b"")
    assert [child.read_frame(stream) for _ in range(3)] == [b"one", b"", None]
    cut: Any = io.BytesIO(frames(b"one").getvalue()[:-1])
    assert child.read_frame(cut) is None
