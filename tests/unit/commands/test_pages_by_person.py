"""The pages for one kind of reader each: what they show can be typed, and is so."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from documented import DOCS
from pytest_arm64 import cli
from pytest_arm64.audit import causes
from pytest_arm64.decide.verdict import VERDICTS
from pytest_arm64.index.pip_config import PipConfig
from unit.index.served import Project, joined, release, serve
from unit.support import write

PAGES = sorted(DOCS.glob("for-*.md"))
COMMAND = re.compile(r"^\$ pytest-arm64 (.+)$", re.MULTILINE)
ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
PROJECTS = {
    "good": release("good", "1.0", ARM),
    "late": joined(release("late", "1.0", X86), release("late", "1.1", ARM, X86)),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index_alone: None) -> Path:
    folder = tmp_path / "shop"
    write(folder, {"requirements.txt": "good\nlate==1.0\n"})
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    monkeypatch.delenv("PYTEST_ARM64_TARGET", raising=False)
    return folder


def run(
    words: str, monkeypatch: pytest.MonkeyPatch, projects: dict[str, Project] = PROJECTS
) -> int:
    with serve(projects) as played:
        config = PipConfig({"index-url": played.url}, {}, ())
        monkeypatch.setattr("pytest_arm64.index.pip_config.host_pip_config", lambda: config)
        return cli.main(shlex.split(words, comments=True))


def test_there_is_a_page_for_each_reader() -> None:
    assert [page.stem for page in PAGES] == [
        *("for-a-monorepo", "for-a-service", "for-assistants", "for-leads"),
        "for-wheel-publishers",
    ]
    linked = (DOCS.parent / "README.md").read_text("utf-8")
    index = (DOCS / "index.md").read_text("utf-8")
    for page in PAGES:
        assert f"docs/{page.name}" in linked
        assert f"\n{page.stem}\n" in index


def test_the_commands_for_assistants_print_json_or_text(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = {}
    for words in COMMAND.findall((DOCS / "for-assistants.md").read_text("utf-8")):
        codes[words] = run(words, monkeypatch)
        out = capsys.readouterr().out
        if "--format json" in words:
            assert json.loads(out)["format"] == 1, words
        else:
            assert out, words
    assert codes == {
        "audit --format json": 1,
        "audit --offline --format json": 3,  # each call of a played index has an address of its own
        "doctor --format json": 1,
        "trust --show": 0,
    }


def test_the_keys_for_assistants_are_in_the_json(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("audit --format json", monkeypatch) == 1
    document = json.loads(capsys.readouterr().out)
    text = (DOCS / "for-assistants.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    keys = {key for row in rows for key in re.findall(r"`([a-z_\[\].]+)`", row)}
    assert {"ready", "complete", "packages[].state", "packages[].remedy.text"} <= keys
    blocked = next(row for row in document["packages"] if row["state"] == "blocker")
    for key in keys:
        value = document if "packages[]" not in key else blocked
        for name in key.removeprefix("packages[].").split("."):
            assert name in value, key
            value = value[name]
    assert "pin-predates-wheel" in text
    assert blocked["cause"] == causes.PIN


def test_a_fix_is_verified_as_the_page_says(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, {"requirements.txt": "good\nlate==1.1\n"})
    assert run("audit --format json", monkeypatch) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["state"] for row in document["packages"]} <= {"wheel", "pure"}


def test_the_first_commands_for_a_service_and_for_a_monorepo_work(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("audit --target lambda-python3.12", monkeypatch) == 1
    assert "late==1.0" in capsys.readouterr().out
    assert run("audit --fix", monkeypatch) == 1
    assert (project / "requirements.txt").read_text() == "good\nlate==1.1\n"
    assert run("audit --write-baseline", monkeypatch) == 0
    assert (project / "arm64-baseline.json").is_file()
    assert run("audit --report out", monkeypatch) == 0
    assert run("report out", monkeypatch) == 0
    assert (project / "out" / "report.html").is_file()
    assert run("setup --init", monkeypatch) == 0


def test_leads_read_of_every_verdict() -> None:
    text = (DOCS / "for-leads.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)) == set(VERDICTS)


@pytest.mark.parametrize("installed", [True, False])
def test_a_suite_without_the_plugin_skips(
    monkeypatch: pytest.MonkeyPatch, *, installed: bool
) -> None:
    page = (DOCS / "for-wheel-publishers.md").read_text("utf-8")
    block = re.search(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert block is not None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: "a spec" if installed else None)
    names: dict[str, object] = {}
    exec(block[1], names)  # the documented conftest
    assert ("arm64_golden" in names) is not installed
