"""Which backend computes a study's runs: the one place where backends are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from paribus.backends.base import Backend
from paribus.backends.local import LocalBackend
from paribus.errors import UsageError
from paribus.keras_config.custom_objects import Imports

LOCAL, RAY = "local", "ray"
NAMES: Final = (LOCAL, RAY)


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """How the user wants runs to be computed.

    Attributes:
        name: ``local``: worker processes of this machine; ``ray``: the nodes of a Ray cluster.
        workers: how many workers at most; None for one a core or GPU.
        lanes: how many seeds a worker trains side by side; None for 8 on a GPU, 1 on a core.
        address: of the Ray cluster; None for the one that ``RAY_ADDRESS`` names, else one of this machine alone.
    """

    name: str = LOCAL
    workers: int | None = None
    lanes: int | None = None
    address: str | None = None


def make_backend(choice: BackendChoice, imports: Imports) -> Backend:
    """The backend that a user selects; it starts nothing before it is used.

    Args:
        choice: the user's.
        imports: the modules that define the user's own Keras classes.

    Raises:
        UsageError: there is no such backend, a number is out of range, or Ray is not installed.
    """
    if choice.name not in NAMES:
        raise UsageError(f"backend {choice.name!r}: expected one of {', '.join(NAMES)}")
    if choice.name == RAY:
        from paribus.backends.ray import RayBackend

        return RayBackend(choice.address, choice.workers, imports, lanes=choice.lanes)
    if choice.address is not None:
        raise UsageError(f"address {choice.address!r}: it is that of a Ray cluster; say --backend ray too")
    return LocalBackend(choice.workers, imports, lanes=choice.lanes)
