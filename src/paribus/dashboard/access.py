"""Who may read the dashboard: one-time tokens, session cookies, and the checks of every request (decision 0130)."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final

from paribus.errors import UsageError

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every response."""

OPEN: Final = "/open"
"""The only address that is answered without a session: it takes the one-time token, in the body of a POST."""

ASK: Final = "/ask"
"""The address of the playground's questions, which come in the body of a POST: they change nothing."""

_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_MAX_SESSIONS: Final = 64


class Access:
    """The token, the sessions and the names of one server.

    Args:
        host: the address that it listens on.
        port: its port.
        tls: whether it speaks TLS.
    """

    def __init__(self, host: str, port: int, *, tls: bool = False) -> None:
        names = _LOOPBACK if is_loopback(host) else (f"[{host}]" if ":" in host else host,)
        self.hosts = frozenset(f"{name}:{port}" for name in names)
        scheme = "https" if tls else "http"
        self.address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        self.cookie = f"paribus-{port}"
        self._tls = tls
        self._origins = frozenset(f"{scheme}://{name}" for name in self.hosts)
        self._sessions: dict[str, None] = {}
        self._token = ""
        self._lock = threading.Lock()

    def issue_token(self) -> str:
        """Make a new one-time token; the one before is no longer valid.

        Returns:
            The token, 43 characters of base 64.
        """
        with self._lock:
            self._token = secrets.token_urlsafe(32)
            return self._token

    def redeem(self, token: str) -> str | None:
        """Exchange a token for a session; it is used up.

        Args:
            token: what a browser sent.

        Returns:
            The value of a ``Set-Cookie`` header; None for a token that is not valid.
        """
        with self._lock:
            if not self._token or not hmac.compare_digest(token.encode(), self._token.encode()):
                return None
            self._token = ""
            session = secrets.token_urlsafe(32)
            self._sessions[session] = None
            while len(self._sessions) > _MAX_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))
        secure = "; Secure" if self._tls else ""
        return f"{self.cookie}={session}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def refuse(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Status and reason why a request is refused; None where it may be answered.

        Args:
            method: of the request.
            path: its path, decoded.
            headers: its headers, names in lower case.
        """
        if headers.get("host", "").lower() not in self.hosts:
            return 421, "this dashboard does not answer under that name"
        opens = path == OPEN
        asks = path == ASK
        if method not in (("POST",) if opens or asks else ("GET", "HEAD")):
            return 405, "the dashboard only reads"
        origin = headers.get("origin")
        if asks and origin is None:
            return 403, "a question without an origin"
        # The file that hands over the token has the origin "null"; what it must bring is the token.
        if origin is not None and origin not in self._origins and not (opens and origin == "null"):
            return 403, "a request of another site"
        if opens:
            return None
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "a request of another site; to follow a link, copy its address into the address bar"
        if not self._has_session(headers.get("cookie", "")):
            return (
                403,
                "open the dashboard through the file that `paribus dashboard` names; this browser has no session",
            )
        return None

    def _has_session(self, header: str) -> bool:
        try:
            morsel = SimpleCookie(header).get(self.cookie)
        except CookieError:
            return False
        if morsel is None:
            return False
        with self._lock:
            return any(hmac.compare_digest(morsel.value.encode(), session.encode()) for session in self._sessions)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    return host in ("127.0.0.1", "localhost", "::1")


def check_host(host: str, *, tls: bool, insecure: bool) -> None:
    """Refuse an address that others can reach, unless the connection is encrypted or the user accepts that it is not.

    Args:
        host: the address to listen on.
        tls: whether the connection is encrypted.
        insecure: whether the user accepts that it is not.

    Raises:
        UsageError: it is not loopback, or it means all addresses.
    """
    if host in ("", "0.0.0.0", "::", "*"):
        raise UsageError(
            f"--host {host or repr(host)}: this means all addresses, and requests are checked against one; write the "
            "one address under which the dashboard is to be reached"
        )
    if not is_loopback(host) and not tls and not insecure:
        raise UsageError(
            f"--host {host}: others can reach this address, and without TLS they can read the session; set "
            "--tls-certificate and --tls-key, forward the port through ssh instead, or accept it with --insecure"
        )
