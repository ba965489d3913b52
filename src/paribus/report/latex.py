r"""The report as LaTeX to be ``\input`` in a paper: booktabs tables, the sentences, the methods, the sources."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from types import MappingProxyType

from paribus.outcome.outcome import Outcome
from paribus.report import tables, tuning
from paribus.report.methods import describe_methods
from paribus.report.numbers import with_minus
from paribus.report.statements import is_primary, list_statements, state
from paribus.report.tables import Cell, TextTable

_SPECIAL = MappingProxyType(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "_": r"\_",
        "%": r"\%",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": "$<$",
        ">": "$>$",
        "|": r"\textbar{}",
        # Bare brackets after a line break would be its argument.
        "[": "{[}",
        "]": "{]}",
        '"': r"\textquotedbl{}",
        "`": r"\textasciigrave{}",
        "\N{MINUS SIGN}": "$-$",
        "\N{MULTIPLICATION SIGN}": r"$\times$",
        "\N{EN DASH}": "--",
        "\N{NO-BREAK SPACE}": "~",
    }
)


def to_latex(outcome: Outcome) -> str:
    """A fragment that needs ``booktabs`` and the T1 font encoding, and no other package."""
    return "\n\n".join(_parts(outcome)) + "\n"


def escape_latex(text: str) -> str:
    """Text that LaTeX prints unchanged. Control characters become spaces; other scripts need a font for them."""
    return "".join(_SPECIAL.get(c, " " if unicodedata.category(c) == "Cc" else c) for c in with_minus(text))


def _parts(outcome: Outcome) -> Iterator[str]:
    name = outcome.design.name
    yield (
        f"% {_comment(name)}: {_comment(outcome.design.question)}\n"
        "% Needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}."
    )
    yield _table(tables.arm_table(outcome), f"tab:{name}-arms")
    if (own := tables.metric_table(outcome)) is not None:
        yield _table(own, f"tab:{name}-metrics")
    if (tried := tuning.candidate_table(outcome)) is not None:
        yield _table(tried, f"tab:{name}-tuning")
    for number, (_, table) in enumerate(tables.statement_tables(outcome), 1):
        yield _table(table, f"tab:{name}-differences-{number}")
    if statements := list_statements(outcome):
        marked = (("\\emph{Primary:} " if is_primary(item) else "") + escape_latex(state(item)) for item in statements)
        yield "\\paragraph{Results.} " + "\n".join(marked)
    if outcome.notes:
        yield "\\paragraph{Notes.} " + "\n".join(escape_latex(note) for note in outcome.notes)
    text = describe_methods(outcome)
    yield "\\paragraph{Methods.} " + "\n\n".join(escape_latex(paragraph) for paragraph in text.paragraphs)
    if text.sources:
        items = "\n".join(f"  \\item {escape_latex(source)}" for source in text.sources)
        yield f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}"


def _table(table: TextTable, label: str) -> str:
    # Names of effects are long: the first column of a table of differences breaks its lines.
    first = "l" if table.words == 1 else r"p{0.36\linewidth}"
    columns = first + "l" * (table.words - 1) + "r" * (len(table.head) - table.words)
    return "\n".join(
        (
            r"\begin{table}",
            r"  \centering\footnotesize\setlength{\tabcolsep}{3pt}",
            f"  \\caption{{{escape_latex(table.caption)}}}",
            f"  \\label{{{label}}}",
            f"  \\begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            f"    {' & '.join(map(_heading, table.head))} \\\\",
            r"    \midrule",
            *(line for row in table.rows for line in _lines(row)),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        )
    )


def _heading(text: str) -> str:
    """A heading on two lines where it has several words."""
    first, _, rest = text.partition(" ")
    return rf"\shortstack{{{escape_latex(first)}\\{escape_latex(rest)}}}" if rest else escape_latex(text)


def _lines(row: tuple[Cell, ...]) -> Iterator[str]:
    """A row, and below it the intervals in small print."""
    values = [escape_latex(cell if isinstance(cell, str) else cell.value) for cell in row]
    limits = ["" if isinstance(cell, str) or not cell.limits else _small(cell.limits) for cell in row]
    yield f"    {' & '.join(values)} \\\\"
    if any(limits):
        yield f"    {' & '.join(limits)} \\\\"


def _small(text: str) -> str:
    return f"{{\\scriptsize {escape_latex(text)}}}"


def _comment(text: str) -> str:
    """Text that cannot leave its comment."""
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())
