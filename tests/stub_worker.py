"""A worker without Keras and JAX, which does what the name of an arm says: the driver's tests start it in earnest.

Arms: ``fine`` answers; ``crash`` dies of a segmentation fault, ``killed`` of SIGKILL, ``memory`` of want of memory,
``hungry`` takes memory until the kernel ends it, ``halfway`` dies in the middle of its answer; ``NAME@FOLDER`` does so
once, and is fine from then on. ``epochs`` tells as many epochs as its seed says, and ends as soon as there is a file of
the name that its model gives.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from paribus.backends.worker import OUT_OF_MEMORY, Message, _die_with_driver, failed
from paribus.records import (
    Described,
    DescribeJob,
    Ended,
    EpochDone,
    EpochReport,
    Event,
    Job,
    Recipe,
    RunResult,
    Status,
    TrainJob,
)


def main(channel: int, lifeline: int) -> None:
    threading.Thread(target=_die_with_driver, args=(lifeline,), daemon=True).start()
    connection: Connection[Event, Message] = Connection(channel)
    while (message := connection.recv()) is not None:
        for job in message if isinstance(message, tuple) else ():
            answer(connection, job)


def answer(connection: Connection[Event, Message], job: Job) -> None:
    how, _, folder = job.arm.partition("@")
    if folder:
        tried = Path(folder) / f"{type(job).__name__}-{job.seeds.seed if isinstance(job, TrainJob) else 0}"
        if tried.exists():
            how = "fine"
        tried.touch()
    match how:
        case "crash":
            print("this is the end", flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "memory":
            print("MemoryError: too much", flush=True)
            os._exit(OUT_OF_MEMORY)
        case "hungry":
            taken = []
            while len(taken) < 1024:
                taken.append(os.urandom(1 << 20))
        case "halfway":
            content = pickle.dumps(done(job))
            os.write(connection.fileno(), struct.pack("!i", len(content)) + content[: len(content) // 2])
            os._exit(1)
        case "epochs":
            assert isinstance(job, TrainJob)
            wait_for, told = Path(job.recipe.model), job.seeds.init
            for epoch in range(1, told + 1):
                connection.send(EpochDone(job, EpochReport(epoch, job.training.epochs, 0.5, 0.5)))
            while not wait_for.exists():
                time.sleep(0.01)
    connection.send(done(job))


def done(job: Job) -> Event:
    if isinstance(job, DescribeJob):
        return Described(job.arm, Recipe("{}", "{}", 1, ()))
    result = failed(job, "")
    return Ended(job, RunResult(result.fingerprint, Status.FINISHED, job.seeds, None, result.curve, 0.0, None, None))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
