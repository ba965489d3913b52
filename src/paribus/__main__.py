"""``python -m paribus`` is the command line."""

from __future__ import annotations

from paribus.cli import main

if __name__ == "__main__":
    main()
