"""The page of environment variables names all that the installed libraries read, and what becomes of each."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from paribus.engine.variables import HARMLESS, RECORDED, REMOVED, is_removed
from project_files import ROOT

PAGE = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", PAGE))
READ = re.compile(r"(?:environ(?:\.get|\.setdefault|\.pop)?|getenv)\s*[\[(]\s*f?[\"']([A-Z][A-Z_0-9]+)[\"']")
LIBRARIES = ["keras", "jax", "jaxlib", "numpy", "scipy", "sklearn", "joblib", "threadpoolctl"]
# What is no part of computing: tests, builds, and Keras's other backends.
LEFT_OUT = re.compile(
    r"(^|/)(tests?|testing|_tests|distutils|f2py|torch|tensorflow|openvino|_build_utils)(/|$)|_test\.py$"
)
OWN_SPELLING = ("PJRT_NPROC", "XLA_FLAGS", "OPENBLAS_CORETYPE", "OMP_NUM_THREADS")


def sources(library: str) -> Iterator[Path]:
    spec = importlib.util.find_spec(library)
    assert spec is not None
    assert spec.origin is not None
    origin = Path(spec.origin)
    if origin.name != "__init__.py":
        yield origin
        return
    for path in origin.parent.rglob("*.py"):
        if not LEFT_OUT.search(path.relative_to(origin.parent).as_posix()):
            yield path


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_variable_that_a_library_reads_is_told(library: str) -> None:
    found = {name for path in sources(library) for name in READ.findall(path.read_text("utf-8", "replace"))}
    known = {name for name in found if is_removed(name) or name.startswith(HARMLESS) or name in RECORDED}
    assert found - known - NAMED == set()


def test_every_setting_of_jax_has_a_variable_that_is_removed_or_documented() -> None:
    import jax

    names = [name.upper() for name in jax.config.values]
    assert len(names) > 50
    kept = {name for name in names if not is_removed(name)}
    assert kept == {name for name in names if name.startswith(HARMLESS)}


def test_openblas_reads_nothing_else() -> None:
    """Names in the binary that NumPy brings, as far as they look like variables of OpenBLAS."""
    spec = importlib.util.find_spec("numpy")
    assert spec is not None
    assert spec.origin is not None
    binaries = list(Path(spec.origin).parents[1].glob("numpy.libs/*openblas*"))
    if not binaries:
        pytest.skip("this NumPy brings no OpenBLAS of its own")
    content = binaries[0].read_bytes()
    found = {match.decode() for match in re.findall(rb"\0((?:OPENBLAS|GOTO|OMP|BLAS)_[A-Z_]{3,40})\0", content)}
    assert "OPENBLAS_NUM_THREADS" in found
    assert {name for name in found if not is_removed(name)} == set()


@pytest.mark.parametrize("name", [*REMOVED, *HARMLESS, *RECORDED, *OWN_SPELLING])
def test_the_page_names_every_beginning(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_page_claims_nothing_that_is_not_so() -> None:
    rows = [line for line in PAGE.partition("## Taken away")[2].partition("\n## ")[0].splitlines() if line[:1] == "|"]
    names = {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)}
    assert {name for name in names if not is_removed(name)} == set()
