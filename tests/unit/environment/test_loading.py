"""Compiled modules imported one after another: outcomes, deaths, and what goes on behind them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.record import AbiFinding, AbiRecord, CompiledFile, Load
from pytest_arm64.engine.container import Finished
from pytest_arm64.environment.failures import Tools
from pytest_arm64.environment.loading import Module, judged, modules_of, outcomes, with_loads
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
    assert found["wants"][0] == "raised"
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


TOOLS = Tools("dnf", "3.12")


@pytest.mark.parametrize(
    ("text", "outcome", "kind"),
    [
        ("ImportError: libodd.so.1: cannot open shared object file: No such file or directory",
         "failed", "missing-system-library"),
        ("ImportError: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /x.so)",
         "failed", "abi-mismatch"),
        ("ImportError: /x.so: undefined symbol: PyOdd_New", "failed", "abi-mismatch"),
        ("ImportError: /x.so: cannot allocate memory in static TLS block", "failed",
         "runtime-difference"),
        ("RuntimeError: NumPy was built with baseline optimizations: (ASIMDHP)", "failed",
         "runtime-difference"),
        # What these say on x86 as well.
        ("ImportError: No module named _tkinter, please install the python3-tk package", "raised",
         ""),
        ("ImportError: Bindings generation error. Submodule name should always start with a parent "
         "module name.", "raised", ""),
        ("AttributeError: module 'numpy.core' has no attribute '_multiarray_umath'", "raised", ""),
        ("SystemExit: 3", "raised", ""),
        ("KeyError: 'DISPLAY'", "raised", ""),
    ],
)  # fmt: skip
def test_an_error_of_a_modules_own_code_is_nothing_of_the_loader(
    text: str, outcome: str, kind: str
) -> None:
    load = judged(Module("a", "a.so", "aarch64"), "failed", text, TOOLS, "aarch64")
    assert (load.outcome, load.kind) == (outcome, kind)
    record = AbiRecord("a", "b", "aarch64", True, (), (), (load,))
    assert record.loadable is (outcome == "raised")
    assert AbiRecord.from_json(record.to_json()) == record


def test_a_module_for_another_machine_is_refused_whatever_the_loader_says() -> None:
    load = judged(Module("a", "a.so", "x86_64"), "failed", "ImportError: odd", TOOLS, "aarch64")
    assert (load.outcome, load.kind) == ("failed", "wrong-architecture")


def test_a_helper_for_another_machine_is_not_imported() -> None:
    files = (CompiledFile("site/a/x.so", "x86_64", "library"),)
    harmless = AbiFinding("site/a/x.so", "wrong-architecture", "it is for x86_64", grave=False)
    record = AbiRecord("a", "b", "aarch64", True, files, (harmless,))
    assert modules_of(record, "site") == []
    grave = replace(record, findings=(replace(harmless, grave=True),))
    assert [module.name for module in modules_of(grave, "site")] == ["a.x"]


@pytest.mark.parametrize(
    ("outcomes", "notes"),
    [
        (["loaded", "loaded"], ["b/y.so"]),
        (["loaded", "raised"], ["b/y.so"]),
        (["loaded", "failed"], ["a/x.so", "b/y.so"]),
        (["loaded", "died"], ["a/x.so", "b/y.so"]),
    ],
)
def test_an_order_that_was_seen_to_do_is_no_note(outcomes: list[str], notes: list[str]) -> None:
    files = tuple(
        CompiledFile(path, "aarch64", "library", package)
        for path, package in (("a/x.so", "a-1"), ("a/z.so", "a-1"), ("b/y.so", "b-1"))
    )
    findings = tuple(
        AbiFinding(path, "load-order", "text", grave=False, package=package)
        for path, package in (("a/x.so", "a-1"), ("b/y.so", "b-1"))
    )
    record = AbiRecord("a", "b", "aarch64", True, files, findings)
    loads = tuple(
        Load(path, path, outcome)
        for path, outcome in zip(("a/x.so", "a/z.so"), outcomes, strict=True)
    )
    assert [finding.path for finding in with_loads(record, loads).findings] == notes
    assert with_loads(record, loads).loads == loads
