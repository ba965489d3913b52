"""The HTML report in a real browser: no sideways scroll, no error, no request, legible in light and dark.

Needs Chromium and libatomic1 (``make browser`` installs Debian's; ``PARIBUS_CHROMIUM`` names another browser); without
them these tests are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import report_examples as examples
from browser import NEEDS_BROWSER, launch
from paribus.report import write_report

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


pytestmark = NEEDS_BROWSER

CONTRASTS = """
() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  // Chromium gives colours mixed by CSS in other spaces: a painted pixel says what they are.
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, bottom) => top.slice(0, 3).map((v, i) => v * top[3] + bottom[i] * (1 - top[3]));
  const behind = (element) => {
    const layers = [];
    for (let part = element; part; part = part.parentElement) layers.push(rgba(getComputedStyle(part).backgroundColor));
    return layers.reverse().reduce((bottom, top) => over(top, bottom), [255, 255, 255]);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = words.nextNode(); node; node = words.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || ['SCRIPT', 'STYLE'].includes(element.tagName)) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const svg = element.closest('svg');
    const ink = rgba(svg ? style.fill : style.color);
    const paper = behind(svg ? svg.parentElement : element);
    const [a, b] = [luminance(over(ink, paper)), luminance(paper)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push({ratio, text: node.textContent.trim().slice(0, 60)});
  }
  return found;
}
"""


STICKING_OUT = """
() => [...document.querySelectorAll('main *')]
  .filter((part) => !part.closest('.scroll, pre, svg') && part.getBoundingClientRect().right > innerWidth + 1)
  .map((part) => part.outerHTML.slice(0, 80))
"""


CUT = """
() => [...document.querySelectorAll('.scroll')]
  .filter((box) => !box.querySelector('.matrix') && box.scrollWidth > box.clientWidth)
  .map((box) => `${box.getAttribute('aria-label')}: ${box.scrollWidth} in ${box.clientWidth}`)
"""
"""Tables that do not fit their page. A matrix of confusions may scroll: it has as many columns as there are classes."""

BROKEN = """
() => [...document.querySelectorAll('.blocks td')]
  .filter((cell) => getComputedStyle(cell, '::before').content !== `"${cell.dataset.label}"`)
  .map((cell) => cell.outerHTML)
"""


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """Reports as files: the notebook's study, a factorial one, one seed, twelve arms, a table judged on AUC."""
    folder = tmp_path_factory.mktemp("reports")
    made = {
        "notebook": examples.notebook(3),
        "factorial": examples.factorial(3),
        "one": examples.tiny(1),
        "twelve": examples.twelve(),
        "table": examples.on_table(folder / "churn.csv"),
    }
    for name, outcome in made.items():
        write_report(outcome, "html", folder / f"{name}.html")
    return {name: (folder / f"{name}.html").as_uri() for name in made}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def watch(page: Page, address: str, complaints: list[str]) -> None:
    """Note every console message, error and request of a page."""

    def request(sent):
        if sent.url != address and not sent.url.startswith("data:"):
            complaints.append(f"request: {sent.url}")

    page.on("console", lambda message: complaints.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("request", request)


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def visit(browser, complaints):
    """Open a page and note every console message, error and request that it makes."""
    contexts = []

    def opened(address: str, size: dict[str, int], scheme: str = "light") -> Page:
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        watch(page, address, complaints)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def unfolded(browser, addresses):
    """A page with all its parts unfolded, opened once for the tests that only look at it; and its complaints."""
    pages = {}

    def opened(name: str, size: dict[str, int], scheme: str = "light") -> tuple[Page, list[str]]:
        key = (name, size["width"], scheme)
        if key not in pages:
            context = browser.new_context(viewport=size, color_scheme=scheme)
            page, complaints = context.new_page(), []
            watch(page, addresses[name], complaints)
            page.goto(addresses[name])
            page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
            pages[key] = page, complaints
        return pages[key]

    return opened


@pytest.mark.parametrize("name", ["notebook", "factorial", "one", "twelve", "table"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_sideways_scroll_no_error_no_request(unfolded, name, size):
    page, complaints = unfolded(name, size)
    width, inner = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width == inner
    sticking_out = page.evaluate(STICKING_OUT)
    assert sticking_out == []
    assert complaints == []


@pytest.mark.parametrize("name", ["notebook", "factorial", "one", "twelve", "table"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_table_is_cut(unfolded, name, size):
    """At 1,280 pixels the columns fit; at 390 each row is a block in which every cell has its heading beside it."""
    page, _ = unfolded(name, size)
    assert page.evaluate(CUT) == []
    if size is PHONE:
        assert page.locator(".blocks td").count() > 20
        assert page.evaluate(BROKEN) == []


def test_numbers_stand_on_the_right(addresses, visit):
    page = visit(addresses["notebook"], DESK)
    for selector in ("td.n", "th.n"):
        aligned = page.eval_on_selector_all(selector, "cells => cells.map((cell) => getComputedStyle(cell).textAlign)")
        assert set(aligned) == {"right"}


@pytest.mark.parametrize("name", ["notebook", "factorial", "table"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_is_legible(unfolded, name, scheme):
    page, _ = unfolded(name, DESK, scheme)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 500
    faint = [(round(item["ratio"], 2), item["text"]) for item in found if item["ratio"] < 4.5]
    assert faint == []


def test_the_button_turns_light_and_dark(addresses, visit, complaints):
    page = visit(addresses["one"], DESK)
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Light / dark").click()
    dark = page.evaluate(paper)
    assert light != dark
    page.get_by_role("button", name="Light / dark").click()
    assert page.evaluate(paper) == light
    assert complaints == []


def test_the_figure_of_the_right_width_is_shown(addresses, visit):
    for size, kind, other in ((DESK, "wide", "narrow"), (PHONE, "narrow", "wide")):
        page = visit(addresses["notebook"], size)
        assert page.locator(f"#arms .{kind}").is_visible()
        assert page.locator(f"#arms .{other}").is_hidden()
        drawn = page.locator(f"#arms .{kind} svg").bounding_box()
        assert drawn["width"] > 0.8 * min(size["width"], 760)


def test_paper_shows_what_the_screen_folds(addresses, visit):
    page = visit(addresses["one"], DESK, "dark")
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0


def test_every_scrolling_box_can_be_reached_by_keyboard_and_has_a_name(addresses, visit):
    page = visit(addresses["notebook"], PHONE)
    for box in page.locator(".scroll").all():
        assert box.get_attribute("tabindex") == "0"
        assert box.get_attribute("aria-label")


def test_the_pointer_and_the_arrow_keys_read_values_off_the_learning_curves(addresses, visit, complaints):
    page = visit(addresses["notebook"], DESK)
    plot = page.locator("#curves .plot.wide")
    tip = plot.locator(".tip")
    assert tip.is_hidden()
    plot.scroll_into_view_if_needed()
    box = plot.locator("svg").bounding_box()
    left, right = (float(plot.get_attribute(f"data-{side}")) for side in ("left", "right"))
    page.mouse.move(box["x"] + box["width"] * (left + right) / 2, box["y"] + box["height"] / 2)
    assert tip.is_visible()
    epochs = int(page.locator("#curves figure.curves").get_attribute("data-epochs"))
    middle = 1 + round((epochs - 1) / 2)
    assert tip.locator("thead th").first.inner_text() in {f"epoch {middle}", f"epoch {middle - 1}"}
    assert [cell.strip("●■ ") for cell in tip.locator("tbody th").all_inner_texts()] == list(examples.NOTEBOOK)
    assert all(text.endswith(" %") for text in tip.locator("td").all_inner_texts())
    page.mouse.move(1, 1)
    assert tip.is_hidden()
    plot.focus()
    page.keyboard.press("End")
    assert plot.get_attribute("aria-valuenow") == str(epochs)
    page.keyboard.press("ArrowLeft")
    assert plot.get_attribute("aria-valuenow") == str(epochs - 1)
    assert f"epoch {epochs - 1}: " in plot.get_attribute("aria-valuetext")
    assert tip.locator("thead th").first.inner_text() == f"epoch {epochs - 1}"
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    assert complaints == []


@pytest.mark.parametrize("name", ["notebook", "twelve"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_values_of_an_epoch_stay_inside_the_figure(addresses, visit, name, size):
    page = visit(addresses[name], size)
    kind = "wide" if size is DESK else "narrow"
    plot = page.locator(f"#curves .plot.{kind}")
    plot.focus()
    for key in ("Home", "ArrowRight", "End"):
        page.keyboard.press(key)
        figure, tip = plot.bounding_box(), plot.locator(".tip").bounding_box()
        assert tip["x"] >= figure["x"] - 1
        assert tip["x"] + tip["width"] <= figure["x"] + figure["width"] + 1
        assert page.evaluate("document.documentElement.scrollWidth === innerWidth")


def test_folded_parts_are_reached_and_opened_by_keyboard_and_by_links(addresses, visit):
    page = visit(addresses["one"], DESK)
    methods = page.locator("#methods > details")
    assert not methods.evaluate("part => part.open")
    page.locator("#methods summary").first.focus()
    assert page.evaluate("document.activeElement.closest('section').id") == "methods"
    page.keyboard.press("Enter")
    assert methods.evaluate("part => part.open")
    page.locator(".contents.aside a", has_text="Every run").click()
    page.wait_for_function("document.querySelector('#runs > details').open")


def test_without_its_script_the_page_has_the_curves_and_their_legend(browser, addresses):
    context = browser.new_context(viewport=DESK, java_script_enabled=False)
    page = context.new_page()
    page.goto(addresses["notebook"])
    assert page.locator("#curves .plot.wide svg").is_visible()
    assert page.locator("#curves .legend").first.is_visible()
    assert page.locator("#curves .tip").count() == 0
    page.locator("#methods summary").first.click()
    assert page.locator("#methods p").first.is_visible()
    context.close()


LABELS_OVER_EACH_OTHER = """
() => [...document.querySelectorAll('svg')].filter((svg) => svg.checkVisibility()).flatMap((svg) => {
  const boxes = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
  return boxes.flatMap(([words, a], index) => boxes.slice(index + 1)
    .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5)
    .map(([others]) => `${words} / ${others}`));
})
"""


@pytest.mark.parametrize("name", ["notebook", "factorial", "twelve", "table"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_label_of_a_figure_is_over_another(unfolded, name, size):
    page, _ = unfolded(name, size)
    assert page.evaluate(LABELS_OVER_EACH_OTHER) == []
    with wide_letters(page):
        assert page.evaluate(LABELS_OVER_EACH_OTHER) == []


@contextmanager
def wide_letters(page: Page) -> Iterator[None]:
    """As on a machine whose only fonts are Liberation's: Debian's with Chromium alone draws pages in its Mono."""
    style = page.add_style_tag(content="svg text { font-family: monospace !important }")
    yield
    style.evaluate("part => part.remove()")


LABELS_OUTSIDE = """
() => [...document.querySelectorAll('svg')].filter((svg) => svg.checkVisibility()).flatMap((svg) => {
  const {left, right, top, bottom} = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.left < left - 2 || box.right > right + 2 || box.top < top - 2 || box.bottom > bottom + 2;
  }).map((text) => text.textContent);
})
"""


@pytest.mark.parametrize("name", ["notebook", "factorial", "twelve", "table"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_label_is_inside_its_figure(unfolded, name, size):
    page, _ = unfolded(name, size)
    assert page.evaluate(LABELS_OUTSIDE) == []
    with wide_letters(page):
        assert page.evaluate(LABELS_OUTSIDE) == []
