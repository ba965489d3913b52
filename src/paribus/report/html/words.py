"""What the words of the answer mean, for a reader who has the page and nothing else (decision 0133)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from paribus.analysis import Comparison, Scope, Unit, Verdict
from paribus.analysis.phrases import scope_text
from paribus.analysis.wording import confidence, magnitude, percent
from paribus.outcome.outcome import Outcome
from paribus.report.html.build import Markup, tag
from paribus.report.html.parts import details
from paribus.report.statements import list_metrics, list_statements

_SCOPES: Final[dict[Scope, tuple[str | None, str]]] = {
    Scope.NEW_DATA: ("on new data", "Fresh seeds and fresh test examples would say so too, not only these."),
    Scope.THIS_TEST_SET: (None, "Fresh seeds would say so too, on these same examples."),
    Scope.THESE_NETWORKS: (
        "of these trained networks",
        "Of these networks on fresh test examples; the same recipe with another seed may differ.",
    ),
    Scope.NEW_TRAINING_SETS: (
        "on new training sets",
        "Fresh data to train on and to test on would say so too, not only these folds.",
    ),
    Scope.THESE_TRAINING_SETS: (
        "with these training sets",
        "Fresh seeds and fresh test examples would say so too, with the training examples as they are.",
    ),
}


def explain_words(outcome: Outcome) -> Markup | None:
    """The words that the answer uses, folded; nothing where nothing is judged."""
    known = [item.comparison for item in list_statements(outcome) if item.comparison is not None]
    if not known:
        return None
    rows = [tag("div", tag("dt", word), tag("dd", meaning)) for word, meaning in _words(outcome, known)]
    return details("What these words mean", tag("dl", rows, class_="words"))


def _scopes(outcome: Outcome) -> dict[Scope, list[str]]:
    """The scopes of all statements, with the words that their sentences have for them."""
    words: dict[Scope, list[str]] = {}
    for statement in list_statements(outcome):
        if statement.comparison is not None:
            of_scope = words.setdefault(statement.comparison.scope, [])
            text = scope_text(statement.comparison.scope, statement.metric)
            of_scope += [text] * (text not in of_scope)
    return words


def _words(outcome: Outcome, known: Sequence[Comparison]) -> Iterator[tuple[str, str]]:
    verdicts = {comparison.verdict for comparison in known}
    yield "arm", "One of the variants that are compared."
    if outcome.predictions_request is None:
        yield "seed", "A number that sets all chance of a training. Another seed gives the same arm another accuracy."
    if verdicts & {Verdict.BETTER, Verdict.WORSE}:
        yield "better, worse", "The whole interval of the difference is on one side of zero."
    margins = {comparison.margin for comparison in known}
    margin = margins.pop() if len(margins) == 1 else None
    size = "" if margin is None else f", {magnitude(margin, list_metrics(outcome)[0].unit)},"
    if Verdict.EQUIVALENT in verdicts:
        yield "equivalent", f"The tests place the difference within the margin{size} in either direction."
    if Verdict.UNDECIDED in verdicts:
        yield "undecided", "The runs show neither a difference nor that there is none. It does not mean equal."
    for scope, words in _scopes(outcome).items():
        word, meaning = _SCOPES[scope]
        yield word or " or ".join(words), meaning
    if any(metric.unit is Unit.FRACTION for metric in list_metrics(outcome)):
        yield "points", "From 90 % to 92 % are 2 points."
    decided = [comparison for comparison in known if comparison.low is not None]
    if decided:
        level = percent(decided[0].level)
        together = "all intervals of a study" if decided[0].contrasts > 1 else "the interval"
        yield "CI", f"Confidence interval: in {level} of such studies {together} would hold the true difference."
    primary = next((comparison for comparison in decided if comparison.primary), None)
    if primary is not None:
        yield (
            "primary",
            f"What the study is run for. It has a larger share of the allowed error than other comparisons, and so an "
            f"interval of {confidence(primary.interval_level)}.",
        )
    if any(comparison.p_adjusted is not None for comparison in known):
        yield (
            "p",
            "How often a difference as large would come about by chance alone. Adjusted: raised for the number of "
            "comparisons and looks.",
        )
