"""The display for the place that output goes to: notebook, terminal or log."""

from __future__ import annotations

import sys

from paribus.display.base import Display


def suitable() -> Display:
    """In place in a notebook; else on stderr: live on a terminal, plain lines everywhere else."""
    from paribus.display.notebook import Notebook, in_notebook, output

    if in_notebook():
        return Notebook(output())
    if sys.stderr.isatty():
        from rich.console import Console

        from paribus.display.live import Terminal

        return Terminal(Console(stderr=True))
    from paribus.display.plain import Plain

    return Plain(sys.stderr)
