"""What the dashboard costs, and how it bears a large store: `python -m benchmarks.dashboard`.

A store of 5,000 runs (scores and curves drawn from fingerprints, no training), a dashboard of it in a process of its
own, and a log that grows as if a study trained: seconds for each page, and in Chromium (`make browser`) to its first
paint; milliseconds to sort and filter the table of runs; processor time and memory of the server while pages follow;
memory of server and page over an hour's events (``--hour``). With ``--store`` and ``--study``: from a stroke of the
playground to its answer, in the server and in the browser.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from pathlib import Path
from urllib.parse import quote, urlencode

from playwright.sync_api import Page, sync_playwright

from benchmarks import machine
from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.display.live_log import LiveLog
from paribus.records import DataSummary, Ended, EpochDone, EpochReport, Started
from paribus.runner.run import run_study
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.load import load_study
from paribus.study.overrides import override
from paribus.study.plan import RunPlan

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser import launch

RUNS = 5_000
FOLLOWERS = 5
"""Pages that follow at once."""

EVENTS = 20
"""Epochs a second that end: networks of a second an epoch on twenty cores."""


WORDS = ("large", "large-dropout", "finished 12", "0.91", "")
"""What is looked for in the table of runs."""

SETTLED = """() => new Promise((done) => {{
  const began = performance.now();
  {{ {} }}
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
}})"""
"""Milliseconds from a script's beginning until what it changed is painted."""

ANSWERED = """() => { window.answered = new Promise((done) => {
  let began = null;
  addEventListener("pointerup", () => { began = performance.now(); }, { once: true, capture: true });
  const watch = new MutationObserver(() => {
    if (began === null) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  });
  watch.observe(document.getElementById("answers"), { childList: true, subtree: true, attributes: true });
}); return true; }"""
"""A promise of the milliseconds from the end of the next stroke until its answer is painted."""


class Client:
    """A browser's requests, with a session."""

    def __init__(self, address: str, opening: Path) -> None:
        self._host = address.removeprefix("http://")
        token = re.search(r'name="token" value="([^"]+)"', opening.read_text(encoding="utf-8"))
        assert token is not None
        reply = self._connect("POST", "/open", urlencode({"token": token[1]}).encode(), {"Origin": "null"})
        self._cookie = str(reply.headers["set-cookie"]).partition(";")[0]

    def ask(self, path: str, body: bytes | None = None) -> bytes:
        """The answer to one request; a question where there is a body."""
        method = "GET" if body is None else "POST"
        reply = self._connect(method, path, body, {"Cookie": self._cookie, "Origin": f"http://{self._host}"})
        content = reply.read()
        assert reply.status == 200, content[:500]
        return content

    def follow(self, stop: threading.Event) -> None:
        """Read the stream of events, as an open page does."""
        reply = self._connect("GET", "/events", None, {"Cookie": self._cookie})
        while not stop.is_set():
            reply.readline()

    def _connect(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._host, timeout=600)
        connection.request(method, path, body, headers)
        return connection.getresponse()


@contextmanager
def dashboard(store: Path) -> Iterator[tuple[int, Client, Path]]:
    """A dashboard in a process of its own: its process id, a client, and the file that opens a browser."""
    line = [sys.executable, "-m", "paribus", "dashboard", "--no-browser", "--store", str(store)]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = process.stderr.readline().split(" at ")[1].partition(";")[0]
    opening = Path(process.stderr.readline().rpartition(": ")[2].strip())
    try:
        yield process.pid, Client(address, opening), opening
    finally:
        process.terminate()
        process.wait()


class Recorder(Silent):
    """Remembers what was planned."""

    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        self.document, self.data, self.plan = document, data, plan


def fill(folder: Path) -> Recorder:
    """A store of three arms, and what its log would begin with."""
    study = override(load_study("digits"), seeds=-(-RUNS // 3))
    recorder = Recorder()
    with SqliteStore.open(folder, mode="write") as store:
        run_study(study, store, FakeBackend(), recorder)
    return recorder


def processor_seconds(pid: int) -> float:
    """What a process has used of processors."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> float:
    """The memory of a process that is in no swap."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def median_seconds(client: Client, path: str, repeats: int) -> str:
    """The first request, and the median of the others."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        client.ask(path)
        seconds.append(time.perf_counter() - began)
    return f"first {seconds[0]:6.3f} s, then {statistics.median(seconds[1:]):6.3f} s"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long pages follow")
    parser.add_argument(
        "--training", type=int, default=0, metavar="ROUNDS", help="beside a study that trains, so often"
    )
    parser.add_argument("--folder", type=Path, help="where the 5,000 runs are, or are to be kept")
    parser.add_argument(
        "--hour", action="store_true", help="the events of an hour at 20 epochs a second, ten times as fast"
    )
    parser.add_argument("--store", type=Path, help="a store of trained networks, for the playground")
    parser.add_argument("--study", default="mnist-mlps", help="the study of that store")
    arguments = parser.parse_args()
    print(machine.sentence(machine.describe()))
    if arguments.training:
        measure_training(arguments.training)
        return
    if arguments.store is not None:
        measure_playground(arguments.store, arguments.study)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name) / "store"
        recorder = fill(folder)
        print(f"{recorder.plan.run_count} runs", flush=True)
        with dashboard(folder) as (pid, client, opening):
            if arguments.hour:
                measure_hour(folder, recorder, pid, opening)
                return
            measure_in_browser(opening)
            for path in ("/", "/study?study=digits", "/curves?study=digits", "/live", "/compare?study=digits"):
                print(f"{path:28} {median_seconds(client, path, 6)}", flush=True)
            measure_following(LiveLog(folder), recorder, pid, client, arguments.minutes)


def measure_following(log: LiveLog, recorder: Recorder, pid: int, client: Client, minutes: float) -> None:
    """Processor time and memory while epochs end and pages follow, in five rounds."""
    job = recorder.plan.jobs[0]
    log.planned(recorder.document, recorder.data, recorder.plan)
    log.show(Started(job, worker=1))
    stop = threading.Event()
    pages = [threading.Thread(target=client.follow, args=(stop,), daemon=True) for _ in range(FOLLOWERS)]
    for page in pages:
        page.start()
    time.sleep(2)
    for _ in range(5):
        began, used = time.perf_counter(), processor_seconds(pid)
        while (past := time.perf_counter() - began) < minutes * 12:
            log.show(EpochDone(job, EpochReport(1, 4, 0.5, 0.9)))
            time.sleep(1 / EVENTS)
        share = (processor_seconds(pid) - used) / past
        print(f"{FOLLOWERS} pages, {EVENTS} epochs a second: {share:.2%} of one core, {memory_mib(pid):.0f} MiB")
    stop.set()


def measure_playground(store: Path, study: str) -> None:
    """Seconds from a drawing to the answers of all networks."""
    from PIL import Image, ImageDraw

    with dashboard(store) as (_, client, opening):
        path = f"/ask?study={quote(study)}&kind="
        began = time.perf_counter()
        client.ask(f"{path}describe", b"")
        print(f"networks ready after {time.perf_counter() - began:.1f} s")
        seconds = []
        for length in range(60):
            picture = Image.new("L", (280, 280), 255)
            ImageDraw.Draw(picture).line([(80, 60), (200, 60), (200 - length, 60 + 3 * length)], fill=0, width=20)
            content = io.BytesIO()
            picture.save(content, "PNG")
            began = time.perf_counter()
            client.ask(f"{path}picture", content.getvalue())
            seconds.append(time.perf_counter() - began)
        ordered = sorted(seconds[5:])
        print(f"a stroke: median {1000 * statistics.median(ordered):.0f} ms, 95 % {1000 * ordered[-3]:.0f} ms")
        measure_strokes(opening, study)


@contextmanager
def chromium(opening: Path) -> Iterator[Page]:
    """A page of the dashboard in a browser without a window."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(opening.as_uri())
        page.wait_for_url("http://127.0.0.1:*/")
        yield page
        browser.close()


def measure_in_browser(opening: Path) -> None:
    """Milliseconds to the first paint of each page, right after the start, and to sort and filter the table of runs."""
    with chromium(opening) as page:
        origin = page.evaluate("location.origin")
        print(f"first paint of /, the first page of all: {first_paint(page):.0f} ms")
        for path in ("/study?study=digits", "/live?study=digits", "/runs?study=digits", "/compare?study=digits"):
            page.goto(origin + path)
            print(f"first paint of {path}: {first_paint(page):.0f} ms", flush=True)
        page.goto(f"{origin}/runs?study=digits")
        page.get_by_text(f"of {RUNS + 1:,} runs").wait_for()
        sort = "document.querySelectorAll('#rows thead button')[{}].click()"
        columns = page.locator("#rows thead button").count()
        words = "box.value = '{}'; box.dispatchEvent(new Event('input'))"
        for what, scripts in (
            ("sort", [sort.format(column) for column in range(columns)] * 2),
            ("filter", ["const box = document.getElementById('only'); " + words.format(word) for word in WORDS]),
        ):
            milliseconds = [page.evaluate(SETTLED.format(script)) for script in scripts]
            middle, longest = statistics.median(milliseconds), max(milliseconds)
            print(f"to {what} {RUNS + 1} runs: median {middle:.0f} ms, longest {longest:.0f} ms", flush=True)


def first_paint(page: Page) -> float:
    """Milliseconds from asking for the page to its first paint with content."""
    entry = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    while (painted := page.evaluate(entry)) is None:
        time.sleep(0.01)
    return float(painted)


def measure_hour(folder: Path, recorder: Recorder, pid: int, opening: Path) -> None:
    """Memory of the server and of a page that follows, while the log says what an hour's training would say."""
    log, jobs = LiveLog(folder), cycle(recorder.plan.jobs)
    with SqliteStore.open(folder) as store:
        (result,) = store.runs([recorder.plan.jobs[0].fingerprint]).values()
    log.planned(recorder.document, recorder.data, recorder.plan)
    with chromium(opening) as page:
        page.goto(page.evaluate("location.origin") + "/live?study=digits")
        session = page.context.new_cdp_session(page)
        for minute in range(0, 61, 6):
            session.send("HeapProfiler.collectGarbage")
            heap = session.send("Runtime.getHeapUsage")["usedSize"] / 2**20
            print(f"minute {minute:2}: server {memory_mib(pid):.0f} MiB, page {heap:.1f} MiB", flush=True)
            for _ in range(6 * 60 * EVENTS // 20):
                job = next(jobs)
                log.show(Started(job, worker=1))
                for epoch in range(1, 21):
                    log.show(EpochDone(job, EpochReport(epoch, 20, 0.5, 0.9)))
                    time.sleep(1 / EVENTS / 10)
                log.show(Ended(job, result))


def measure_training(rounds: int) -> None:
    """Processor time of the server beside that of training, and of training with and without it, in turn."""
    line = [sys.executable, "-m", "paribus", "run", "mnist-mlps", "--seeds", "1", "--epochs", "3", "--store"]
    shares, spent = [], {True: [], False: []}
    for number in range(2 * rounds):
        is_watched = number % 2 == 0
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            folder = Path(name) / "store"
            SqliteStore.open(folder, mode="write").close()
            used = 0.0
            if is_watched:
                pid, client, _ = stack.enter_context(dashboard(folder))
                stop = threading.Event()
                threading.Thread(target=client.follow, args=(stop,), daemon=True).start()
                threading.Thread(target=ask_for_curves, args=(client, stop), daemon=True).start()
                used = processor_seconds(pid)
            before = children_seconds()
            subprocess.run([*line, str(folder)], check=True, capture_output=True)
            spent[is_watched].append(children_seconds() - before)
            if is_watched:
                shares.append((processor_seconds(pid) - used) / spent[True][-1])
                stop.set()
    print(
        f"the server's processor time beside training's: median {statistics.median(shares):.2%}, {len(shares)} rounds"
    )
    with_it, without = (statistics.median(spent[is_watched]) for is_watched in (True, False))
    print(f"training's processor time: median {with_it:.1f} s with a page that follows, {without:.1f} s without")


def ask_for_curves(client: Client, stop: threading.Event) -> None:
    """What an open page asks for besides: what has changed, as often as it would."""
    token = ""
    while not stop.wait(3):
        with suppress(AssertionError):  # the study is not stored yet
            token = json.loads(client.ask(f"/curves?study=mnist-mlps.epochs-3&since={token}"))["token"]


def children_seconds() -> float:
    """Processor time of processes of ours that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_strokes(opening: Path, study: str) -> None:
    """Milliseconds from the end of a stroke to the bars of all arms, in the browser."""
    with chromium(opening) as page:
        page.goto(page.evaluate("location.origin") + f"/play?study={quote(study)}")
        page.wait_for_selector("#paper", state="visible")
        box = page.locator("#paper").bounding_box()
        assert box is not None
        milliseconds = []
        for number in range(40):
            page.evaluate(ANSWERED)
            page.mouse.move(box["x"] + 60 + 4 * number, box["y"] + 60)
            page.mouse.down()
            page.mouse.move(box["x"] + 140, box["y"] + 220 - 3 * number)
            page.mouse.up()
            milliseconds.append(page.evaluate("window.answered"))
        ordered = sorted(milliseconds[5:])
        print(f"in the browser: median {statistics.median(ordered):.0f} ms, 95 % {ordered[-3]:.0f} ms")


if __name__ == "__main__":
    main()
