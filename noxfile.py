"""The quick tests on every Python that the README names: ``nox``, or ``nox -s quick-3.12``."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "venv"


@nox.session(python=["3.11", "3.12", "3.13"])
def quick(session: nox.Session) -> None:
    """Install as ``make quick`` does, and run the tests that take seconds."""
    session.install("-c", "constraints.txt", "-e", ".[dev]")
    session.run("pytest", "-m", "not slow", *session.posargs)
