"""What the page of a large report costs a browser: loading it and searching, against an empty page.

Each round opens, in one Chromium and in turn, a page without services and the large one. Times are
those of the browser's own clock: from the start of the navigation until the page is laid out, and
from a search until its result is laid out. The ratio to the empty page says what the report adds,
whatever else the machine does meanwhile.

    python benchmarks/page.py [--services 40] [--packages 1000] [--rounds 9]

Needs the dependency group ``browser`` and a Chromium: ``PYTEST_ARM64_CHROMIUM`` names it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from pytest_arm64.audit.matrix import Remedy, Row, WheelMatrix
from pytest_arm64.decide.evidence import ServiceEvidence
from pytest_arm64.report.document import Report
from pytest_arm64.report.page import html_page

TARGET, MADE_AT = "al2023-python3.12", "2026-11-30T12:00:00+00:00"
WORDS = ("package-24", "package", "no such package", "wheel")
SEARCH = """(words) => { const begin = performance.now();
const field = document.getElementById("f-text");
field.value = words;
field.dispatchEvent(new Event("input", {bubbles: true}));
document.body.getBoundingClientRect();
return performance.now() - begin; }"""


def report(services: int, packages: int) -> Report:
    """One package in a hundred has to be compiled; each service has its own versions of ten."""
    found = []
    for service in range(services):
        rows = [
            Row(
                f"package-{number}",
                f"1.{service if number % 100 == 1 else 0}.0",
                "source" if number % 100 == 0 else "wheel",
                ("requirements.txt:7", f"package-{number} 1.0.0"),
                file=f"package_{number}-1.0.0-cp312-cp312-manylinux_2_28_aarch64.whl",
                cause="source-everywhere" if number % 100 == 0 else "",
                remedy=Remedy("build it once and store the wheel") if number % 100 == 0 else None,
            )
            for number in range(packages)
        ]
        name = f"service-{service}"
        found.append(ServiceEvidence(name, WheelMatrix(name, TARGET, tuple(rows))))
    return Report(TARGET, MADE_AT, tuple(found))


def load(browser: Browser, file: Path) -> float:
    """Milliseconds until *file* is parsed, its script has run and it is laid out."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(file.as_uri(), wait_until="commit")
    tab.wait_for_load_state("load")
    timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    tab.wait_for_function(f"{timing} > 0")
    laid_out = float(
        tab.evaluate(f"() => {{ document.body.getBoundingClientRect(); return {timing}; }}")
    )
    tab.close()
    return laid_out


def search(browser: Browser, file: Path, words: str) -> float:
    """Milliseconds of one search."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(file.as_uri())
    took = float(tab.evaluate(SEARCH, words))
    tab.close()
    return took


def tell(name: str, large: Sequence[float], empty: Sequence[float]) -> None:
    one, other = statistics.median(large), statistics.median(empty)
    print(
        f"{name:26} {one:7.1f} ms (quickest {min(large):.1f}), empty page {other:.1f} ms, "
        f"ratio {one / other:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--services", type=int, default=40)
    parser.add_argument("--packages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        empty, large = Path(name, "empty.html"), Path(name, "large.html")
        empty.write_text(html_page(Report(TARGET, MADE_AT, ())), "utf-8")
        began = time.perf_counter()
        large.write_text(html_page(report(chosen.services, chosen.packages)), "utf-8")
        print(
            f"{chosen.services} services x {chosen.packages} packages: rendered in "
            f"{time.perf_counter() - began:.1f} s, {large.stat().st_size / 2**20:.2f} MiB"
        )
        chromium = os.environ.get("PYTEST_ARM64_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        rounds = range(chosen.rounds)
        pairs = [(load(browser, large), load(browser, empty)) for _ in rounds]
        tell("load", *zip(*pairs, strict=True))
        for words in WORDS:
            pairs = [(search(browser, large, words), search(browser, empty, words)) for _ in rounds]
            tell(f"search {words!r}", *zip(*pairs, strict=True))
        browser.close()


if __name__ == "__main__":
    main()
