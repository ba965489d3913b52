"""The application: addresses, the guard before them, and the stream of events. It only reads."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paribus.dashboard import pages
from paribus.dashboard.access import ASK, HEADERS, OPEN, Access
from paribus.dashboard.activity import Activity
from paribus.dashboard.compare import comparison_sections, first_pair
from paribus.dashboard.disagreement import disagreement_section
from paribus.dashboard.later import PATIENCE, Later, Reply, ready
from paribus.dashboard.live import LiveReader
from paribus.dashboard.playground import MAX_UPLOAD, Playground
from paribus.dashboard.studies import Answer, Studies
from paribus.errors import ParibusError, UnknownNameError
from paribus.report.figures.palette import DARK, LIGHT, declarations
from paribus.report.html.build import Markup, tag

SECONDS: Final = 0.5
"""The time between two looks at the files of the store."""

MAX_STREAMS: Final = 32
"""Pages that may be open at once."""

MAX_BODY: Final = 4096
"""Bytes of the longest body of a request: a token is shorter."""

_BATCH: Final = 2000
_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"


def build_app(
    studies: Studies,
    access: Access,
    *,
    opened: Callable[[], None],
    stopping: Callable[[], bool] = lambda: False,
    activity: Activity | None = None,
    playground: Playground | None = None,
    patience: float = PATIENCE,
) -> ASGIApp:
    """The dashboard of a store.

    Args:
        studies: reads the store.
        access: who may read it.
        opened: called when a token has been used, so that there is another one for the next browser.
        stopping: whether the server is about to stop, so that streams end.
        activity: notes the requests that are answered.
        playground: answers what is drawn.
        patience: seconds that a page waits for its answer before it is sent without.
    """
    activity = Activity() if activity is None else activity
    asked = Playground(studies.folder) if playground is None else playground
    later = Later[Any](studies.version, patience)
    pages_of = _Pages(studies, LiveReader(studies.folder), access, opened, stopping, activity, asked, later)
    app = Starlette(
        routes=[
            Route("/", pages_of.list_studies),
            Route("/study", pages_of.study),
            Route("/live", pages_of.live),
            Route("/runs", pages_of.runs),
            Route("/curves", pages_of.curves),
            Route("/compare", pages_of.compare),
            Route("/play", pages_of.play),
            Route(ASK, pages_of.ask, methods=["POST"]),
            Route("/report", pages_of.report),
            Route("/events", pages_of.events),
            Route("/open-still", _open_still),
            Route("/static/{name}", _static),
            Route(OPEN, pages_of.open, methods=["POST"]),
        ],
        exception_handlers={UnknownNameError: _unknown, ParibusError: _problem, 404: _unknown, Exception: _failed},
    )
    return _Guard(app, access, activity)


class _Guard:
    """Refuses what ``Access`` refuses, and puts the headers on every response."""

    def __init__(self, app: ASGIApp, access: Access, activity: Activity) -> None:
        self._app = app
        self._access = access
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        request = Request(scope)
        refused = self._access.refuse(request.method, scope["path"], request.headers)
        if refused is not None:
            status, reason = refused
            response = HTMLResponse(pages.error_page(reason[0].upper() + reason[1:] + "."), status)
            await response(scope, receive, send_with_headers)
            return
        self._activity.note()
        await self._app(scope, receive, send_with_headers)


class _Pages:
    """The answers to requests. Those that read the store are plain functions, which Starlette runs in threads."""

    def __init__(
        self,
        studies: Studies,
        reader: LiveReader,
        access: Access,
        opened: Callable[[], None],
        stopping: Callable[[], bool],
        activity: Activity,
        playground: Playground,
        later: Later[Any],
    ) -> None:
        self._studies = studies
        self._reader = reader
        self._access = access
        self._opened = opened
        self._stopping = stopping
        self._activity = activity
        self._streams = 0
        self._later = later
        self._playground = playground

    async def open(self, request: Request) -> Response:
        body = await _read_body(request, MAX_BODY)
        if body is None:
            return HTMLResponse(pages.error_page("The body of this request is too long."), 413)
        token = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
        cookie = self._access.redeem(token)
        if cookie is None:
            return HTMLResponse(
                pages.error_page(
                    "This token is not valid, or was used before: open the file that `paribus dashboard` names again, "
                    "which has a new one."
                ),
                403,
            )
        self._opened()
        return HTMLResponse(pages.opened_page(), headers={"Set-Cookie": cookie})

    def list_studies(self, _request: Request) -> Response:
        return HTMLResponse(pages.studies_page(self._studies.list_progress(), self._running()))

    def study(self, request: Request) -> Response:
        label = _label(request)
        progress = self._studies.progress(label)
        reply: Reply[Any] = ready(None)
        problem = ""
        try:
            reply = self._later.ask(("answer", label), lambda: self._studies.answer(label))
        except UnknownNameError:
            raise
        except ParibusError as error:
            problem = f"It cannot be assembled: {error}"
        is_running = self._running() == progress.label
        return HTMLResponse(pages.study_page(progress, reply, problem, is_running=is_running))

    def live(self, _request: Request) -> Response:
        return HTMLResponse(pages.live_page(self._labels()))

    def runs(self, _request: Request) -> Response:
        return HTMLResponse(pages.runs_page(self._labels()))

    def curves(self, request: Request) -> Response:
        return JSONResponse(self._studies.curves(_label(request), request.query_params.get("since", "")))

    def compare(self, request: Request) -> Response:
        labels = self._studies.comparable()
        label = _label(request) or next(iter(labels), None)
        if label is None:
            none = "No study of two arms is stored here yet."
            return HTMLResponse(pages.compare_page((), None, (), None, ready(tag("p", none))))
        arms = tuple(self._studies.progress(label).arms)
        pair = tuple(request.query_params.get(name) for name in "ab")
        if label not in labels:
            raise UnknownNameError("there is no such study of two arms")
        if any(arm is not None and arm not in arms for arm in pair):
            raise UnknownNameError("there is no such arm")
        a, b = pair
        if a is None or b is None:
            a, b = first_pair(self._studies.written_pairs(label), arms)
        if a == b:
            content = ready(tag("p", "These are the same arm: select two."))
        else:
            content = self._soon(label, (label, a, b), lambda answer: comparison_sections(answer, a, b))
        return HTMLResponse(pages.compare_page(labels, label, arms, (a, b), content))

    def play(self, request: Request) -> Response:
        labels = self._studies.playable()
        label = _label(request) or next(iter(labels), None)
        if label is not None and label not in labels:
            raise UnknownNameError("there is no such study")
        content = ready(tag("div"))
        if label is not None and self._studies.is_table(label):
            content = self._soon(label, ("rows", label), disagreement_section)
        return HTMLResponse(pages.play_page(labels, label, content))

    async def ask(self, request: Request) -> Response:
        body = await _read_body(request, MAX_UPLOAD)
        if body is None:
            problem = f"This file is too large: at most {MAX_UPLOAD >> 20} MiB are taken."
            return JSONResponse({"problem": problem}, 413)
        label, kind = _label(request), request.query_params.get("kind", "")
        try:
            if label not in await run_in_threadpool(self._studies.playable):
                raise UnknownNameError("There is no such study in this store.")
            answer = await run_in_threadpool(self._playground.ask, label, kind, body)
        except ParibusError as error:
            return JSONResponse({"problem": str(error)}, 409)
        return JSONResponse(answer)

    def report(self, request: Request) -> Response:
        from paribus.report.html.page import render_page

        label = _label(request)
        answer = self._studies.answer(label)
        if answer is None or not any(answer.moments.seeds.values()):
            raise ParibusError("There is no report before the first look.")
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", label) or "study"
        disposition = f'attachment; filename="{name}.html"'
        return HTMLResponse(render_page(answer.outcome), headers={"Content-Disposition": disposition})

    async def events(self, _request: Request) -> Response:
        if self._streams >= MAX_STREAMS:
            return Response("too many pages are open\n", 503, media_type="text/plain")
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        self._streams += 1
        try:
            generation, sent, version = -1, 0, ""
            while not self._stopping():
                self._activity.note()
                now_generation, events = self._reader.read()
                if generation != now_generation:
                    generation, sent = now_generation, 0
                    yield _event("begin", {})
                added = events[sent : sent + _BATCH]
                if added:
                    sent += len(added)
                    yield _event("log", added)
                if (now := f"{self._studies.version()} {self._reader.is_running}") != version:
                    version = now
                    yield _event("store", {"version": now, "running": self._reader.is_running})
                await asyncio.sleep(0 if len(added) == _BATCH else SECONDS)
        finally:
            self._streams -= 1

    def _soon(self, label: str, key: tuple[str, ...], make: Callable[[Answer], Markup]) -> Reply[Markup]:
        """A part of a page that is made from a study's answer."""

        def answer_and_make() -> Markup | None:
            answer = self._studies.answer(label)
            return None if answer is None else self._studies.remember(key, answer, lambda: make(answer))

        reply = self._later.ask(key, answer_and_make)
        if reply.is_ready and reply.value is None:
            raise UnknownNameError("there is no such study")
        return reply

    def _labels(self) -> list[str]:
        """The studies of the store, and the one that is computed now, which may have no run there yet."""
        labels = self._studies.labels()
        running = self._running()
        return labels if running is None or running in labels else [*labels, running]

    def _running(self) -> str | None:
        """The name of the study that a process computes now."""
        _, events = self._reader.read()
        planned = [event for event in list(events) if event["event"] == "planned"]
        return str(planned[-1].get("study")) if planned and self._reader.is_running else None


def _event(name: str, value: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"


def _label(request: Request) -> str:
    return request.query_params.get("study", "")


async def _read_body(request: Request, most: int) -> bytes | None:
    """The body of a request; None where it is longer than ``most`` bytes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return bytes(body)


async def _open_still(_request: Request) -> Response:
    """A hidden page has no stream, and says by this that it is open."""
    return Response(status_code=204)


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    kinds = {"dashboard.css": _STYLE} | dict.fromkeys(
        ("dashboard.js", "save.js", "feed.js", "live.js", "runs.js", "play.js"), _SCRIPT
    )
    if name not in kinds:
        return _no_page()
    content = files(__package__).joinpath("static", name).read_text(encoding="utf-8")
    if name == "dashboard.css":
        content = f"{_palette()}{files('paribus.report.html').joinpath('page.css').read_text('utf-8')}{content}"
    return Response(content, media_type=kinds[name])


def _palette() -> str:
    dark = f"color-scheme:dark;{declarations(DARK)}"
    light = f":root{{color-scheme:light;{declarations(LIGHT)}}}"
    return f"{light}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _no_page() -> Response:
    return HTMLResponse(pages.error_page("There is no such page."), 404)


async def _unknown(_request: Request, error: Exception) -> Response:
    if isinstance(error, UnknownNameError):
        return HTMLResponse(pages.error_page("There is no such study, or no such arm, in this store."), 404)
    return _no_page()


async def _problem(_request: Request, error: Exception) -> Response:
    return HTMLResponse(pages.error_page(str(error)), 409)


async def _failed(_request: Request, error: Exception) -> Response:
    """A fault of ours: the page says so, and Starlette raises it again for the log."""
    return HTMLResponse(pages.error_page(f"This page cannot be made: {type(error).__name__}: {error}"), 500)
