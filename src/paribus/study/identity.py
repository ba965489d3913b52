"""Whether two documents are the same study, and the name under which a changed study is stored.

A subset of arms or seeds never makes another study; other epochs, other data or another protocol do. Documents are
compared after they are checked, with every default filled in: a key that a later version adds, at its default, changes
nothing (``docs/decisions/0080-a-study-is-one-study.md``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from paribus.study.document import StudyDocument

_NO_PART_OF_IDENTITY: dict[str, Any] = {
    "name": True,
    "question": True,
    "seeds": True,
    "first_seed": True,
    "comparison": {"looks"},
    "data": {"source", "test", "partition"},
    "arms": {"__all__": {"initial_weights": {"file"}}},
}
"""What may differ between two documents of one study. Data and weights are compared by their digests."""


DEFAULT_MARGIN = 0.001
"""The margin that documents of store formats before 3 have where none was declared (decision 0052)."""


def is_same_study(first: StudyDocument, second: StudyDocument) -> bool:
    """Whether two documents ask the same of the same arms.

    Seeds do not count, nor does a subset of arms; the data must be compared by its fingerprint as well.

    Args:
        first: a checked document.
        second: another.
    """
    return describe_identity(first) == describe_identity(second)


def trains_alike(first: StudyDocument, second: StudyDocument) -> bool:
    """Whether both documents train the same arms in the same way, whatever they compare.

    Args:
        first: a checked document.
        second: another.
    """
    identity, other_identity = describe_identity(first), describe_identity(second)
    return all(identity[table] == other_identity[table] for table in ("arms", "data", "protocol", "tuning"))


def list_differences(old: StudyDocument, new: StudyDocument) -> tuple[str, ...]:
    """List where two documents differ in their identity: ``protocol.epochs: 20, now 10``.

    Args:
        old: the document that is stored.
        new: the document that is requested.
    """
    return tuple(_differences(describe_identity(old), describe_identity(new), ""))


def stored_name(declared: StudyDocument, requested: StudyDocument) -> str:
    """The name under which runs are stored: ``digits``, or ``digits.epochs-2`` where a caller changed the epochs.

    Args:
        declared: the study of the file.
        requested: the same study with what a flag or an argument changed.

    Returns:
        The name; equal changes have equal names.
    """
    changes = []
    if requested.protocol.epochs != declared.protocol.epochs:
        changes.append(f"epochs-{requested.protocol.epochs}")
    if requested.data.source != declared.data.source:
        changes.append(f"data-{_slug(requested.data.source)}")
    return ".".join((declared.name, *changes))


def is_variant(name: str, of: str) -> bool:
    """Whether a stored name is that of a study with something changed: ``digits.epochs-2`` of ``digits``."""
    return re.match(rf"{re.escape(of)}\.(epochs|data)-", name) is not None


def describe_identity(document: StudyDocument) -> dict[str, Any]:
    """Everything of a document that makes it this study and no other, as plain values."""
    identity = document.model_dump(mode="json", exclude=_NO_PART_OF_IDENTITY)
    # Before format 3 the default margin was written out, whether it was declared or not.
    if identity["comparison"]["margin"] == DEFAULT_MARGIN:
        identity["comparison"]["margin"] = None
    return identity


def _differences(old: Any, new: Any, place: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _differences(old.get(key), new.get(key), f"{place}.{key}" if place else str(key))
    elif old != new:
        yield f"{place}: {_short(old)}, now {_short(new)}"


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _slug(source: str) -> str:
    """The last part of a path or a name, in characters that a study's name may have."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", source.rstrip("/").rsplit("/", 1)[-1]).strip("-")[:40] or "other"
