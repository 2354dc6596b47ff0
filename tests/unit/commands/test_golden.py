"""``pytest-arm64 golden``: what is kept, and what has lost its test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_arm64.cli import main
from pytest_arm64.inside.golden.store import (
    PROVENANCE,
    Golden,
    StoredValue,
    encode,
    folder_of,
    name_of,
)
from pytest_arm64.inside.golden.values import stored

MODULE = "def test_a(): pass\nclass TestB:\n    def test_c(self): pass\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_it.py").write_text(MODULE)
    for module, test in (
        ("test_it.py", "test_a[1]"),
        ("test_it.py", "TestB::test_c"),
        ("test_it.py", "TestElsewhere::test_inherited"),
        ("test_it.py", "test_gone"),
        ("test_lost.py", "test_a"),
    ):
        folder = folder_of(tmp_path / "tests" / module)
        folder.mkdir(parents=True, exist_ok=True)
        golden = Golden(test, {"0": StoredValue(stored(b"x" * 999, "0-"))})
        for ending, content in encode(golden, "key").items():
            (folder / f"{name_of(test)}{ending}").write_bytes(content)
        run = {"cpu": "some \x1b[31mcpu", "recorded": "2026-11-23"}
        (folder / PROVENANCE).write_text(json.dumps({"format": 1, "runs": {"key": run}}))
    return tmp_path


def test_list_tells_what_is_kept(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["golden", "list", "--format", "json", str(project)]) == 1
    found = {e["test"]: e for e in json.loads(capsys.readouterr().out)["goldens"] if e["test"]}
    assert found["test_a[1]"]["recorded"] == "2026-11-23"
    assert found["test_a[1]"]["values"] == 1
    assert found["test_gone"]["orphan"] == "test_it.py has no test_gone"
    assert not found["TestElsewhere::test_inherited"]["orphan"]
    main(["golden", "list", str(project)])
    out = capsys.readouterr().out
    assert "5 goldens" in out
    assert "\x1b[31m" not in out


def test_prune_removes_what_has_no_test(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["golden", "prune", "--dry-run", str(project)]) == 0
    assert (project / "tests/arm64_golden/test_lost").is_dir()
    assert main(["golden", "prune", str(project)]) == 0
    assert "2 goldens without a test, 3 kept" in capsys.readouterr().out
    assert not (project / "tests/arm64_golden/test_lost").exists()
    kept = sorted(path.name for path in (project / "tests/arm64_golden/test_it").iterdir())
    assert len([name for name in kept if name.endswith(".json")]) == 4
    assert not any(name.startswith("test_gone") for name in kept)
    assert main(["golden", "list", str(project)]) == 0


def test_a_damaged_golden_is_told_and_kept(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "tests/arm64_golden/test_it/test_a[1].json"
    path.write_text("{")
    main(["golden", "prune", str(project)])
    assert path.exists()
    assert main(["golden", "list", str(project)]) == 1
    assert "cannot be read" in capsys.readouterr().out.replace("\n", " ")


def test_no_folder_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["golden", "list", "/nowhere"]) == 2
    assert "is not a folder" in capsys.readouterr().err
