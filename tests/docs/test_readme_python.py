"""The README's Python block, copied into a fresh process; and paribus with Keras on whatever it runs on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.search(r"^```python\n(.+?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S | re.M)[1]  # type: ignore[index]
NO_PANDAS = "import sys\nsys.modules['pandas'] = None  # Python's way to say: not to be found\n"


def python(code: str, folder: Path, backend: str | None = None) -> subprocess.CompletedProcess[str]:
    """What a fresh process says, in an empty folder and home: no settings of Keras's, and no variable of ours."""
    kept = {key: value for key, value in os.environ.items() if not re.match("KERAS_|XLA_|JAX_|PJRT_|PARIBUS_", key)}
    variables = {"HOME": str(folder)} | ({} if backend is None else {"KERAS_BACKEND": backend})
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=kept | variables, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("backend", [None, "jax"], ids=["no-backend-chosen", "jax-chosen"])
def test_the_block_runs_as_it_stands(backend: str | None, tmp_path: Path) -> None:
    done = python(BLOCK + "print(results)\nprint(results.to_pandas().shape[0], 'rows')", tmp_path, backend)
    assert done.returncode == 0, done.stderr
    assert re.search(r"between|better|worse|equivalent", done.stdout)
    assert done.stdout.endswith("10 rows\n")
    assert "<html" in (tmp_path / "dropout.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_pandas_all_but_its_table_works(tmp_path: Path) -> None:
    done = python(NO_PANDAS + BLOCK, tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith("paribus.errors.UsageError: to_pandas needs pandas: pip install 'paribus[tables]'\n")
    lines = BLOCK.splitlines()
    table = next(line for line in lines if "to_pandas" in line)
    assert "pip install 'paribus[tables]'" in table, "the block says what this line needs"
    lines.remove(table)
    done = python(NO_PANDAS + "\n".join(lines), tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dropout.html").is_file()


BACKEND = "import os, sys\nprint(os.environ.get('KERAS_BACKEND'), 'keras' in sys.modules)"


def test_paribus_before_keras_chooses_jax(tmp_path: Path) -> None:
    assert python(f"import paribus\n{BACKEND}", tmp_path).stdout == "jax False\n"
    done = python("import paribus, keras\nprint(keras.backend.backend())", tmp_path)
    assert done.stdout == "jax\n", done.stderr


def test_a_backend_that_somebody_chose_stays(tmp_path: Path) -> None:
    assert python(f"import paribus\n{BACKEND}", tmp_path, "numpy").stdout == "numpy False\n"
    done = python(f"import sys\nsys.modules['keras'] = object()\nimport paribus\n{BACKEND}", tmp_path)
    assert done.stdout == "None True\n", "too late to choose"


@pytest.mark.parametrize("backend", ["torch", "no-such-backend"])
def test_training_and_reading_work_where_keras_cannot_be_imported(backend: str, tmp_path: Path) -> None:
    """What trains runs on JAX in any case, what judges and reads needs no Keras."""
    assert python("import keras", tmp_path, backend).returncode == 1
    for command in (["run", "digits", "--seeds", "2", "--epochs", "1"], ["show", "digits"], ["report", "digits"]):
        code = f"import sys; sys.argv = ['paribus', *{command}]; from paribus.cli import main; main()"
        done = python(code, tmp_path, backend)
        assert done.returncode == 0, done.stderr
    done = python("import paribus as pb\nprint(pb.analysis.__name__, pb.data.__name__)", tmp_path, backend)
    assert done.stdout == "paribus.analysis paribus.data\n", done.stderr
