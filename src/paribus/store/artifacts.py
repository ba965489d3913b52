"""Weights and predictions beside the database: one safetensors file each, whole or not there.

A file is written under a temporary name, fsynced, renamed and its folder fsynced, all before the row that names it is
committed. Its name holds the run and its content (``<fingerprint>.weights.<16 hex of sha256>.safetensors``), so that a
replaced run's new file never has the name that its row has for the old one, and a file that a killed writer left
is taken up by the same run, computed again. Only numbers are ever loaded; safetensors has no code in it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from paribus.store.durable import make_folder_inside, remove_temporary, sync_folder, sync_folders, write_all_synced
from paribus.store.points import Hook, Point
from paribus.store.regular import NotRegularError, check_folder, is_folder, open_regular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ARTIFACTS_NAME = "artifacts"
_DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "F32": "float32", "F64": "float64",
}  # fmt: skip
_TEMPORARY = re.compile(r"\.paribus-[0-9a-f]{64}\.(weights|predictions)\.tmp")
_FOLDER = re.compile(r"[0-9a-f]{2}")
_FINAL = re.compile(r"([0-9a-f]{64})\.(weights|predictions)\.([0-9a-f]{16})\.safetensors")


class Kind(StrEnum):
    """What an artifact holds."""

    WEIGHTS = "weights"
    PREDICTIONS = "predictions"


@dataclass(frozen=True, slots=True)
class ArtifactName:
    """What the name of an artifact's file says; ``digest`` is the first 16 digits of its content's sha256."""

    fingerprint: str
    kind: Kind
    digest: str


class DamagedArtifactError(Exception):
    """An artifact is missing or is not what was written; ``str`` says which of both. Never leaves the store."""


@final
class Artifacts:
    """The artifacts of one store."""

    def __init__(self, folder: Path, at: Hook) -> None:
        self.folder = folder / ARTIFACTS_NAME
        self._at = at

    def path(self, fingerprint: str, kind: Kind, sha256: str) -> Path:
        """The path of an artifact's file.

        Args:
            fingerprint: that of the run.
            kind: what the artifact holds.
            sha256: that of its content, of which the name has the first 16 digits.
        """
        return self.folder / fingerprint[:2] / f"{fingerprint}.{kind}.{sha256[:16]}.safetensors"

    def write(self, contents: Mapping[str, Mapping[Kind, bytes]]) -> dict[str, dict[Kind, str]]:
        """Write the artifacts of some runs so that they survive a power cut.

        Args:
            contents: bytes by kind, by fingerprint.

        Returns:
            Their sha256, in the same form.

        Raises:
            OSError: the medium failed. No temporary file is left.
        """
        digests: dict[str, dict[Kind, str]] = {}
        temporary: dict[Path, bytes] = {}
        names: dict[Path, Path] = {}
        folders: dict[str, Path] = {}
        for fingerprint, by_kind in contents.items():
            digests[fingerprint] = {kind: hashlib.sha256(content).hexdigest() for kind, content in by_kind.items()}
            for kind, content in by_kind.items():
                if fingerprint[:2] not in folders:
                    folder = folders[fingerprint[:2]] = self.folder / fingerprint[:2]
                    make_folder_inside(folder, self._at)
                unfinished = folders[fingerprint[:2]] / f".paribus-{fingerprint}.{kind}.tmp"
                temporary[unfinished] = content
                names[unfinished] = self.path(fingerprint, kind, digests[fingerprint][kind])
        if not names:
            return digests
        try:
            write_all_synced(temporary, self._at)
            for unfinished, path in names.items():
                self._at(Point.BEFORE_RENAME)
                unfinished.replace(path)
                self._at(Point.AFTER_RENAME)
        except BaseException:
            for unfinished in names:
                unfinished.unlink(missing_ok=True)
            raise
        self._at(Point.BEFORE_FOLDER_SYNC)
        sync_folders(sorted(folders.values()))
        self._at(Point.AFTER_FOLDER_SYNC)
        return digests

    def read(self, fingerprint: str, kind: Kind, sha256: str) -> bytes:
        """An artifact's content, after its digest was checked.

        Args:
            fingerprint: that of the run.
            kind: what the artifact holds.
            sha256: what its row says of its content.

        Raises:
            DamagedArtifactError: it is missing, or not what was written.
            OSError: it could not be looked at.
        """
        path = self.path(fingerprint, kind, sha256)
        try:
            check_folder(path.parent)
            with os.fdopen(open_regular(path, os.O_RDONLY), "rb") as file:
                content = file.read()
        except NotRegularError as error:
            raise DamagedArtifactError(str(error)) from None
        except OSError as error:
            # Any other failure (no permission, too many open files) says nothing about the artifact.
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                raise DamagedArtifactError(f"{path} is missing") from None
            if error.errno in (errno.EIO, errno.EISDIR):
                raise DamagedArtifactError(f"{path} cannot be read ({error.strerror})") from error
            raise
        digest = hashlib.sha256(content).hexdigest()
        if digest != sha256:
            raise DamagedArtifactError(f"{path} has sha256 {digest[:12]}..., {sha256[:12]}... was written")
        return content

    def keep_only(self, fingerprint: str, digests: Mapping[Kind, str]) -> None:
        """Remove a run's files but these: what it had before it was replaced, or what a failed write left.

        Args:
            fingerprint: that of the run.
            digests: the sha256 of the files that stay, by kind.
        """
        keep = {self.path(fingerprint, kind, sha256) for kind, sha256 in digests.items()}
        for path in self.files_of(fingerprint):
            if path not in keep:
                self._at(Point.BEFORE_REMOVE)
                path.unlink(missing_ok=True)
                self._at(Point.AFTER_REMOVE)

    def clean(self) -> None:
        """Remove temporary files that a killed writer left: only ours, and only as the one writer.

        Folders are fsynced, since the writer may have been killed between making one and doing that.
        """
        if self.folder.exists():
            sync_folder(self.folder.parent)
            sync_folder(self.folder)
        for path in self.files():
            if _TEMPORARY.fullmatch(path.name):
                self._at(Point.BEFORE_CLEAN)
                remove_temporary(path)
                self._at(Point.AFTER_CLEAN)

    def files_of(self, fingerprint: str) -> Iterator[Path]:
        """All artifacts of a run, whether a row names them or not."""
        folder = self.folder / fingerprint[:2]
        for name in _entries(folder):
            # Not parsed unless it may be one of them: a folder of a large store has thousands.
            if name.startswith(fingerprint) and parse(name) is not None:
                yield folder / name

    def files(self) -> Iterator[Path]:
        """All files in the folders of artifacts, temporary and foreign ones included; and what is no such folder."""
        for name in _entries(self.folder):
            if _FOLDER.fullmatch(name) and not is_folder(self.folder / name):
                yield self.folder / name
            for file in _entries(self.folder / name):
                yield self.folder / name / file


def parse(name: str) -> ArtifactName | None:
    """What a file's name says, or None if it is not the name of an artifact."""
    match = _FINAL.fullmatch(name)
    return None if match is None else ArtifactName(match[1], Kind(match[2]), match[3])


def is_temporary(name: str) -> bool:
    """Whether this is the name of a file that is being written, or was when its writer died."""
    return _TEMPORARY.fullmatch(name) is not None


def content_of(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a safetensors file with these arrays; equal arrays give equal bytes."""
    import numpy as np
    from safetensors.numpy import save

    # In C order: safetensors copies memory in its order, and would store a transposed view untransposed.
    return bytes(save({name: np.asarray(array, order="C") for name, array in sorted(arrays.items())}))


def arrays_of(content: bytes) -> dict[str, NDArray[np.generic]]:
    """The arrays of a safetensors file, sorted by name.

    Raises:
        DamagedArtifactError: this is no safetensors file.
    """
    import numpy as np
    from safetensors import SafetensorError, deserialize

    try:
        tensors = deserialize(content)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise DamagedArtifactError(f"not a safetensors file ({error})") from error
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, tensor in sorted(tensors):
        arrays[name] = np.frombuffer(tensor["data"], dtype=_dtype(tensor["dtype"])).reshape(tensor["shape"])
    return arrays


def _dtype(name: str) -> np.dtype[Any]:
    import numpy as np

    if name == "BF16":  # NumPy has none of its own; whoever wrote it had JAX, and with it ml_dtypes
        import ml_dtypes

        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    if name not in _DTYPES:
        raise DamagedArtifactError(f"it holds an array of type {name}; known are {', '.join(_DTYPES)}, BF16")
    return np.dtype(_DTYPES[name]).newbyteorder("<")


def _entries(folder: Path) -> list[str]:
    """The entries of a folder, sorted by name; none for what is no folder, or a link to one."""
    if not is_folder(folder):
        return []
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
