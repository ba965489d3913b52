"""Convolutions and pooling in the forms that XLA's CPU compiler computes fast; see decision 0056."""
