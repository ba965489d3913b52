"""Training speed of paribus and of the tools that a user would pick instead: `python -m benchmarks.peers`."""
