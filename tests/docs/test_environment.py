"""The page of environment variables names all that the installed libraries read, and what becomes of each."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from paribus.engine.variables import HARMLESS, RECORDED, REMOVED, is_removed
from project_files import ROOT

PAGE = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(_?[A-Z][A-Z0-9_]+)`", PAGE))
NAMES = re.compile(r"_?[A-Z][A-Z_0-9]+")
LIBRARIES = ["keras", "jax", "jaxlib", "numpy", "scipy", "sklearn", "joblib", "threadpoolctl"]
# What is no part of computing: tests, builds, and Keras's other backends.
LEFT_OUT = re.compile(
    r"(^|/)(tests?|testing|_tests|distutils|f2py|torch|tensorflow|openvino|_build_utils)(/|$)|_test\.py$"
)
ELSEWHERE = (
    "SLURM_",
    "OMPI_",
    "KUBERNETES_",
    "MEGASCALE_",
    "GLOO_",
    "MPITRAMPOLINE_",
    "GRPC_",
    "GCS_",
    "GOOGLE_",
    "AWS_",
)
COMPILED = re.compile(
    rb"\0(?=[A-Z_])(_?(?:JAX|XLA|TF|PJRT|LLVM|MLIR|MOSAIC|TRITON|AMDGCN|NVPTX|DISABLE|HWLOC|SLINKY|ONEDNN|DNNL|EIGEN|YNN|XNN|OMP|GOMP|KMP"
    rb"|OPENBLAS|GOTO|MKL|NPY|NUMPY|SCIPY|SKLEARN|CUBLAS|CUBLASLT|CUDNN)_[A-Z][A-Z0-9_]*)(?=\0)"
)
"""What looks like a variable of a library that computes, in its binaries."""
NO_VARIABLE = ("DISABLE_DNNL_BACKEND", "_NPY_SORT_")
"""A name that oneDNN puts its own beginning before, and names of other things."""
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


def read_by(path: Path) -> set[str]:
    """The variables that a file's code asks for: `environ` and `getenv`, and functions of such names around them."""
    text = path.read_text("utf-8", "replace")
    if "env" not in text.lower():  # all of them have it in their names, and few files have to be parsed
        return set()
    tree = ast.parse(text)
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    asked: list[ast.expr] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="get" | "setdefault" | "pop"), args=[first, *_]):
                if ast.unparse(value).lower().endswith("environ"):
                    asked.append(first)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]):
                if re.search(r"env\w*$", name, re.IGNORECASE):
                    asked.append(first)
            case ast.Subscript(value=value, slice=index) if ast.unparse(value).endswith("environ"):
                asked.append(index)
            case ast.Compare(left=left, comparators=places) if ast.unparse(places[0]).endswith("environ"):
                asked.append(left)
    values = [constants.get(node.id) if isinstance(node, ast.Name) else getattr(node, "value", None) for node in asked]
    return {value for value in values if isinstance(value, str) and NAMES.fullmatch(value)}


def is_documented(name: str) -> bool:
    return is_removed(name) or name.startswith((*HARMLESS, *ELSEWHERE)) or name in RECORDED or name in NAMED


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_variable_that_a_library_reads_is_classified(library: str) -> None:
    names = set().union(*map(read_by, sources(library)))
    assert {name for name in names if not is_documented(name)} == set()


def test_the_search_sees_every_way_of_asking(tmp_path: Path) -> None:
    code = """
import os
KEY = "BY_CONSTANT"
os.environ["BY_INDEX"], os.environ.get("BY_GET"), os.getenv("BY_GETENV"), os.environ[KEY], bool_env("BY_FUNCTION", True)
"BY_IN" in os.environ
os.environ.get("not a name"), lowercase("OTHER")
"""
    (tmp_path / "code.py").write_text(code, encoding="utf-8")
    ways = {"BY_INDEX", "BY_GET", "BY_GETENV", "BY_CONSTANT", "BY_FUNCTION", "BY_IN"}
    assert read_by(tmp_path / "code.py") == ways


@pytest.mark.slow
@pytest.mark.parametrize("library", ["jaxlib", "numpy", "scipy", "sklearn"])
def test_what_looks_like_a_variable_in_a_binary_is_classified(library: str) -> None:
    spec = importlib.util.find_spec(library)
    assert spec is not None
    assert spec.origin is not None
    names: set[str] = set()
    for path in Path(spec.origin).parent.rglob("*.so*"):
        names |= {name.decode() for name in COMPILED.findall(path.read_bytes())}
    assert library != "jaxlib" or "XLA_FLAGS" in names
    assert {name for name in names if not is_documented(name) and not name.startswith(NO_VARIABLE)} == set()


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


@pytest.mark.parametrize("name", [*REMOVED, *HARMLESS, *RECORDED, *ELSEWHERE, *OWN_SPELLING])
def test_the_page_names_every_beginning(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_page_claims_nothing_that_is_not_so() -> None:
    rows = [line for line in PAGE.partition("## Taken away")[2].partition("\n## ")[0].splitlines() if line[:1] == "|"]
    names = {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)}
    assert {name for name in names if not is_removed(name)} == set()
