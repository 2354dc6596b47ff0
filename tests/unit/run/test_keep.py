"""The command that opens a test: the run's own options, and words that any name survives."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.mirror.kept_place import in_words, opened_with
from pytest_arm64.run.keep import options_of


@pytest.mark.parametrize(
    ("line", "paths", "kept"),
    [
        ("tests", "tests", ""),
        ("-q tests/test_a.py::test_b -x", "tests/test_a.py::test_b", "-q -x"),
        ("--junitxml=a.xml --junit-xml b.xml --html=c --lf --sw --pdb -l", "", "-l"),
        ("--runslow tests -k a", "tests", "--runslow -k a"),
        ("--mine 3 tests", "3 tests", "--mine 3"),
        ("--mine=tests tests", "tests", "--mine=tests"),
        (
            "-p plugin -o a=b --import-mode=importlib",
            "",
            "-p plugin -o a=b --import-mode=importlib",
        ),
        ("--pyargs some.package", "some.package", "--pyargs"),
        ("gone/test_a.py", "gone/test_a.py", ""),
    ],
)
def test_paths_and_what_would_select_or_write_again_are_left_out(
    tmp_path: Path, line: str, paths: str, kept: str
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").touch()
    assert options_of(line.split(), paths.split(), tmp_path) == kept.split()


def test_every_word_survives_a_shell() -> None:
    words = [
        "it's",
        "a b",
        "$HOME `x` \\",
        "tab\there",
        "new\nline",
        "\x1b[31m",
        "\udcff",
        "ü 日本",
    ]
    command = "printf '%s\\0' " + in_words(words)
    assert command.isprintable()
    out = subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout
    assert out.decode("utf-8", "surrogateescape").split("\0") == [*words, ""]


@given(st.text(st.characters()))
def test_no_word_reaches_the_terminal_as_control_characters(word: str) -> None:
    assert in_words([word]).isprintable()


def test_what_the_user_has_set_is_kept() -> None:
    given_ = {"PYTHONPATH": "/mine", "PYTEST_ADDOPTS": "-q", "A": "b"}
    assert opened_with(given_, inside="/ours", task="/t") == {
        "PYTHONPATH": "/ours:/mine",
        "PYTEST_ADDOPTS": "-q -p pytest_arm64_inside.kept_session",
        "A": "b",
        "PYTEST_ARM64_TASK": "/t",
    }
    assert opened_with({}, inside="/ours", task="/t")["PYTHONPATH"] == "/ours"
