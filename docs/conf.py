"""How Sphinx builds the site: `make site`. The pages are the repository's Markdown files and notebooks as they are."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "site"))

import diagrams  # noqa: E402

from paribus.version import __version__  # noqa: E402

project = "paribus"
author = "The paribus developers"
copyright = author
version = release = __version__

# The source folder is the whole checkout, so that links between README, docs and examples hold as they are written.
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "examples/**"]
exclude_patterns = [".*", "src", "tests", "out", "paribus-runs"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
nb_execution_mode = "off"  # Notebooks carry their outputs; tests run them.
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]

nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!paribus\.).*"),  # The site is built offline: only our own names are looked for.
    # Packages and modules behind the public names.
    ("py:(class|mod)", r"paribus\.((analysis|data)\.[a-z_]+|(?!analysis|data|errors)[a-z_]+)(\.\w+)*"),
]
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}
python_maximum_signature_line_length = 90
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"paribus {version}"
html_static_path = ["site/site.css"]
html_css_files = ["site.css"]
html_extra_path = ["site/index.html"]
html_copy_source = False
html_show_sphinx = False

CONTENTS = ("docs/index", "docs/decisions/README")
"""Pages whose links are the table of contents."""


class Mermaid(Directive):
    """A flowchart, drawn here; other diagrams stay text."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """See docutils."""
        text = "\n".join(self.content)
        drawn = diagrams.svg(text)
        if drawn is None:
            return [nodes.literal_block(text, text, language="text")]
        return [nodes.raw("", drawn, format="html")]


def add_contents(app: Any, docname: str, source: list[str]) -> None:
    """Append what a page links to as its table of contents, a part for each list that a line introduces."""
    if docname not in CONTENTS:
        return
    folder = (Path(app.srcdir) / docname).parent
    caption = ""
    parts: dict[str, list[str]] = {}
    for line in source[0].splitlines():
        if introduced := re.match(r"(To |Reference)[^\[\]:]+(?=:)", line):
            caption = introduced[0].partition(",")[0]
        for target in re.findall(r"\]\(([^)#:]+\.(?:md|ipynb))\)", line):
            page = (folder / target).resolve().relative_to(Path(app.srcdir).resolve())
            parts.setdefault(caption, []).append(f"/{page.with_suffix('')}")
    for caption, pages in parts.items():
        rows = "\n".join(dict.fromkeys(pages))
        named = f":caption: {caption}\n" if caption else ""
        source[0] += f"\n```{{toctree}}\n:hidden:\n{named}\n{rows}\n```\n"


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.add_directive("mermaid", Mermaid)
    app.connect("source-read", add_contents)
