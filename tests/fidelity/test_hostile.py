"""Hostile repositories on a host that stays as it was; see ``hostile.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest

from fidelity.harness import HERE, MakeCase
from hostile import INSIDE, LEFT, READ, REFUSED, Repository, identifier
from hostile_host import SECRET, Host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """One whose canaries are as they were, and whose engine nobody has asked, at the end."""
    monkeypatch.chdir(tmp_path)
    host = Host(tmp_path)
    host.fill()
    before = host.canaries()
    with host.watched_engine() as asked:
        yield host
    assert host.canaries() == before
    assert asked == []


@pytest.mark.parametrize("row", REFUSED.values(), ids=map(identifier, REFUSED))
def test_what_files_ask_for_is_refused(host: Host, row: Repository) -> None:
    check(host, row)


@pytest.mark.parametrize("row", READ.values(), ids=map(identifier, READ))
def test_a_command_reads_and_writes_nothing_else(host: Host, row: Repository) -> None:
    check(host, row)


def check(host: Host, row: Repository) -> None:
    host.put(row.files)
    done = host.run(*row.command)
    assert SECRET not in done.stdout
    assert "it-ran" not in done.stdout
    assert row.says in done.stdout, done.stdout
    assert done.returncode == row.code, done.stdout


START = """
from pathlib import Path
ROOT = Path(__file__).parent

def test_leaves(arm64_measure):
    arm64_measure(len, "")
"""


@pytest.mark.parametrize("body", LEFT.values(), ids=map(identifier, LEFT))
def test_what_a_test_leaves_changes_nothing(host: Host, body: str) -> None:
    """The session inside is a process of this machine: it leaves, and the host goes on."""
    body = body.replace("{host}", str(host.folder))
    host.put({"test_it.py": START + indent(body, "    "), "src/x": "", "out/x": ""})
    notes = host.folder / "audit"
    path = {"PYTHONPATH": str(HERE), "LOCAL_PYTHONPATH": str(HERE)}
    audit = {"AUDITED": str(host.repository), "AUDIT": str(notes)}
    launcher = [str(HERE / "audited.py"), "--arm64", "-p", "reported_place"]
    done = host.run("python", *launcher, "--arm64-report", "out", environ={**path, **audit})
    (host.folder / "evil").unlink(missing_ok=True)
    assert "1 passed" in done.stdout, done.stdout
    assert not notes.exists(), notes.read_text("utf-8")
    assert "it-ran" not in done.stdout


def test_what_runs_later_is_named_where_a_test_changed_it(project: MakeCase) -> None:
    changes = "open('tests/conftest.py', 'a').write('evil()')\n    open('x.pth', 'w').close()\n"
    body = f"def test_it():\n    {changes}"
    case = project({"test_it.py": body, "tests/conftest.py": "", "Makefile": ""})
    case.write()
    process = case.start((), "--arm64")
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    listed = "the tests changed what other programs run: tests/conftest.py, x.pth (new);"
    assert listed in text


def test_there_are_enough_of_them() -> None:
    assert len({*REFUSED, *READ, *LEFT, *INSIDE}) >= 70
