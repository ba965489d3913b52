"""Study files: what a good one says, and over forty bad ones with what is said about each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bad_studies import A_B, BAD, GOOD, contrasts
from paribus.data import summarize
from paribus.errors import StudyError, UnknownNameError, UsageError
from paribus.records import DataSpec, DescribeJob, Training
from paribus.study.builtin import NAMES
from paribus.study.document import MAX_SEED, StudyDocument
from paribus.study.load import MAX_BYTES, load_study, parse_study
from paribus.study.overrides import MAX_RUNS, check_arms, override


@pytest.mark.parametrize("name", BAD)
def test_every_mistake_is_told_at_once_and_placed(name: str) -> None:
    text, expected = BAD[name]
    with pytest.raises(StudyError) as caught:
        parse_study(text, "mine.toml")
    found = caught.value.mistakes
    assert [mistake.place for mistake in found] == [place for place, _ in expected]
    for mistake, (_, message) in zip(found, expected, strict=True):
        assert mistake.message.startswith(message)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"mine.toml: {len(found)} mistake{'s' if len(found) > 1 else ''}"
    assert lines[1:] == [f"  - {mistake}" for mistake in found]


def test_a_good_study_says_what_it_says() -> None:
    document = parse_study(GOOD, "mine.toml")
    assert (document.name, document.seeds, list(document.arms)) == ("mine", 5, ["a", "b"])
    assert document.arms["b"].layers == ({"Flatten": {}}, {"Dense": {"units": 10}})
    assert document.arms["a"].optimizer == {"Adam": {}}
    assert document.data.spec() == DataSpec("digits")
    assert document.protocol.training() == Training('{"categorical_crossentropy":{}}', 10, 100, 0.0)
    assert document.declared_contrasts() == ()
    assert StudyDocument.model_validate_json(document.model_dump_json()) == document


def test_a_study_never_changes() -> None:
    document = parse_study(GOOD, "mine.toml")
    with pytest.raises(ValueError, match="frozen"):
        document.seeds = 3  # type: ignore[misc]


def test_all_pairs_come_after_what_is_written_out() -> None:
    more = '[arms.c]\nlayers = ["Flatten"]\n[comparison]\nall_pairs = true\n'
    written = '[[contrasts]]\na = "c"\nb = "a"\n[[contrasts]]\na = "a"\nb = "b"\nmetric = "test_loss"\n'
    document = parse_study(GOOD + more + written, "mine.toml")
    assert [(c.a, c.b, c.metric) for c in document.declared_contrasts()] == [
        ("c", "a", "test_accuracy"),
        ("a", "b", "test_loss"),
        ("a", "b", "test_accuracy"),
        ("b", "c", "test_accuracy"),
    ]


# Where studies are found


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_study(str(path)) == parse_study(GOOD, "mine.toml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: the study file cannot be read: No such file"):
        load_study(str(tmp_path / "nowhere.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(UsageError, match=r"folder\.toml: the study file cannot be read: Is a directory"):
        load_study(str(tmp_path / "folder.toml"))
    (tmp_path / "latin.toml").write_bytes(b'name = "f\xfcr"\n')
    with pytest.raises(StudyError, match=r"not UTF-8 text \(byte 9\): a study file is TOML in UTF-8"):
        load_study(str(tmp_path / "latin.toml"))
    (tmp_path / "large.toml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(UsageError, match=r"large\.toml: 4194305 bytes; a study file has at most 4194304"):
        load_study(str(tmp_path / "large.toml"))
    (tmp_path / "endless.toml").symlink_to("/dev/zero")
    with pytest.raises(UsageError, match=r"endless\.toml: 4194305 bytes; a study file has at most"):
        load_study(str(tmp_path / "endless.toml"))


def test_names_that_are_close() -> None:
    with pytest.raises(UnknownNameError, match=r"no study 'mnist-mlp': did you mean 'mnist-mlps'\? built in are mnist"):
        load_study("mnist-mlp")
    with pytest.raises(
        UnknownNameError, match=r"no study 'zzz': built in are mnist-mlps, dropout-or-arch.*\.toml file"
    ):
        load_study("zzz")


# Overrides


DOCUMENT = parse_study(contrasts(A_B, 'a = "b"\nb = "a"\nmetric = "test_loss"'), "mine.toml")


@pytest.mark.parametrize("seeds", [0, -3, MAX_SEED + 1])
def test_seeds_out_of_range(seeds: int) -> None:
    with pytest.raises(UsageError, match=rf"--seeds {seeds}: the number of seeds is 1 or more"):
        override(DOCUMENT, seeds=seeds)


@pytest.mark.parametrize("epochs", [0, -1])
def test_epochs_out_of_range(epochs: int) -> None:
    with pytest.raises(UsageError, match=rf"--epochs {epochs}: the number of epochs is 1 or more"):
        override(DOCUMENT, epochs=epochs)


def test_an_unknown_arm() -> None:
    with pytest.raises(UnknownNameError, match=r"no arm 'c' in study 'mine': there are a, b"):
        check_arms(DOCUMENT, ["a", "c"])


def test_more_runs_than_anybody_plans() -> None:
    """They are not made and counted, which would take the memory of the machine."""
    most = MAX_RUNS // 2
    assert check_arms(override(DOCUMENT, seeds=most), ()) == ("a", "b")
    with pytest.raises(
        UsageError, match=r"2 arms with 50,001 seeds each are 100,002 runs; at most 100,000 are planned"
    ):
        check_arms(override(DOCUMENT, seeds=most + 1), ())
    with pytest.raises(UsageError, match=r"are 2,000,000,000 runs"):
        check_arms(override(DOCUMENT, seeds=2_000_000_000), ["a"])


def test_more_contrasts_than_anybody_reads() -> None:
    """A file of a few hundred arms can ask for each against each."""
    arms = {f"a{number}": DOCUMENT.arms["a"] for number in range(448)}
    comparison = DOCUMENT.comparison.model_copy(update={"all_pairs": True})
    large = DOCUMENT.model_copy(update={"arms": arms, "contrasts": (), "comparison": comparison})
    with pytest.raises(UsageError, match=r"`all_pairs` of 448 arms are 100,128 contrasts; at most 100,000"):
        check_arms(large, ["a1"])


def test_what_is_said_instead_counts() -> None:
    changed = override(DOCUMENT, seeds=2, epochs=3, data="mnist")
    assert (changed.seeds, changed.protocol.epochs, changed.data.source) == (2, 3, "mnist")
    assert changed.protocol.batch_size == DOCUMENT.protocol.batch_size
    assert override(DOCUMENT) == DOCUMENT


def test_arms_are_run_in_the_studys_order() -> None:
    assert check_arms(DOCUMENT, ["b", "a"]) == check_arms(DOCUMENT, ()) == ("a", "b")
    assert check_arms(DOCUMENT, ["b"]) == ("b",)


# Built-in studies


def test_the_built_in_studies() -> None:
    assert NAMES == ("mnist-mlps", "dropout-or-architecture", "digits")
    for name in NAMES:
        document = load_study(name)
        assert document.name == name
        assert document.question.endswith("?")


def test_the_notebooks_study() -> None:
    document = load_study("mnist-mlps")
    assert list(document.arms) == ["simple", "deep-dropout", "wide", "big-dropout", "big"]
    assert document.data.spec() == DataSpec("mnist", 255.0, flatten=True)
    assert (document.protocol.epochs, document.protocol.batch_size) == (10, 100)
    assert document.protocol.loss == {"categorical_crossentropy": {}}
    declared = [(c.a, c.b) for c in document.declared_contrasts()]
    assert declared[0] == ("big-dropout", "big")
    assert len({frozenset(pair) for pair in declared}) == len(declared) == 10, "every arm against every other"
    decay = {"initial_learning_rate": 0.001, "decay_steps": 1, "decay_rate": 1e-6}
    sgd = {"learning_rate": {"InverseTimeDecay": decay}, "momentum": 0.9}
    assert document.arms["simple"].optimizer == {"SGD": sgd}
    assert all(document.arms[name].optimizer == {"Adam": {}} for name in document.arms if name != "simple")


def test_the_factorial_study() -> None:
    document = load_study("dropout-or-architecture")
    levels = [(arm.levels["architecture"], arm.levels["dropout"]) for arm in document.arms.values()]
    assert levels == [(size, dropout) for size in ("deep", "wide", "big") for dropout in ("off", "on")]
    assert document.comparison.factorial
    pairs = [(c.a, c.b) for c in document.declared_contrasts()]
    assert pairs == [(f"{size}-dropout", size) for size in ("deep", "wide", "big")]
    for a, b in pairs:
        with_dropout, without = document.arms[a].layers, document.arms[b].layers
        assert with_dropout is not None
        assert tuple(layer for layer in with_dropout if "Dropout" not in layer) == without, (
            "dropout is all that differs"
        )
    notebook = load_study("mnist-mlps")
    for name in ("deep-dropout", "big-dropout", "big"):
        assert document.arms[name].spec() == notebook.arms[name].spec(), "the notebook's networks, so runs are shared"
    assert (document.data, document.protocol) == (notebook.data, notebook.protocol)


def test_the_tiny_study() -> None:
    document = load_study("digits")
    assert list(document.arms) == ["small", "large", "large-dropout"]
    assert [(c.a, c.b) for c in document.contrasts] == [("large-dropout", "large")]
    assert document.data.spec() == DataSpec("digits", 16.0, flatten=True)


# Studies in Python


STUDY = (
    "from paribus.study.load import parse_study\n"
    f"class Holder:\n    document = parse_study('''{GOOD}''', 'mine.toml')\n"
)
STUDY += "study = Holder()\nplain = study.document\nnumber = 3\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


@pytest.mark.parametrize(
    "where", ["my_networks:study", "my_networks:plain", "my_networks.py:study", "./my_networks.py:plain"]
)
def test_an_object_in_a_module_or_a_file(folder: Path, where: str) -> None:
    (folder / "my_networks.py").write_text(STUDY, encoding="utf-8")
    assert load_study(where) == parse_study(GOOD, "mine.toml")
    assert load_study(where).name == "mine", "again"


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("my_networks:number", "my_networks:number: 'number' is int; expected a paribus.Study"),
        ("my_networks:nothing", "my_networks:nothing: my_networks has no 'nothing'"),
        ("my_networks:", "my_networks:: my_networks has no ''"),
        ("no_such_module_here:study", "no_such_module_here:study: there is no module 'no_such_module_here' here or"),
        ("nowhere.py:study", "nowhere.py:study: there is no file nowhere.py"),
        (":study", ":study: it raised ValueError: Empty module name"),
        ("broken.py:study", "broken.py:study: line 3 of broken.py raised ZeroDivisionError: division by zero"),
        ("wrong.py:study", "wrong.py:study: wrong.py raised SyntaxError: "),
        ("misses.py:study", "misses.py:study: there is no module 'no_such_module_here' here or installed"),
        ("json.py:study", "json.py: another module named 'json' is in use; rename the file"),
    ],
)
def test_objects_that_are_no_studies(folder: Path, where: str, message: str) -> None:
    """A user's code may raise anything; what it raised is told, with the line, and never as a traceback."""
    (folder / "my_networks.py").write_text(STUDY, encoding="utf-8")
    (folder / "json.py").write_text(STUDY, encoding="utf-8")
    (folder / "broken.py").write_text("a = 0\n\nb = 1 / a\n", encoding="utf-8")
    (folder / "wrong.py").write_text("def\n", encoding="utf-8")
    (folder / "misses.py").write_text("import no_such_module_here\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_study(where)
    assert str(caught.value).startswith(message)


def test_a_file_that_failed_is_not_in_the_way_of_another_of_its_name(folder: Path) -> None:
    (folder / "first").mkdir()
    (folder / "first" / "networks_of_mine.py").write_text("1 / 0", encoding="utf-8")
    (folder / "networks_of_mine.py").write_text(STUDY, encoding="utf-8")
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        load_study("first/networks_of_mine.py:study")
    assert load_study("networks_of_mine.py:study").name == "mine"


def test_a_bad_study_in_python_says_its_mistakes(folder: Path) -> None:
    (folder / "my_networks.py").write_text(STUDY.replace("units = 10", "units = 0"), encoding="utf-8")
    with pytest.raises(StudyError, match=r"mine\.toml: 2 mistakes"):
        load_study("my_networks:study")


# Keras's part


@pytest.mark.parametrize(
    ("study", "parameters"),
    [
        ("mnist-mlps", [79_510, 319_810, 898_510, 1_111_460, 1_111_460]),
        ("dropout-or-architecture", [319_810, 319_810, 898_510, 898_510, 1_111_460, 1_111_460]),
        ("digits", [1_210, 4_810, 4_810]),
    ],
)
def test_parameter_counts(study: str, parameters: list[int]) -> None:
    from paribus.engine.describe import describe

    document = load_study(study)
    data, training = summarize(document.data.spec()), document.protocol.training()
    jobs = [DescribeJob(name, arm.spec(), document.data.spec(), training) for name, arm in document.arms.items()]
    recipes = [describe(job, data.input_shape, data.classes) for job in jobs]
    assert [recipe.parameters for recipe in recipes] == parameters
    assert [sum(layer.parameters for layer in recipe.layers) for recipe in recipes] == parameters
