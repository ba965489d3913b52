"""Print the tables of ``docs/statistics.md``: ``python -m paribus.analysis.simulate [--draws N] [--seed N]``.

Exits with 1 if a bound of STATISTICS is broken by more than the simulation's own error.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from paribus.analysis.simulate.tables import all_tables


def main() -> int:
    """Run all simulations and print their tables as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m paribus.analysis.simulate", description="Simulate coverage and errors; print Markdown tables."
    )
    parser.add_argument("--draws", type=int, default=100_000, help="simulated studies per setting (default: 100000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random generator (default: 0)")
    arguments = parser.parse_args()
    broken: list[str] = []
    for table in all_tables(arguments.draws, np.random.default_rng(arguments.seed)):
        sys.stdout.write(f"{table.text}\n\n")
        sys.stdout.flush()
        broken.extend(table.broken)
    sys.stdout.write("Every bound holds.\n" if not broken else "Broken bounds:\n" + "".join(f"- {x}\n" for x in broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
