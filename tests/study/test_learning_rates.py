"""Learning rates by epoch in a study file: what is read, what is stored, and what contradicts itself."""

from __future__ import annotations

import pytest

from paribus.errors import StudyError, UsageError
from paribus.records import ReduceLROnPlateau
from paribus.report.toml import to_toml
from paribus.study.candidates import candidate_study
from paribus.study.document import StudyDocument
from paribus.study.load import parse_study
from paribus.study.overrides import override

HEAD = """
name = "rates"
[data]
source = "digits"
[arms.a]
layers = [{ Dense = { units = 10, activation = "softmax" } }]
"""
OWN = "learning_rates = [0.1, 0.1, 0.1]\n"


def parse(protocol: str, arm: str = "", rest: str = "") -> StudyDocument:
    return parse_study(f"{HEAD}{arm}\n[protocol]\n{protocol}\n{rest}", "rates.toml")


def test_rates_are_written_like_this() -> None:
    document = parse("epochs = 3\nlearning_rates = [0.1, 0.01, 0]")
    assert document.protocol.training(document.arms["a"]).learning_rates == (0.1, 0.01, 0.0)
    own = parse("epochs = 3\nlearning_rates = [0.2, 0.2, 0.2]", OWN)
    assert own.protocol.training().learning_rates == (0.2, 0.2, 0.2)
    assert own.protocol.training(own.arms["a"]).learning_rates == (0.1, 0.1, 0.1)
    assert own.arms["a"].spec() == document.arms["a"].spec()
    plateau = parse("reduce_lr_on_plateau = { monitor = 'loss', patience = 3 }").protocol.training()
    assert plateau.reduce_lr_on_plateau == ReduceLROnPlateau(monitor="loss", patience=3)


@pytest.mark.parametrize(
    "document",
    [
        parse("epochs = 3\nlearning_rates = [0.1, 0.01, 0.001]", OWN),
        parse("validation_split = 0.1\nreduce_lr_on_plateau = {}"),
        parse("reduce_lr_on_plateau = { monitor = 'loss', factor = 0.5 }"),
        parse(""),
    ],
)
def test_a_study_is_read_back_as_it_is_written(document: StudyDocument) -> None:
    assert parse_study(to_toml(document), "rates.toml") == document
    assert StudyDocument.model_validate_json(document.model_dump_json()) == document


def test_documents_without_rates_are_written_as_before() -> None:
    text = parse("").model_dump_json()
    assert "learning_rates" not in text
    assert "plateau" not in text


def test_fewer_epochs_use_the_first_rates() -> None:
    document = parse("epochs = 3\nlearning_rates = [0.3, 0.2, 0.1]", OWN)
    fewer = override(document, epochs=2)
    assert (fewer.protocol.learning_rates, fewer.arms["a"].learning_rates) == ((0.3, 0.2), (0.1, 0.1))
    assert StudyDocument.model_validate_json(fewer.model_dump_json()) == fewer
    with pytest.raises(UsageError, match="4 epochs: the protocol has 3 learning rates, one for each epoch"):
        override(document, epochs=4)


def test_candidates_of_fewer_epochs_use_the_first_rates() -> None:
    arm = 'optimizer = "SGD"\ngrid = { "optimizer.momentum" = [0.0, 0.9] }'
    candidates = candidate_study(parse("epochs = 3\nlearning_rates = [0.3, 0.2, 0.1]", arm, "[tuning]\nepochs = 2"))
    assert candidates.protocol.learning_rates == (0.3, 0.2)
    assert StudyDocument.model_validate_json(candidates.model_dump_json()) == candidates


DECAY = "{ CosineDecay = { initial_learning_rate = 0.1, decay_steps = 9 } }"
SCHEDULE = f"optimizer = {{ SGD = {{ learning_rate = {DECAY} }} }}"
TWO = "epochs = 2\nlearning_rates = [0.1, 0.1]"
OTHER_GRID = 'grid = { "optimizer.epsilon" = [1e-7, 1e-3] }'
GRID = "grid = { learning_rate = [0.1, 0.2] }"
ESTIMATOR = '[arms.tree]\nestimator = "DecisionTreeClassifier"\nlearning_rates = [0.1]'


@pytest.mark.parametrize(
    ("protocol", "arm", "rest", "message"),
    [
        ("learning_rates = [0.1]", "", "", "protocol, learning_rates: 1 rate for 10 epochs; give one for each epoch"),
        ("learning_rates = []", "", "", "protocol, learning_rates: empty; a learning rate for each epoch"),
        ("epochs = 2\nlearning_rates = [0.1, -0.1]", "", "", "learning_rates: -0.1: a learning rate is 0 or more"),
        ("epochs = 2", OWN, "", "arm 'a', learning_rates: 3 rates for 2 epochs"),
        (TWO, SCHEDULE, "", "arm 'a', optimizer: its learning_rate is a schedule"),
        ("reduce_lr_on_plateau = { monitor = 'loss' }", SCHEDULE, "", "which reduce_lr_on_plateau cannot set"),
        (TWO, GRID, "", "arm 'a', grid: 'learning_rate' is set by learning_rates"),
        ("epochs = 3\nreduce_lr_on_plateau = { monitor = 'loss' }", OWN, "", "sets the rates as well; keep one"),
        (TWO, OTHER_GRID, "[tuning]\nepochs = 3", "tuning has 3"),
        ("reduce_lr_on_plateau = {}", "", "", "monitors the validation loss; write validation_split as well"),
        ("reduce_lr_on_plateau = { factor = 1.0 }", "", "", "protocol, reduce_lr_on_plateau, factor: 1.0"),
        ("reduce_lr_on_plateau = { patiense = 2 }", "", "", "did you mean 'patience'"),
        ("epochs = 1", "", ESTIMATOR, "a scikit-learn estimator has no epochs and no `learning_rates`"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_place(protocol: str, arm: str, rest: str, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse(protocol, arm, rest)
    assert message in str(caught.value)
