"""Markdown, LaTeX, CSV, TOML, figures and files."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import report_examples as examples
from paribus.analysis import METRICS
from paribus.analysis.sentences import contrast_sentence
from paribus.errors import ParibusError, UsageError
from paribus.records import Status
from paribus.report import FORMATS, latex, markdown, render_report, write_figures, write_report
from paribus.report.commands import list_commands
from paribus.report.csv import run_rows
from paribus.report.figures import arm_measures
from paribus.report.figures.plot import to_bytes
from paribus.report.json import outcome_fields
from paribus.report.numbers import with_minus
from paribus.report.toml import to_toml
from paribus.study import builtin
from paribus.study.document import StudyDocument
from paribus.study.load import load_study, parse_study
from paribus.study.overrides import override


@pytest.fixture(scope="module")
def tiny():
    return examples.tiny(3)


def test_markdown_tables_have_as_many_cells_in_every_row(tiny):
    lines = render_report(tiny, "md").splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert len(tables) == 2 + 3 + 2 + 3 + 2 + 3
    for block in (tables[:5], tables[5:10], tables[10:]):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block}) == 1
    for contrast in tiny.contrasts:
        assert f"- {markdown.escape_markdown(with_minus(contrast_sentence(contrast)))}" in lines


def test_markdown_of_hostile_text():
    assert markdown.escape_markdown("a|b *c* <i>\n_d_ `e` [f](g) # $x$") == (
        r"a\|b \*c\* \<i\> \_d\_ \`e\` \[f\](g) \# \$x\$"
    )
    found = render_report(examples.tiny(2, question="# <script>\nalert(1)|"), "md")
    assert found.startswith("# \\# \\<script\\> alert(1)\\|\n")


def test_a_studys_toml_is_part_of_the_report_unless_it_is_built_in(tiny):
    assert "study.toml" not in render_report(examples.tiny(2), "md")
    changed = render_report(examples.tiny(2, question="Other?"), "md")
    assert "paribus run study.toml --seeds 2" in changed
    assert 'question = "Other?"' in changed


def test_commands_name_what_was_changed(tiny):
    assert list_commands(tiny) == (
        "paribus run digits --seeds 3",
        "paribus report digits --format html -o digits.html",
    )
    known = load_study("digits")
    accuracy = dict.fromkeys(known.arms, 0.9)
    fewer = override(known, seeds=2, epochs=3)
    assert list_commands(examples.outcome(fewer, accuracy))[0] == "paribus run digits --epochs 3 --seeds 2"


@pytest.mark.parametrize("name", builtin.NAMES)
def test_a_built_in_study_survives_toml(name):
    study = load_study(name)
    assert parse_study(to_toml(study), "again") == study


names = st.text(min_size=1, max_size=8)


@settings(max_examples=60)
@given(question=st.text(max_size=80), factor=names, levels=st.lists(names, min_size=2, max_size=2, unique=True))
def test_any_study_survives_toml(question, factor, levels):
    arms = {
        f"arm-{index}": {
            "levels": {factor: level},
            "optimizer": {"SGD": {"learning_rate": {"Decay": {"rate": 1e-7, "on": True, "note": question}}}},
            "layers": [{"Dense": {"units": 3, "activation": question or "relu"}}, "Flatten"],
        }
        for index, level in enumerate(levels)
    }
    study = StudyDocument.model_validate(
        {
            "name": "x",
            "question": question,
            "data": {"source": "digits"},
            "arms": arms,
            "contrasts": [{"a": "arm-0", "b": "arm-1", "margin": 0.0005}],
        }
    )
    assert StudyDocument.model_validate(tomllib.loads(to_toml(study))) == study


def test_latex_escapes_everything_special():
    assert latex.escape_latex("50 % of $5 & #1_a^b~c{d}\\e") == (
        r"50 \% of \$5 \& \#1\_a\textasciicircum{}b\textasciitilde{}c\{d\}\textbackslash{}e"
    )
    assert latex.escape_latex("from -0.5 to \N{MINUS SIGN}1\N{NO-BREAK SPACE}%\n") == "from $-$0.5 to $-$1~\\% "
    assert latex.escape_latex("big-dropout") == "big-dropout"


def test_latex_tables_are_whole(tiny):
    found = render_report(tiny, "latex")
    assert found.count(r"\begin{table}") == found.count(r"\end{table}") == 2
    assert found.count(r"\toprule") == found.count(r"\midrule") == found.count(r"\bottomrule") == 2
    for body in re.findall(r"\\toprule(.*?)\\bottomrule", found, flags=re.S):
        lines = [line.strip() for line in body.splitlines() if line.strip() and "rule" not in line]
        assert len({len(re.findall(r"(?<!\\\\)&", line)) for line in lines}) == 1
        assert all(line.endswith(r"\\") for line in lines)
    assert r"\paragraph{Methods.}" in found
    question = render_report(examples.tiny(2, question="50 %\n\\input{x}"), "latex")
    assert question.splitlines()[0] == "% digits: 50 % \\input{x}", "a comment cannot be left"


def test_methods_name_what_was_used_and_nothing_else(tiny):
    found = render_report(tiny, "md")
    assert "two-way analysis of variance" in found
    assert "Bonferroni" in found
    assert "0.10 points" in found
    assert "O'Brien" not in found
    assert "Main effects" not in found
    assert "planned looks: this is look 1 of 2" in render_report(
        examples.tiny(3, comparison={"all_pairs": True, "looks": [3, 6]}), "md"
    )
    seeds_only = render_report(examples.tiny(3, comparison={"scope": "this test set"}), "md")
    assert "paired t interval over the seeds" in seeds_only
    assert "two-way" not in seeds_only
    assert "no intervals" in render_report(examples.tiny(1), "md")


def test_csv_has_one_row_a_run_with_the_jsons_names():
    outcome = examples.tiny(3, end=lambda arm, seed: Status.FAILED if (arm, seed) == ("small", 1) else Status.FINISHED)
    found = list(csv.DictReader(io.StringIO(render_report(outcome, "csv"), newline="")))
    said = outcome_fields(outcome)
    assert [(row["arm"], int(row["seed"])) for row in found] == [
        (arm.name, run.seeds.seed) for arm in outcome.arms for run in arm.runs
    ]
    assert list(found[0])[:3] == ["arm", "seed", "status"]
    assert set(said["arms"][0]["runs"][0]) <= set(found[0])
    assert float(found[0]["test_accuracy"]) == said["arms"][0]["runs"][0]["test_accuracy"]
    assert found[1]["test_accuracy"] == ""
    assert found[1]["reason"] == "killed: out of memory"
    assert run_rows(outcome)[1]["test_accuracy"] is None


def test_json_is_the_contracts_document(tiny):
    assert json.loads(render_report(tiny, "json")) == outcome_fields(tiny)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_written_whole(tiny, tmp_path, format):
    path = tmp_path / f"report.{format}"
    write_report(tiny, format, path)
    assert path.read_bytes() == render_report(tiny, format).encode()
    assert list(tmp_path.iterdir()) == [path], "no draft is left"


def test_an_old_report_is_replaced_and_a_link_is_followed(tiny, tmp_path):
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    link.symlink_to(real)
    write_report(tiny, "csv", link)
    assert link.is_symlink()
    assert real.read_text().startswith("arm,seed")


def test_where_nothing_can_be_written_one_clear_error_says_so(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(UsageError, match=r"the folder .* cannot be made"):
        write_report(tiny, "csv", tmp_path / "file" / "report.csv")
    with pytest.raises(UsageError, match="this is a folder"):
        write_report(tiny, "csv", tmp_path)
    with pytest.raises(UsageError, match=r"format 'docx': choose one of html, md, latex, csv, json"):
        write_report(tiny, "docx", tmp_path / "x")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UsageError, match="cannot be written to"):
        write_report(tiny, "csv", tmp_path / "report.csv")


def test_missing_folders_are_made(tiny, tmp_path):
    write_report(tiny, "csv", tmp_path / "a" / "b" / "report.csv")
    assert (tmp_path / "a" / "b" / "report.csv").read_text().startswith("arm,seed")


def test_a_full_disk_leaves_the_old_report_alone(tiny, tmp_path, monkeypatch):
    path = tmp_path / "report.csv"
    path.write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ParibusError, match="cannot be written: No space left on device"):
        write_report(tiny, "csv", path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_to_and_not_replaced(tiny):
    write_report(tiny, "csv", Path(os.devnull))
    assert not Path(os.devnull).is_file()


def test_a_device_is_written_to_by_whoever_may_not_write_beside_it(tiny, monkeypatch):
    """As a plain user, whose /dev is another's."""
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not Path(path).is_dir() and allowed(path, mode))
    write_report(tiny, "csv", Path(os.devnull))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UsageError, match="/dev/null: it cannot be written to; name a file somewhere else"):
        write_report(tiny, "csv", Path(os.devnull))


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_figures_as_files(tiny, tmp_path, kind, start):
    written = write_figures(tiny, tmp_path, kind)
    assert {path.stem for path in written} == {
        *("test-accuracy", "gap", "contrasts-test_accuracy", "seeds", "learning-curves", "curves", "calibration"),
    }
    assert all(path.read_bytes().startswith(start) for path in written)


@pytest.mark.parametrize("kind", ["pdf", "png", "svg"])
def test_a_figure_is_the_same_every_time_and_has_no_date(tiny, kind):
    plot = arm_measures.draw_metric(tiny, METRICS["test_accuracy"], 400)
    assert to_bytes(plot, kind) == to_bytes(plot, kind)
    assert b"Date" not in to_bytes(plot, kind)


def test_figures_of_an_unknown_kind(tiny, tmp_path):
    with pytest.raises(UsageError, match=r"'gif': choose one of pdf, png, svg"):
        write_figures(tiny, tmp_path, "gif")
