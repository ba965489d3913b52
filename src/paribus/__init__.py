"""paribus: controlled experiments for Keras classifiers.

::

    import paribus as pb
    results = pb.compare({"dropout": model_a, "none": model_b}, data="mnist", seeds=5, epochs=10)

Importing it is cheap: the module of a name is imported when the name is first used. Imported before Keras, it has Keras
run on JAX unless ``KERAS_BACKEND`` says otherwise. Training runs on JAX, in processes of its own, always.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from paribus.version import __version__

if TYPE_CHECKING:
    from paribus import analysis, data, errors
    from paribus.api.ablate import Ablation, ablate
    from paribus.api.compare import compare
    from paribus.api.contrast import Contrast
    from paribus.api.judge import judge
    from paribus.api.load import load_results
    from paribus.api.results import Results
    from paribus.api.study import Study
    from paribus.errors import ParibusError

__all__ = [
    "Ablation",
    "Contrast",
    "ParibusError",
    "Results",
    "Study",
    "__version__",
    "ablate",
    "analysis",
    "compare",
    "data",
    "errors",
    "judge",
    "load_results",
]

_MODULES = {
    "Ablation": "paribus.api.ablate",
    "Contrast": "paribus.api.contrast",
    "ParibusError": "paribus.errors",
    "Results": "paribus.api.results",
    "Study": "paribus.api.study",
    "ablate": "paribus.api.ablate",
    "compare": "paribus.api.compare",
    "judge": "paribus.api.judge",
    "load_results": "paribus.api.load",
}


if "keras" not in sys.modules:
    # Keras without a backend looks for TensorFlow; JAX is always there.
    os.environ.setdefault("KERAS_BACKEND", "jax")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    if name in __all__:
        return importlib.import_module(f"paribus.{name}")
    raise AttributeError(f"module 'paribus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
