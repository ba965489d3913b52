"""Two arms side by side: what differs between them, of the runs up to the last look and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dashboard_server import document, fill
from paribus.dashboard.compare import comparison_sections, first_pair
from paribus.dashboard.moments import Progress, find_moments, without_waiting
from paribus.dashboard.settings import arm_differences, list_differences
from paribus.dashboard.studies import Answer, Studies
from paribus.dashboard.unstyled import without_styles
from paribus.report.html.build import Markup
from paribus.study.document import Arm, StudyDocument

PAIR = [{"a": "large-dropout", "b": "large"}]


def study(seeds: int, looks: tuple[int, ...] = (), **changes: Any) -> StudyDocument:
    changes = {"contrasts": PAIR} | changes
    return document(seeds=seeds, comparison={"looks": list(looks)} if looks else {}, **changes)


def compared(folder: Path, a: str = "large-dropout", b: str = "large") -> str:
    answer = Studies(folder).answer("digits")
    assert answer is not None
    return comparison_sections(answer, a, b).text


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_two_arms_of_a_whole_study(tmp_path: Path) -> None:
    fill(tmp_path, study(3))
    text = compared(tmp_path)
    for part in ("verdicts", "settings", "contrasts", "examples", "classes", "calibration"):
        assert f'<section id="{part}"' in text or f'id="{part}"' in text, part
    assert "Won by large" in text
    assert "data:image/png;base64," in text
    assert "on new data" in words(text)
    assert "Every paired difference" in text
    assert "small" not in words(text).replace("small dots", "").replace("Small dots", "")  # nothing of other arms
    assert " style=" not in text
    assert "Confusions of large-dropout" in text
    assert "shade-10" in text


def test_only_what_differs_is_listed(tmp_path: Path) -> None:
    arms = study(1).arms
    differences = arm_differences(arms["large-dropout"], arms["large"])
    assert len(differences) == 1
    assert differences[0][0].startswith("layers")
    assert "Dropout" in differences[0][1]
    assert differences[0][2] == "absent"
    assert arm_differences(arms["large"], arms["large"]) == []


def test_a_keras_config_is_compared_value_by_value() -> None:
    one = Arm(model='{"config": {"layers": [{"rate": 0.0}, {"units": 3}]}}')
    two = Arm(model='{"config": {"layers": [{"rate": 0.5}, {"units": 3}]}}')
    assert arm_differences(one, two) == [("model config layers 1 rate", "0.0", "0.5")]


def test_true_and_one_differ_and_a_list_that_grows_is_one_difference() -> None:
    assert list(list_differences({"a": True}, {"a": 1})) == [("a", "True", "1")]
    assert list(list_differences([1, 2, 3], [1, 9, 2, 3], "layers")) == [("layers 2", "absent", "9")]
    assert list(list_differences({"Dense": {"units": 0}}, {}, "x")) == [("x Dense", "units=0", "absent")]


def test_between_looks_it_is_that_of_the_last_look(tmp_path: Path) -> None:
    fill(tmp_path / "at", study(3, (3, 6)))
    fill(tmp_path / "between", study(5, (3, 6)))
    assert compared(tmp_path / "at") == compared(tmp_path / "between")


def test_before_the_first_look_nothing_of_the_test_split_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, study(2, (3, 6)))
    monkeypatch.setattr("paribus.dashboard.compare.read_answers", pytest.fail)
    text = words(compared(tmp_path))
    assert "No verdict yet: the next planned look is at 3 seeds of every arm; 2 have ended" in text
    assert "Before its first look nothing that was measured on the test split is displayed of" in text
    assert "Dropout" in text
    assert not re.search(r"\d+\.\d+ ?%", text)


SECONDARY = [
    {"a": "large-dropout", "b": "large", "primary": True},
    {"a": "large", "b": "small", "primary": True},
    {"a": "large-dropout", "b": "small"},
]


def test_a_statement_whose_moment_has_not_come_waits_though_its_arms_are_seen(tmp_path: Path) -> None:
    """Both arms are seen by the look of the primary statements; the secondary one is judged once, at 5 seeds."""
    fill(tmp_path, study(3, (3, 6), contrasts=SECONDARY))
    answer = Studies(tmp_path).answer("digits")
    assert answer is not None
    arms = dict.fromkeys(answer.moments.seeds, Progress(3, 6))
    moments = find_moments(study(5, (3, 6), contrasts=SECONDARY), arms)
    assert moments.seeds == dict.fromkeys(arms, 3)
    assert len(answer.outcome.contrasts) == 3
    limited = Answer(without_waiting(answer.outcome, moments), moments)
    assert len(limited.outcome.contrasts) == 2
    text = words(comparison_sections(limited, "large-dropout", "small").text)
    assert "No verdict yet: it is judged once, at 5 seeds; 3 have ended" in text
    assert "Not yet: it is judged once" in text
    assert "Won by" not in text


def test_it_begins_with_what_the_study_asks(tmp_path: Path) -> None:
    fill(tmp_path, study(2))
    written = Studies(tmp_path).written_pairs("digits")
    assert first_pair(written, ("small", "large", "large-dropout")) == ("large-dropout", "large")
    assert first_pair(written, ("small", "large")) == ("small", "large")


def test_no_text_of_a_name_becomes_an_attribute() -> None:
    assert without_styles(Markup('<p>&lt;b style="x:y"</p>')).text == '<p>&lt;b style="x:y"</p>'
    assert without_styles(Markup('<path d="M 0" style="fill:none;opacity:0.3"/>')).text == (
        '<path d="M 0" fill="none" opacity="0.3"/>'
    )
