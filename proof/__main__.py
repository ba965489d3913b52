"""``python -m proof [NAME...]`` carries out proofs, all by default, and goes on where it stopped.

A part that holds for these very inputs is not done again, unless ``--force``. Exit code: 0 if all holds, 1 otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.machine import describe
from proof import results
from proof.records import ImpossibleError, Proof
from proof.registry import PROOFS


def carry_out(
    proof: Proof,
    *,
    force: bool = False,
    say: Callable[[str], None] = print,
    version_of: Callable[[Sequence[str]], str] = results.version_of,
    machine: Callable[[], Mapping[str, object]] = describe,
    folder: Path = results.FOLDER,
) -> bool:
    """Do what is left of a proof; whether all of it holds."""
    try:
        version = version_of(proof.inputs)
    except ImpossibleError as error:
        say(f"{proof.name}: {error}")
        return False
    # Results of parts that no longer exist are no part of the claim.
    parts = {name: part for name, part in results.read(proof.name, folder).items() if name in proof.parts}
    all_hold = True
    for name, part in proof.parts.items():
        recorded = parts.get(name)
        if recorded and recorded["holds"] and recorded["inputs"] == version and not force:
            say(f"{proof.name}, {name}: holds, on record")
            continue
        say(f"{proof.name}, {name}: ...")
        begun = time.monotonic()
        try:
            finding = part()
        except ImpossibleError as error:
            say(f"{proof.name}, {name}: cannot be carried out here: {error}")
            all_hold = False
            continue
        parts[name] = {
            "holds": finding.holds,
            "figures": dict(finding.figures),
            "inputs": version,
            "machine": dict(machine()),
        }
        # Another process may have recorded other parts meanwhile.
        parts = {**results.read(proof.name, folder), name: parts[name]}
        in_order = {part: parts[part] for part in proof.parts if part in parts}
        results.write(proof.name, proof.claim, in_order, folder)
        all_hold &= finding.holds
        say(f"{proof.name}, {name}: {'holds' if finding.holds else 'DOES NOT HOLD'}, {time.monotonic() - begun:.0f} s")
    return all_hold


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, carry out, say what holds."""
    names = [proof.name for proof in PROOFS]
    parser = argparse.ArgumentParser(prog="python -m proof", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--force", action="store_true", help="do again what is on record")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names):
        parser.error(f"{', '.join(sorted(unknown))}: no such proof; there are {', '.join(names)}")
    selected = [proof for proof in PROOFS if not options.names or proof.name in options.names]
    # All of them, even if the first does not hold.
    holding = [carry_out(proof, force=options.force) for proof in selected]
    return 0 if all(holding) else 1


if __name__ == "__main__":
    sys.exit(main())
