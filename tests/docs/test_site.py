"""The site: built from the pages without a warning, complete, and readable without a network or a script."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from project_files import PAGES, ROOT

FLOWCHART = """flowchart TD
  top["<b>top</b><br>begins & ends"]
  left["left"]
  low["low"]
  top --> left --> low
  top --> low
"""


def changed_last() -> float:
    """When a page, or a file that pages are made from, was written last."""
    sources = [*ROOT.glob("*.md"), *ROOT.glob("*.txt"), ROOT / "Makefile", ROOT / "pyproject.toml"]
    sources += [path for path in (ROOT / "docs").rglob("*") if path.is_dir()]  # a page may be gone
    for folder in ("benchmarks", "docs", "examples", "proof", "src"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        sources += [path for path in files if not re.search(r"__pycache__|\.egg-info", str(path))]
    return max(path.stat().st_mtime for path in sources)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make site` builds: what it has built without a warning since the last change, or else built here."""
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "--keep-going", "-c", "docs", "-d", str(folder / "doctrees"), "-b", "html"]
    assert " ".join(options[:5]) in (ROOT / "Makefile").read_text(encoding="utf-8").replace(" -j 2", "")
    built = ROOT / "out" / "site" / ".built"
    if built.exists() and built.stat().st_mtime > changed_last():
        return built.parent
    command = [sys.executable, "-m", "sphinx", *options, ".", str(folder / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "site"


def test_every_page_is_there_and_every_link_leads_somewhere(site: Path) -> None:
    pages = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    assert {page.relative_to(ROOT).with_suffix("") for page in PAGES} <= pages
    lost = []
    for path in [site / "index.html", *site.glob("*.html"), *(site / "docs").rglob("*.html")]:
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r'(?:href|src)="([^"]+)"', text):
            file, _, anchor = unquote(unescape(target)).partition("#")
            if "://" in file or file.startswith(("data:", "mailto:")):
                continue
            found = (path.parent / file.partition("?")[0]).resolve() if file else path
            if not found.exists() or (anchor and found == path and f'id="{anchor}"' not in text):
                lost.append((str(path.relative_to(site)), target))
    assert lost == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//[^"]*"', text) == [], path.name
        assert re.findall(r'<link[^>]+rel="stylesheet"[^>]+href="(?:https?:)?//[^"]*"', text) == [], path.name


def test_flowcharts_are_drawn(site: Path) -> None:
    page = (site / "docs" / "architecture.html").read_text(encoding="utf-8")
    assert page.count('class="arrow"') > 15
    assert "flowchart TD" not in page


def test_a_flowchart_keeps_its_boxes_apart_and_its_arrows_downwards() -> None:
    svg = runpy.run_path(str(ROOT / "docs" / "site" / "diagrams.py"))["svg"]
    drawn = svg(FLOWCHART)
    assert "begins &amp; ends" in drawn
    boxes = [
        tuple(map(float, box)) for box in re.findall(r'<rect x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)"', drawn)
    ]
    assert len(boxes) == 3
    heights = [y for _, y, _, _ in boxes]
    assert heights == sorted(set(heights))
    for arrow in re.findall(r'class="arrow" d="([^"]+)"', drawn):
        numbers = [float(number) for number in re.findall(r"-?[0-9.]+", arrow)]
        assert numbers[1] < numbers[-1]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    whole = svg(re.search(r"```mermaid\n(.*?)```", page, re.DOTALL)[1])  # type: ignore[index]
    assert whole is not None
    found = re.findall(r'<rect x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)"', whole)
    boxes = sorted(tuple(map(float, box)) for box in found)
    for x, y, width, height in boxes:
        others = [other for other in boxes if other != (x, y, width, height)]
        assert not [o for o in others if x < o[0] + o[2] and o[0] < x + width and y < o[1] + o[3] and o[1] < y + height]


def test_other_diagrams_stay_text() -> None:
    svg = runpy.run_path(str(ROOT / "docs" / "site" / "diagrams.py"))["svg"]
    for text in ("sequenceDiagram\n  A->>B: hello", 'flowchart TD\n  a{"rhombus"}', "flowchart TD\n  a --> b"):
        assert svg(text) is None
