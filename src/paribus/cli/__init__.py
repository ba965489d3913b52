"""The command line: parses, calls, prints. Data on stdout, progress and log on stderr.

Nothing heavy is imported before a command needs it: ``paribus --help`` imports neither Keras nor JAX nor NumPy.
"""

from __future__ import annotations

from paribus.cli.app import main

__all__ = ["main"]
