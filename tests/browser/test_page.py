"""The page in a real Chromium: filters, keyboard, dark mode, print, names, contrast, no request.

Needs a Chromium on this machine: ``PYTEST_ARM64_CHROMIUM`` names it, else ``chromium`` is taken.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pytest_arm64.report.document import Report
from pytest_arm64.report.page import html_page
from unit.decide import made
from unit.report.made_reports import MADE_AT, hostile, ordinary, shown

WIDE, NARROW = 1280, 390
# For each text on the page, the contrast between its colour and the nearest background.
CONTRASTS = """
() => {
  const lum = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const v = value / 255;
      return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    });
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    let place = element;
    let back = [0, 0, 0, 0];
    while (place && (back[3] ?? 1) === 0) {
      back = parse(getComputedStyle(place).backgroundColor);
      if (back.length === 3) back.push(1);
      place = place.parentElement;
    }
    const front = lum(parse(getComputedStyle(element).color).slice(0, 3));
    const behind = lum(back.slice(0, 3));
    const ratio = (Math.max(front, behind) + .05) / (Math.min(front, behind) + .05);
    found.push([ratio, element.className + ": " + node.textContent.trim().slice(0, 40)]);
  }
  return found;
}
"""
UNFOLD = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
TRIPLE = ("reference, x86", "result, here", "difference, amplified")


def too_weak(page: Page) -> list[str]:
    """Texts whose contrast is below what WCAG asks for at level AA."""
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    return [text for ratio, text in contrasts if ratio < 4.5]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("PYTEST_ARM64_CHROMIUM") or shutil.which("chromium")
    assert path, "no Chromium: apt-get install chromium, or set PYTEST_ARM64_CHROMIUM"
    # The page is our own; without the sandbox it can be opened by root, as in containers of CI.
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


class Visit:
    """A page that is open, and everything that it complained of or asked for."""

    def __init__(self, browser: Browser, folder: Path, report: Report, **how: Any) -> None:
        self.path = folder / "report.html"
        self.path.write_text(html_page(report), "utf-8")
        width = int(how.pop("width", WIDE))
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900}, **how)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(self.path.as_uri())

    def shown(self) -> list[str]:
        names = "tr[data-state] th"
        return [
            str(cell.text_content()).strip()
            for cell in self.page.query_selector_all(names)
            if cell.is_visible()
        ]

    def count(self) -> str:
        return str(self.page.inner_text("#f-count"))


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    visited = Visit(browser, tmp_path, ordinary())
    yield visited
    assert visited.complaints == []
    assert visited.requests == [visited.path.as_uri()]
    visited.page.close()


def test_text_filters_packages_and_opens_what_matches(visit: Visit) -> None:
    assert visit.shown() == []
    assert visit.count() == "5 of 5 packages"
    visit.page.fill("#f-text", "TRITON")
    assert visit.shown() == ["triton"]
    assert visit.count() == "1 of 5 packages"
    visit.page.fill("#f-text", "no such package")
    assert visit.shown() == []
    assert visit.page.is_visible("#f-none")
    visit.page.click("button[type=reset]")
    expect(visit.page.locator("#f-count")).to_have_text(re.compile("^5"))
    assert not visit.page.is_visible("#f-none")


def test_states_and_services_filter_together(visit: Visit) -> None:
    for state in ("pure", "wheel", "source", "unknown"):
        visit.page.uncheck(f"input[value={state}]")
    assert sorted(visit.shown()) == ["decord", "triton"]
    visit.page.select_option("#f-service", label="worker")
    assert visit.shown() == ["decord"]
    assert visit.count() == "1 of 5 packages"


def test_only_what_was_observed_otherwise(browser: Browser, tmp_path: Path) -> None:
    other = made.service(installs=(made.install(numpy="source"),))
    visit = Visit(browser, tmp_path, Report(made.TARGET, MADE_AT, (other,)))
    visit.page.check("#f-differs")
    assert visit.shown() == ["numpy"]


def test_everything_is_reached_by_keyboard(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "f-text"
    page.keyboard.type("deco")
    assert visit.shown() == ["decord"]
    page.keyboard.press("Escape")
    assert visit.count() == "5 of 5 packages"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "INPUT", "SELECT", "BUTTON", "SUMMARY"} <= reached
    page.focus("details.service summary")
    before = page.get_attribute("details.service", "open")
    page.keyboard.press("Enter")
    assert page.get_attribute("details.service", "open") != before


def test_a_link_in_the_overview_opens_its_service(visit: Visit) -> None:
    visit.page.fill("#f-text", "decord")
    visit.page.click(".overview a >> text=search")
    visit.page.wait_for_selector("#service-3[open]")
    expect(visit.page.locator("#service-3 summary").first).to_be_focused()
    assert visit.shown() == ["triton", "hnswlib"]
    assert visit.count() == "5 of 5 packages"


def test_print_unfolds_everything(visit: Visit) -> None:
    opened = "document.querySelectorAll('details.service[open]').length"
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert visit.page.evaluate(opened) == 3
    visit.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert visit.page.evaluate(opened) == 0
    assert visit.page.query_selector("details[open]") is None
    assert visit.page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_text_can_be_read(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    visit = Visit(browser, tmp_path, shown(), color_scheme=scheme, width=width)
    visit.page.evaluate(UNFOLD)
    assert too_weak(visit.page) == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert (visit.complaints, visit.requests) == ([], [visit.path.as_uri()])


def test_print_can_be_read_and_has_everything(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, shown(), color_scheme="dark")
    visit.page.emulate_media(media="print")
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert too_weak(visit.page) == []
    assert visit.page.query_selector("details:not([open])") is None
    assert not visit.page.is_visible(".filters")
    # What is cut off at the right is lost on paper.
    visit.page.set_viewport_size({"width": 700, "height": 900})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 700


def test_pictures_of_a_golden_are_seen(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, shown())
    visit.page.evaluate(UNFOLD)
    seen = visit.page.evaluate(
        "[...document.images].map((i) => [i.alt, i.complete, i.naturalWidth, i.naturalHeight])"
    )
    first = [[f"{caption}: preview", True, 2, 2] for caption in TRIPLE]
    assert seen[:3] == first
    assert (visit.complaints, visit.requests) == ([], [visit.path.as_uri()])


def test_all_services_unfold_and_fold_at_once(visit: Visit) -> None:
    opened = "document.querySelectorAll('details.service[open]').length"
    visit.page.focus("#f-unfold")
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate(opened) == 3
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate(opened) == 0


def test_everything_has_a_name(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, shown())
    unnamed = visit.page.evaluate(
        """() => [...document.querySelectorAll(
          "input, select, button, a, progress, meter, summary, nav, table, img, [role]"
        )].filter((e) => !(e.labels?.length || e.textContent.trim() || e.getAttribute("aria-label")
          || e.getAttribute("aria-labelledby") || e.getAttribute("alt"))).map((e) => e.outerHTML)"""
    )
    assert unnamed == []
    headings = visit.page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))"
    )
    assert headings[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(headings))
    assert visit.page.evaluate("document.documentElement.lang") == "en"


def test_hostile_names_do_nothing(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, hostile())
    visit.page.fill("#f-text", "</script>")
    assert visit.count().startswith("2 of 4")
    sources = visit.page.evaluate("[...document.images].map((image) => image.src.slice(0, 22))")
    assert set(sources) == {"data:image/png;base64,"}
    assert visit.complaints == []
    assert visit.requests == [visit.path.as_uri()]


def test_a_thousand_packages_of_forty_services_are_filtered_at_once(
    browser: Browser, tmp_path: Path
) -> None:
    rows = [replace(made.WHEEL, name=f"package-{number}") for number in range(25)]
    services = tuple(replace(made.service(*rows), name=f"service {n}") for n in range(40))
    visit = Visit(browser, tmp_path, Report(made.TARGET, MADE_AT, services))
    assert visit.count() == "1000 of 1000 packages"
    visit.page.fill("#f-text", "package-24")
    milliseconds = visit.page.evaluate(
        """() => { const begin = performance.now();
        document.getElementById("f-text").dispatchEvent(new Event("input", {bubbles: true}));
        return performance.now() - begin; }"""
    )
    assert visit.count() == "40 of 1000 packages"
    assert milliseconds < 500
