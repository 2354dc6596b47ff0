"""The page as text: whole, escaped, and without a word to anybody. Its life is in tests/browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from pytest_arm64.audit.matrix import Remedy
from pytest_arm64.report.document import Report
from pytest_arm64.report.page import html_page
from unit.decide import made
from unit.report.made_reports import EVIL, MADE_AT, hostile, ordinary, shown

VOID = {"meta", "input", "br", "link", "img", "hr"}


class Parsed(HTMLParser):
    """Elements, attributes and whether every element was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{tag} was never opened"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_is_whole_and_says_what_the_report_says() -> None:
    parsed = Parsed(html_page(ordinary()))
    assert parsed.open == []
    assert len(set(parsed.ids)) == len(parsed.ids)
    text = " ".join(" ".join(parsed.text).split())
    for part in (
        "1 of 3 services compatible with ARM64 (native)",
        "3 services: 1 ready, 1 stays on x86, 1 undecided",
        "What is in the way",
        "declared: CUDA inference",
        "By spend: $100 of $200 a month (50 %), 1 without a configured cost",
        "1 migrate",
        "1 stay-on-x86",
        "1 undecided",
        "CUDA inference",
        "decord",
        "triton 3.1.0",
        "Self-contained: this page loads no external resources.",
        "Not evaluated",
    ):
        assert part in text


def test_what_tests_showed_besides_passing_is_on_the_page() -> None:
    page = html_page(shown())
    text = " ".join(" ".join(Parsed(page).text).split())
    assert ["wheel", "good", "native"] in [seen for row in data(page)["rows"] for seen in row[5]]
    assert {row[0]: row[6] for row in data(page)["rows"]}["numpy"]
    for part in (
        "2 libraries were loaded while they ran",
        "/tmp/made.so instead of /usr/lib/libmade.so",
        "failed hnswlib 0.8.0 emulated in 41 s no gcc",
        "integer/cast tests/test_scale.py::test_preview preview",
        "tests/test_latency.py::test_hashing: phash over budget",
        "aarch64 native, core graviton3 24.5 ms",
        "validator/normalise.py:10",
        "emulated, on a stand-in aarch64 graviton2 (qemu neoverse-n1)",
    ):
        assert part in text, part


def data(page: str) -> Any:
    """The rows that the page's script shows."""
    content = re.search('<script type="application/json" id="rows">(.*?)</script>', page)
    assert content is not None
    assert not set("<>&") & set(content[1])
    return json.loads(content[1])


def test_rows_with_nothing_to_report_are_data_and_each_distinct_one_is_there_once() -> None:
    green = replace(made.WHEEL, name="a<b>&c")
    services = [
        replace(made.service(green, made.SOURCE, made.PURE), name=f"s{number}") for number in (1, 2)
    ]
    page = html_page(Report(made.TARGET, MADE_AT, tuple(services)))
    found = data(page)
    assert [row[0] for row in found["rows"]] == ["a<b>&c", "six"]
    assert found["services"] == {"service-1": [0, 1], "service-2": [0, 1]}
    assert page.count('<tr data-state="source"') == 2


def test_no_name_becomes_markup() -> None:
    page = html_page(hostile())
    parsed = Parsed(page)
    assert parsed.open == []
    assert page.count("<script") == 2
    assert data(page)["services"].keys() == {"service-1", "service-2"}
    sources = {value for tag, name, value in parsed.attributes if (tag, name) == ("img", "src")}
    assert all(str(source).startswith("data:image/png;base64,iVBORw0KGgo") for source in sources)
    assert page.count("<img ") == len(hostile().services) * 3
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    assert "".join(parsed.text).count(EVIL) > 20
    links = {value for _, name, value in parsed.attributes if name == "href"}
    assert all(link.startswith("#") and link[1:] in parsed.ids for link in links), links


def test_only_the_address_of_a_known_replacement_is_a_link() -> None:
    known = "replace it; av can replace it (https://pyav.basswood-io.com/docs/stable/)"
    evil = "see https://evil.example/x"
    rows = (
        replace(made.BLOCKER, remedy=Remedy(known, replacement="av")),
        replace(made.BLOCKER, name="other", remedy=Remedy(evil)),
    )
    parsed = Parsed(html_page(Report(made.TARGET, MADE_AT, (made.service(*rows),))))
    links = {value for _, name, value in parsed.attributes if name == "href" and value[0] != "#"}
    assert links == {"https://pyav.basswood-io.com/docs/stable/"}
    assert evil in " ".join(parsed.text)


def test_nothing_is_asked_of_anybody_and_only_this_script_may_run() -> None:
    page = html_page(ordinary())
    assert not re.search(r"(?:src|action|poster|data)=[\"']?(?:https?:)?//", page)
    assert "url(" not in page
    assert "@import" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for tag in ("script", "style"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;")


def test_a_thousand_packages_and_forty_services_fit() -> None:
    rows = [replace(made.WHEEL, name=f"package-{number}") for number in range(25)]
    services = [replace(made.service(*rows), name=f"service {number}") for number in range(40)]
    page = html_page(Report(made.TARGET, MADE_AT, tuple(services)))
    found = data(page)
    assert sum(map(len, found["services"].values())) == 1000
    assert len(found["rows"]) == 25
    assert len(page) < 500_000


def test_the_template_engine_is_loaded_for_a_page_only() -> None:
    code = (
        "import sys, pytest_arm64.run.recorder, pytest_arm64.commands.report\n"
        "found = [m for m in ('jinja2', 'markupsafe') if m in sys.modules]\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
