"""What a suite leaves where the host writes afterwards: links, pipes, another folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fidelity.harness import Case

CANARY = "nothing but this"
# How each of the files that the host writes is given a link in its place.
LEFT = """
import os, pathlib
from pathlib import Path

def test_leaves(arm64_measure):
    arm64_measure(len, "")
    out = Path("out")
    {leave}
"""
LINKS = {
    "staged": "(out / 'report.part').symlink_to(Path('../canary').resolve())",
    "report": "(out / 'report.json').unlink();"
    " (out / 'report.json').symlink_to(Path('../canary').resolve())",
    "measurements": "(out / 'measurements.json').symlink_to(Path('../canary').resolve())",
    "junit": "(out / 'junit.xml').symlink_to(Path('../canary').resolve())",
    "junit-pipe": "os.mkfifo(out / 'junit.xml')",
    "measurements-pipe": "os.mkfifo(out / 'measurements.json')",
}


def case_of(tmp_path: Path, leave: str) -> Case:
    return Case(tmp_path / "case", {"test_it.py": LEFT.format(leave=leave), ".git/HEAD": ""})


def run(case: Case) -> tuple[int, str]:
    case.write()
    (case.project.parent / "canary").write_text(CANARY, "utf-8")
    (case.project.parent / "else").mkdir()
    options = ["-p", "reported_place", "--arm64-report", "out", "--junitxml", "out/junit.xml"]
    process = case.start(options, "--arm64")
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


@pytest.mark.parametrize("left", LINKS)
def test_what_a_test_left_is_replaced_and_not_followed(tmp_path: Path, left: str) -> None:
    case = case_of(tmp_path, LINKS[left])
    code, out = run(case)
    assert code == 0, out
    assert (case.project.parent / "canary").read_text("utf-8") == CANARY
    folder = case.project / "out"
    for name in ("report.json", "measurements.json", "junit.xml"):
        assert (folder / name).is_file(), out
        assert not (folder / name).is_symlink()
    assert json.loads((folder / "measurements.json").read_bytes())["measured"]
    assert "test_leaves" in (folder / "junit.xml").read_text("utf-8")


@pytest.mark.parametrize("way", ["link", "folder"])
def test_a_folder_that_was_replaced_gets_nothing_and_the_run_fails(
    tmp_path: Path, way: str
) -> None:
    put = "out.symlink_to(Path('../else').resolve())" if way == "link" else "out.mkdir()"
    case = case_of(tmp_path, f"out.rename('moved'); {put}")
    code, out = run(case)
    assert code == 1, out
    assert "the folder was moved or replaced during the run" in out
    assert list((case.project.parent / "else").iterdir()) == []
    assert list((case.project / "out").iterdir()) == []
