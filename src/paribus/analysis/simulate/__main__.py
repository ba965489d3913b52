"""Print the tables of ``docs/statistics.md``: ``python -m paribus.analysis.simulate [NAME ...] [--draws N]``.

Exits with 1 if a bound of ``docs/statistics.md`` is broken by more than the simulation's own error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from paribus.analysis.simulate.few import few_table
from paribus.analysis.simulate.folds import folds_tables
from paribus.analysis.simulate.groups import groups_tables
from paribus.analysis.simulate.runs_needed import runs_table
from paribus.analysis.simulate.table import Table
from paribus.analysis.simulate.tables import (
    coverage_tables,
    families_table,
    looks_table,
    methods_table,
    zero_one_table,
)
from paribus.analysis.simulate.untuned import untuned_table

Simulation = Callable[[int, np.random.Generator], Iterator[Table]]

SIMULATIONS: Mapping[str, Simulation] = {
    "coverage": coverage_tables,
    "methods": lambda *_: iter((methods_table(),)),
    "looks": lambda draws, generator: iter((looks_table(draws, generator),)),
    "families": lambda draws, generator: iter((families_table(draws // 4, generator),)),
    "zero-one": lambda draws, generator: iter((zero_one_table(max(draws // 50, 100), generator),)),
    "untuned": lambda draws, generator: iter((untuned_table(max(draws // 50, 100), generator),)),
    "runs": lambda draws, generator: iter((runs_table(max(draws // 50, 100), generator),)),
    "few": lambda draws, generator: iter((few_table(max(draws // 10, 100), generator),)),
    "groups": lambda draws, generator: groups_tables(max(draws // 5, 100), generator),
    "folds": folds_tables,
}


def main() -> int:
    """Run the simulations that are named, all without a name, and print their tables as Markdown.

    Returns:
        The exit code: 1 where a bound is broken, else 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m paribus.analysis.simulate", description="Simulate coverage and errors; print Markdown tables."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which tables: {', '.join(SIMULATIONS)} (default: all)"
    )
    parser.add_argument("--draws", type=int, default=100_000, help="simulated studies per setting (default: 100000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random generator (default: 0)")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in SIMULATIONS]
    if unknown:
        parser.error(f"{unknown[0]!r}: no such table; choose of {', '.join(SIMULATIONS)}")
    broken: list[str] = []
    for name in arguments.names or SIMULATIONS:
        generator = np.random.default_rng(arguments.seed)  # each its own: a table does not depend on those before it
        for table in SIMULATIONS[name](arguments.draws, generator):
            sys.stdout.write(f"{table.text}\n\n")
            sys.stdout.flush()
            broken.extend(table.broken)
    sys.stdout.write("Every bound holds.\n" if not broken else "Broken bounds:\n" + "".join(f"- {x}\n" for x in broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
