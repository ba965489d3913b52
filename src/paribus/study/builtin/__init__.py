"""The built-in studies: the same TOML that users write."""

from __future__ import annotations

from importlib.resources import files

NAMES = ("mnist-mlps", "dropout-or-architecture", "digits")


def text(name: str) -> str:
    """The TOML of a built-in study; ``name`` is one of ``NAMES``."""
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
