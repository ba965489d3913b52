"""A ``.keras`` file from anybody: its config is read, and nothing else. No code in it can run here."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from paribus.errors import DataError, UsageError

CONFIG = "config.json"
MAX_CONFIG = 32 << 20
"""Configs of the largest networks of Keras's own applications have about 1 MiB."""


def read_model_file(path: Path) -> dict[str, Any]:
    """The config of the model in a ``.keras`` file, as Keras wrote it.

    The file is a zip archive; only its member ``config.json`` is read, up to ``MAX_CONFIG`` bytes whatever it claims,
    and only as JSON. Weights are not looked at.

    Args:
        path: the file.

    Raises:
        UsageError: there is no such file, or it is not of Keras's current format.
        DataError: the archive is broken, or its config is too large or not JSON.
    """
    if path.suffix.lower() in {".h5", ".hdf5"}:
        raise UsageError(
            f"{path}: an HDF5 file of old Keras; save the model again as .keras: model.save('model.keras')"
        )
    try:
        with zipfile.ZipFile(path) as archive, archive.open(CONFIG) as member:
            text = member.read(MAX_CONFIG + 1)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except KeyError:
        raise DataError(f"{path}: no {CONFIG} in it; expected a model saved by Keras 3 as .keras") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        # RuntimeError: an encrypted member; NotImplementedError: a compression that Python does not know.
        raise DataError(f"{path}: not a .keras file: {error}; expected a zip archive as Keras 3 saves it") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(text) > MAX_CONFIG:
        raise DataError(f"{path}: its {CONFIG} has more than {MAX_CONFIG:,} bytes; no network needs that many")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: its {CONFIG} is not JSON as Keras writes it: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise DataError(f"{path}: its {CONFIG} describes no Keras model")
    return config
