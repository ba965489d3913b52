"""Throughput on one GPU against the number of lanes, and Keras ``fit`` there: `python -m benchmarks.gpu`."""
