"""The application: its commands, and the handling of errors."""

from __future__ import annotations

import contextlib
import json
import os
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
from paribus.errors import InterruptedRunError, ParibusError, StudyError
from paribus.errors.control_characters import show_control_characters
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
        _show_usage_error(error)
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


def _show_usage_error(error: Any) -> None:
    """Show an error of the command line as Typer does, with the control characters of what it quotes spelled out."""
    from typer.rich_utils import rich_format_error

    error.message = show_control_characters(error.message)
    rich_format_error(error)


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
