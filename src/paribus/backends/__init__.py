"""Backends: where jobs are computed. One interface, in ``base``; worker processes in ``local``, a fake for tests."""
