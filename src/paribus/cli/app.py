"""The application: its commands, and the handling of errors."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
from typing import Any

import typer

from paribus.cli import (
    ablate,
    dashboard,
    doctor,
    export,
    forget,
    judge,
    merge,
    output,
    predict,
    run,
    show,
    stored,
    streams,
    verify,
)
from paribus.errors import InterruptedRunError, ParibusError, StudyError, UsageError
from paribus.version import __version__

# Some versions of Typer bring a Click of their own, which has a ClickException of its own.
_TyperError: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

app = typer.Typer(
    name="paribus",
    help="Controlled experiments for Keras classifiers: many seeds, honest measures, answers with error bars.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        output.print_line(f"paribus {__version__}")
        raise typer.Exit


@app.callback()
def _paribus(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Options of paribus itself."""


app.command("run")(run.run)
app.command("report")(stored.report)
app.command("compare")(stored.compare)
app.command("check")(stored.check)
app.command("plan")(stored.plan)
app.command("judge")(judge.judge)
app.command("ablate")(ablate.ablate)
app.command("noise")(run.noise)
app.command("show")(show.show)
app.command("studies")(show.studies)
app.command("dashboard")(dashboard.dashboard)
app.command("predict")(predict.predict)
app.command("export")(export.export)
app.command("merge")(merge.merge)
app.command("verify")(verify.verify)
app.command("forget")(forget.forget)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line; the exit codes are those of ``paribus.errors``."""
    streams.prepare_streams()
    # Estimators run in one thread. Without a writable /dev/shm, joblib would print a warning over the progress display.
    os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")
    try:
        sys.exit(app(standalone_mode=False))
    except _TyperError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            _report_error(_usage_error(error))
        sys.exit(error.exit_code)
    except ParibusError as error:
        if isinstance(error, InterruptedRunError):
            _ignore_interrupts()
        _report_error(error)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _ignore_interrupts()
        output.tell("paribus: interrupted")
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the answer has had enough of it, and knows.
        streams.abandon_stdout()
        sys.exit(1)
    except OSError as error:
        # Typer prints help by itself; an error that names a file is not of a stream, and not expected here.
        if error.filename is not None:
            raise
        _report_error(streams.unwritable(error))
        streams.abandon_stdout()
        sys.exit(ParibusError.exit_code)


_TAKES = {
    "valid int": "a whole number, such as 5",
    "valid number": "a number, such as 0.01",
    "valid float": "a number, such as 0.01",
}
"""What an option or argument takes, by words of Typer's messages."""

_BAD_VALUE = re.compile(
    r"Invalid value for '?(?P<name>[^':]+)'?(?: \(env var: '(?P<variable>\w+)'\))?: (?:Value error, )?(?P<what>.*)",
    re.S,
)
"""What Typer says of a value that does not fit."""


def _usage_error(error: Any) -> UsageError:
    """An error of Typer's in the form of our own: the value, what is wrong with it, and where to look."""
    message = str(error.format_message())
    bad = _BAD_VALUE.fullmatch(message)
    if bad:
        rule = next((f"this takes {what}" for words, what in _TAKES.items() if words in bad["what"]), bad["what"])
        message = f"{_as_typed(bad['name'], bad['variable'])}: {rule}"
    command = error.ctx.command_path if error.ctx else "paribus"
    return UsageError(f"{message.rstrip('.')} (`{command} --help` lists what it takes)")


def _as_typed(option: str, variable: str | None) -> str:
    """An option with its value, or all of its values, as typed on the command line or set by its variable."""
    words = sys.argv[1:]
    typed = [
        f"{option} {following}" if word == option else word
        for word, following in zip(words, [*words[1:], ""], strict=True)
        if word == option or word.startswith(f"{option}=")
    ]
    if typed:
        return " ".join(typed)
    return option if variable is None else f"{variable}={os.environ.get(variable, '')}"


def _ignore_interrupts() -> None:
    """Ignore further Ctrl-C: there is nothing left to stop, and it would only change the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _report_error(error: ParibusError) -> None:
    """Print an error on stderr; with ``--json`` also one document on stdout."""
    output.tell(f"paribus: {error}")
    if "--json" in sys.argv[1:]:
        document: dict[str, object] = {"type": type(error).__name__, "message": str(error)}
        if isinstance(error, StudyError):
            document["mistakes"] = [{"place": m.place, "message": m.message} for m in error.mistakes]
        with contextlib.suppress(ParibusError, BrokenPipeError):  # reported on stderr already
            streams.write_stdout(f"{json.dumps({'error': document})}\n")
