"""The user's environment changes no bit of a run, is recorded with it, or is refused by the name of its variable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from digits_jobs import DROPOUT, arm, describe_job, train_job
from paribus.backends.local import LocalBackend
from paribus.engine.variables import check_environment, is_removed, without_foreign_settings
from paribus.errors import BackendError, ParibusError
from paribus.records import Described, Ended, RunResult
from processes import run_python

HOSTILE = {
    "JAX_ENABLE_X64": "1",
    "JAX_THREEFRY_PARTITIONABLE": "0",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_DISABLE_JIT": "1",
    "JAX_DEBUG_NANS": "1",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_SOFTMAX_CUSTOM_JVP": "0",
    "JAX_RANDOM_SEED_OFFSET": "7",
    "KERAS_MAX_EPOCHS": "1",
    "KERAS_NNX_ENABLED": "1",
    "KERAS_BACKEND": "torch",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3",
    "OPENBLAS_CORETYPE": "Nehalem",
    "OMP_NUM_THREADS": "3",
    "PYTHONWARNINGS": "error",
}
CONFIG = {"floatx": "float16", "epsilon": 0.01, "image_data_format": "channels_first", "backend": "tensorflow"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "keras.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    return tmp_path


def computed() -> tuple[str, RunResult]:
    """A recipe and a run, from a worker that starts under the present environment."""
    with LocalBackend(workers=1) as backend:
        (described,) = (event for event in backend.run([describe_job(arm(DROPOUT))]) if isinstance(event, Described))
        (ended,) = (event for event in backend.run([train_job(described.recipe)]) if isinstance(event, Ended))
    return described.recipe.model, ended.result


def test_no_setting_of_the_users_changes_a_bit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, plain = computed()
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KERAS_HOME", str(home))
    hostile_model, hostile = computed()
    assert (hostile_model, hostile.reason) == (model, plain.reason) == (model, None)
    assert hostile.weights_digest == plain.weights_digest
    assert (hostile.scores, hostile.curve, hostile.environment) == (plain.scores, plain.curve, plain.environment)


def test_flags_of_the_users_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    _, run = computed()
    assert run.environment is not None
    assert "--xla_cpu_enable_fast_math=false" in run.environment.flags.split()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"XLA_FLAGS": "flags.txt"}, r"XLA_FLAGS=flags.txt: 'flags.txt' is not a flag"),
        (
            {"XLA_FLAGS": "--no_such_flag=1"},
            r"XLA_FLAGS=--no_such_flag=1: XLA ends every worker over it .*Unknown flag",
        ),
        ({"JAX_PLATFORMS": "cuda"}, r"JAX_PLATFORMS=cuda: JAX cannot compute on 'cuda' here"),
        ({"JAX_PLATFORMS": "cpu,tpu"}, r"cannot compute on 'tpu' here"),
    ],
)
def test_the_environment_is_blamed_and_the_variable_named(
    variables: Mapping[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("paribus.machine.list_gpus", lambda: ())
    with pytest.raises(BackendError, match=message), LocalBackend(workers=1) as backend:
        list(backend.run([describe_job(arm())]))


@pytest.mark.parametrize("content", ['{"floatx": "float8"}', '{"epsilon": 1}', "[]"])
def test_a_keras_configuration_that_keras_refuses_is_named(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keras.json").write_text(content, encoding="utf-8")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with (
        pytest.raises(ParibusError, match=r"keras\.json: Keras refuses this configuration"),
        LocalBackend(1) as backend,
    ):
        list(backend.run([describe_job(arm())]))


@pytest.mark.parametrize("name", [*HOSTILE, "GLIBC_TUNABLES", "JAX_ANYTHING_NEW", "XLA_ANYTHING_NEW"])
def test_what_the_libraries_read_is_removed(name: str) -> None:
    assert is_removed(name)
    assert without_foreign_settings({name: "1", "HOME": "/", "XLA_FLAGS": "--a"}) == {"HOME": "/", "XLA_FLAGS": "--a"}


@pytest.mark.parametrize("name", ["XLA_FLAGS", "KERAS_HOME", "JAX_PLATFORMS", "JAX_COMPILATION_CACHE_DIR", "PATH"])
def test_what_changes_no_bit_or_is_recorded_stays(name: str) -> None:
    assert without_foreign_settings({name: "1"}) == {name: "1"}


def test_a_gpu_may_be_asked_for_where_there_is_one() -> None:
    check_environment({"JAX_PLATFORMS": "cuda,cpu"}, on_gpu=True)


ALONE = """
import os
from paribus.engine import environment
environment.prepare()
print(sorted({"JAX_ENABLE_X64", "PJRT_NPROC", "KERAS_BACKEND"} & set(os.environ)))
print(os.environ["JAX_PLATFORMS"], os.environ["KERAS_BACKEND"])
"""


def test_a_process_that_computes_by_itself_is_prepared_alike() -> None:
    done = run_python("-c", ALONE, JAX_ENABLE_X64="1", KERAS_BACKEND="torch")
    assert done.stdout.splitlines() == ["['KERAS_BACKEND', 'PJRT_NPROC']", "cpu jax"], done.stderr
