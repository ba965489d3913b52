"""A dashboard that answers in this process, for tests: a store with runs of no network, and a plain HTTP client."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import uvicorn

from paribus.backends.fake import FakeBackend
from paribus.dashboard.access import Access
from paribus.dashboard.app import build_app
from paribus.dashboard.playground import Playground
from paribus.dashboard.serve import OpeningFile, bind_socket, configure_server
from paribus.dashboard.studies import Studies
from paribus.display.base import Silent
from paribus.runner.run import run_study
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.load import load_study


def document(**changes: object) -> StudyDocument:
    """The built-in study of scikit-learn's digits, with other fields."""
    return StudyDocument.model_validate(load_study("digits").model_dump(exclude_none=True) | changes)


def fill(folder: Path, study: StudyDocument, display: Silent | None = None) -> None:
    """Compute a study into a store, with scores drawn from fingerprints."""
    with SqliteStore.open(folder, mode="write") as store:
        run_study(study, store, FakeBackend(), display or Silent())


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Served:
    """A running dashboard."""

    access: Access
    opening: OpeningFile
    port: int
    cookie: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str | None) -> Reply:
        """One request, as a browser with the session's cookie sends it, but for the headers that are named."""
        sent = {"Host": self.host, "Cookie": self.cookie} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(None if body is None else body.encode())
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, text)
        finally:
            connection.close()

    @property
    def token(self) -> str:
        """The token in the file that opens the browser."""
        found = re.search(r'name="token" value="([^"]+)"', self.opening.path.read_text(encoding="utf-8"))
        assert found is not None
        return found[1]

    def open(self, token: str, **headers: str | None) -> Reply:
        return self.ask("/open", "POST", urlencode({"token": token}), Cookie=None, Origin="null", **headers)

    def sign_in(self) -> None:
        self.cookie = self.open(self.token).headers["set-cookie"].partition(";")[0]


@contextmanager
def served(store: Path, folder: Path, patience: float = 600) -> Iterator[Served]:
    """The dashboard of a store, on a free port; ``folder`` gets the opening file. Pages wait for their answers."""
    listener = bind_socket("127.0.0.1", 0)
    port = listener.getsockname()[1]
    access = Access("127.0.0.1", port)
    opening = OpeningFile(folder, access)
    opening.renew()
    server: uvicorn.Server | None = None
    playground = Playground(store)
    app = build_app(
        Studies(store),
        access,
        opened=opening.renew,
        stopping=lambda: server is not None and server.should_exit,
        playground=playground,
        patience=patience,
    )
    server = uvicorn.Server(configure_server(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield Served(access, opening, port)
    finally:
        server.should_exit = True
        thread.join()
        playground.close()
        listener.close()
