"""Our code in an image is ours: whatever differs from this package is found from outside."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

import pytest

from pytest_arm64.config.cell import Python
from pytest_arm64.environment.bytecode import compile_command
from pytest_arm64.environment.inside_files import check_inside, check_unchanged, inside_files
from pytest_arm64.errors import InstallError
from unit.support import PYTHON

FILES = inside_files()
START = "pytest_arm64_inside/start.py"
CACHED = "pytest_arm64_inside/__pycache__/start.cpython-312.pyc"


def archive_of(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("inside", "inside/pytest_arm64_inside"):
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(f"inside/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(f"inside/{name}".rstrip("/"))
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    buffer.seek(0)
    return buffer


def test_our_files_and_their_byte_code_are_accepted() -> None:
    check_inside(archive_of({**FILES, CACHED: b"made of it"}), FILES)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({START: b"import os; os._exit(0)"}, START),
        ({"pytest.py": b"shadows"}, "pytest.py"),
        ({"sitecustomize.py": b""}, "sitecustomize.py"),
        ({"pytest_arm64_inside/start.pyc": b"before the source"}, "start.pyc"),
        ({"pytest_arm64_inside/__pycache__/evil.cpython-312.pyc": b""}, "evil.cpython-312.pyc"),
        ({CACHED.replace(".pyc", ".opt-1.pyc"): b""}, "opt-1"),
        ({"pytest_arm64_inside/start.cpython-312-aarch64-linux-gnu.so": b""}, "start.cpython"),
    ],
)
def test_a_file_that_is_not_ours_is_refused(changes: dict[str, bytes], named: str) -> None:
    with pytest.raises(InstallError, match="is not its own") as caught:
        check_inside(archive_of({**FILES, **changes}), FILES)
    assert named in str(caught.value)


def test_a_missing_file_is_refused() -> None:
    files = {name: content for name, content in FILES.items() if name != START}
    with pytest.raises(InstallError, match=START):
        check_inside(archive_of(files), FILES)


@pytest.mark.parametrize("name", [START, "pytest.py", CACHED])
def test_a_link_in_the_place_of_a_file_is_refused(name: str) -> None:
    files = {path: content for path, content in FILES.items() if path != name}
    with pytest.raises(InstallError, match="is not its own"):
        check_inside(archive_of(files, {name: "/opt/pytest-arm64/env/evil.py"}), FILES)


def test_a_link_in_the_place_of_the_folder_is_refused() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("inside")
        info.type, info.linkname = tarfile.SYMTYPE, "env/evil"
        archive.addfile(info)
    buffer.seek(0)
    with pytest.raises(InstallError, match="is not its own"):
        check_inside(buffer, FILES)


@pytest.mark.parametrize("python", [PYTHON])
def test_byte_code_is_made_by_an_interpreter_that_runs_nothing_of_packages(python: Python) -> None:
    command = compile_command(python, "/opt/pytest-arm64/env")
    assert command[0] == "/usr/bin/python3.12"
    assert command[1:5] == ["-I", "-S", "-m", "compileall"]


MADE = {**FILES, CACHED: b"byte-code"}


def test_what_was_made_is_unchanged_later() -> None:
    check_unchanged(archive_of(MADE), check_inside(archive_of(MADE), FILES))


@pytest.mark.parametrize(
    "changes",
    [
        {CACHED: b"other byte-code"},
        {START: b"import os; os._exit(0)"},
        {"pytest_arm64_inside/__pycache__/agent.cpython-312.pyc": b"made of it"},
        {"sitecustomize.py": b""},
    ],
    ids=["byte-code", "a source", "new byte-code", "a new file"],
)
def test_any_change_since_then_is_refused(changes: dict[str, bytes]) -> None:
    hashes = check_inside(archive_of(MADE), FILES)
    with pytest.raises(InstallError, match="is not its own"):
        check_unchanged(archive_of({**MADE, **changes}), hashes)


@pytest.mark.parametrize("name", [CACHED, START])
def test_a_file_that_has_gone_or_became_a_link_since_then_is_refused(name: str) -> None:
    hashes = check_inside(archive_of(MADE), FILES)
    left = {other: content for other, content in MADE.items() if other != name}
    for links in ({}, {name: "/tmp/evil"}):
        with pytest.raises(InstallError, match="is not its own"):
            check_unchanged(archive_of(left, links), hashes)


def test_an_image_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(InstallError, match="is not its own"):
        check_unchanged(archive_of(MADE), {})
