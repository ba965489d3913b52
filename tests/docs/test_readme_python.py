"""The README's Python block, copied into a fresh process; and paribus with Keras on whatever it runs on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from processes import unmeasured

ROOT = Path(__file__).parents[2]
BLOCK = re.search(r"^```python\n(.+?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S | re.M)[1]  # type: ignore[index]
NO_PANDAS = "import sys\nsys.modules['pandas'] = None  # Python's way to say: not to be found\n"


def python(code: str, folder: Path, home: Path, backend: str | None = None) -> subprocess.CompletedProcess[str]:
    """What a fresh process says, in a folder: no settings of Keras's, and no variable of ours."""
    kept = {key: value for key, value in unmeasured().items() if not re.match("KERAS_|XLA_|JAX_|PJRT_|PARIBUS_", key)}
    variables = {"HOME": str(home)} | ({} if backend is None else {"KERAS_BACKEND": backend})
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=kept | variables, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home, in which only compiled programs are kept."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, home: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The block, run in a folder of its own, where its runs stay."""
    folder = tmp_path_factory.mktemp("readme")
    return folder, python(BLOCK + "print(results)\nprint(results.to_pandas().shape[0], 'rows')", folder, home)


@pytest.mark.slow
def test_the_block_runs_as_it_stands(ran: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = ran
    assert done.returncode == 0, done.stderr
    assert re.search(r"between|better|worse|equivalent", done.stdout)
    assert done.stdout.endswith("10 rows\n")
    assert "<html" in (folder / "dropout.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_pandas_all_but_its_table_works(ran: tuple[Path, subprocess.CompletedProcess[str]], home: Path) -> None:
    """On the stored runs, and where Keras has its backend from the user."""
    folder, _ = ran
    (folder / "dropout.html").unlink()
    done = python(NO_PANDAS + BLOCK, folder, home, "jax")
    assert done.returncode == 1
    assert done.stderr.endswith("paribus.errors.UsageError: to_pandas needs pandas: pip install 'paribus[tables]'\n")
    table = BLOCK.splitlines()[-1]
    assert "to_pandas" in table, "what was to be done before the table is done"
    assert "pip install 'paribus[tables]'" in table, "the block says what this line needs"
    assert "dropout" in done.stdout
    assert (folder / "dropout.html").is_file()


BACKEND = "import os, sys\nprint(os.environ.get('KERAS_BACKEND'), 'keras' in sys.modules)"


def test_paribus_before_keras_chooses_jax(tmp_path: Path, home: Path) -> None:
    assert python(f"import paribus\n{BACKEND}", tmp_path, home).stdout == "jax False\n"
    done = python("import paribus, keras\nprint(keras.backend.backend())", tmp_path, home)
    assert done.stdout == "jax\n", done.stderr


def test_a_backend_that_somebody_chose_stays(tmp_path: Path, home: Path) -> None:
    assert python(f"import paribus\n{BACKEND}", tmp_path, home, "numpy").stdout == "numpy False\n"
    done = python(f"import sys\nsys.modules['keras'] = object()\nimport paribus\n{BACKEND}", tmp_path, home)
    assert done.stdout == "None True\n", "too late to choose"


@pytest.mark.parametrize("backend", ["torch", "no-such-backend"])
def test_training_and_reading_work_where_keras_cannot_be_imported(backend: str, tmp_path: Path, home: Path) -> None:
    """What trains runs on JAX in any case, what judges and reads needs no Keras."""
    assert python("import keras", tmp_path, home, backend).returncode == 1
    run = ["run", "digits", "--arm", "small", "--seeds", "2", "--epochs", "1", "--workers", "1"]
    code = f"""
import sys
from paribus.cli import main
for command in {[run, ["show", "digits"], ["report", "digits"]]}:
    sys.argv = ["paribus", *command]
    try:
        main()
    except SystemExit as end:
        assert not end.code, command
import paribus as pb
print(pb.analysis.__name__, pb.data.__name__)
"""
    done = python(code, tmp_path, home, backend)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("paribus.analysis paribus.data\n")
