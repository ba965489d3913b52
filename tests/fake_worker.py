"""A worker without Keras and JAX that answers at once, as ``FakeBackend`` does: for measuring what is around it."""

from __future__ import annotations

import sys
from multiprocessing.connection import Connection

from paribus.backends.fake import FakeBackend
from paribus.backends.worker import Message
from paribus.records import Event


def main(channel: int) -> None:
    connection: Connection[Event, Message] = Connection(channel)
    backend = FakeBackend()
    while (message := connection.recv()) is not None:
        if isinstance(message, tuple):
            for event in backend.run(message):
                if type(event).__name__ != "Started":  # the pool says that
                    connection.send(event)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except EOFError:
        sys.exit(0)
