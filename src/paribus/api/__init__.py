"""The Python side: Keras models and arrays in, an answer out. What ``import paribus`` offers is made here."""
