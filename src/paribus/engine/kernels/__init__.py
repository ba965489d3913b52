"""Convolutions, pooling and sequences in forms that XLA's CPU compiler computes fast; see decisions 0056 and 0142."""
