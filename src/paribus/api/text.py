"""Text as a terminal shows it, for ``repr``."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 110
"""Columns of the text; notebooks and logs are at least as wide."""


def render_text(renderable: RenderableType) -> str:
    """Render the text of a terminal with ``WIDTH`` columns, without colours.

    Args:
        renderable: a table or group of Rich.
    """
    from rich.console import Console

    from paribus.display.control import Visible

    text = io.StringIO()
    # In a notebook Rich would show the text as an output of its own and leave the file empty.
    console = Console(file=text, width=WIDTH, color_system=None, highlight=False, force_jupyter=False)
    console.print(Visible(renderable))
    return text.getvalue().rstrip()
