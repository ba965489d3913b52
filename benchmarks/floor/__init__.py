"""The least time that one core needs for an epoch of each arm: `python -m benchmarks.floor`."""
