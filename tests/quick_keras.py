"""Importing this has Keras's own `fit`, `evaluate` and `predict` compile in this process without optimization.

What they compute is compared within tolerances on a few examples, and compiling is most of the time of such a test. The
engine's programs are compiled as ever.
"""

from __future__ import annotations

import functools

from keras.src.backend.jax import trainer

UNOPTIMIZED = {"xla_backend_optimization_level": "0", "xla_cpu_use_fusion_emitters": "False"}

if not isinstance(trainer.jit, functools.partial):
    trainer.jit = functools.partial(trainer.jit, compiler_options=UNOPTIMIZED)
