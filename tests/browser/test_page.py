"""The page in a real Chromium: filters, keyboard, dark mode, print, names, contrast, no request.

Needs a Chromium on this machine: ``PYTEST_ARM64_CHROMIUM`` names it, else ``chromium`` is taken.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pytest_arm64.report.document import Report
from pytest_arm64.report.page import html_page
from unit.decide import made
from unit.report.made_reports import MADE_AT, hostile, ordinary, shown

WIDE, NARROW = 1280, 400
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
# Regions that scroll sideways by themselves.
SCROLLED = """() => [...document.querySelectorAll("*")]
  .filter((e) => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX !== "visible")
  .map((e) => e.outerHTML.slice(0, 80))"""
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


def services(visit: Visit) -> list[str]:
    names = visit.page.query_selector_all(".overview tbody th a")
    return [name.inner_text() for name in names if name.is_visible()]


def test_chips_show_the_services_with_some_verdicts(visit: Visit) -> None:
    page = visit.page
    assert services(visit) == ["api", "worker", "search"]
    assert page.inner_text("#c-count") == "3 of 3 services"
    page.click(".chips button >> text=migrate")
    assert services(visit) == ["api"]
    assert page.inner_text("#c-count") == "1 of 3 services"
    assert [card.is_visible() for card in page.query_selector_all("details.service")] == [
        True,
        False,
        False,
    ]
    page.click(".chips button >> text=undecided")
    assert services(visit) == ["api", "search"]
    assert visit.count() == "4 of 5 packages"
    page.click(".chips button >> text=migrate")
    page.click(".chips button >> text=undecided")
    assert services(visit) == ["api", "worker", "search"]


def test_a_link_to_a_service_that_a_chip_hides_shows_it(visit: Visit) -> None:
    visit.page.click(".chips button >> text=migrate")
    visit.page.evaluate("location.hash = 'service-3'")
    visit.page.wait_for_selector("#service-3[open]")
    assert services(visit) == ["api", "worker", "search"]


@pytest.mark.parametrize(
    ("column", "ascending"),
    [
        ("Service", ["api", "search", "worker"]),
        ("Verdict and evidence", ["api", "worker", "search"]),
        ("Cost a month", ["search", "api", "worker"]),
    ],
)
def test_columns_are_sorted_both_ways(visit: Visit, column: str, ascending: list[str]) -> None:
    button = visit.page.locator(f".overview thead button >> text={column}")
    button.focus()
    visit.page.keyboard.press("Enter")
    assert services(visit) == ascending
    heading = visit.page.locator(f".overview thead th:has-text('{column}')")
    assert heading.get_attribute("aria-sort") == "ascending"
    visit.page.keyboard.press("Enter")
    first, second, third = ascending
    # Equal ones change places as well.
    assert services(visit) == [third, second, first]
    assert heading.get_attribute("aria-sort") == "descending"
    assert len(visit.page.query_selector_all(".overview [aria-sort]")) == 1


def test_each_word_of_the_overview_leads_to_its_meaning(visit: Visit) -> None:
    for link in visit.page.query_selector_all(".overview a.badge"):
        target = visit.page.query_selector(f"[id='{str(link.get_attribute('href'))[1:]}']")
        assert target is not None
        assert str(link.get_attribute("title")) in target.inner_text()


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
    if width == NARROW:
        assert visit.page.evaluate(SCROLLED) == []
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    visit = Visit(browser, tmp_path, shown(), color_scheme=scheme, width=width)
    visit.page.evaluate(UNFOLD)
    # Deque's axe-core, as a package for Playwright brings it along.
    axe = resources.files("axe_playwright_python") / "axe.min.js"
    visit.page.evaluate(axe.read_text("utf-8"))
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = visit.page.evaluate("(rules) => axe.run({runOnly: rules})", rules)
    assert len(found["passes"]) > 20
    violations = [
        (rule["impact"], rule["id"], [node["html"] for node in rule["nodes"]][:3])
        for rule in found["violations"]
    ]
    assert violations == []


def large(services: int, packages: int) -> Report:
    """Services with the same packages, of which one in a hundred is in the way."""
    rows = [replace(made.WHEEL, name=f"package-{number}") for number in range(packages)]
    rows[::100] = [replace(made.SOURCE, name=row.name) for row in rows[::100]]
    one = made.service(*rows)
    named = tuple(replace(one, name=f"service {number}") for number in range(services))
    return Report(made.TARGET, MADE_AT, named)


SEARCH = """(words) => { const begin = performance.now();
const field = document.getElementById("f-text");
field.value = words;
field.dispatchEvent(new Event("input", {bubbles: true}));
document.body.getBoundingClientRect();
return performance.now() - begin; }"""


def test_forty_thousand_packages_are_searched_at_once(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, large(40, 1000))
    assert visit.count() == "40000 of 40000 packages"
    for words, count in (("package-24", "440 of"), ("package", "40000 of"), ("", "40000 of")):
        milliseconds = min(visit.page.evaluate(SEARCH, words) for _ in range(3))
        assert visit.count().startswith(count)
        # 100 ms on a quiet machine; benchmarks/page.py measures them.
        assert milliseconds < 500, words
    visit.page.fill("#f-text", "package-241")
    assert visit.shown() == ["package-241"] * 40


def test_more_packages_than_are_drawn_at_once_can_be_shown(
    browser: Browser, tmp_path: Path
) -> None:
    visit = Visit(browser, tmp_path, large(1, 1000))
    visit.page.click("#service-1 summary")
    expect(visit.page.locator("#service-1 .more button")).to_have_text("Show 790 more packages")
    assert len(visit.shown()) == 210
    visit.page.click("#service-1 .more button")
    assert len(visit.shown()) == 1000
    assert not visit.page.is_visible("#service-1 .more button")


def test_without_scripts_nothing_is_shown_that_needs_them(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, shown(), java_script_enabled=False)
    assert not visit.page.locator(".filters").is_visible()
    assert not visit.page.locator("#c-count").is_visible()
    arrow = "getComputedStyle(document.querySelector('thead button'), '::after').content"
    assert visit.page.evaluate(arrow) == "none"
    service = visit.page.locator("details.service").first
    service.locator("summary").first.click()
    assert service.get_attribute("open") is not None
    assert visit.complaints == []


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_paper_has_three_pages_for_who_decides_and_an_appendix(
    browser: Browser, tmp_path: Path
) -> None:
    others = [
        replace(made.service(made.MOVABLE, made.BLOCKER), name=f"a service with a name {number}")
        for number in range(20)
    ]
    failing = made.run(made.EMULATED, *["failed"] * 9)
    broken = [replace(made.service(runs=(failing,)), name=f"b{number}") for number in range(13)]
    bounded = [
        replace(made.service(made.BLOCKER, boundary=made.BOUNDARY), name=f"c{number}")
        for number in range(7)
    ]
    visit = Visit(browser, tmp_path, Report(made.TARGET, MADE_AT, (*others, *broken, *bounded)))
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    whole = pages_of(visit.page.pdf(format="A4"))
    visit.page.evaluate(
        """document.querySelectorAll(".appendix, .appendix ~ *").forEach(
        (e) => { e.style.display = "none"; })"""
    )
    first = pages_of(visit.page.pdf(format="A4"))
    assert 1 <= first <= 3 < whole
