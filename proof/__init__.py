"""Proofs that take long or a machine of their own: ``make proof`` carries them out and keeps what they say as JSON."""
