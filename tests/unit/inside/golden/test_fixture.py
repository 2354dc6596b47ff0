"""The fixture in an ordinary pytest: it compares where a golden exists, and says what it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from pytest_arm64.inside.fixtures.golden import GoldenSummary
from pytest_arm64.inside.golden import check
from pytest_arm64.inside.golden.check import ArmGolden, GoldenMismatchError, Situation, outcome_of
from pytest_arm64.inside.golden.pictures import write_pictures
from pytest_arm64.inside.golden.policy import PolicyError
from pytest_arm64.inside.golden.store import PROVENANCE
from pytest_arm64.inside.golden.values import stored

Play = Callable[..., "subprocess.CompletedProcess[str]"]
SUITE = """
import pytest
VALUE = {value}
@pytest.mark.parametrize("n", range(3))
def test_n(arm64_golden, n):
    arm64_golden.check([n, VALUE])
    arm64_golden.check("text", name="told")
def test_score(arm64_golden):
    arm64_golden.check(0.25, decision=0.5)
"""


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Runs the suite with a value; ``role`` as in a silent cell, whose results are put in place."""

    def run(
        value: float, *arguments: str, role: str = "", suite: str = SUITE
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_it.py").write_text(suite.replace("{value}", repr(value)))
        environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        plugins = ["-ppytest_arm64.plugin", *(["-pxdist.plugin"] if "-n2" in arguments else [])]
        if role:
            environ |= {"PYTEST_ARM64_ROLE": role, "PYTEST_ARM64_OUT": str(tmp_path / "out")}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, "-pno:cacheprovider", *arguments],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if role:
            place(tmp_path)
        return done

    return run


def place(folder: Path) -> None:
    """What was recorded, as ``--arm64-record`` would leave it."""
    from pytest_arm64.run.goldens import recorded, settle

    settle(recorded(folder / "out"), folder, "commit")


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stdout.splitlines() if line.startswith("arm64 golden")]


def test_what_was_recorded_is_compared(play: Play, tmp_path: Path) -> None:
    done = play(1.5, role="reference")
    assert done.returncode == 0, done.stdout
    assert not lines(done)
    folder = tmp_path / "arm64_golden/test_it"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [PROVENANCE, *(f"test_n[{n}].json" for n in range(3)), "test_score.json"]
    done = play(1.5)
    assert done.returncode == 0, done.stdout
    assert "arm64 golden: 7 values compared: 7 identical" in lines(done)
    warning = "decision at 0.5: all recorded inputs are below it"
    assert any(warning in line for line in lines(done))


def test_a_difference_fails_and_is_told(play: Play) -> None:
    play(1.5, role="reference")
    done = play(1.75)
    assert done.returncode == 1
    assert "golden '0': beyond policy (policy: default" in done.stdout
    assert "at [1]: beyond policy" in done.stdout
    assert "golden 1.5, here 1.75" in done.stdout
    assert "bits 0x1.8" in done.stdout
    assert "golden/check.py" not in done.stdout
    assert "arm64 golden: 4 values compared: 3 beyond policy, 1 identical" in lines(done)


def test_workers_of_xdist_are_counted_together(play: Play, tmp_path: Path) -> None:
    play(1.5, "-n2", role="reference")
    done = play(1.5, "-n2", "--junitxml=junit.xml")
    assert done.returncode == 0, done.stdout
    assert "arm64 golden: 7 values compared: 7 identical" in lines(done)
    cases = ElementTree.parse(tmp_path / "junit.xml").iter("property")
    told = [json.loads(case.attrib["value"]) for case in cases]
    assert sorted(len(one["values"]) for one in told) == [1, 2, 2, 2]


def test_a_missing_golden_is_a_note_on_x86_and_a_failure_on_arm(tmp_path: Path) -> None:
    module = tmp_path / "test_it.py"
    golden = ArmGolden(module, "test_a", Situation("x86_64"))
    assert golden.check(1) == "golden missing"
    assert "--arm64-record" in golden.notes[0]
    for machine in check.ARM:
        with pytest.raises(GoldenMismatchError, match="golden missing"):
            ArmGolden(module, "test_a", Situation(machine)).check(1)


def test_names_are_used_once(tmp_path: Path) -> None:
    golden = ArmGolden(tmp_path / "test_it.py", "test_a", Situation("x86_64"))
    golden.check(1)
    golden.check(2, "name")
    golden.check(3)
    for name in ("name", "0", "1", ""):
        with pytest.raises(PolicyError):
            golden.check(4, name)


def test_another_version_is_no_finding_of_the_architecture(play: Play, tmp_path: Path) -> None:
    play(1.5, role="reference")
    path = tmp_path / "arm64_golden/test_it" / PROVENANCE
    path.write_text(path.read_text().replace('"python": "', '"python": "2.7.'))
    done = play(1.75)
    assert "golden '0': version changed" in done.stdout
    assert "not an architecture finding yet" in done.stdout
    assert any("3 version changed" in line for line in lines(done))


def test_an_unchanged_value_is_not_rewritten(play: Play, tmp_path: Path) -> None:
    play(1.5, role="reference")
    folder = tmp_path / "arm64_golden/test_it"
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    play(1.5, role="reference")
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == stamps
    play(2.5, role="reference")
    changed = [p.name for p in folder.iterdir() if p.stat().st_mtime_ns != stamps[p]]
    assert sorted(changed) == [f"test_n[{n}].json" for n in range(3)]


def test_a_damaged_golden_fails_its_test_alone(play: Play, tmp_path: Path) -> None:
    play(1.5, role="reference")
    (tmp_path / "arm64_golden/test_it/test_score.json").write_text("{")
    done = play(1.5)
    assert "1 failed, 3 passed" in done.stdout
    assert "test_score.json cannot be read" in done.stdout
    assert "next step" in done.stdout


def warns() -> int:
    import warnings

    warnings.warn("look out at 0x7fffffffffff", UserWarning, stacklevel=1)
    return 3


def test_a_call_is_its_value_or_exception_and_its_warnings() -> None:
    called = outcome_of(warns)
    assert (called.outcome, called.value) == ("value", 3)
    assert called.warnings[0].startswith("UserWarning: look out at 0x… | warnings.warn(")
    failed = outcome_of(int, "x")
    assert failed.outcome == "exception"
    assert failed.value.startswith("ValueError: invalid literal")


def test_an_image_that_differs_is_shown_as_three_pictures(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    golden = Image.new("RGB", (5, 4), (10, 20, 30))
    here = golden.copy()
    here.putpixel((3, 2), (12, 20, 30))
    for one, other in ((golden, here), (np.asarray(golden), np.asarray(here))):
        paths = write_pictures(stored(one), stored(other), tmp_path, "name")
        assert [path.name for path in paths] == [
            "name-golden.png",
            "name-here.png",
            "name-difference.png",
        ]
        shown = [Image.open(path) for path in paths]
        assert shown[0].tobytes() == golden.tobytes()
        assert shown[1].tobytes() == here.tobytes()
        assert shown[2].getpixel((3, 2)) == (255, 0, 0)
        assert shown[2].getpixel((0, 0)) == (0, 0, 0)
    assert write_pictures(stored([1]), stored([2]), tmp_path, "name") == ()


def test_a_failure_names_the_pictures(play: Play) -> None:
    suite = """
import numpy as np
def test_image(arm64_golden):
    arm64_golden.check(np.full((4, 4), int({value}), "u1"))
"""
    play(1, role="reference", suite=suite)
    done = play(3, suite=suite)
    assert "pictures: " in done.stdout
    assert "-difference.png" in done.stdout


def test_what_differs_is_told_to_the_report_with_its_pictures(play: Play, tmp_path: Path) -> None:
    suite = """
import numpy as np
def test_image(arm64_golden):
    arm64_golden.judge(np.full((4, 4), int({value}), "u1"), name="preview")
    arm64_golden.check("same")
"""
    play(1, role="reference", suite=suite)
    golden = ArmGolden(
        tmp_path / "test_it.py",
        "test_image",
        Situation("aarch64", out=tmp_path / "out", pictures=lambda: tmp_path),
    )
    import numpy as np

    golden.judge(np.full((4, 4), 9, "u1"), name="preview")
    golden.check("same")
    told: Any = golden.told()
    shown, same = told["values"]
    assert shown["class"] == "integer/cast"
    assert "differing: 16 of 16" in shown["text"]
    assert [name.rpartition("-")[2] for name in shown["pictures"]] == [
        *("golden.png", "here.png", "difference.png")
    ]
    assert {path.name for path in (tmp_path / "out" / "pictures").iterdir()} == set(
        shown["pictures"]
    )
    assert "text" not in same


@pytest.mark.parametrize(
    ("classes", "yellow"),
    [
        (["identical", "unstable on x86 itself"], True),
        (["identical", "dispatch noise"], False),
    ],
)
def test_a_value_that_was_not_compared_is_counted_in_yellow(
    classes: list[str], *, yellow: bool
) -> None:
    written: list[tuple[str, bool]] = []
    values = [{"name": str(n), "class": name, "ok": True} for n, name in enumerate(classes)]
    report = pytest.TestReport("t.py::test", ("t.py", 1, "test"), {}, "passed", None, "teardown")
    report.user_properties.append(("arm64_golden", json.dumps({"values": values})))
    summary = GoldenSummary()
    summary.pytest_runtest_logreport(report)
    summary.pytest_terminal_summary(
        SimpleNamespace(line=lambda text, **markup: written.append((text, markup["yellow"])))
    )
    assert written == [
        (f"arm64 golden: 2 values compared: {', '.join(f'1 {c}' for c in classes)}", yellow)
    ]
