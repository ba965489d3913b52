"""Serves the dashboard: a socket, a file that opens the browser, and the server until it is stopped."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from paribus.dashboard import pages
from paribus.dashboard.access import Access
from paribus.dashboard.activity import Activity
from paribus.dashboard.app import build_app
from paribus.dashboard.playground import Playground
from paribus.dashboard.studies import Studies
from paribus.errors import UsageError
from paribus.files.temporary import make_lasting_folder

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

PORT: Final = 8710
"""The port where none is asked for; a free one if it is in use."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a certificate and of its private key."""

    certificate: Path
    key: Path


class OpeningFile:
    """A file that only the user can read, and that hands the browser which opens it a one-time token.

    Args:
        folder: a folder that only the user can read.
        access: issues the tokens.
    """

    def __init__(self, folder: Path, access: Access) -> None:
        self.path = folder / "open-dashboard.html"
        self._access = access

    def renew(self) -> None:
        """Write the file with a new token: the one before is used up."""
        content = pages.opening_file(self._access.address, self._access.issue_token())
        self.path.unlink(missing_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)


SWITCH: Final = 0.0005
"""Seconds after which a thread that computes an answer lets one that makes a page go on; 5 milliseconds are usual."""


def serve(
    store: Path,
    *,
    host: str,
    port: int | None,
    tls: Tls | None,
    browser: bool,
    tell: Callable[[str], None],
    until: Callable[[Activity], None] | None = None,
) -> None:
    """Serve the dashboard of a store until the process is interrupted.

    Args:
        store: the store's folder.
        host: the address to listen on (see ``access.check_host``).
        port: its port; None for ``PORT``, or a free one.
        tls: certificate and key, if the connection is to be encrypted.
        browser: whether to open a browser.
        tell: displays a line.
        until: returns when the server is to stop; it is called in a thread of its own. None for never.

    Raises:
        UsageError: the address or the port cannot be listened on, or the certificate cannot be read.
        StoreError: it is no store.
    """
    import uvicorn

    studies = Studies(store)
    listener = _listen(host, port)
    folder, remove = make_lasting_folder()
    try:
        access = Access(host, listener.getsockname()[1], tls=tls is not None)
        opening = OpeningFile(folder, access)
        activity = Activity()
        playground = Playground(store)
        server: uvicorn.Server | None = None
        app = build_app(
            studies,
            access,
            opened=opening.renew,
            stopping=lambda: server is not None and server.should_exit,
            activity=activity,
            playground=playground,
        )
        config = configure_server(app, tls)
        server = uvicorn.Server(config)
        if until is not None:
            threading.Thread(target=_stop, args=(server, until, activity), daemon=True).start()
        opening.renew()
        ends = "Ctrl-C stops it" if until is None else "it ends after the run, when its pages are closed"
        with _interruptible(server):
            tell(f"dashboard of {store} at {access.address}; {ends}")
            tell(f"it answers browsers that were opened with this file: {opening.path}")
            if browser and not _open_browser(opening.path.as_uri()):
                tell("no browser could be started here: open that file in one")
            usual = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH)
            try:
                server.run(sockets=[listener])
            finally:
                sys.setswitchinterval(usual)
                playground.close()
    finally:
        listener.close()
        remove()


@contextmanager
def _interruptible(server: uvicorn.Server) -> Iterator[None]:
    """Ctrl-C stops the server in order whenever it comes; raised inside of asyncio it would leave a traceback.

    Raises:
        KeyboardInterrupt: it came, and the server has stopped.
    """
    interrupted = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = server.should_exit = True

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupted:
        raise KeyboardInterrupt


def _stop(server: uvicorn.Server, until: Callable[[Activity], None], activity: Activity) -> None:
    until(activity)
    server.should_exit = True


def _open_browser(address: str) -> bool:
    """Open a browser with windows; one in the terminal would take it over."""
    has_windows = sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))
    return has_windows and webbrowser.open(address)


def configure_server(app: ASGIApp, tls: Tls | None = None) -> uvicorn.Config:
    """The server's settings: it writes no log of requests, and trusts no header about its address.

    Args:
        app: the application.
        tls: certificate and key; None for no encryption.

    Raises:
        UsageError: the certificate cannot be used.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        log_config=None,  # uvicorn's own would close the handlers of everybody else in this process
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=2,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(f"--tls-certificate, --tls-key: they cannot be used ({error})") from error
    return config


def _listen(host: str, port: int | None) -> socket.socket:
    """A listening socket.

    Raises:
        UsageError: there is no such address here, or its port is in use.
    """
    try:
        return bind_socket(host, PORT if port is None else port)
    except OSError as error:
        if port is not None:
            raise UsageError(
                f"--host {host} --port {port}: cannot be listened on ({error.strerror}); choose another port"
            ) from error
    try:
        return bind_socket(host, 0)
    except OSError as error:
        raise UsageError(f"--host {host}: cannot be listened on ({error.strerror})") from error


def bind_socket(host: str, port: int) -> socket.socket:
    """A listening socket.

    Args:
        host: the address.
        port: the port; 0 is any free one.

    Raises:
        OSError: it cannot be made.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
