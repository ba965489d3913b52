"""Proofs that take long or a machine of their own: ``make proof`` records their results as JSON."""
