"""``python -m keras_classes KIND LETTERS FILE``: try the classes of a kind, and write the verdicts as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from paribus.engine import environment

environment.prepare()


def main(kind: str, letters: str, path: Path) -> None:
    """Try them one after the other, and say how it goes."""
    from keras_classes.runner import run_all

    verdicts = run_all(kind, letters, lambda name, verdict: print(f"{kind}, {name}: {verdict.verdict}", flush=True))
    path.write_text(json.dumps(verdicts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
