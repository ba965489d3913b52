"""The report as Markdown, for an issue, a pull request or a README."""

from __future__ import annotations

import re
from collections.abc import Iterator

from paribus.outcome.outcome import Outcome
from paribus.report import tables, tuning
from paribus.report.commands import describe_installation, is_built_in, list_commands
from paribus.report.fold_tables import fold_tables
from paribus.report.methods import describe_methods
from paribus.report.statements import is_primary, list_misreadings, list_statements, state
from paribus.report.tables import TextTable
from paribus.report.toml import to_toml

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$&#])")


def to_markdown(outcome: Outcome) -> str:
    """Question, answer, tables, methods and how to repeat it."""
    return "\n\n".join(_parts(outcome)) + "\n"


def escape_markdown(text: str) -> str:
    """Text without any markup of Markdown, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split(" ")).replace("\n", " ").replace("\r", " "))


def _parts(outcome: Outcome) -> Iterator[str]:
    document = outcome.design
    yield f"# {escape_markdown(document.question or document.name)}"
    statements = [
        f"{'**Primary.** ' if is_primary(statement) else ''}{escape_markdown(state(statement))}"
        for statement in list_statements(outcome)
    ]
    yield "\n".join(f"- {text}" for text in statements or [escape_markdown(tables.explain_no_statement(outcome))])
    if outcome.notes:
        yield "\n".join(("**Notes**", "", *(f"- {escape_markdown(note)}" for note in outcome.notes)))
    yield "## Arms"
    yield _table(tables.arm_table(outcome))
    if (own := tables.metric_table(outcome)) is not None:
        yield "## Metrics"
        yield _table(own)
    if (tried := tuning.candidate_table(outcome)) is not None:
        yield "## Tuning"
        yield _table(tried)
    for title, table in tables.statement_tables(outcome):
        decisive, others = tables.without_other_p(table)
        yield f"## {title}"
        yield _table(decisive)
        yield f"<details><summary>Other p values</summary>\n\n{_table(others)}\n\n</details>"
    if folds := fold_tables(outcome):
        yield "## Folds"
        yield from map(_table, folds)
    if misreadings := list_misreadings(outcome):
        yield "## Where a quick reading goes wrong"
        yield "\n".join(
            f"- **{escape_markdown(misreading.title)}.** {escape_markdown(misreading.text)}"
            for misreading in misreadings
        )
    text = describe_methods(outcome)
    yield "## Methods"
    yield from (escape_markdown(paragraph) for paragraph in text.paragraphs)
    if text.sources:
        yield "\n".join(f"- {escape_markdown(source)}" for source in text.sources)
    yield "## Run it again" if outcome.predictions_request is None else "## Judge it again"
    yield describe_installation(outcome)
    yield _code("sh", "\n".join(list_commands(outcome)))
    if outcome.predictions_request is None and not is_built_in(outcome.document):
        yield "`study.toml`:"
        yield _code("toml", to_toml(outcome.document).rstrip())


def _table(table: TextTable) -> str:
    head = f"| {' | '.join(map(escape_markdown, table.head))} |"
    rule = "|".join(" --- " if index < table.words else " ---: " for index in range(len(table.head)))
    rows = [f"| {' | '.join(escape_markdown(str(cell)) for cell in row)} |" for row in table.rows]
    return "\n".join((escape_markdown(table.caption), "", head, f"|{rule}|", *rows))


def _code(language: str, text: str) -> str:
    """A fence longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
