"""A real Ray cluster of two nodes on this machine, one core each; where Ray is not installed, its tests are skipped."""

from __future__ import annotations

import os
import secrets
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TESTS = str(Path(__file__).parent)


@contextmanager
def two_nodes() -> Iterator[Any]:
    """The cluster, whose nodes are raylets; ``remove_node`` kills one."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token"}
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # one a process, where Ray reads it but once
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - Ray's name. Ray gives its workers 15: beside other work they would not go on
    os.environ["PYTHONPATH"] = os.pathsep.join(
        dict.fromkeys([TESTS, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("ray", reason="Ray is not installed; `make ray-test` sets up an environment with it")
        from ray.cluster_utils import Cluster

        head = {"include_dashboard": False, **node_options()}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            cluster.add_node(**node_options())
            cluster.wait_for_nodes()
            yield cluster
        finally:
            cluster.shutdown()


def node_options() -> dict[str, int]:
    """One core, and ports of our own: a node waits but 15 seconds for its agents to say which they have taken."""
    names = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return {"num_cpus": 1, **dict(zip(names, ports, strict=True))}


def actor_processes() -> list[int]:
    """The processes of our actors on all nodes."""
    pids = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::NodeWorker"):
                pids.append(int(path.parent.name))
        except OSError:
            continue
    return pids
