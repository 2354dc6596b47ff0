"""Whether a run was of all tests, from what was typed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_arm64.config.services import ServiceConfig
from pytest_arm64.run.selected_tests import Asked, all_known


def selection(tmp_path: Path, *args: str) -> list[str]:
    config = SimpleNamespace(
        invocation_params=SimpleNamespace(args=args, dir=tmp_path),
        option=SimpleNamespace(pyargs=False, file_or_dir=[], arm64_service=[]),
    )
    return list(Asked(config).selection(ServiceConfig("api", tmp_path)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "args",
    [
        ("-k", "test_a"),
        ("-ktest_a",),
        ("-qk", "test_a"),
        ("-xvm", "not slow"),
        ("-m", "fast"),
        ("--deselect=test_it.py::test_b",),
        ("--lf",),
        ("--sw",),
        ("--sw-skip",),
        ("--ignore=tests/slow",),
        ("test_it.py::test_a",),
        ("-o", "python_functions=test_a"),
        ("-opython_files=test_a.py",),
        ("--override-ini=testpaths=fast",),
        ("-pno:unittest",),
        ("-pno:python",),
        ("-oaddopts=-k test_a",),
        ("--override-ini=addopts=-q --deselect test_it.py::test_b",),
    ],
)
def test_a_part_of_the_tests_is_one_however_it_was_asked_for(
    args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    assert selection(tmp_path, *args)[:1] == [args[0] if "=" not in args[-1] else args[-1]]
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(f"'{arg}'" for arg in args))
    assert selection(tmp_path)


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("-q",),
        ("-vv", "-rA"),
        ("-ra", "--durations=5"),
        ("-p", "no:cacheprovider"),
        ("-pno:randomly",),
        ("-o", "addopts="),
        ("-oaddopts=-q --cov",),
        ("-o", "log_cli=true"),
        ("--import-mode=importlib",),
        ("-n2",),
        ("arm64::api::quick",),
        ("--color=yes", "--tb=short"),
    ],
)
def test_all_tests_are_all(
    args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-q")
    assert selection(tmp_path, *args) == []


def test_what_other_options_left_out_is_not_known() -> None:
    assert all_known(["-k", "--deselect=a"])
    assert not all_known(["-qk"])
    assert not all_known([])


def test_a_plugin_that_collects_may_be_left_out_in_two_words(tmp_path: Path) -> None:
    assert selection(tmp_path, "-p", "no:unittest") == ["no:unittest"]


@pytest.mark.parametrize("lines", ["-k\ntest_a\n", "tests/test_it.py::test_a\n", "--lf\n"])
def test_a_file_of_arguments_is_read(lines: str, tmp_path: Path) -> None:
    (tmp_path / "args.txt").write_text(lines, "utf-8")
    assert selection(tmp_path, "@args.txt") == lines.splitlines()[:1]
    (tmp_path / "args.txt").write_text("-q\ntests\n", "utf-8")
    assert selection(tmp_path, "@args.txt") == []
    assert selection(tmp_path, "@missing.txt") == []
