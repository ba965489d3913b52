"""Data: what studies train and test on. Knows only :mod:`paribus.errors` and :mod:`paribus.records`.

:func:`load` turns a :class:`paribus.records.DataSpec` into a :class:`Dataset`; :func:`summarize` returns its name,
fingerprint, sizes and notes, for built-in data without reading it. A source is

- a name: ``mnist``, ``digits``, ``fashion-mnist`` (where it is installed), ``sklearn:wine``, ``keras:cifar10``;
- a folder: four IDX files under MNIST's names; ``x_train.npy, y_train.npy, x_test.npy, y_test.npy``; or images by
  class (PNG, JPEG, WebP, BMP), ``train/<class>/*.png`` and ``test/<class>/*.png``, or ``<class>/*.png``;
- a file: ``.npz`` with the four arrays, or a table (``.csv``, ``.parquet``), whose ``label`` names a column.

No file is ever trusted: nothing in it can run code, and what its header claims is checked before memory is taken::

    >>> import numpy as np, paribus as pb
    >>> data = pb.data.from_arrays(np.zeros((4, 8, 8)), [0, 1, 2, 0], np.zeros((2, 8, 8)), [1, 2], name="mine")
    >>> data.classes, data.input_shape, len(data.x_train)
    (3, (8, 8), 4)
"""

from paribus.data.arrays import from_arrays, spool
from paribus.data.dataset import Dataset
from paribus.data.images import read_image
from paribus.data.sources import class_names, load, pending, sources, summarize
from paribus.data.standardize import Standardization, standardization

__all__ = [
    "Dataset",
    "Standardization",
    "class_names",
    "from_arrays",
    "load",
    "pending",
    "read_image",
    "sources",
    "spool",
    "standardization",
    "summarize",
]
