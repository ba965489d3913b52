"""``paribus dashboard``: pages that show what a store holds, and the learning curves of what is being trained."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paribus.cli import options, output
from paribus.cli.completion import DEFAULT_STORE
from paribus.errors import UsageError

if TYPE_CHECKING:
    from paribus.dashboard.companion import Companion

Port = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="N", min=1, max=65535, help="The port to listen on.", show_default="8710, or a free one"
    ),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Open no browser; the file to open is named on stderr.")]
Host = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on; others than loopback need TLS.")
]
Certificate = Annotated[
    Path | None,
    typer.Option(
        "--tls-certificate", metavar="FILE", help="The certificate for TLS, PEM.", callback=options.expand_home
    ),
]
Key = Annotated[
    Path | None,
    typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM.", callback=options.expand_home),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Listen beyond loopback without TLS: others can read the connection.")
]


def dashboard(
    store: options.Store = DEFAULT_STORE,
    port: Port = None,
    no_browser: NoBrowser = False,
    host: Host = "127.0.0.1",
    tls_certificate: Certificate = None,
    tls_key: Key = None,
    insecure: Insecure = False,
) -> None:
    """Open pages with studies, their progress and answers, and learning curves as networks train. Only reads."""
    check_packages()
    from paribus.dashboard.access import check_host
    from paribus.dashboard.serve import Tls, serve

    if (tls_certificate is None) != (tls_key is None):
        raise UsageError("--tls-certificate and --tls-key belong together; set both, or neither")
    tls = Tls(tls_certificate, tls_key) if tls_certificate is not None and tls_key is not None else None
    check_host(host, tls=tls is not None, insecure=insecure)
    try:
        serve(store, host=host, port=port, tls=tls, browser=not no_browser, tell=output.tell)
    except KeyboardInterrupt:
        output.tell("dashboard stopped")


def check_packages() -> None:
    """Refuse a dashboard without what it needs.

    Raises:
        UsageError: a package is not installed.
    """
    if any(find_spec(name) is None for name in ("starlette", "uvicorn")):
        raise UsageError("the dashboard needs Starlette and uvicorn: pip install 'paribus[dashboard]'")


def start_companion(store: Path) -> Companion:
    """A dashboard beside a run of this process, on a store that exists."""
    from paribus.dashboard.companion import Companion

    return Companion(store)
