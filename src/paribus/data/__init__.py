"""Data: what studies train and test on. Knows only :mod:`paribus.errors` and :mod:`paribus.records`.

:func:`load` turns a :class:`paribus.records.DataSpec` into a :class:`Dataset`; :func:`summarize` tells its name,
fingerprint and sizes, for built-in data without reading it.
"""

from paribus.data.dataset import Dataset
from paribus.data.sources import class_names, load, sources, summarize

__all__ = ["Dataset", "class_names", "load", "sources", "summarize"]
