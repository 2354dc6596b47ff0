"""What strangers may have written is read or refused; ``scripts/fuzz`` tries many more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from fuzzed import harness
from fuzzed.harness import Kind, fuzz
from fuzzed.kinds import KINDS
from fuzzed.process import Tally, fuzz_apart
from pytest_arm64.audit.causes import minors
from pytest_arm64.audit.platform import glibc_floor
from pytest_arm64.binary.filetree import zip_tree
from pytest_arm64.config.option_values import Given
from pytest_arm64.config.poetry_constraint import poetry_specifier
from pytest_arm64.config.project import load_project
from pytest_arm64.engine.leftovers import _machine, is_dead
from pytest_arm64.environment.wheel_source import CheckedWheel, HostileWheelError
from pytest_arm64.errors import SettingsError
from pytest_arm64.index.fetch import _pause
from pytest_arm64.index.metadata import MetadataError, parse_metadata, parse_requirement
from pytest_arm64.index.simple import WHEEL, IndexFile
from pytest_arm64.inputs.places import place_of
from pytest_arm64.inputs.service import read_service
from pytest_arm64.inside.golden.npy import size_of
from pytest_arm64.inside.golden.shape import MalformedError
from unit.environment.test_wheels import wheel
from unit.support import attempt

FILES = 150
DIGITS = "9" * 5000
PROJECT = '[project]\nname = "x"\nversion = "1"\n'
SEEDS = (b"whole",)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused_by_their_reader(kind: str, tmp_path: Path) -> None:
    outcomes = list(fuzz(kind, KINDS[kind], range(FILES), tmp_path))
    assert [outcome for outcome in outcomes if outcome.problem] == []
    refused = sum(outcome.refused for outcome in outcomes)
    # Where nothing is refused, or all is, damage does not come as far as the reader.
    least = 0 if kind.endswith("code") else FILES / 30
    assert least <= refused <= FILES - FILES / 30


def raises(data: bytes, folder: Path) -> None:
    raise KeyError(data[:1])


def leaves(data: bytes, folder: Path) -> None:
    sys.exit(0)


def writes(data: bytes, folder: Path) -> None:
    (folder / "../../outside").write_bytes(b"")


def writes_through_a_link(data: bytes, folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent.parent)
    (folder / "link/outside").write_bytes(b"")


def makes_a_folder(data: bytes, folder: Path) -> None:
    (folder / "../../outside").mkdir()


def renames(data: bytes, folder: Path) -> None:
    (folder / "inside").write_bytes(b"")
    (folder / "inside").rename(folder.parent.parent / "outside")


def removes(data: bytes, folder: Path) -> None:
    (folder.parent.parent / "there").unlink()


def starts_a_program(data: bytes, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def reads_what_it_must_not(data: bytes, folder: Path) -> None:
    Path("/etc/passwd").read_bytes()


def waits(data: bytes, folder: Path) -> None:
    while True:
        pass


def takes_memory(data: bytes, folder: Path) -> None:
    bytearray(1 << 30)


def dies(data: bytes, folder: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleeps(data: bytes, folder: Path) -> None:
    time.sleep(3600)


def seeds() -> Sequence[bytes]:
    return SEEDS


def refusals() -> tuple[type[Exception], ...]:
    return (OSError,)


@dataclass(frozen=True)
class OnDamage:
    """A reader that reads whole files well, and does *what* with the others."""

    what: Callable[[bytes, Path], None]

    def __call__(self, data: bytes, folder: Path) -> None:
        if data not in SEEDS:
            self.what(data, folder)


@pytest.mark.parametrize(
    ("reader", "problem"),
    [
        (raises, "KeyError: b'"),
        (leaves, "SystemExit: 0"),
        (writes, "outside of its folder: open "),
        (writes_through_a_link, "outside of its folder: open "),
        (makes_a_folder, "outside of its folder: os.mkdir "),
        (renames, "outside of its folder: os.rename "),
        (removes, "outside of its folder: os.remove "),
        (starts_a_program, "outside of its folder: subprocess.Popen "),
        (reads_what_it_must_not, "outside of its folder: open '/etc/passwd'"),
        (waits, "took more than 0.05 s"),
    ],
)
def test_what_a_reader_must_not_do_is_noticed(
    reader: Callable[[bytes, Path], None],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness, "SECONDS", 0.05)
    (tmp_path / "there").write_bytes(b"")
    inside = tmp_path / "inside"
    inside.mkdir()
    kind = Kind(seeds, OnDamage(reader), refusals)
    (outcome,) = fuzz("made", kind, range(1), inside)
    assert outcome.problem.startswith(problem)


@pytest.mark.parametrize(
    ("reader", "problem", "clock"),
    [
        (takes_memory, "MemoryError: ", 60),
        (dies, "ended the process: SIGKILL", 60),
        (sleeps, "took more than 0.2 s by the clock", 0.2),
    ],
)
def test_a_file_that_ends_the_process_is_named_and_the_others_are_read(
    reader: Callable[[bytes, Path], None], problem: str, clock: float
) -> None:
    tally = Tally()
    kind = Kind(seeds, OnDamage(reader), refusals)
    failures = list(fuzz_apart("made", kind, range(7, 9), tally, memory=256 << 20, clock=clock))
    assert [failure.number for failure in failures] == [7, 8]
    assert all(failure.problem.startswith(problem) for failure in failures)
    assert tally.files == 2


def test_a_tally_says_what_was_read_refused_and_how_much_it_took() -> None:
    tally = Tally()
    kind = KINDS["advisories"]
    assert list(fuzz_apart("advisories", kind, range(200), tally)) == []
    assert tally.files == 200
    assert 0 < tally.refused < 200
    assert 0 < tally.slowest < 5
    assert 2**20 < tally.peak < 256 * 2**20


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
def test_what_was_found_stays_mended(kind: str, number: int, tmp_path: Path) -> None:
    (outcome,) = fuzz(kind, KINDS[kind], range(number, number + 1), tmp_path)
    assert not outcome.problem


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


# Digits that ``isdigit`` takes and ``int`` does not, and more of them than ``int`` takes.
@pytest.mark.parametrize("number", ["\u00b2", DIGITS])
def test_numbers_in_texts_of_strangers_are_read_or_passed_over(number: str) -> None:
    assert place_of(f"requirements.txt:{number}") == (f"requirements.txt:{number}", 0)
    assert 0 < _pause(number, 0) < 60
    assert not is_dead(f"{_machine()}/{number}/1")
    assert glibc_floor(f"manylinux_2_{number}_aarch64", "aarch64") is None
    assert minors([f"cp3{number}", "cp312"]) == f"3.12, cp3{number}"
    with pytest.raises(MalformedError):
        size_of(f"<f{number}", [4])


def test_a_place_is_a_file_and_a_line() -> None:
    places = [place_of(text) for text in ("a/b.txt:12", "a:b:3", "a.txt", "a.txt:", ":3", "")]
    assert places == [("a/b.txt", 12), ("a:b", 3), ("a.txt", 0), ("a.txt:", 0), (":3", 0), ("", 0)]


@pytest.mark.parametrize("option", ["-r", "-c", "--requirement"])
@pytest.mark.parametrize("name", ["a\0.txt", "\0/a.txt", "x/\0/a.txt", "a" * 5000, "x/" * 3000])
def test_names_that_no_file_can_have_are_refused(tmp_path: Path, option: str, name: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"{option} {name}\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_service(tmp_path / "requirements.txt", {}, root=tmp_path)


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000, "x/" * 3000])
@pytest.mark.parametrize(
    "setting",
    [
        "requirements = [{}]",
        "test-requirements = {}",
        "artifact = {}",
        "service.api.requirements = {}",
        "service.api.tests = {}",
    ],
)
def test_settings_that_name_what_no_file_can_be_called_are_refused(
    tmp_path: Path, setting: str, name: str
) -> None:
    value = json.dumps(f"zip:{name}" if "artifact" in setting else name)
    text = f"[tool.pytest-arm64]\n{setting.format(value)}\n"
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SettingsError):
        load_project(Given(), {}, rootpath=tmp_path, cwd=tmp_path)
