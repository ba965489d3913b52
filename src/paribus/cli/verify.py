"""``paribus verify``: some runs of a store or a report, drawn at random, computed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paribus.cli import options, output

if TYPE_CHECKING:
    from paribus.runner.claims import Claims
    from paribus.runner.verify import Check, Verification

Target = Annotated[
    Path,
    typer.Argument(
        metavar="STORE|REPORT",
        help="The folder of a store, or an HTML report.",
        show_default=False,
        callback=options.expand_home,
    ),
]
Runs = Annotated[int, typer.Option("--runs", metavar="N", help="How many runs to compute again.")]
Data = Annotated[
    str | None,
    typer.Option(
        "--data", metavar="SOURCE", help="Where the data is: a name or a path.", show_default="where the study says"
    ),
]
TrustCode = Annotated[
    list[Path] | None,
    typer.Option(
        "--trust-code",
        metavar="FILE",
        help="Run this Python file, which came with the runs and defines their own layers; repeat it for several.",
        show_default="no code is run",
        callback=options.expand_homes,
    ),
]
HOLDS, FAILS, UNDECIDED = 0, 3, 4


def verify(
    source: Target,
    runs: Runs = 3,
    data: Data = None,
    trust_code: TrustCode = None,
    workers: options.Workers = None,
    lanes: options.Lanes = None,
    json: options.Json = False,
) -> None:
    """Compute some runs of a store or of an HTML report again, drawn at random, and compare the bits.

    Exit code 0: they are what was claimed; 3: one is not; 4: undecided.
    """
    from random import SystemRandom

    from paribus.backends.choose import BackendChoice, make_backend
    from paribus.backends.interruption import terminable
    from paribus.runner.verify import check_claims, draw_claims
    from paribus.runner.verify import trust_code as trust

    with _read_claims(source, data) as claims:
        imports, trusted = trust(trust_code or (), claims)
        drawn = draw_claims(trusted, runs, SystemRandom())
        with terminable(), make_backend(BackendChoice(workers=workers, lanes=lanes), imports) as backend:
            verification = check_claims(trusted, drawn, backend, lambda check: output.tell(_format_check(check)))
    if json:
        output.print_json(_verification_fields(source, verification))
    else:
        for line in _format_verification(verification):
            output.print_line(line)
    raise typer.Exit(HOLDS if verification.holds else FAILS if verification.fails else UNDECIDED)


@contextmanager
def _read_claims(source: Path, data: str | None) -> Iterator[Claims]:
    from paribus.runner.claims import read_report, read_report_claims, read_store_claims

    if source.is_dir():
        from paribus.store.sqlite import SqliteStore

        with SqliteStore.open(source, mode="read") as store:
            yield read_store_claims(store, data)
        return
    from paribus.report.runs_block import read_runs_block

    yield read_report_claims(read_runs_block(read_report(source), str(source)), str(source), data)


def _format_check(check: Check) -> str:
    return f"{check.claim.name}: {_describe(check)}"


def _describe(check: Check) -> str:
    """``same bits``, or what differs and by how much."""
    from paribus.analysis.wording import listed
    from paribus.runner.verify import Agreement

    if check.agreement is Agreement.SAME_BITS:
        return "same bits"
    parts = f" ({listed(check.parts)})" if check.parts else ""
    text = f"{check.agreement}{parts}"
    if check.usual is not None and check.difference is not None:
        text += f": test accuracy {100 * check.difference:+.2f} points, up to {100 * check.usual:.2f} are usual"
    return f"{text}; {check.explanation}" if check.explanation else text


def _format_verification(verification: Verification) -> Iterator[str]:
    for check in verification.checks:
        yield _format_check(check)
    for unverifiable in verification.unverifiable:
        yield f"Not looked at: {unverifiable.name} ({unverifiable.reason})"
    checked, runs = len(verification.checks), verification.runs
    verb = "were" if checked != 1 else "was"
    yield f"{checked} of {runs} run{'s' * (runs != 1)}, drawn at random, {verb} computed again."
    if checked < runs:
        from paribus.analysis.spot_checks import smallest_noticed

        chances = "; ".join(f"{false} false: {100 * chance:.0f} %" for false, chance in _list_chances(verification))
        noticed = smallest_noticed(runs, checked)
        yield f"The chance that all false runs were missed, by how many there are: {chances}."
        if noticed is not None:
            yield f"From {noticed} false runs of {runs} on, one is noticed with a chance of 95 % or more."


def _list_chances(verification: Verification) -> Iterator[tuple[int, float]]:
    """For one false run, and a tenth, a quarter and a half of all."""
    from paribus.analysis.spot_checks import chance_of_missing

    runs, checked = verification.runs, len(verification.checks)
    for false in dict.fromkeys((1, *(-(-runs * tenths // 20) for tenths in (2, 5, 10)))):
        yield false, chance_of_missing(runs, checked, min(false, runs))


def _verification_fields(source: Path, verification: Verification) -> dict[str, Any]:
    return {
        "source": str(source),
        "holds": verification.holds,
        "fails": verification.fails,
        "runs": verification.runs,
        "checks": [_check_fields(check) for check in verification.checks],
        "not_verifiable": [asdict(unverifiable) for unverifiable in verification.unverifiable],
        "chance_of_missing": [{"false_runs": false, "chance": chance} for false, chance in _list_chances(verification)],
    }


def _check_fields(check: Check) -> dict[str, Any]:
    run, claimed = check.run, check.claim.run
    return {
        "run": check.claim.name,
        "fingerprint": claimed.fingerprint,
        "agreement": check.agreement.name.lower(),
        "parts": list(check.parts),
        "explanation": check.explanation or None,
        "difference": check.difference,
        "usual_difference": check.usual,
        "weights_digest": {"claimed": claimed.weights_digest, "here": run.weights_digest},
        "environment": {
            "claimed": None if claimed.environment is None else asdict(claimed.environment),
            "here": None if run.environment is None else asdict(run.environment),
        },
    }
