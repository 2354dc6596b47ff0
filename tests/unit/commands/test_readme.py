"""The first example of the README: what the audit prints is what a reader is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_arm64 import cli
from pytest_arm64.index.pip_config import PipConfig
from unit.index.served import all_recorded, serve
from unit.support import write

README = Path(__file__).parents[3] / "README.md"
AMOUNT = re.compile(r"[\d.,]+ [KMG]iB")
SHOWN = re.compile(
    r"^\$ cat requirements\.txt\n(?P<file>[^$]+)"
    r"\$ pytest-arm64 (?P<words>audit[^\n]*)\n(?P<out>.+?)```",
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.usefixtures("index_alone")
def test_the_readme_shows_what_the_audit_prints(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = SHOWN.search(README.read_text("utf-8"))
    assert shown is not None
    project = tmp_path / "orders"
    write(project, {"requirements.txt": shown["file"]})
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "88")
    monkeypatch.delenv("PYTEST_ARM64_TARGET", raising=False)
    with serve(all_recorded()) as played:
        config = PipConfig({"index-url": played.url}, {}, ())
        monkeypatch.setattr("pytest_arm64.index.pip_config.host_pip_config", lambda: config)
        assert cli.main(shown["words"].split()) == 1
    lines = [line.rstrip() for line in capsys.readouterr().out.strip().splitlines()]
    # The wheels of the recorded index are empty: theirs is another weight.
    assert [AMOUNT.sub("N", line) for line in lines] == [
        AMOUNT.sub("N", line) for line in shown["out"].strip().splitlines()
    ]
