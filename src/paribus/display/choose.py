"""The display for the place that output goes to: notebook, terminal or log; and the live log of a store."""

from __future__ import annotations

import sys
from pathlib import Path

from paribus.display.base import BestEffort, Display, Silent


def suitable(store: Path | None = None, *, progress: bool = True) -> Display:
    """Everything that displays a run: progress for whoever started it, and events for other processes.

    Progress is in place in a notebook; else on stderr: live on a terminal, plain lines everywhere else.

    All of it is best effort: where something cannot be displayed, the study goes on.

    Args:
        store: the folder of the store, whose live log gets the events; None for a store in memory.
        progress: whether to show progress.
    """
    local = _progress() if progress else Silent()
    if store is None:
        return local
    from paribus.display.live_log import LiveLog
    from paribus.display.several import Several

    return Several((local, BestEffort(LiveLog(store))))


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
