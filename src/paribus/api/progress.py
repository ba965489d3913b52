"""The arguments ``progress`` and ``verbose``: the display of the progress."""

from __future__ import annotations

import sys
from pathlib import Path

from paribus.display.base import BestEffort, Display, Silent
from paribus.display.choose import suitable, with_live_log
from paribus.errors import UsageError


def choose_display(verbose: int | str, store: Path | None, *, progress: bool) -> Display:
    """The display.

    Args:
        verbose: as in Keras's ``fit``: 0 for none, 1 or "auto" for the display that suits the place, 2 for lines.
        store: the folder of the store, whose live log gets the events always; None for one in memory.
        progress: False is ``verbose=0``.

    Returns:
        A display that never raises.

    Raises:
        UsageError: another value.
    """
    if verbose not in (0, 1, 2, "auto"):
        raise UsageError(f'verbose={verbose!r}: 0 (nothing), 1 or "auto" (progress in place) or 2 (lines) is expected')
    if not progress or verbose == 0:
        return with_live_log(Silent(), store)
    if verbose != 2 or sys.stderr is None:
        return suitable(store)
    from paribus.display.plain import Plain

    return with_live_log(BestEffort(Plain(sys.stderr)), store)
