"""Study files: what a good one says, and over forty bad ones with what is said about each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from paribus.data import summarize
from paribus.errors import StudyError, UnknownNameError, UsageError
from paribus.records import DataSpec, DescribeJob, Training
from paribus.study.builtin import NAMES
from paribus.study.document import MAX_SEED, StudyDocument
from paribus.study.load import MAX_BYTES, load_study, parse
from paribus.study.overrides import MAX_RUNS, override

HEAD = 'name = "mine"\n'
DATA = '[data]\nsource = "digits"\n'
ARMS = '[arms.a]\nlayers = [{ Dense = { units = 10 } }]\n[arms.b]\nlayers = ["Flatten", { Dense = { units = 10 } }]\n'
GOOD = HEAD + DATA + ARMS


def top(line: str) -> str:
    return f"{line}\n{GOOD}"


def data(line: str) -> str:
    return f"{HEAD}{DATA}{line}\n{ARMS}"


def arm(*lines: str) -> str:
    return HEAD + DATA + "[arms.a]\n" + "\n".join(lines) + "\n"


def layer(text: str) -> str:
    return arm(f"layers = [{text}]")


def contrasts(*each: str) -> str:
    return GOOD + "".join(f"[[contrasts]]\n{line}\n" for line in each)


A_B = 'a = "a"\nb = "b"'
NO_NETWORK = "an arm has one of `layers`, `model` and `estimator`, found none; give one of them"
TWO_NETWORKS = "an arm has one of `layers`, `model` and `estimator`, found `layers` and `model`; give one of them"

BAD: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "nothing": ("", [(key, "missing; it must be given") for key in ("name", "data", "arms")]),
    "no toml": ("name = ", [("", "not TOML: Invalid value (at end of document)")]),
    "a key twice": (top('name = "b"'), [("", "not TOML: Cannot overwrite a value (at line 2, column 14)")]),
    "a number of 5,000 digits": (
        "seeds = " + "9" * 5000,
        [("", "not TOML: a whole number of more than 64 bits; TOML has none")],
    ),
    "too deep": ("a = " + 3000 * "[", [("", "not TOML: nested too deeply; a study needs fewer than 20 levels")]),
    "name with a space": (
        GOOD.replace("mine", "my study"),
        [("name", "'my study': letters, digits and . _ - are allowed, a letter or digit first")],
    ),
    "name with a slash": (
        GOOD.replace("mine", "../mine"),
        [("name", "'../mine': letters, digits and . _ - are allowed, a letter or digit first")],
    ),
    "long name": (
        GOOD.replace("mine", 101 * "m"),
        [("name", f"'{56 * 'm'}...: string should have at most 100 characters")],
    ),
    "name is a date": (
        "name = 2020-01-01\n" + DATA + ARMS,
        [("name", "datetime.date(2020, 1, 1): text in quotes is expected")],
    ),
    "no seeds": (top("seeds = 0"), [("seeds", "0: input should be greater than or equal to 1")]),
    "too many seeds": (top("seeds = 3_000_000_000"), [("seeds", "3000000000: input should be less than or equal to")]),
    "seeds in words": (top('seeds = "five"'), [("seeds", "'five': a whole number is expected")]),
    "half a seed": (top("seeds = 2.5"), [("seeds", "2.5: a whole number is expected")]),
    "seeds are true": (top("seeds = true"), [("seeds", "True: a whole number is expected")]),
    "a list of seeds": (top("seeds = [1, 2]"), [("seeds", "[1, 2]: a whole number is expected")]),
    "misspelled key": (
        top("sedes = 3"),
        [("sedes", "unknown key; did you mean 'seeds'? known here are name, question,")],
    ),
    "strange key": (top("xyz = 3"), [("xyz", "unknown key; known here are name, question, seeds")]),
    "no source": (GOOD.replace('source = "digits"', ""), [("data, source", "missing; it must be given")]),
    "empty source": (GOOD.replace('"digits"', '""'), [("data, source", "'': must not be empty")]),
    "scale zero": (data("scale = 0"), [("data, scale", "0: input should be greater than 0")]),
    "scale nan": (data("scale = nan"), [("data, scale", "nan: a finite number is expected")]),
    "scale true": (data("scale = true"), [("data, scale", "True: a number is expected")]),
    "flatten yes": (data('flatten = "yes"'), [("data, flatten", "'yes': true or false is expected, without quotes")]),
    "flatten 1": (data("flatten = 1"), [("data, flatten", "1: true or false is expected, without quotes")]),
    "misspelled scale": (
        data("scael = 3"),
        [("data, scael", "unknown key; did you mean 'scale'? known here are source,")],
    ),
    "protocol": (
        GOOD + "[protocol]\nepochs = -1\nbatch_size = 0\nvalidation_split = 1.0\nloss = 3\n",
        [
            ("protocol, loss", "3: a table is expected"),
            ("protocol, epochs", "-1: input should be greater than or equal to 1"),
            ("protocol, batch_size", "0: input should be greater than or equal to 1"),
            ("protocol, validation_split", "1.0: input should be less than 1"),
        ],
    ),
    "two losses": (
        GOOD + "[protocol]\nloss = { a = {}, b = {} }\n",
        [("protocol, loss", "one Keras class name with its arguments is expected, found a, b; write it like { Dense")],
    ),
    "no arms": (HEAD + "arms = {}\n" + DATA, [("arms", "empty; at least one is needed")]),
    "arms in a list": (HEAD + "arms = []\n" + DATA, [("arms", "[]: a table is expected")]),
    "arm with a space": (
        GOOD + '[arms."my arm"]\nlayers = ["Flatten"]\n',
        [("arm 'my arm'", "'my arm': letters, digits and . _ - are allowed, a letter or digit first")],
    ),
    "arm without a network": (arm(), [("arm 'a'", NO_NETWORK)]),
    "arm with two networks": (arm('layers = ["Flatten"]', 'model = "{}"'), [("arm 'a'", TWO_NETWORKS)]),
    "misspelled layers": (
        arm('layers = ["Flatten"]', "layer = 3"),
        [
            (
                "arm 'a', layer",
                "unknown key; did you mean 'layers'? known here are layers, model, estimator",
            )
        ],
    ),
    "no layers": (arm("layers = []"), [("arm 'a', layers", "empty; at least one is needed")]),
    "two layers in one": (
        layer("{ Dense = {}, Flatten = {} }"),
        [("arm 'a', layer 1", "one Keras class name with its arguments is expected, found Dense, Flatten")],
    ),
    "five bad layers": (
        layer('"Flatten", {}, 5, { Dense = 3 }, { Dense = { units = 0 } }, { Dropout = { rate = 1.2 } }'),
        [
            ("arm 'a', layer 2", "one Keras class name with its arguments is expected, found nothing"),
            ("arm 'a', layer 3", "5: a table is expected"),
            ("arm 'a', layer 4, Dense", "3: a table is expected"),
            ("arm 'a', layer 5", "Dense units 0: a layer has a whole number of units, 1 or more"),
            ("arm 'a', layer 6", "Dropout rate 1.2: a rate lies in [0, 1); write 0.2 to drop a fifth of the units"),
        ],
    ),
    "half a unit": (
        layer("{ Dense = { units = 2.5 } }"),
        [("arm 'a', layer 1", "Dense units 2.5: a layer has a whole")],
    ),
    "units true": (
        layer("{ Dense = { units = true } }"),
        [("arm 'a', layer 1", "Dense units True: a layer has a whole")],
    ),
    "spatial dropout": (
        layer("{ SpatialDropout1D = { rate = -0.1 } }"),
        [("arm 'a', layer 1", "SpatialDropout1D rate -0.1: a rate lies in [0, 1)")],
    ),
    "a date among arguments": (
        layer("{ Dense = { units = 1979-05-27 } }"),
        [("arm 'a', layer 1, Dense, units", "datetime.date(1979, 5, 27): text, a number, true or false, a list or")],
    ),
    "a learning rate of nan": (
        arm('layers = ["Flatten"]', "optimizer = { SGD = { learning_rate = nan } }"),
        [("arm 'a', optimizer, SGD, learning_rate", "nan: a finite number is expected")],
    ),
    "infinity deep inside": (
        layer("{ Dense = { units = 3, kernel_regularizer = { L2 = { l2 = inf } } } }"),
        [("arm 'a', layer 1, Dense, kernel_regularizer, L2, l2", "inf: a finite number is expected")],
    ),
    "optimizer in numbers": (
        arm('layers = ["Flatten"]', "optimizer = 3"),
        [("arm 'a', optimizer", "3: a table is expected")],
    ),
    "a level that is no text": (
        arm('layers = ["Flatten"]', "levels = { dropout = true }"),
        [("arm 'a', levels, dropout", "True: text in quotes is expected")],
    ),
    "contrasts": (
        contrasts('a = "a"\nb = "c"', 'a = "a"\nb = "a"', 'a = "b"', 'a = "x"\nb = "y"'),
        [
            ("contrast 2", "'a' is compared with itself; name two arms"),
            ("contrast 3, b", "missing; it must be given"),
            ("contrast 1", "unknown arm 'c'; the arms are a, b"),
            ("contrast 4", "unknown arm 'x'; the arms are a, b"),
            ("contrast 4", "unknown arm 'y'; the arms are a, b"),
        ],
    ),
    "a contrast twice": (
        contrasts(A_B, f'{A_B}\nmetric = "test_loss"', 'a = "b"\nb = "a"\nmetric = "test_accuracy"'),
        [("contrast 3", "'b' against 'a' on test_accuracy is declared twice; keep one")],
    ),
    "no such metric": (
        contrasts(f'{A_B}\nmetric = "accuracy"\nmargin = 0'),
        [
            ("contrast 1, margin", "0: input should be greater than 0"),
            ("contrast 1, metric", "'accuracy' is not measured; one of test_accuracy, test_loss, train_accuracy, "),
        ],
    ),
    "metrics of the protocol": (
        GOOD + '[protocol]\nmetrics = ["Acc", "accuracy", "AUC", { Recall = { name = "Auc" } }]\n',
        [
            ("protocol, metrics, item 1", "'Acc' is no metric of Keras that measures a classifier; "),
            ("protocol, metrics, item 2", "'accuracy' is measured always; leave it out"),
            ("protocol, metrics, item 4", "name 'Auc': small letters, digits and underscores are expected"),
        ],
    ),
    "a metric twice": (
        GOOD + '[protocol]\nmetrics = ["auc", { AUC = { curve = "PR" } }]\n',
        [("protocol, metrics", "'auc' is measured twice; give one of them another name, like name = \"auc_2\"")],
    ),
    "comparison": (
        GOOD + '[comparison]\nscope = "elsewhere"\nlevel = 1.5\nmargin = -1\nlooks = [3, 2]\nall_pairs = 1\n',
        [
            ("comparison, scope", "'elsewhere': input should be 'new data' or 'this test set'"),
            ("comparison, level", "1.5: input should be less than 1"),
            ("comparison, margin", "-1: input should be greater than 0"),
            ("comparison, all_pairs", "1: true or false is expected, without quotes"),
            ("comparison, looks", "looks [3, 2]: each planned look has more seeds than the one before"),
        ],
    ),
    "factorial without levels": (
        GOOD + "[comparison]\nfactorial = true\n",
        [("comparison, factorial", "true, but not every arm has `levels` of the same factors; give them to every arm")],
    ),
    "factorial with other factors": (
        arm('layers = ["Flatten"]', 'levels = { size = "big" }')
        + '[arms.b]\nlayers = ["Flatten"]\nlevels = { dropout = "on" }\n[comparison]\nfactorial = true\n',
        [("comparison, factorial", "true, but not every arm has `levels` of the same factors; give them to every arm")],
    ),
    "a mistake in a table and one between tables": (
        contrasts('a = "a"\nb = "nobody"').replace("units = 10", "units = -1", 1),
        [
            ("arm 'a', layer 1", "Dense units -1: a layer has a whole number of units, 1 or more"),
            ("contrast 1", "unknown arm 'nobody'; the arms are a, b"),
        ],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_every_mistake_is_told_at_once_and_placed(name: str) -> None:
    text, expected = BAD[name]
    with pytest.raises(StudyError) as caught:
        parse(text, "mine.toml")
    found = caught.value.mistakes
    assert [mistake.place for mistake in found] == [place for place, _ in expected]
    for mistake, (_, message) in zip(found, expected, strict=True):
        assert mistake.message.startswith(message)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"mine.toml: {len(found)} mistake{'s' if len(found) > 1 else ''}"
    assert lines[1:] == [f"  - {mistake}" for mistake in found]


def test_a_good_study_says_what_it_says() -> None:
    document = parse(GOOD, "mine.toml")
    assert (document.name, document.seeds, list(document.arms)) == ("mine", 5, ["a", "b"])
    assert document.arms["b"].layers == ({"Flatten": {}}, {"Dense": {"units": 10}})
    assert document.arms["a"].optimizer == {"Adam": {}}
    assert document.data.spec() == DataSpec("digits")
    assert document.protocol.training() == Training('{"categorical_crossentropy":{}}', 10, 100, 0.0)
    assert document.declared_contrasts() == ()
    assert StudyDocument.model_validate_json(document.model_dump_json()) == document


def test_a_study_never_changes() -> None:
    document = parse(GOOD, "mine.toml")
    with pytest.raises(ValueError, match="frozen"):
        document.seeds = 3  # type: ignore[misc]


def test_all_pairs_come_after_what_is_written_out() -> None:
    more = '[arms.c]\nlayers = ["Flatten"]\n[comparison]\nall_pairs = true\n'
    written = '[[contrasts]]\na = "c"\nb = "a"\n[[contrasts]]\na = "a"\nb = "b"\nmetric = "test_loss"\n'
    document = parse(GOOD + more + written, "mine.toml")
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
    assert load_study(str(path)) == parse(GOOD, "mine.toml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: the study file cannot be read: No such file"):
        load_study(str(tmp_path / "nowhere.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(UsageError, match=r"folder\.toml: the study file cannot be read: Is a directory"):
        load_study(str(tmp_path / "folder.toml"))
    (tmp_path / "latin.toml").write_bytes(b'name = "f\xfcr"\n')
    with pytest.raises(StudyError, match=r"not UTF-8 text \(byte 9\): a study is a TOML file"):
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


DOCUMENT = parse(contrasts(A_B, 'a = "b"\nb = "a"\nmetric = "test_loss"'), "mine.toml")


@pytest.mark.parametrize("seeds", [0, -3, MAX_SEED + 1])
def test_seeds_out_of_range(seeds: int) -> None:
    with pytest.raises(UsageError, match=rf"--seeds {seeds}: the number of seeds is 1 or more"):
        override(DOCUMENT, seeds=seeds)


@pytest.mark.parametrize("epochs", [0, -1])
def test_epochs_out_of_range(epochs: int) -> None:
    with pytest.raises(UsageError, match=rf"--epochs {epochs}: the number of epochs is 1 or more"):
        override(DOCUMENT, epochs=epochs)


def test_an_unknown_arm() -> None:
    with pytest.raises(UnknownNameError, match=r"--arm c: study 'mine' has no such arm; its arms are a, b"):
        override(DOCUMENT, arms=["a", "c"])


def test_more_runs_than_anybody_plans() -> None:
    """They are not made and counted, which would take the memory of the machine."""
    most = MAX_RUNS // 2
    assert override(DOCUMENT, seeds=most).seeds == most
    with pytest.raises(
        UsageError, match=r"2 arms with 50,001 seeds each are 100,002 runs; at most 100,000 are planned"
    ):
        override(DOCUMENT, seeds=most + 1)
    with pytest.raises(UsageError, match=r"are 2,000,000,000 runs"):
        override(DOCUMENT, seeds=2_000_000_000, arms=["a"])


def test_more_contrasts_than_anybody_reads() -> None:
    """A file of a few hundred arms can ask for each against each."""
    arms = {f"a{number}": DOCUMENT.arms["a"] for number in range(448)}
    comparison = DOCUMENT.comparison.model_copy(update={"all_pairs": True})
    large = DOCUMENT.model_copy(update={"arms": arms, "contrasts": (), "comparison": comparison})
    with pytest.raises(UsageError, match=r"`all_pairs` of 448 arms are 100,128 contrasts; at most 100,000"):
        override(large)
    assert len(override(large, arms=list(arms)[1:]).arms) == 447


def test_what_is_said_instead_counts() -> None:
    changed = override(DOCUMENT, seeds=2, epochs=3, data="mnist")
    assert (changed.seeds, changed.protocol.epochs, changed.data.source) == (2, 3, "mnist")
    assert changed.protocol.batch_size == DOCUMENT.protocol.batch_size
    assert override(DOCUMENT) == DOCUMENT


def test_with_some_arms_their_contrasts_remain() -> None:
    assert override(DOCUMENT, arms=["b", "a"]) == DOCUMENT, "in the study's order"
    one = override(DOCUMENT, arms=["b"])
    assert (list(one.arms), one.contrasts) == (["b"], ())


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


STUDY = f"from paribus import study_files\nclass Holder:\n    document = parse('''{GOOD}''', 'mine.toml')\n"
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
    assert load_study(where) == parse(GOOD, "mine.toml")
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
