"""The Python interface: from Keras models and arrays to results. ``import paribus`` offers the names of this package."""
