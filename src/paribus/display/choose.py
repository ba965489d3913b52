"""The display for the place that output goes to: notebook, terminal or log."""

from __future__ import annotations

import sys

from paribus.display.base import BestEffort, Display, Silent


def suitable() -> Display:
    """In place in a notebook; else on stderr: live on a terminal, plain lines everywhere else.

    Progress is best effort: where it cannot be displayed, the study goes on.
    """
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
