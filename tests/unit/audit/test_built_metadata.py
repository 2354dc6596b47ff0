"""Source distributions that say nothing certain of themselves: who is asked, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_arm64 import cache
from pytest_arm64.audit.auditor import Auditor, MetadataSource
from pytest_arm64.audit.builds import keep_built_metadata, kept_built_metadata
from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.index.fetch import Fetcher
from pytest_arm64.index.metadata import Metadata
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.index.simple import IndexFile, file_of
from pytest_arm64.inputs.service import read_service
from unit.index.served import Played, Project, release, sdist, serve
from unit.support import AL2023, write

pytestmark = pytest.mark.usefixtures("index_alone")

FILE = "vague-1.0.tar.gz"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    projects = {
        "vague": Project([(FILE, "", False)], {"1.0": []}, ["1.0"]),
        "needed": release("needed", "2.0", "py3-none-any"),
    }
    files = {FILE: sdist("vague", "1.0", edition="2.1")}
    with serve(projects, files=files) as played:
        yield played


def matrix(folder: Path, played: Played, source: MetadataSource | None = None) -> WheelMatrix:
    write(folder, {"requirements.txt": "vague\n"})
    config = PipConfig({"index-url": played.url}, {}, ())
    environ = {"NETRC": str(folder / "none")}
    service = read_service(folder / "requirements.txt", environ)
    with Auditor(environ, config=config, metadata=source) as auditor:
        return auditor.matrix(service, AL2023)


def file_at(played: Played) -> IndexFile:
    found = file_of("vague", FILE, "", {"hashes": {"sha256": played.digest("vague", FILE)}})
    assert found is not None
    return found


def test_without_an_engine_it_stays_in_doubt(tmp_path: Path, index: Played) -> None:
    found = matrix(tmp_path, index)
    assert "known after it is built" in found["vague"].doubt
    assert not found.complete


def test_whoever_can_build_is_asked_once_and_what_it_says_is_resolved(
    tmp_path: Path, index: Played
) -> None:
    asked = []

    def source(auditor: Auditor, fetcher: Fetcher, project: str, file: IndexFile) -> Metadata:
        assert isinstance(fetcher, Fetcher)
        asked.append((project, file.name, file.sha256))
        return Metadata(("needed>=2", 'other; python_version<"3"'))

    found = matrix(tmp_path, index, source)
    assert asked == [("vague", FILE, index.digest("vague", FILE))]
    assert found.complete
    assert found["needed"].path == ("requirements.txt:1", "vague 1.0", "needed 2.0")
    assert (found["vague"].state, found["vague"].doubt) == ("source", "")


def test_what_the_target_cannot_use_is_not_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    projects = {"vague": Project([(FILE, "<3.8", False)], {"1.0": []}, ["1.0"])}
    asked = []

    def source(auditor: Auditor, fetcher: Fetcher, project: str, file: IndexFile) -> None:
        asked.append(file.name)

    with serve(projects) as played:
        assert matrix(tmp_path, played, source)["vague"].state == "blocker"
    assert asked == []


def test_what_nobody_can_build_stays_in_doubt(tmp_path: Path, index: Played) -> None:
    assert "known after it is built" in matrix(tmp_path, index, lambda *_: None)["vague"].doubt


def test_an_audit_knows_what_an_earlier_build_told(tmp_path: Path, index: Played) -> None:
    keep_built_metadata(file_at(index), "aarch64", AL2023.python, Metadata(("needed",)))
    found = matrix(tmp_path, index)
    assert found.complete
    assert found["needed"].version == "2.0"


@pytest.mark.parametrize(("machine", "python"), [("x86_64", "3.12"), ("aarch64", "3.11")])
def test_the_build_of_another_machine_or_python_tells_nothing(
    tmp_path: Path, index: Played, machine: str, python: str
) -> None:
    keep_built_metadata(file_at(index), machine, python, Metadata(("needed",)))
    assert "known after it is built" in matrix(tmp_path, index)["vague"].doubt


@pytest.mark.parametrize("damaged", [{}, {"requires": "x", "requires_python": ""}])
def test_a_damaged_note_is_none(index: Played, damaged: dict[str, str]) -> None:
    file = file_at(index)
    keep_built_metadata(file, "aarch64", "3.12", Metadata())
    key = cache.digest([file.sha256, "aarch64", "3.12"])
    cache.store("built-metadata", key, damaged)
    assert kept_built_metadata(file, "aarch64", "3.12") is None
