"""JAX must see our flags before it is imported, in this process as in a worker."""

from __future__ import annotations

from paribus.engine import environment

environment.prepare()
