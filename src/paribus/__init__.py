"""paribus: controlled experiments for Keras classifiers."""

from paribus.version import __version__

__all__ = ["__version__"]
