"""Draws the flowcharts of the pages, written as Mermaid, while the site is built: no script, no network, any theme.

Pages are read as Markdown too, where Mermaid is drawn by whoever shows them. This knows the part of it that our pages
use: ``flowchart TD``, nodes ``id["label"]`` and chains of arrows. Anything else stays the text that it is.

Layered drawing after Sugiyama, Tagawa and Toda (1981): ranks by longest path, arrows that cross a rank pass through it
as a place of their own, order by barycenters.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from html import escape

LINE, CHARACTER = 17.0, 6.9
"""Height of a line and width of a usual character at 13 px, in pixels."""
PADDING, GAP, RANK_GAP, PASSAGE = 9.0, 14.0, 46.0, 4.0

_NODE = re.compile(r'(\w+)\["(.*)"\]')
_CHAIN = re.compile(r"\w+(\s*-->\s*\w+)+")
_TAGS = re.compile(r"</?b>")


@dataclass(slots=True, eq=False)
class Box:
    """A node, or the passage of an arrow through a rank (no lines)."""

    lines: list[str] = field(default_factory=list)
    rank: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        """Width in pixels."""
        longest = max((len(_TAGS.sub("", line)) for line in self.lines), default=0)
        return longest * CHARACTER + 2 * PADDING if self.lines else PASSAGE

    @property
    def height(self) -> float:
        """Height in pixels."""
        return len(self.lines) * LINE + 1.2 * PADDING if self.lines else 0.0


def svg(text: str) -> str | None:
    """A flowchart as a piece of HTML; None where it is written with more of Mermaid than is known here."""
    read = _read(text)
    if read is None:
        return None
    boxes, arrows = read
    _rank(boxes, arrows)
    ranks, paths = _passages(list(boxes.values()), [(boxes[a], boxes[b]) for a, b in arrows])
    _place(ranks, paths)
    return _drawn(list(boxes.values()), paths)


def _read(text: str) -> tuple[dict[str, Box], list[tuple[str, str]]] | None:
    first, *rest = [line.strip() for line in text.splitlines() if line.strip()]
    boxes: dict[str, Box] = {}
    arrows: list[tuple[str, str]] = []
    for line in rest:
        if node := _NODE.fullmatch(line):
            boxes[node[1]] = Box(node[2].split("<br>"))
        elif _CHAIN.fullmatch(line):
            arrows += itertools.pairwise(name.strip() for name in line.split("-->"))
        else:
            return None
    known = all(name in boxes for arrow in arrows for name in arrow)
    return (boxes, arrows) if first == "flowchart TD" and known and arrows else None


def _rank(boxes: dict[str, Box], arrows: list[tuple[str, str]]) -> None:
    """Every box is below all that point to it; sources are right above what they point to."""
    for _ in boxes:
        for a, b in arrows:
            boxes[b].rank = max(boxes[b].rank, boxes[a].rank + 1)
    for name, box in boxes.items():
        if not any(b == name for _, b in arrows):
            box.rank = min(boxes[b].rank for a, b in arrows if a == name) - 1


def _passages(boxes: list[Box], arrows: list[tuple[Box, Box]]) -> tuple[list[list[Box]], list[list[Box]]]:
    ranks: list[list[Box]] = [[] for _ in range(1 + max(box.rank for box in boxes))]
    for box in boxes:
        ranks[box.rank].append(box)
    paths = []
    for a, b in arrows:
        through = [Box(rank=rank) for rank in range(a.rank + 1, b.rank)]
        for passage in through:
            ranks[passage.rank].append(passage)
        paths.append([a, *through, b])
    return ranks, paths


def _place(ranks: list[list[Box]], paths: list[list[Box]]) -> None:
    near: dict[int, tuple[list[Box], list[Box]]] = {id(box): ([], []) for rank in ranks for box in rank}
    for path in paths:
        for a, b in itertools.pairwise(path):
            near[id(b)][0].append(a)
            near[id(a)][1].append(b)
    for rank in ranks:
        _spread(rank, [float(place) for place, _ in enumerate(rank)])
    for turn in range(40):
        down = turn % 2 == 0
        for rank in ranks if down else reversed(ranks):
            positions = [_mean(near[id(box)][0 if down else 1], box.x) for box in rank]
            if turn < 24:
                order = sorted(range(len(rank)), key=lambda place: positions[place])
                rank[:] = [rank[place] for place in order]
                positions = [positions[place] for place in order]
            _spread(rank, positions)
    y = 0.0
    for rank in ranks:
        height = max(box.height for box in rank)
        for box in rank:
            box.y = y + height / 2
        y += height + RANK_GAP


def _mean(boxes: list[Box], otherwise: float) -> float:
    return sum(box.x for box in boxes) / len(boxes) if boxes else otherwise


def _spread(rank: list[Box], positions: list[float]) -> None:
    """Centres as near as possible to where they want to be, in this order and apart: pools of adjacent violators."""
    shift, offsets = 0.0, []
    for before, box in itertools.pairwise([None, *rank]):
        shift += (before.width + box.width) / 2 + GAP if before is not None and box is not None else 0.0
        offsets.append(shift)
    pools: list[list[float]] = []
    for place, offset in zip(positions, offsets, strict=True):
        pools.append([place - offset, 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            whole = pools[-1][1] + count
            pools[-1] = [(pools[-1][0] * pools[-1][1] + mean * count) / whole, whole]
    bases = itertools.chain.from_iterable([mean] * int(count) for mean, count in pools)
    for box, base, offset in zip(rank, bases, offsets, strict=True):
        box.x = base + offset


def _drawn(boxes: list[Box], paths: list[list[Box]]) -> str:
    every = [*boxes, *(box for path in paths for box in path)]
    left, right = min(b.x - b.width / 2 for b in every) - 2, max(b.x + b.width / 2 for b in every) + 2
    low = max(b.y + b.height / 2 for b in every) + 2
    parts = [f'<path class="arrow" d="{_curve(path)}" marker-end="url(#head)"/>' for path in paths]
    for box in boxes:
        x, y = box.x - box.width / 2, box.y - box.height / 2
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="7"/>')
        for number, line in enumerate(box.lines):
            bold = ' font-weight="650"' if line.startswith("<b>") else ""
            base = y + 0.6 * PADDING + LINE * (number + 0.76)
            parts.append(f'<text x="{box.x:.1f}" y="{base:.1f}"{bold}>{escape(_TAGS.sub("", line))}</text>')
    head = '<path d="M0 0L8 4L0 8z"/>'
    marker = f'<marker id="head" markerWidth="8" markerHeight="8" refX="7.5" refY="4" orient="auto">{head}</marker>'
    size = f'viewBox="{left:.1f} -2 {right - left:.1f} {low + 2:.1f}" style="min-width:{(right - left) * 0.6:.0f}px"'
    return f'<div class="flowchart"><svg {size} role="img"><defs>{marker}</defs>{"".join(parts)}</svg></div>'


def _curve(path: list[Box]) -> str:
    first, last = path[0], path[-1]
    spread = max(-0.4, min(0.4, (path[1].x - first.x) / 600)) * first.width
    arrive = max(-0.4, min(0.4, (path[-2].x - last.x) / 600)) * last.width
    points = [(first.x + spread, first.y + first.height / 2)]
    points += [(box.x, box.y) for box in path[1:-1]]
    points.append((last.x + arrive, last.y - last.height / 2))
    drawn = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        middle = (y + to_y) / 2
        drawn += f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
    return drawn
