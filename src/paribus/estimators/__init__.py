"""The estimators: from a scikit-learn classifier to a run's result. Knows no store, no study, neither Keras nor JAX."""
