"""Compiled programs that are kept and read again change no bit, and a damaged one is compiled anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

RUN = [sys.executable, "-m", "paribus", "run", "digits", "--seeds", "1", "--epochs", "2", "--arm", "large-dropout"]


def digest(store: Path, cache: str, home: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    environment |= {"PARIBUS_CACHE": cache, "HOME": str(home)}
    done = subprocess.run(
        [*RUN, "--json", "--store", str(store)], env=environment, capture_output=True, text=True, check=True
    )
    (run,) = json.loads(done.stdout)["arms"][0]["runs"]
    return str(run["weights_digest"])


def test_no_bit_depends_on_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    without = digest(tmp_path / "a", "", tmp_path)
    assert not (tmp_path / ".cache" / "paribus").exists(), "an empty PARIBUS_CACHE keeps nothing"
    cold = digest(tmp_path / "b", str(cache), tmp_path)
    kept = [path for path in cache.rglob("*-cache") if path.is_file()]
    assert kept, "programs are kept"
    warm = digest(tmp_path / "c", str(cache), tmp_path)
    for path in kept:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    damaged = digest(tmp_path / "d", str(cache), tmp_path)
    assert without == cold == warm == damaged
