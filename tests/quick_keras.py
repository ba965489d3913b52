"""Importing this has Keras's own `fit`, `evaluate` and `predict` compile in this process with little optimization.

What they compute is compared within tolerances on a few examples, and compiling is most of the time of such a test. The
engine's programs are compiled as ever. (Without optimization sums are less exact: the noise in the gradient of a bias
before a BatchNormalization, which Adam scales up, is another one then.)
"""

from __future__ import annotations

import functools

from keras.src.backend.jax import trainer

LITTLE_OPTIMIZED = {"xla_backend_optimization_level": "1"}

trainer.jit = functools.partial(trainer.jit, compiler_options=LITTLE_OPTIMIZED)
