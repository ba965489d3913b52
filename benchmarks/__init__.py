"""Measurements of speed and memory. Not part of the package; `benchmarks/README.md` lists them."""
