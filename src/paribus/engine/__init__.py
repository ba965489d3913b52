"""The engine: from a Keras model to compiled epochs to a run's result. Knows no store, no study, no other process."""
