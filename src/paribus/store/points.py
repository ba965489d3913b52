"""The moments of a write that a test can stop at.

A store that is opened for writing calls ``at(point)`` at each of these. The default does nothing. A test passes a
function that kills the process, or raises the OSError of a full disk, and then looks at what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

Hook = Callable[[str], None]


class Point(StrEnum):
    """A named moment. ``BEFORE_x`` comes just before the system call, ``AFTER_x`` just after it."""

    BEFORE_FOLDER = "before making a folder"
    AFTER_FOLDER = "after making a folder, before fsync of the one above"
    BEFORE_LOCK = "before lock"
    AFTER_LOCK = "after lock"
    BEFORE_MIGRATION_COMMIT = "before migration commit"
    AFTER_MIGRATION_COMMIT = "after migration commit"
    BEFORE_CLEAN = "before removing a temporary file"
    AFTER_CLEAN = "after removing a temporary file"
    BEFORE_WRITE = "before write of an artifact"
    HALF_WRITTEN = "in the middle of an artifact"
    AFTER_WRITE = "after write of an artifact"
    BEFORE_SYNC = "before fsync of an artifact"
    AFTER_SYNC = "after fsync of an artifact"
    BEFORE_RENAME = "before rename of an artifact"
    AFTER_RENAME = "after rename of an artifact"
    BEFORE_FOLDER_SYNC = "before fsync of the artifacts' folder"
    AFTER_FOLDER_SYNC = "after fsync of the artifacts' folder"
    BEFORE_INSERT = "before insert"
    AFTER_INSERT = "after insert"
    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"
    BEFORE_REMOVE = "before removing a replaced artifact"
    AFTER_REMOVE = "after removing a replaced artifact"
    BEFORE_MOVE = "before moving something into quarantine"
    AFTER_MOVE = "after moving something into quarantine"
    BEFORE_REPLACE = "before replacing a broken database"
    AFTER_REPLACE = "after replacing a broken database"


def nothing(point: str) -> None:
    """The default hook."""
