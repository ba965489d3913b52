"""Which display fits where the user looks."""

from __future__ import annotations

import sys

from paribus.display.base import Display


def suitable() -> Display:
    """The live display on a terminal, in place in a notebook, and plain lines everywhere else; all on stderr."""
    if sys.stderr.isatty():
        from rich.console import Console

        from paribus.display.live import Terminal

        return Terminal(Console(stderr=True))
    from paribus.display.plain import Plain

    return Plain(sys.stderr)
