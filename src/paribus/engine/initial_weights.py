"""Weights that all runs of an arm start from, read from a file of Keras (decision 0088)."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.engine import canonical
from paribus.engine.digest import weights_digest
from paribus.engine.network import Network, forget_what_was_built
from paribus.engine.rebuild import model_from_config
from paribus.errors import UsageError
from paribus.files.whole import hash_file
from paribus.records import INITIAL_WEIGHTS, InitialWeights, Recipe

_UNREADABLE = (ValueError, TypeError, KeyError, OSError, RuntimeError, zipfile.BadZipFile)
"""What Keras and h5py raise of a file that holds no weights, or those of another network."""

_IN_ARCHIVE = "model.weights.h5"

Weights = Mapping[str, NDArray[np.generic]]
"""Weights by path, trainable and not, without the states of seed generators."""


def read_initial_weights(model_text: str, weights: InitialWeights) -> Weights:
    """Read a file of weights into a network.

    Keras itself refuses files with links to others, and sizes that memory could not hold.

    Args:
        model_text: the network's canonical form.
        weights: the file.

    Returns:
        The arrays by path, in the dtypes of the network's variables.

    Raises:
        UsageError: it cannot be read, has changed, or holds the weights of another network.
    """
    path = Path(weights.file).expanduser()
    try:
        changed = hash_file(path) != weights.sha256
    except OSError as error:
        raise UsageError(f"initial weights {path}: they cannot be read: {error.strerror or error}") from error
    if changed:
        raise UsageError(f"initial weights {path}: the file has changed since the study was read; start again")
    forget_what_was_built()
    model = model_from_config(json.loads(model_text))
    try:
        with warnings.catch_warnings():
            # What is left out is counted below.
            warnings.simplefilter("ignore")
            model.load_weights(path)
        stored = _count_arrays(path)
    except _UNREADABLE as error:
        message = " ".join(str(error).split())
        raise UsageError(
            f"initial weights {path}: Keras cannot read them into this network: {message[:400]}. Save them from a "
            "network of the same layers, with model.save_weights('name.weights.h5')"
        ) from error
    by_path = {v.path: np.asarray(v) for v in model.variables if v.name != "seed_generator_state"}
    if stored != len(by_path):
        raise UsageError(
            f"initial weights {path}: the file has {stored} arrays and the network {len(by_path)} weights: it is of "
            "another network; save the weights of one with the same layers"
        )
    infinite = next((name for name, value in by_path.items() if not np.isfinite(value).all()), None)
    if infinite is not None:
        raise UsageError(f"initial weights {path}: {infinite} has values that are not finite")
    return by_path


def with_initial_weights(model_text: str, weights: Weights) -> str:
    """A canonical form that says from which weights runs start.

    Args:
        model_text: the network's canonical form.
        weights: the arrays by path; their digest becomes part of the text.
    """
    return canonical.dumps({**json.loads(model_text), INITIAL_WEIGHTS: weights_digest(weights)})


def read_job_weights(recipe: Recipe, weights: InitialWeights | None, network: Network) -> list[NDArray[np.generic]]:
    """The weights that the runs of a recipe start from.

    Args:
        recipe: the arm's canonical form; it holds the digest of the weights.
        weights: the file; None where each seed draws its own.
        network: the network, built.

    Returns:
        The arrays in the order of :attr:`Network.weight_paths`; empty where each seed draws its own.

    Raises:
        UsageError: as :func:`read_initial_weights`; or the weights are not those of the recipe.
    """
    if recipe.initial_weights is None:
        return []
    assert weights is not None, "a recipe with initial weights is planned with their file"
    by_path = read_initial_weights(recipe.model, weights)
    if weights_digest(by_path) != recipe.initial_weights:
        raise UsageError(f"initial weights {weights.file}: they are not those that the run was planned with")
    return [by_path[path] for path in network.weight_paths]


def _count_arrays(path: Path) -> int:
    """How many weights a file has; an optimizer's state is not counted."""
    import h5py  # type: ignore[import-untyped]  # it has no types

    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            source: Any = io.BytesIO(archive.read(_IN_ARCHIVE))
    else:
        source = path
    names: list[str] = []
    with h5py.File(source) as file:
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return sum(not name.startswith("optimizer/") for name in names)
