"""Training speed on networks as people have them, against Keras on three backends: `python -m benchmarks.zoo`."""
