"""The Python interface: from Keras models and arrays to results. ``import paribus`` offers its public names."""
