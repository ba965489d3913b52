"""Backends: where jobs are computed. One interface, in ``base``; processes here, a Ray cluster, a fake for tests."""
