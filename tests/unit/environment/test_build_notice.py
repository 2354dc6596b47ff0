"""What is said when a build starts: what is known, and nothing else."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_arm64.environment.build_notice import build_notice, remember_build
from pytest_arm64.environment.planned_scope import PlannedPackage
from pytest_arm64.environment.source_builds import Source
from unit.support import RAN, ran

EMULATED = replace(RAN, engine_machine="x86_64")
NATIVE = ran(engine_machine="aarch64")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def source(folder: Path, files: Mapping[str, int], version: str = "1.0") -> Source:
    """A source distribution with *files* of so many bytes."""
    path = folder / f"demo-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, size in files.items():
            info = tarfile.TarInfo(f"demo-{version}/{name}")
            info.size = size
            archive.addfile(info, io.BytesIO(bytes(size)))
    package = PlannedPackage(
        "demo", version, "deploy", "source", path.name, f"https://i/{path.name}"
    )
    return Source(package, path)


def test_the_first_build_is_said_with_what_there_is_to_compile(tmp_path: Path) -> None:
    demo = source(tmp_path, {"a.c": 2048, "b.cc": 1024, "x.py": 9000, "c.rs": 10})
    assert build_notice(demo, EMULATED, "") == (
        "building demo 1.0 (2.0 KiB of C and 1.0 KiB of C++, emulated; not built here before)"
    )


def test_the_next_one_is_said_with_the_time_that_the_last_took(tmp_path: Path) -> None:
    demo = source(tmp_path, {"a.pyx": 2048})
    remember_build(demo, EMULATED, "", 118.4)
    assert build_notice(demo, EMULATED, "").endswith("emulated; took 118 s here before)")


@pytest.mark.parametrize("other", ["native", "crossed", "version", "fork"])
def test_a_time_of_another_kind_of_build_is_not_said(tmp_path: Path, other: str) -> None:
    demo = source(tmp_path, {"a.c": 2048})
    remember_build(demo, EMULATED, "", 118.4)
    place, compiler = EMULATED, ""
    if other == "native":
        place = NATIVE
    elif other == "crossed":
        compiler = "gcc 12.2.0"
    elif other == "version":
        demo = source(tmp_path, {"a.c": 2048}, "1.1")
    else:
        demo = replace(demo, package=replace(demo.package, url="https://elsewhere/demo-1.0.tar.gz"))
    notice = build_notice(demo, place, compiler)
    assert "not built here before" in notice
    assert ("native" in notice) == (other == "native")
    assert ("gcc 12.2.0 as a cross compiler" in notice) == (other == "crossed")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04broken"])
def test_sources_that_cannot_be_read_are_said_without_a_size(
    tmp_path: Path, content: bytes
) -> None:
    demo = source(tmp_path, {"a.c": 2048})
    demo.path.write_bytes(content)
    assert build_notice(demo, EMULATED, "") == (
        "building demo 1.0 (emulated; not built here before)"
    )


def test_a_zip_and_a_folder(tmp_path: Path) -> None:
    demo = source(tmp_path, {})
    with zipfile.ZipFile(demo.path, "w") as archive:
        archive.writestr("demo-1.0/a.cpp", "x" * 1024)
    assert "(1.0 KiB of C++, emulated;" in build_notice(demo, EMULATED, "")
    assert "(native;" in build_notice(replace(demo, path=tmp_path), NATIVE, "")
