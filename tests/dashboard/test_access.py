"""Nobody but the user reads the dashboard: tokens, cookies, names, origins, headers, by plain HTTP."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from dashboard_server import Served, document, fill, served
from paribus.dashboard.access import Access, check_host
from paribus.errors import UsageError


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("dashboard")
    fill(folder / "store", document(seeds=2, question="Is <b>wide</b> better?"))
    private = folder / "private"
    private.mkdir(mode=0o700)
    with served(folder / "store", private) as dashboard:
        dashboard.sign_in()
        yield dashboard


PAGES = [
    "/",
    "/live",
    "/study?study=digits",
    "/curves?study=digits",
    "/report?study=digits",
    "/compare",
    "/play",
    "/open-still",
    "/events",
    "/static/live.js",
]


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_nothing_is_answered(running: Served, path: str) -> None:
    for cookie in (None, f"{running.access.cookie}=", f"{running.access.cookie}=guess", "paribus-1=x; a=b", "\xff;;=,"):
        assert running.ask(path, Cookie=cookie).status == 403


def test_with_a_session_pages_are_answered(running: Served) -> None:
    for path in PAGES:
        if path != "/events":  # it does not end
            assert running.ask(path).status == (204 if path == "/open-still" else 200)


def test_a_token_opens_once_and_only_while_it_is_the_newest(running: Served) -> None:
    token = running.token
    first = running.open(token)
    assert first.status == 200
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"paribus-{running.port}=")
    assert "; HttpOnly; SameSite=Strict" in cookie
    assert running.ask("/", Cookie=cookie.partition(";")[0]).status == 200
    replayed = running.open(token)
    assert (replayed.status, replayed.headers.get("set-cookie")) == (403, None)
    assert running.token != token  # the file has a new one
    for wrong in (
        "",
        "x",
        token[:-1],
        running.token + "x",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ):
        assert running.open(wrong).status == 403
    assert running.ask("/open", "POST", "x" * 5000, Origin="null").status == 413


def test_the_token_is_in_no_address_and_the_file_is_the_users_alone(running: Served) -> None:
    path = running.opening.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert text.count(running.token) == 1
    assert f'method="post" action="http://127.0.0.1:{running.port}/open"' in text
    assert running.ask(f"/open?token={running.token}", Cookie=None).status == 405
    assert running.ask(f"/?token={running.token}", Cookie=None).status == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.:{port}", "", "0.0.0.0:{port}"],
)
def test_another_name_is_refused(running: Served, host: str) -> None:
    """A name that its owner has pointed at loopback (DNS rebinding)."""
    assert running.ask("/", Host=host.format(port=running.port)).status in (400, 421)


def test_its_own_names_are_answered(running: Served) -> None:
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        assert running.ask("/", Host=f"{name}:{running.port}").status == 200


def test_requests_of_other_sites_are_refused(running: Served) -> None:
    for origin in ("http://evil.example", "null", "http://127.0.0.1", f"https://127.0.0.1:{running.port}"):
        assert running.ask("/", Origin=origin).status == 403
    other_port = f"http://127.0.0.1:{running.port + 1}"  # the same site to a cookie, which ignores ports
    assert running.ask("/", Origin=other_port).status == 403
    assert running.open(running.token, Sec_Fetch_Site="cross-site").status == 200  # what it must bring is the token
    assert running.ask("/open", "POST", f"token={running.token}", Origin=other_port).status == 403
    for site in ("cross-site", "same-site", "nonsense"):
        assert running.ask("/", Sec_Fetch_Site=site).status == 403
    for site in ("same-origin", "none"):
        assert running.ask("/", Sec_Fetch_Site=site).status == 200
    assert running.ask("/", Origin=f"http://localhost:{running.port}").status == 200


def test_questions_come_from_its_own_pages(running: Served) -> None:
    own = f"http://127.0.0.1:{running.port}"
    path = "/ask?study=digits&kind=describe"
    assert running.ask(path).status == 405
    assert running.ask(path, "POST", "").status == 403  # no origin
    assert running.ask(path, "POST", "", Origin="null").status == 403
    assert running.ask(path, "POST", "", Origin="http://evil.example").status == 403
    assert running.ask(path, "POST", "", Origin=own, Cookie=None).status == 403
    for bad in ("study=nothing&kind=describe", "study=digits&kind=import", "study=../x&kind=row"):
        reply = running.ask(f"/ask?{bad}", "POST", "[]", Origin=own)
        assert (reply.status, "problem" in reply.text) == (409, True)
    assert running.ask(path, "POST", "x" * ((8 << 20) + 1), Origin=own).status == 413


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_it_only_reads(running: Served, method: str) -> None:
    assert running.ask("/", method).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/etc/passwd",
        "/static/dashboard.css/../../app.py",
        "//evil.example/",
        "/static/",
    ],
)
def test_no_path_leads_to_a_file(running: Served, path: str) -> None:
    reply = running.ask(path)
    assert reply.status == 404
    assert "root:" not in reply.text
    assert "import" not in reply.text


@pytest.mark.parametrize("name", ["../../etc/passwd", "digits/../x", "%00", "<script>", " ", "digits' OR '1'='1"])
@pytest.mark.parametrize("page", ["/study", "/curves", "/report", "/compare", "/play"])
def test_a_name_is_looked_up_and_is_no_path(running: Served, page: str, name: str) -> None:
    reply = running.ask(f"{page}?{urlencode({'study': name})}")
    assert reply.status == 404
    assert "<script>" not in reply.text


def test_every_response_has_the_headers(running: Served) -> None:
    replies = [running.ask("/"), running.ask("/nothing"), running.ask("/", Cookie=None), running.ask("/static/live.js")]
    for reply in [*replies, running.open("wrong")]:
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cache-control"] == "no-store"
        assert "server" not in reply.headers


def test_names_are_escaped(running: Served) -> None:
    for path in ("/", "/study?study=digits"):
        text = running.ask(path).text
        assert "Is &lt;b&gt;wide&lt;/b&gt; better?" in text
        assert "<b>wide</b>" not in text


def test_no_page_has_an_inline_script_or_style(running: Served) -> None:
    for path in ("/", "/live", "/study?study=digits", "/compare", "/play", "/nothing"):
        text = running.ask(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert all(part.startswith(' src="/static/') for part in text.split("<script")[1:])


def test_addresses_that_others_reach_need_tls() -> None:
    check_host("127.0.0.1", tls=False, insecure=False)
    check_host("192.0.2.7", tls=True, insecure=False)
    check_host("192.0.2.7", tls=False, insecure=True)
    with pytest.raises(UsageError, match=r"--host 192\.0\.2\.7: others can reach.*--insecure"):
        check_host("192.0.2.7", tls=False, insecure=False)
    for host in ("0.0.0.0", "::", ""):
        with pytest.raises(UsageError, match="write the one address"):
            check_host(host, tls=True, insecure=True)


def test_elsewhere_only_its_own_name_is_answered_and_the_cookie_is_secure() -> None:
    access = Access("192.0.2.7", 8710, tls=True)
    cookie = access.redeem(access.issue_token())
    assert cookie is not None
    assert cookie.endswith("; Secure")
    headers = {"host": "192.0.2.7:8710", "cookie": cookie.partition(";")[0]}
    assert access.refuse("GET", "/", headers) is None
    assert access.refuse("GET", "/", headers | {"host": "localhost:8710"}) is not None
    assert access.refuse("GET", "/", headers | {"origin": "https://192.0.2.7:8710"}) is None
    assert access.refuse("GET", "/", headers | {"origin": "http://192.0.2.7:8710"}) is not None


def test_the_number_of_sessions_is_limited(tmp_path: Path) -> None:
    access = Access("127.0.0.1", 8710)
    cookies = [access.redeem(access.issue_token()) or "" for _ in range(70)]
    answered = [
        access.refuse("GET", "/", {"host": "localhost:8710", "cookie": cookie.partition(";")[0]}) is None
        for cookie in cookies
    ]
    assert answered == [False] * 6 + [True] * 64
