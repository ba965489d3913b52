"""Results of proofs: one JSON file each, committed, with the machine and the version that they hold for."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proof.records import ImpossibleError

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "results"


def version_of(inputs: Sequence[str], root: Path = ROOT) -> str:
    """A digest of the committed content of these paths.

    Raises:
        ImpossibleError: some of it is not committed, so that no one else has it.
    """
    changed = _git(root, "status", "--porcelain", "--", *inputs)
    if changed:
        raise ImpossibleError(
            f"not committed: {', '.join(line[3:] for line in changed)}; a proof is of what is committed"
        )
    # `ls-tree` knows no patterns, `ls-files` does; its second column is the digest of the content.
    listed = _git(root, "ls-files", "--stage", "--", *inputs)
    return hashlib.sha256("\n".join(sorted(listed)).encode()).hexdigest()[:16]


def read(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """The parts on record, by name."""
    path = folder / f"{name}.json"
    parts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["parts"] if path.exists() else {}
    return parts


def write(name: str, claim: str, parts: Mapping[str, Any], folder: Path = FOLDER) -> None:
    """Replace the record, whole or not at all."""
    folder.mkdir(exist_ok=True)
    content = json.dumps({"proof": name, "claim": claim, "parts": parts}, indent=2, ensure_ascii=False)
    unfinished = folder / f".{name}.json"
    unfinished.write_text(f"{content}\n", encoding="utf-8")
    unfinished.replace(folder / f"{name}.json")


def _git(root: Path, *arguments: str) -> list[str]:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()
