"""The dashboard in a real browser: opened with its token, curves that grow, state in the address, dark, phone.

Needs Chromium and libatomic1, as the tests of the report do (``make browser``); without them these tests are skipped.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from browser import NEEDS_BROWSER, launch, serious_findings
from dashboard_server import Served, document, fill, served
from display_examples import DATA, DOCUMENT, WANTED, failure
from paribus.dashboard.studies import Answer, Studies
from paribus.display.live_log import LiveLog
from paribus.records import Ended, EpochDone, EpochReport, Started
from paribus.runner.jobs import list_arms
from paribus.store.sqlite import SqliteStore
from paribus.study.plan import plan_runs

pytestmark = NEEDS_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dashboard") / "store"
    fill(folder, document(seeds=3, comparison={"looks": [2, 4]}, question="Does <i>dropout</i> help?"))
    return folder


@pytest.fixture(scope="module")
def dashboard(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(store, tmp_path_factory.mktemp("private")) as dashboard:
        yield dashboard


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def opened(browser: Browser, dashboard: Served, complaints: list[str]) -> Iterator[BrowserContext]:
    """A browser that was opened with the file; everything that it complains about is noted."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)

    def watch(page: Page) -> None:
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: requests.append(request.url))

    requests: list[str] = []
    context.on("page", watch)
    page = context.new_page()
    page.goto(dashboard.opening.path.as_uri())
    page.wait_for_url(f"http://{dashboard.host}/")
    yield context
    own = (f"http://{dashboard.host}/", "file:", "data:", f"blob:http://{dashboard.host}/")
    assert [url for url in requests if not url.startswith(own)] == []
    context.close()


OpenedPage = Callable[[Path], AbstractContextManager[tuple[Page, str]]]


@pytest.fixture
def opened_page(browser: Browser, tmp_path: Path, complaints: list[str]) -> OpenedPage:
    """A page of the dashboard of another store, and its host; pages do not wait for answers."""

    @contextmanager
    def open_page(store: Path) -> Iterator[tuple[Page, str]]:
        with served(store, tmp_path / "private", patience=0.1) as dashboard:
            context = browser.new_context()
            expect.set_options(timeout=60_000)
            context.on("page", lambda page: page.on("pageerror", lambda error: complaints.append(str(error))))
            page = context.new_page()
            page.goto(dashboard.opening.path.as_uri())
            page.wait_for_url(f"http://{dashboard.host}/")
            yield page, dashboard.host
            context.close()

    (tmp_path / "private").mkdir()
    return open_page


def test_a_browser_that_was_not_opened_with_the_file_sees_nothing(browser: Browser, dashboard: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    response = page.goto(f"http://{dashboard.host}/")
    assert response is not None
    assert response.status == 403
    assert "digits" not in page.content()
    context.close()


def test_studies_answers_and_what_waits(opened: BrowserContext, complaints: list[str]) -> None:
    page = opened.pages[0]
    page.get_by_role("link", name="digits").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Does <i>dropout</i> help?")
    expect(page.locator(".card").first).to_be_visible()
    expect(page.locator("aside", has_text="Waiting for a look")).to_contain_text("the next planned look is at 4 seeds")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as one HTML file").click()
    assert download.value.suggested_filename == "digits.html"
    assert complaints == []


def test_curves_grow_without_reloading(
    opened: BrowserContext, store: Path, complaints: list[str], dashboard: Served
) -> None:
    page = opened.pages[0]
    page.goto(f"http://{dashboard.host}/live")
    expect(page.locator("figure[data-metric=fit_loss] path.mean")).to_have_count(3)
    page.evaluate("window.stays = true")
    named, plan = DOCUMENT.model_copy(update={"name": "grown"}), plan_runs(WANTED, {})
    with SqliteStore.open(store, mode="write") as opened_store:
        opened_store.save_study("grown", named.model_dump_json(), list_arms(plan), DATA)
    log = LiveLog(store)
    log.planned(named, DATA, plan)
    expect(page.locator("#study")).to_have_value("grown")
    log.show(Started(WANTED[0], worker=1))
    for epoch in (1, 2, 3):
        log.show(EpochDone(WANTED[0], EpochReport(epoch, 4, 1 / epoch, 0.5 + epoch / 10)))
    expect(page.locator("#worker-list")).to_contain_text("Worker 1: small seed 0, epoch 3 of 4")
    expect(page.locator("figure[data-metric=fit_loss] .readout")).to_contain_text("epoch 3")
    log.show(Started(WANTED[2], worker=2))
    log.show(EpochDone(WANTED[2], EpochReport(1, 4, 0.9, 0.4)))
    expect(page.locator("figure[data-metric=fit_loss] path.mean")).to_have_count(2)
    log.show(Ended(WANTED[2], failure(WANTED[2])))
    expect(page.locator("#problem-list")).to_contain_text("large seed 0 failed: no memory [gib: 12]")
    assert page.evaluate("window.stays") is True
    del log
    expect(page.locator("#state")).to_have_text("Nothing of this study is computed now.")
    assert complaints == []


def test_a_script_that_comes_late_misses_no_event(
    opened: BrowserContext, complaints: list[str], dashboard: Served
) -> None:
    def hold_back(route: Route) -> None:
        time.sleep(2)
        route.continue_()

    page = opened.pages[0]
    page.route("**/static/live.js", hold_back)
    page.goto(f"http://{dashboard.host}/live?study=digits")
    expect(page.locator("figure[data-metric=fit_loss] path.mean")).to_have_count(3, timeout=15_000)
    assert complaints == []


def test_the_address_holds_the_view(opened: BrowserContext, complaints: list[str], dashboard: Served) -> None:
    page = opened.pages[0]
    page.goto(f"http://{dashboard.host}/live?study=digits")
    means = page.locator("figure[data-metric=fit_accuracy] path.mean")
    expect(means).to_have_count(3)
    page.locator("#arms").get_by_label("small", exact=True).uncheck()
    page.get_by_label("a line for each seed").check()
    expect(means).to_have_count(2)
    expect(page.locator("figure[data-metric=fit_accuracy] path.seed")).to_have_count(6)
    other = opened.new_page()
    other.goto(page.url)
    expect(other.locator("figure[data-metric=fit_accuracy] path.mean")).to_have_count(2)
    expect(other.locator("figure[data-metric=fit_accuracy] path.seed")).to_have_count(6)
    chart = other.locator("figure[data-metric=fit_accuracy] svg")
    readout = other.locator("figure[data-metric=fit_accuracy] .readout .epoch")
    last = readout.inner_text()
    chart.focus()
    chart.press("ArrowLeft")
    expect(readout).not_to_have_text(last)
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_scrolls_sideways_and_whoever_cannot_see_it_can_use_it(
    opened: BrowserContext, complaints: list[str], dashboard: Served, scheme: str, width: int
) -> None:
    page = opened.pages[0]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("/", "/study?study=digits", "/live?study=digits&seeds=1", "/runs", "/compare?study=digits"):
        page.goto(f"http://{dashboard.host}{path}")
        if path == "/runs":
            expect(page.locator("#rows tbody tr").first).to_be_visible()
        if path.startswith("/live"):
            expect(page.locator("path.mean").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        nameless = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select, button, svg, progress, a')]"
            ".filter((one) => !(one.labels?.length || one.getAttribute('aria-label') || one.textContent.trim()))"
            ".map((one) => one.outerHTML)"
        )
        assert nameless == []
        if (scheme, width) in (("light", 1280), ("dark", 390)):
            page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
            assert serious_findings(page) == [], path
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is (scheme == "light")
    assert complaints == []


def test_the_table_of_studies_is_sorted_and_filtered_and_stays_so(
    opened: BrowserContext, complaints: list[str], store: Path, dashboard: Served
) -> None:
    page = opened.pages[0]
    for name, runs in (("zebu", 1), ("huge", 2)):
        fill(store, document(seeds=runs).model_copy(update={"name": name}))
    page.goto(f"http://{dashboard.host}/")
    names = page.locator("tbody tr:not([hidden]) th")
    expect(names.filter(has_text="zebu")).to_have_count(1)
    page.get_by_role("button", name="Study").click()
    before = names.all_inner_texts()
    assert before == sorted(before)
    page.get_by_role("button", name="Study").press("Enter")
    assert names.all_inner_texts() == before[::-1]
    page.get_by_label("Only with").fill("Z")
    page.get_by_label("Only with").press_sequentially("eB")
    expect(names).to_have_text(["zebu"])
    fill(store, document(seeds=1).model_copy(update={"name": "zebra"}))
    expect(names).to_have_text(["zebu", "zebra"])
    expect(page.get_by_label("Only with")).to_be_focused()
    assert complaints == []


def test_the_table_of_runs_is_sorted_and_filtered_and_grows(
    opened: BrowserContext, complaints: list[str], store: Path, dashboard: Served
) -> None:
    page = opened.pages[0]
    fill(store, document(seeds=2).model_copy(update={"name": "of-runs"}))
    page.goto(f"http://{dashboard.host}/runs?study=of-runs")
    rows, count = page.locator("#rows tbody tr"), page.locator("#count")
    expect(count).to_have_text("6 of 6 runs")
    assert page.locator("#rows thead th").all_inner_texts() == [
        *("arm", "seed", "status", "epochs", "fit loss", "fit accuracy", "seconds", "ended")
    ]
    for _ in range(2):
        page.get_by_role("button", name="fit loss").click()
    losses = [float(text) for text in page.locator("#rows td[data-label='fit loss']").all_inner_texts()]
    assert losses == sorted(losses, reverse=True)
    assert len({*losses}) > 1
    page.get_by_label("Only with").fill("LARGE-dropout finished")
    expect(count).to_have_text("2 of 6 runs")
    expect(rows).to_have_count(2)
    other = opened.new_page()
    other.goto(page.url)
    expect(other.locator("#count")).to_have_text("2 of 6 runs")
    assert other.locator("th[aria-sort=descending]").inner_text() == "fit loss"
    asked = []
    page.on("response", lambda response: asked.append(response) if "/curves" in response.url else None)
    fill(store, document(seeds=3).model_copy(update={"name": "of-runs"}))
    expect(count).to_have_text("3 of 9 runs")
    page.get_by_label("Only with").fill("")
    expect(rows).to_have_count(9)
    assert [sum(len(arm["runs"]) for arm in response.json()["arms"]) for response in asked][-1] <= 3
    assert complaints == []


def test_a_view_is_saved_as_one_file(
    opened: BrowserContext, browser: Browser, complaints: list[str], dashboard: Served, tmp_path: Path
) -> None:
    page = opened.pages[0]
    saved = {}
    for path, there in (
        ("/live?study=digits", "figure[data-metric=fit_loss] path.mean"),
        ("/runs?study=digits", "#rows tbody tr"),
        ("/compare?study=digits", "#settings table"),
    ):
        page.goto(f"http://{dashboard.host}{path}")
        expect(page.locator(there).first).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save this view").click()
        saved[path] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[path])
    assert [path.name for path in saved.values()] == ["Live-digits.html", "Runs-digits.html", "Compare-digits.html"]
    alone = browser.new_context(offline=True, java_script_enabled=True)
    still = alone.new_page()
    still.on("console", lambda message: complaints.append(f"console: {message.text}"))
    for path, file in saved.items():
        still.goto(file.as_uri())
        assert still.locator("script, button, input, select, nav, form button, a[href^='/']").count() == 0
        expect(still.locator("main")).to_contain_text(path)
        assert still.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "1080px"
    expect(still.locator("#examples img").first).to_be_visible()
    still.goto(saved["/live?study=digits"].as_uri())
    expect(still.locator("figure[data-metric=fit_loss] path.mean")).to_have_count(3)
    alone.close()
    assert complaints == []


def test_a_page_is_shown_before_its_answer_which_follows(
    browser: Browser, store: Path, tmp_path: Path, complaints: list[str]
) -> None:
    with served(store, tmp_path, patience=0) as dashboard:
        context = browser.new_context()
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(dashboard.opening.path.as_uri())
        page.wait_for_url(f"http://{dashboard.host}/")
        response = page.goto(f"http://{dashboard.host}/study?study=digits")
        assert response is not None
        assert "appears here as soon as it is ready" in response.text()
        assert "Progress by arm" in response.text()
        expect(page.locator("#answer .card").first).to_be_visible(timeout=60_000)
        page.goto(f"http://{dashboard.host}/compare?study=digits")
        expect(page.locator("#settings table")).to_be_visible(timeout=60_000)
        context.close()
    assert complaints == []


def test_two_arms_are_compared(opened: BrowserContext, complaints: list[str], dashboard: Served) -> None:
    page = opened.pages[0]
    page.goto(f"http://{dashboard.host}/study?study=digits")
    page.get_by_role("link", name="Compare two arms").click()
    first, second = page.locator("select[name=a]"), page.locator("select[name=b]")
    first.select_option("large-dropout")
    second.select_option("large")
    page.get_by_role("button", name="Show").last.click()
    page.wait_for_url("**/compare?study=digits&a=large-dropout&b=large")
    expect(page.locator("#settings table")).to_contain_text("Dropout(rate=0.3)")
    expect(page.locator("#examples img").first).to_be_visible()
    circle = page.locator("#contrasts .panels use").first
    assert circle.evaluate("(one) => getComputedStyle(one).fill") not in ("none", "rgb(0, 0, 0)")
    assert complaints == []


def test_a_drawn_digit_gets_answers(
    browser: Browser, trained_studies: Path, tmp_path: Path, complaints: list[str]
) -> None:
    expect.set_options(timeout=120_000)
    with served(trained_studies, tmp_path) as dashboard:
        context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(dashboard.opening.path.as_uri())
        page.wait_for_url(f"http://{dashboard.host}/")
        page.goto(f"http://{dashboard.host}/play?study=digits")
        paper = page.locator("#paper")
        expect(paper).to_be_visible()
        box = paper.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 60, box["y"] + 60)
        page.mouse.down()
        for x, y in ((200, 60), (140, 220)):
            page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
        page.mouse.up()
        expect(page.locator("#answers .arm")).to_have_count(3)
        expect(page.locator("#nearest img")).to_have_count(6)
        expect(page.locator("#seen img")).to_be_visible()
        expect(page.locator("#answers svg").first).to_have_attribute("aria-label", re.compile(r"0 \d+ %, 1 \d+ %"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert serious_findings(page) == []
        paper.focus()
        page.get_by_role("button", name="Clear").click()
        expect(page.locator("#answers .arm")).to_have_count(0)
        paper.press("Space")
        paper.press("ArrowDown")
        expect(page.locator("#answers .arm")).to_have_count(3)
        page.get_by_label("or a file:").set_input_files(
            {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"}
        )
        expect(page.locator("#status")).to_contain_text("the picture: not a PNG, JPEG, WebP or BMP image")
        page.goto(f"http://{dashboard.host}/play?study=binary")
        expect(page.locator("#answers .arm")).to_have_count(1)
        page.get_by_label("feature 0", exact=True).fill("30")
        expect(page.locator("#answers .reply")).to_be_visible()
        assert serious_findings(page) == []
        problems = [text for text in complaints if "409" not in text]  # the picture that is none
        assert problems == []
        context.close()


def test_runs_that_begin_in_an_empty_store_appear(
    tmp_path: Path, complaints: list[str], opened_page: OpenedPage
) -> None:
    """Also where the address names the study before it exists; and a failed run that trains again is a running one."""
    store = tmp_path / "store"
    SqliteStore.open(store, mode="write").close()
    with opened_page(store) as (page, host):
        page.goto(f"http://{host}/runs")
        expect(page.locator("#count")).to_have_text("No run of this study has begun.")
        other = page.context.new_page()
        other.goto(f"http://{host}/runs?study=digits")
        log = LiveLog(store)
        log.planned(DOCUMENT, DATA, plan_runs(WANTED, {}))
        log.show(Started(WANTED[0], worker=1))
        log.show(EpochDone(WANTED[0], EpochReport(1, 4, 0.5, 0.9)))
        for one in (page, other):
            expect(one.locator("#rows tbody tr")).to_have_text(re.compile(r"small.*0.*running.*1.*0.5000.*0.9000"))
            expect(one.locator("#study")).to_have_value("digits")
        with SqliteStore.open(store, mode="write") as opened_store:
            opened_store.save_study("digits", DOCUMENT.model_dump_json(), list_arms(plan_runs(WANTED, {})), DATA)
            opened_store.record(failure(WANTED[0]))
        log.show(Ended(WANTED[0], failure(WANTED[0])))
        expect(page.locator("#rows tbody tr")).to_contain_text("failed")
        log.show(Started(WANTED[0], worker=1))
        log.show(EpochDone(WANTED[0], EpochReport(1, 4, 0.25, 0.9)))
        expect(page.locator("#rows tbody tr")).to_contain_text("running")
        expect(page.locator("#rows tbody tr")).to_contain_text("0.2500")
        del log
        expect(page.locator("#rows tbody tr")).to_contain_text("failed")
    assert complaints == []


def test_a_study_that_is_left_during_a_fetch_and_selected_again_is_whole(
    opened: BrowserContext, store: Path, complaints: list[str], dashboard: Served
) -> None:
    page = opened.pages[0]
    fill(store, document(seeds=1).model_copy(update={"name": "left"}))
    fill(store, document(seeds=1).model_copy(update={"name": "beside"}))
    page.goto(f"http://{dashboard.host}/runs?study=left")
    expect(page.locator("#count")).to_have_text("3 of 3 runs")
    held: list[Route] = []
    page.route("**/curves?study=left&since=*.*", lambda route: held.append(route))
    fill(store, document(seeds=2).model_copy(update={"name": "left"}))
    while not held:
        page.wait_for_timeout(50)
    page.locator("#study").select_option("beside")
    page.locator("#study").select_option("left")
    held[0].continue_()
    page.unroute("**/curves?study=left&since=*.*")
    expect(page.locator("#count")).to_have_text("6 of 6 runs")
    assert complaints == []


def test_the_answer_on_the_page_is_at_last_that_of_the_whole_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened_page: OpenedPage
) -> None:
    """Though runs ended while an earlier answer was computed, and nothing happens afterwards."""
    store = tmp_path / "store"
    looks = {"looks": [2, 4]}
    fill(store, document(seeds=2, comparison=looks))
    compute = Studies.answer

    def slowly(studies: Studies, label: str) -> Answer | None:
        answer = compute(studies, label)
        time.sleep(3)
        return answer

    with opened_page(store) as (page, host):
        page.goto(f"http://{host}/study?study=digits")
        expect(page.locator("#answer .card").first).to_be_visible()
        monkeypatch.setattr(Studies, "answer", slowly)
        fill(store, document(seeds=3, comparison=looks))
        page.wait_for_timeout(2500)
        fill(store, document(seeds=4, comparison=looks))
        expect(page.locator("main header")).to_contain_text("12 of 12")
        expect(page.locator("#answer")).not_to_contain_text("3 have ended", timeout=60_000)
        expect(page.locator("#answer h2")).to_have_text("Answer")


def test_a_fault_of_ours_is_an_answer_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened_page: OpenedPage
) -> None:
    store = tmp_path / "store"
    fill(store, document(seeds=1))

    def fail(_studies: Studies, _label: str) -> Answer:
        time.sleep(0.5)
        raise ValueError("a fault <b>of ours</b>")

    monkeypatch.setattr(Studies, "answer", fail)
    with opened_page(store) as (page, host):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"http://{host}/compare?study=digits")
        expect(page.locator("#later")).to_have_text("This page cannot be made: ValueError: a fault <b>of ours</b>")
        count = len(asked)
        page.wait_for_timeout(2000)
        assert len([url for url in asked[count:] if "/compare" in url]) == 0
