"""What was mapped at run time, beside what the files had announced."""

from __future__ import annotations

from pytest_arm64.binary.mapped import ELSEWHERE, IMAGE, NEEDED, PACKAGE, Mapped, mapped_files
from pytest_arm64.binary.record import AbiRecord, CompiledFile

HOME = "/opt/pytest-arm64"
RECORD = AbiRecord(
    artifact="environment x",
    against="an image",
    machine="aarch64",
    looked_up=True,
    files=(
        CompiledFile(
            "env/site/a.so", "aarch64", "library", "a-1", {"libz.so.1": "/usr/lib/libz.so.1"}
        ),
        CompiledFile(
            "srv/b.so", "aarch64", "library", "b-2", {"libgomp.so.1": "env/libs/libgomp.so.1"}
        ),
        CompiledFile("/var/task/c.so", "aarch64", "library", "c-3", {"libno.so.1": ""}),
    ),
    findings=(),
)


def one(path: str, *more: str) -> Mapped:
    (found,) = [m for m in mapped_files(RECORD, HOME, [path, *more]) if m.path == path]
    return found


def test_a_packages_file_is_known_wherever_the_record_s_paths_begin() -> None:
    assert one(f"{HOME}/env/site/a.so") == Mapped(f"{HOME}/env/site/a.so", PACKAGE, "a-1")
    assert one("/srv/b.so").package == "b-2"
    assert one("/var/task/c.so").package == "c-3"


def test_what_was_announced_is_told_from_what_the_image_loads_by_itself() -> None:
    assert one("/usr/lib/libz.so.1").origin == NEEDED
    assert one(f"{HOME}/env/libs/libgomp.so.1").origin == NEEDED
    assert one("/usr/lib/python3.12/lib-dynload/_ssl.so").origin == IMAGE
    assert one("/tmp/made-by-a-test.so").origin == ELSEWHERE


def test_a_library_from_another_place_than_foreseen_names_that_place() -> None:
    other = "/usr/lib/libgomp.so.1"
    assert one(other).instead_of in (f"{HOME}/env/libs/libgomp.so.1", "/env/libs/libgomp.so.1")
    assert one(other, f"{HOME}/env/libs/libgomp.so.1").instead_of == ""


def test_nothing_mapped_is_nothing() -> None:
    assert mapped_files(RECORD, HOME, []) == ()
