"""The project's own files, for tests that hold them against each other; and what importing costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(?P<language>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
HEAVY = {"keras", "jax", "jaxlib", "numpy", "scipy", "matplotlib", "pandas", "sklearn"}


def imported_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has imported after running ``code``."""
    script = f"import sys\n{code}\nprint('imported:', *sorted({{m.partition('.')[0] for m in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(result.stdout.rsplit("imported:", 1)[1].split())
