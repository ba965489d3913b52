"""Which environment variables of the user's may reach what computes a run, and which must not.

A run's fingerprint says nothing of the environment, so nothing in it may change a run's bits without being recorded.
What the libraries read is therefore removed by the beginning of its name, but for what changes no bit, or is
recorded with the run (``XLA_FLAGS``). ``docs/environment.md`` lists all of it; ``tests/docs/test_environment.py``
compares the page with the installed libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from paribus.errors import BackendError

REMOVED: Final = (
    "KERAS_", "JAX_", "JAX2TF_", "CHECK_VMA", "EAGER_CONSTANT_FOLDING", "MOCK_NUM_GPU_PROCESSES",
    "XLA_", "PJRT_", "TF_", "LIBTPU_", "TPU_", "LLVM_", "MOSAIC_", "CPU_OPT_PRESET_",
    "TRITON_", "MLIR_", "DISABLE_LLVM_OPT", "DISABLE_PTXAS_OPT", "AMDGCN_", "NVPTX_", "HWLOC_", "SLINKY_",
    "NPY_", "NUMPY_", "SCIPY_", "SKLEARN_", "JOBLIB_", "LOKY_",
    "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "VECLIB_", "DNNL_", "ONEDNN_",
    "_DNNL_", "_ONEDNN_",
    "CUBLAS_", "CUBLASLT_", "CUDNN_", "NVIDIA_TF32_OVERRIDE", "GLIBC_TUNABLES", "PYTHONWARNINGS",
)  # fmt: skip
"""Beginnings of names. The C library's tunables choose other kernels; a warning made an error ends a run."""

HARMLESS: Final = (
    "KERAS_HOME", "XLA_PYTHON_CLIENT_", "XLA_CLIENT_MEM_FRACTION", "TF_CPP_",
    "JAX_PLATFORMS", "JAX_COMPILATION_CACHE_DIR", "JAX_COMPILATION_CACHE_MAX_SIZE", "JAX_ENABLE_COMPILATION_CACHE",
    "JAX_PERSISTENT_CACHE_MIN_", "JAX_LOG_COMPILES", "JAX_EXPLAIN_CACHE_MISSES", "JAX_TRACEBACK_FILTERING",
)  # fmt: skip
"""Beginnings of names that stay: folders, logs, memory. What ``JAX_PLATFORMS`` says is checked against the machine."""

RECORDED: Final = ("XLA_FLAGS",)
"""What stays and is recorded with the run: runs that differ in it are not answered as one without a note."""


def is_removed(name: str) -> bool:
    """Whether a variable must not reach what computes."""
    return name.startswith(REMOVED) and not name.startswith(HARMLESS) and name not in RECORDED


def without_foreign_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a worker process starts with: NumPy and OpenBLAS read theirs when they are loaded."""
    return {name: value for name, value in environ.items() if not is_removed(name)}


def check_environment(environ: Mapping[str, str], *, on_gpu: bool) -> None:
    """Refuse environment variables under which no run can be computed, before a worker fails over them.

    Args:
        environ: the user's environment variables.
        on_gpu: whether runs are computed on a GPU.

    Raises:
        BackendError: ``XLA_FLAGS`` is not a list of flags, or ``JAX_PLATFORMS`` asks for what is not there.
    """
    for flag in environ.get("XLA_FLAGS", "").split():
        if not flag.startswith("--"):
            raise BackendError(
                f"XLA_FLAGS={environ['XLA_FLAGS']}: '{flag}' is not a flag, and XLA would read it as a file name; "
                "write flags as --name=value, or unset XLA_FLAGS"
            )
    platforms = [name.strip() for name in environ.get("JAX_PLATFORMS", "").split(",") if name.strip()]
    missing = [name for name in platforms if name != "cpu"]
    if missing and not on_gpu:
        raise BackendError(
            f"JAX_PLATFORMS={environ['JAX_PLATFORMS']}: JAX cannot compute on '{missing[0]}' here: no GPU that "
            "it could use is there, or no plugin for one (pip install 'jax[cuda13]'); unset JAX_PLATFORMS to compute "
            "on the cores"
        )
