"""Compiled programs that are kept and read again change no bit, and a damaged one is compiled anew."""

from __future__ import annotations

import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import jax
import keras
import numpy as np
import pytest

from digits_jobs import DROPOUT, TWO_EPOCHS, arm, describe_job
from paribus import seeds
from paribus.engine import steps
from paribus.engine.compilation_cache import damage_removed
from paribus.engine.compile import DRAW_ONCE
from paribus.engine.engine import Engine
from paribus.engine.network import Network
from paribus.records import Seeds
from processes import unmeasured

RUN = """
from paribus.engine import environment
environment.prepare()
from paribus.backends.job_runner import JobRunner
runner = JobRunner()
runner.warm_up()
from digits_jobs import DROPOUT, arm, describe_job, train_job
(run,) = runner.run([train_job(runner.describe(describe_job(arm(DROPOUT))))], lambda *_: None)
print(run.weights_digest)
"""
"""What a worker does."""


def digest(cache: str, home: Path) -> str:
    environment = {k: v for k, v in unmeasured().items() if not k.startswith("JAX_")}
    environment |= {"PARIBUS_CACHE": cache, "HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=True)
    assert len(done.stdout) == 65, done.stdout
    return done.stdout


def test_no_bit_depends_on_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    without = digest("", tmp_path)
    assert not (tmp_path / ".cache" / "paribus").exists(), "an empty PARIBUS_CACHE keeps nothing"
    cold = digest(str(cache), tmp_path)
    kept = [path for path in cache.rglob("*-cache") if path.is_file()]
    assert kept, "programs are kept"
    warm = digest(str(cache), tmp_path)
    for path in kept:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    damaged = digest(str(cache), tmp_path)
    assert without == cold == warm == damaged
    assert not any(path.exists() for path in kept), "JAX replaces no entry, so a damaged one must go"


def test_only_what_is_damaged_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache" / "programs-1"
    folder.mkdir(parents=True)
    sound = zlib.compress(b"a program" * 100)
    for name, content in {"jit_f-1": sound, "jit_f-2": sound[:-5], "jit_f-3": b"", "jit_g-1": sound[:-5]}.items():
        (folder / f"{name}-cache").write_bytes(content)
    monkeypatch.setenv("PARIBUS_CACHE", str(tmp_path / "cache"))
    message = "Error reading persistent compilation cache entry for 'jit_f': Error: -5"
    for place, left in [(tmp_path, {"1", "2", "3"}), (folder, {"1"})]:
        monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(place))
        with damage_removed():
            warnings.warn(message, stacklevel=1)
        assert {path.name.split("-")[1] for path in folder.glob("jit_f-*")} == left
    assert (folder / "jit_g-1-cache").exists(), "nobody has complained about that"
    with pytest.warns(UserWarning, match="something else"), damage_removed():
        warnings.warn("something else", stacklevel=1)


@pytest.mark.parametrize("name", ["GlorotUniform", "HeNormal", "TruncatedNormal", "Orthogonal"])
def test_compiling_the_drawing_with_less_effort_changes_no_bit(name: str) -> None:
    def draw(key: jax.Array) -> jax.Array:
        initializer, stream = getattr(keras.initializers, name)(), keras.random.SeedGenerator(0)
        initializer.seed = stream
        with keras.StatelessScope(state_mapping=[(stream.state, key)], initialize_variables=False):
            return initializer((60, 50), dtype="float32")

    key = np.array([7, 0], np.uint32)
    lowered = jax.jit(draw).lower(key)
    options = (DRAW_ONCE, {"xla_backend_optimization_level": "1"})
    ours, before = (np.asarray(lowered.compile(compiler_options=each)(key)) for each in options)
    np.testing.assert_array_equal(ours, before)


def test_arms_that_differ_in_their_learning_rate_share_the_compiled_epoch(engine: Engine) -> None:
    """It is part of the state, so the program says nothing of it, and the second arm finds the first one's."""

    def epoch(rate: float) -> str:
        recipe = engine.describe(describe_job(arm(DROPOUT, {"Adam": {"learning_rate": rate}})))
        network = Network.rebuild(recipe, TWO_EPOCHS)
        state = jax.eval_shape(network.initial_state, seeds.init_key(Seeds.of(0)), seeds.dropout_keys(Seeds.of(0), 2))
        x, labels = np.zeros((100, 64), np.float32), np.zeros(100, np.int32)
        step = lambda state, x, labels: steps.train_step(network, state, x, labels)  # noqa: E731
        return jax.jit(step).lower(state, x, labels).as_text()

    assert epoch(0.001) == epoch(0.1)
