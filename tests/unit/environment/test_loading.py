"""Compiled modules imported one after another: outcomes, deaths, and what goes on behind them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.record import AbiRecord, CompiledFile
from pytest_arm64.engine.container import Finished
from pytest_arm64.environment.loading import modules_of, outcomes
from pytest_arm64.inside import load

SITE = "env/lib/python3.12/site-packages"


def test_which_files_are_modules() -> None:
    paths = [
        f"{SITE}/a/b.cpython-312-aarch64-linux-gnu.so",
        f"{SITE}/a/c.abi3.so",
        f"{SITE}/d.so",
        f"{SITE}/a.libs/libgomp-1a.so.1.0.0",
        f"{SITE}/a/libplain.so",
        f"{SITE}/a/not-a-name.so",
        "env/lib/elsewhere.so",
    ]
    files = tuple(CompiledFile(path, "aarch64", "library") for path in paths)
    record = AbiRecord("x", "y", "aarch64", looked_up=True, files=files, findings=())
    assert [module.name for module in modules_of(record, SITE)] == ["a.b", "a.c", "d"]


def local(folder: Path, names: Sequence[str]) -> Finished:
    """The real program, run by this interpreter."""
    listed = folder / "list.json"
    listed.write_text(json.dumps(list(names)))
    finished = subprocess.run(
        [sys.executable, "-B", load.__file__, str(listed)],
        capture_output=True,
        check=False,
        env={"PYTHONPATH": str(folder)},
    )
    code = finished.returncode
    return Finished(128 - code if code < 0 else code, finished.stdout, finished.stderr)


MODULES = {
    "fine": "print('it prints')",
    "fails": "raise ImportError('libodd.so.1: cannot open shared object file')",
    "wants": "import arm64_is_not_installed",
    "leaves": "raise SystemExit(3)",
    "dies": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "exits": "import os; print('last words', flush=True); os._exit(7)",
    "hangs": "import time; time.sleep(600)",
    "later": "",
}


def test_each_outcome_is_told_and_the_others_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    program = Path(load.__file__).read_text("utf-8").replace("SECONDS = 60", "SECONDS = 1")
    quick = tmp_path / "load_quickly.py"
    quick.write_text(program)
    monkeypatch.setattr(load, "__file__", str(quick))
    found = {
        name: (outcome, text)
        for name, outcome, text in outcomes(list(MODULES), lambda names: local(tmp_path, names))
    }
    assert found["fine"] == found["later"] == ("loaded", "")
    assert found["fails"][0] == "failed"
    assert found["fails"][1].startswith("ImportError: libodd.so.1")
    assert found["wants"][1].startswith("ModuleNotFoundError")
    assert found["leaves"] == ("failed", "SystemExit: 3")
    assert found["dies"] == ("died", "its process died: killed by SIGSEGV")
    assert found["exits"] == ("died", "its process died: exit code 7\nlast words")
    assert found["hangs"][1].startswith("its process died: killed by SIGALRM")


def test_it_ends_where_everything_kills() -> None:
    names = [f"m{number}" for number in range(30)]
    runs = []

    def run(left: Sequence[str]) -> Finished:
        runs.append(left)
        return Finished(139, json.dumps(["start", left[0]]).encode() + b"\n", b"")

    found = list(outcomes(names, run))
    assert len(runs) == 10
    assert [name for name, _, _ in found] == names
    assert {outcome for _, outcome, _ in found} == {"died", "not-tried"}


@given(st.binary(max_size=200))
def test_any_answer_is_taken(out: bytes) -> None:
    found = list(outcomes(["a", "b"], lambda _: Finished(1, out, out)))
    assert sorted(name for name, _, _ in found) == ["a", "b"]
