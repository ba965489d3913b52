"""Asks the process that predicts: started with the first question, ended after the last one or when it takes too long.

The dashboard's own process imports neither Keras nor JAX, and whatever a picture or a network does happens elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from paribus.errors import ParibusError

MODULE: Final = "paribus.dashboard.predictor"

KINDS: Final = ("describe", "picture", "row")
"""What can be asked."""

MAX_UPLOAD: Final = 8 << 20
"""Bytes of the largest picture that is taken."""

MAX_ANSWER: Final = 64 << 20

IDLE: Final = 300.0
"""Seconds without a question after which the process ends."""

START: Final = 180.0
"""Seconds for reading data and networks, and for compiling."""

ANSWER: Final = 20.0
"""Seconds for an answer."""


class Playground:
    """The one process that predicts, for whichever study was asked about last.

    Args:
        store: the store's folder.
        command: what starts it, but for the store and the name of a study.
        idle: seconds without a question after which it ends.
        start: seconds for its first answer.
        answer: seconds for each other one.
    """

    def __init__(
        self,
        store: Path,
        *,
        command: Sequence[str] = (sys.executable, "-m", MODULE),
        idle: float = IDLE,
        start: float = START,
        answer: float = ANSWER,
    ) -> None:
        self._store = store.absolute()
        self._command = tuple(command)
        self._idle, self._start, self._answer = idle, start, answer
        self._process: subprocess.Popen[bytes] | None = None
        self._label = ""
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._last = 0.0

    @property
    def process(self) -> int | None:
        """The id of the process, while there is one."""
        return None if self._process is None else self._process.pid

    def ask(self, label: str, kind: str, content: bytes = b"") -> dict[str, Any]:
        """The answer to one question. Questions wait for each other.

        Args:
            label: the study's name.
            kind: one of ``KINDS``.
            content: the file of a picture, or a JSON list.

        Raises:
            ParibusError: it cannot be answered; the message says why.
        """
        if kind not in KINDS:
            raise ParibusError("This cannot be asked.")
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if label != self._label or self._process is None or self._process.poll() is not None:
                self._end()
                self._begin(label)
                patience = self._start
            else:
                patience = self._answer
            answer = self._exchange(f"{kind}\n".encode() + content, patience)
            self._last = time.monotonic()
            self._timer = threading.Timer(self._idle, self._close_if_idle)
            self._timer.daemon = True
            self._timer.start()
        if "problem" in answer:
            raise ParibusError(str(answer["problem"]))
        return answer

    def close(self) -> None:
        """End the process; the next question starts another one."""
        with self._lock:
            self._end()

    def _close_if_idle(self) -> None:
        with self._lock:
            if time.monotonic() - self._last >= self._idle:  # else a question came while this waited for the lock
                self._end()

    def _begin(self, label: str) -> None:
        try:
            process = subprocess.Popen(
                [*self._command, str(self._store), label],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise ParibusError(f"The process that predicts cannot be started: {error}") from error
        self._process, self._label = process, label
        # Where this object is not closed, as when the interpreter ends.
        weakref.finalize(self, _kill, process)

    def _exchange(self, question: bytes, patience: float) -> dict[str, Any]:
        process = self._process
        assert process is not None, "it was just started"
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Timer(patience, process.kill)
        late.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it ended, and has written why
                _write(process.stdin, question)
            answer = _read(process.stdout)
        finally:
            late.cancel()
        if answer is None:
            self._end()
            raise ParibusError(
                f"There is no answer: the process that predicts ended, or took longer than {patience:.0f} s. "
                "The next question starts another one."
            )
        decoded = json.loads(answer)
        return decoded if isinstance(decoded, dict) else {"problem": "There is no answer."}

    def _end(self) -> None:
        if self._process is not None:
            _kill(self._process)
        self._process, self._label = None, ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def _write(stream: Any, content: bytes) -> None:
    stream.write(len(content).to_bytes(4, "big") + content)
    stream.flush()


def _read(stream: Any) -> bytes | None:
    """The next frame; None at the end, and for one that is too long."""
    head = stream.read(4)
    length = int.from_bytes(head, "big")
    if len(head) < 4 or length > MAX_ANSWER:
        return None
    content: bytes = stream.read(length)
    return content if len(content) == length else None
