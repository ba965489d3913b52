"""The display for the place that output goes to: notebook, terminal or log; and the live log of a store."""

from __future__ import annotations

import sys
from pathlib import Path

from paribus.display.base import BestEffort, Display, Silent


def suitable(store: Path | None = None) -> Display:
    """Everything that displays a run: progress for whoever started it, and events for other processes.

    Progress is in place in a notebook; else on stderr: live on a terminal, plain lines everywhere else.

    All of it is best effort: where something cannot be displayed, the study goes on.

    Args:
        store: as in :func:`with_live_log`.

    Returns:
        A display that never raises.
    """
    return with_live_log(_progress(), store)


def with_live_log(display: Display, store: Path | None) -> Display:
    """A display, and beside it the live log for other processes.

    Args:
        display: what whoever started the runs sees.
        store: the folder of the store, whose live log gets the events; None for a store in memory.
    """
    if store is None:
        return display
    from paribus.display.live_log import LiveLog
    from paribus.display.several import Several

    return Several((display, BestEffort(LiveLog(store))))


def _progress() -> Display:
    from paribus.display.notebook import Notebook, in_notebook, output

    if in_notebook():
        return BestEffort(Notebook(output()))
    if sys.stderr is None:  # closed by whoever started this process
        return Silent()
    if sys.stderr.isatty():
        from rich.console import Console

        from paribus.display.live import Terminal

        return BestEffort(Terminal(Console(stderr=True)))
    from paribus.display.plain import Plain

    return BestEffort(Plain(sys.stderr))
