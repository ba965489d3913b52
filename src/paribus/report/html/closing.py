"""The end of the page: sources of variance, methods, every run, the networks, the environment, how to repeat it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields

from paribus.analysis import NoiseShares
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.records import Environment, RunResult
from paribus.report import numbers
from paribus.report.commands import describe_installation, is_built_in, list_commands
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import details, section, table
from paribus.report.methods import describe_methods
from paribus.report.toml import to_toml

_RUN = ("test_accuracy", "train_accuracy", "generalization_gap", "fit_accuracy", "test_loss")


def noise_section(shares: Mapping[str, NoiseShares]) -> Markup | None:
    """How much of a run's variance comes from each source of randomness."""
    if not shares:
        return None
    parts = [
        table(
            f"{arm}: where the variance of one run's test accuracy comes from",
            ["Source", "Share", "Standard deviation, points", "Runs"],
            [
                [
                    share.source,
                    numbers.UNDEFINED if share.share is None else _bar(share.share),
                    f"{100 * share.variance**0.5:.3f}",
                    str(share.runs),
                ]
                for share in source.shares
            ],
        )
        for arm, source in shares.items()
    ]
    lead = (
        "One stream of randomness was varied at a time while the others were held. The test sample is what a fresh "
        "test set of the same size would add."
    )
    return section("noise", "What varied", tag("p", lead), parts)


def methods_section(outcome: Outcome, *, calibration: bool) -> Markup:
    """The methods paragraphs and their sources."""
    text = describe_methods(outcome, calibration=calibration)
    sources = tag("ul", [tag("li", source) for source in text.sources], class_="sources") if text.sources else None
    return section("methods", "Methods", [tag("p", paragraph) for paragraph in text.paragraphs], sources)


def runs_section(outcome: Outcome) -> Markup:
    """Every run, and those that are missing."""
    rows = [_run(arm, run) for arm in outcome.arms for run in arm.runs]
    rows += [
        [f"{arm.name} {numbers.pairing_seed(seeds)}", "not computed", *[numbers.UNDEFINED] * 7]
        for arm in outcome.arms
        for seeds in arm.missing
    ]
    head = ["Arm and seed", "Status", "Test, %", "Train, %", "Gap, points", "Fit, %", "Test loss", "Seconds", "Weights"]
    body = table("Every run; weights by the first digits of their sha256", head, rows, numbers=2)
    return section("runs", "Every run", details(f"{len(rows)} runs", body, open_=len(rows) <= 12))


def networks_section(outcome: Outcome) -> Markup:
    """Layers and optimizer of every network, and the arguments of every estimator."""
    arms = [_estimator(arm) if arm.recipe.is_estimator else _network(arm) for arm in outcome.arms]
    kinds = {arm.recipe.is_estimator for arm in outcome.arms}
    names = [name for name, estimators in (("networks", False), ("estimators", True)) if estimators in kinds]
    return section("networks", f"The {' and '.join(names)}", arms)


def repeat_section(outcome: Outcome) -> Markup:
    """Environment, commands and, unless it is built in, the study itself."""
    study = None
    if not is_built_in(outcome.document):
        text = tag("pre", tag("code", to_toml(outcome.document)), tabindex=0)
        study = [tag("p", "The study, to be saved as ", tag("code", "study.toml"), ":"), text]
    environments = [_environment(environment, number) for number, environment in enumerate(outcome.environments, 1)]
    return section(
        "again",
        "Run it again",
        tag(
            "p",
            "The same study with the same seeds on the same kind of machine gives the same bits; compare the weights' "
            "digests.",
        ),
        tag("p", [tag("code", part) if code else part for code, part in _code_spans(describe_installation(outcome))]),
        tag("pre", tag("code", "\n".join(list_commands(outcome))), tabindex=0),
        study,
        tag(
            "p",
            "Data: ",
            tag("b", outcome.data.name),
            ", sha256 ",
            tag("code", outcome.data.fingerprint, class_="digest"),
        ),
        environments or tag("p", "No environment was recorded."),
    )


def _code_spans(text: str) -> list[tuple[bool, str]]:
    """The text in pieces, and for each whether it is between backticks."""
    return [(index % 2 == 1, part) for index, part in enumerate(text.split("`"))]


def _run(arm: ArmOutcome, run: RunResult) -> list[Child]:
    seeds = run.seeds
    seed = str(seeds.seed) if seeds.seed is not None else f"{seeds.init}/{seeds.order}/{seeds.dropout}"
    scores = run.scores
    measures = [
        numbers.UNDEFINED if scores is None else numbers.format_value(name, getattr(scores, name)) for name in _RUN
    ]
    status: Child = str(run.status) if run.reason is None else f"{run.status}: {run.reason}"
    digest = tag("code", run.weights_digest[:12]) if run.weights_digest else numbers.UNDEFINED
    return [f"{arm.name} {seed}", status, *measures, f"{run.seconds:.1f}", digest]


def _estimator(arm: ArmOutcome) -> Markup:
    text = json.dumps(json.loads(arm.recipe.model)["estimator"], ensure_ascii=False)
    lead = "scikit-learn's class with its arguments, defaults spelled out"
    return details(
        f"{arm.name}: {arm.recipe.kind}", tag("p", lead), tag("pre", tag("code", _indented(text)), tabindex=0)
    )


def _network(arm: ArmOutcome) -> Markup:
    rows: list[list[Child]] = [
        [layer.name, layer.kind, layer.output_shape, f"{layer.parameters:,}"] for layer in arm.recipe.layers
    ]
    return details(
        f"{arm.name}: {arm.recipe.parameters:,} parameters",
        table(f"Layers of {arm.name}", ["Layer", "Kind", "Output shape", "Parameters"], rows, numbers=2),
        tag("p", "Optimizer"),
        tag("pre", tag("code", _indented(arm.recipe.optimizer)), tabindex=0),
    )


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except json.JSONDecodeError:
        return text


def _environment(environment: Environment, number: int) -> Markup:
    rows: list[list[Child]] = [
        [field.name, getattr(environment, field.name) or numbers.UNDEFINED] for field in fields(Environment)
    ]
    return table(f"Environment {number}", ["Part", "Version"], rows, numbers=9)


def _bar(share: float) -> list[Child]:
    return [tag("span", style=f"--share:{share:.3f}", class_="bar"), f"{share * 100:.0f}\N{NO-BREAK SPACE}%"]
