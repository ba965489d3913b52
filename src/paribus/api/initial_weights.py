"""Models whose arms start from the weights that they have: checked, and written to files (decision 0088)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from paribus.errors import DataError, UsageError, unknown_name
from paribus.files.whole import hash_file, write_whole
from paribus.study.document import Arm, StudyDocument
from paribus.study.initial_weights import InitialWeightsSettings


def check_names(names: Sequence[str], arms: Mapping[str, Any]) -> tuple[str, ...]:
    """Check the argument ``initial_weights``: names of arms whose models are built networks.

    Args:
        names: the argument.
        arms: the models by name.

    Returns:
        The names, in their order.

    Raises:
        UnknownNameError: there is no such arm.
        UsageError: it is no list of names, or an arm is no network with weights.
    """
    import keras

    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise UsageError(f'initial_weights={names!r}: a list of names of arms is expected, like ["pretrained"]')
    for name in names:
        if name not in arms:
            raise unknown_name("arm", name, arms, "initial_weights")
        model = arms[name]
        if not isinstance(model, keras.Model) or not model.built or not model.weights:
            raise UsageError(
                f"initial_weights: arm '{name}' has no weights to start from; give a Keras model that is built, such "
                "as one that was trained or loaded"
            )
    return tuple(dict.fromkeys(names))


def rebuild(config: dict[str, Any]) -> Any:
    """Build a network from the config of a model, as workers do.

    Args:
        config: what ``keras.saving.serialize_keras_object`` returned.
    """
    # Keras's session is the caller's here, and is left as it is.
    from paribus.engine.rebuild import model_from_config

    return model_from_config(config)


def find_lost_settings(model: Any, rebuilt: Any) -> Iterator[str]:
    """Yield a message for each setting that a network built from a model's config would not have (keras 3.15).

    Args:
        model: the user's model.
        rebuilt: the network built from its config.
    """
    if not model.trainable_variables:
        yield "all of its weights are frozen, so that nothing would be trained; set trainable = True of some layers"
        return
    for own, other in zip(_list_weighted(model), _list_weighted(rebuilt), strict=True):
        if _list_flags(own) != _list_flags(other):
            yield (
                f"layer '{own.name}' is {'trainable' if own.trainable else 'frozen'}, and is not where the network is "
                "built from its config: set trainable of the layers themselves, and of models that hold them before"
            )


def _list_weighted(model: Any) -> list[Any]:
    """The layers that hold weights themselves."""
    return [layer for layer in model._flatten_layers() if layer._trainable_variables or layer._non_trainable_variables]


def _list_flags(layer: Any) -> list[bool]:
    return [bool(layer.trainable), *(bool(variable.trainable) for variable in layer.variables)]


def write_weights(model: Any, rebuilt: Any, path: Path) -> InitialWeightsSettings:
    """Write the weights that a model has at this moment to a file of Keras.

    They are written from a network built from the model's config, so that neither an optimizer nor automatic names are
    in the file: equal weights are equal bytes.

    Args:
        model: a built model.
        rebuilt: the network built from its config.
        path: the file, which ends in ``.weights.h5``.

    Returns:
        The path with the sha256 of the file, as an arm names it.
    """
    rebuilt.set_weights(model.get_weights())
    rebuilt.save_weights(path)
    return InitialWeightsSettings(file=str(path), sha256=hash_file(path))


def with_weights_in(document: StudyDocument, folder: Path) -> StudyDocument:
    """The document with the files of initial weights copied to a folder, each under its digest.

    Args:
        document: the study.
        folder: the folder; it is made where there is none.

    Raises:
        DataError: a file cannot be copied.
    """
    arms = {name: _copied(arm, folder.resolve()) for name, arm in document.arms.items()}
    return document.model_copy(update={"arms": arms})


def _copied(arm: Arm, folder: Path) -> Arm:
    weights = arm.initial_weights
    if weights is None:
        return arm
    assert weights.sha256 is not None, "it was written with its digest"
    path = folder / f"{weights.sha256[:16]}.weights.h5"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists() or hash_file(path) != weights.sha256:
            with write_whole(path) as draft:
                shutil.copyfile(weights.file, draft)
    except OSError as error:
        raise DataError(f"{path}: initial weights cannot be written: {error.strerror or error}") from error
    return arm.model_copy(update={"initial_weights": weights.model_copy(update={"file": str(path)})})
