"""A process that writes to stores in forked children, which are killed, starved of disk or stripped of rights.

Reads one order a line (JSON) from stdin and answers each with one line. It is a process of its own, because forking is
only safe where nothing has started threads. An order::

    {"folder": ..., "steps": [["record", 1, "finished", 0], ...],
     "kill_at": 7, "alarm": 0.01, "file_limit": 4096, "uid": 65534, "formats": 2}

The answer: the signal that ended the child, the steps that it said were done, the points it passed, its StoreError.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import safetensors.numpy  # noqa: F401  before any child has lost the right to read it

from paribus.errors import StoreError
from paribus.store import schema
from paribus.store.doctor import repair
from paribus.store.sqlite import SqliteStore
from store_crashes import NEXT_FORMAT
from store_crashes import carry_out as write


def carry_out(order: dict[str, Any], say: Any) -> None:
    passed = 0

    def at(point: str) -> None:
        nonlocal passed
        say({"point": point})
        if passed == order.get("kill_at"):
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    if order.get("formats", 1) > len(schema.MIGRATIONS):
        schema.MIGRATIONS = (*schema.MIGRATIONS, NEXT_FORMAT)
    if "alarm" in order:
        signal.setitimer(signal.ITIMER_REAL, order["alarm"])  # nobody handles SIGALRM: it kills like SIGKILL
    if "file_limit" in order:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_limit"], order["file_limit"]))
    if "uid" in order and os.getuid() == 0:
        os.setresuid(order["uid"], order["uid"], order["uid"])
    store = None
    try:
        for index, step in enumerate(order["steps"]):
            if step[0] == "repair":
                if store is not None:
                    store.close()
                store = None
                repair(order["folder"], at)
            elif step[0] == "forget":
                from paribus.runner.forget import forget_study

                forget_study(step[1], Path(order["folder"]), at)
            else:
                store = store or SqliteStore.open(order["folder"], "write", at)
                write(store, step)
            say({"done": index})
    except StoreError as error:
        say({"error": type(error).__name__, "message": str(error)})
        # A store whose medium fails still answers, and is closed by its owner.
        if store is not None:
            store.close()


def tell(descriptor: int, said: dict[str, Any]) -> None:
    os.write(descriptor, json.dumps(said).encode() + b"\n")


def serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if any(step[0] == "forget" for step in order["steps"]):
            pass  # once, and not in every child
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            carry_out(order, partial(tell, writing))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as said:
            words = [json.loads(word) for word in said]
        _, status = os.waitpid(child, 0)
        answer = {
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "done": [word["done"] for word in words if "done" in word],
            "points": [word["point"] for word in words if "point" in word],
            "error": next((word["error"] for word in words if "error" in word), None),
            "message": next((word["message"] for word in words if "message" in word), None),
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    serve()
