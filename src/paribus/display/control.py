"""What Rich renders, with control characters made visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paribus.control_characters import show_control_characters

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult


class Visible:
    """What Rich renders, with the control characters of its texts spelled out; its own colours stay."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment

        for segment in console.render(self._renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(show_control_characters(segment.text), segment.style)
