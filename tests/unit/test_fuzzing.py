"""What strangers may have written is read or refused; ``scripts/fuzz`` tries many more."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

import fuzzing
from fuzzing import KINDS, SECONDS, Kind, fuzz
from pytest_arm64.binary.filetree import zip_tree
from pytest_arm64.config.poetry_constraint import poetry_specifier
from pytest_arm64.environment.wheel_source import CheckedWheel, HostileWheelError
from pytest_arm64.errors import SettingsError
from pytest_arm64.index.metadata import MetadataError, parse_metadata, parse_requirement
from pytest_arm64.index.simple import WHEEL, IndexFile
from pytest_arm64.inputs.service import read_service
from unit.environment.test_wheels import wheel
from unit.support import attempt

FILES = 150
DIGITS = "9" * 5000
PROJECT = '[project]\nname = "x"\nversion = "1"\n'


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused_by_their_reader(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert [failure for failure in fuzz(kind, FILES, tmp_path) if failure] == []


def raising(data: bytes, folder: Path) -> None:
    raise KeyError(data[:1])


def writing(data: bytes, folder: Path) -> None:
    (Path.home() / "written-by-a-reader").write_bytes(b"")


def waiting(data: bytes, folder: Path) -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("reader", "problem"), [(raising, "KeyError"), (writing, "wrote "), (waiting, "took more than")]
)
def test_a_reader_that_raises_writes_or_waits_is_noticed(
    reader: Callable[[bytes, Path], None],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/nonexistent")
    monkeypatch.setattr(fuzzing, "SECONDS", 0.05)
    tried = iter([False])

    def read(data: bytes, folder: Path) -> None:
        if next(tried, True):  # the whole seed comes first
            reader(data, folder)

    kind = Kind(lambda: [b"whole"], read, lambda: (OSError,))
    monkeypatch.setitem(KINDS, "played", kind)
    (failure,) = fuzz("played", 1, tmp_path / "other")
    assert failure is not None
    assert failure.problem.startswith(problem)
    assert SECONDS == 5


# ``int`` refuses more than 4,300 digits with a ValueError that is none of packaging's own.
LONG: dict[str, Callable[[], Any]] = {
    "requirement": lambda: parse_requirement(f"a=={DIGITS}"),
    "constraint": lambda: poetry_specifier(f"^{DIGITS}"),
}


@pytest.mark.parametrize("what", LONG)
def test_numbers_of_too_many_digits_are_no_versions(what: str) -> None:
    assert LONG[what]() in (None, SpecifierSet())


def test_metadata_with_a_version_of_too_many_digits_is_refused() -> None:
    content = f"Metadata-Version: 2.2\nName: a\nVersion: {DIGITS}\n".encode()
    with pytest.raises(MetadataError, match="another version"):
        parse_metadata(content, "a", IndexFile("a-1-py3-none-any.whl", "", WHEEL, "1"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", f"a=={DIGITS}\n"),
        ("requirements.txt", f"a; python_version < '{DIGITS}'\n"),
        (
            "pyproject.toml",
            f'{PROJECT}dependencies = ["a<{DIGITS}"]\n',
        ),
        (
            "pyproject.toml",
            f'{PROJECT}requires-python = ">={DIGITS}"\n',
        ),
        (
            "poetry.lock",
            '[metadata]\nlock-version = "2.1"\n'
            f'[[package]]\nname = "a"\nversion = "{DIGITS}"\npython-versions = "^{DIGITS}"\n',
        ),
    ],
)
def test_files_with_such_numbers_are_read_or_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / name).write_text(text)
    read = attempt(SettingsError, lambda: read_service(tmp_path / name, {}, root=tmp_path))
    assert name in str(read) if isinstance(read, SettingsError) else read.name


# Found by scripts/fuzz, with their numbers there.
@pytest.mark.parametrize(
    ("kind", "number"),
    [("wheel", 897), ("wheel", 1105), ("golden", 632), ("golden", 668), ("lock", 169)],
)
def test_what_was_found_stays_mended(
    kind: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert list(fuzz(kind, 1, tmp_path, first=number)) == [None]


def test_members_without_a_name_are_left_out_of_a_zip(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(zipfile.ZipInfo("x"), b"text")
        opened.infolist()[0].filename = ""
    assert zip_tree(archive, "/task").files == {}


def test_a_file_in_no_scheme_of_a_wheel_is_refused(tmp_path: Path) -> None:
    path = wheel(tmp_path, {"demo-1.0.data/scripts": "text"})
    with zipfile.ZipFile(path) as archive, pytest.raises(HostileWheelError, match="no folder"):
        CheckedWheel(path, archive)
