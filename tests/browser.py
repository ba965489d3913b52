"""The browser of the tests of pages: Debian's Chromium, or the one that ``PARIBUS_CHROMIUM`` names."""

from __future__ import annotations

import ctypes
import os
import shutil
from functools import cache
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page, Playwright

_NAMES = (os.environ.get("PARIBUS_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
_CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


def _missing() -> str:
    """What keeps these tests from running, and what to do about it; empty where nothing does."""
    if _CHROMIUM is None:
        return "Chromium is not installed: sudo apt-get install chromium libatomic1"
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return "Playwright's driver needs libatomic.so.1: sudo apt-get install libatomic1"
    return ""


NEEDS_BROWSER = [pytest.mark.slow, pytest.mark.skipif(bool(_missing()), reason=_missing())]
"""The marks of tests that open pages."""


def launch(playwright: Playwright) -> Browser:
    """Start the browser, without what it would send to others."""
    return playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_FLAGS))


def serious_findings(page: Page) -> list[str]:
    """What axe-core has against a page, but for minor remarks."""
    page.evaluate(_axe())  # the policy of a page does not hold for its debugger
    report = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{finding['impact']} {finding['id']}: {node['html'][:120]}"
        for finding in report["violations"]
        if finding["impact"] in ("moderate", "serious", "critical")
        for node in finding["nodes"]
    ]


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
