"""What the session inside needs of its own, judged by the host's distributions."""

from __future__ import annotations

from importlib.metadata import Distribution, PathDistribution
from typing import TYPE_CHECKING

import pytest

from pytest_arm64.environment import runner
from pytest_arm64.environment.runner import runner_requirements
from pytest_arm64.inputs.manifest import read_manifest
from unit.support import settings_of, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PLUGIN = "[pytest11]\nx = x\n"


def distribution(
    folder: Path, name: str, version: str, *, requires: str = "", **files: str
) -> Distribution:
    """An installed distribution; *files* are further ones of its metadata folder."""
    info = folder / f"{name}-{version}.dist-info"
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    text += f"Requires-Python: {requires}\n" if requires else ""
    write(info, {"METADATA": text, **{k.replace("_json", ".json"): v for k, v in files.items()}})
    return PathDistribution(info)


class Host:
    """A host with some distributions, and a project on it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.distributions: list[Distribution] = []
        monkeypatch.setattr(runner, "distributions", lambda: iter(self.distributions))

    def has(self, name: str, version: str, *, requires: str = "", **files: str) -> None:
        place = self.folder / f"site{len(self.distributions)}"
        self.distributions.append(distribution(place, name, version, requires=requires, **files))

    def needs(self, files: Mapping[str, str], python: str = "3.12.4") -> tuple[str, ...]:
        project = write(self.folder / "project", files)
        return runner_requirements(read_manifest(settings_of(project), project), python)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    found = Host(tmp_path, monkeypatch)
    found.has("pytest", "8.4.1", requires=">=3.9")
    found.has("pytest-cov", "6.0", entry_points=PLUGIN)
    found.has("hypothesis", "6.1", entry_points="[pytest11]\nhypothesispytest = x\n")
    found.has("numpy", "2.0")
    found.has("pytest-arm64", "0.1.0", entry_points=PLUGIN)
    rename_entry_points(tmp_path)
    return found


def rename_entry_points(folder: Path) -> None:
    for path in folder.rglob("entry_points"):
        path.rename(path.with_suffix(".txt"))


def test_without_test_requirements_the_hosts_plugins_come_along(host: Host) -> None:
    assert host.needs({}) == ("hypothesis==6.1", "pytest-cov==6.0", "pytest==8.4.1")


def test_with_test_requirements_only_pytest(host: Host) -> None:
    assert host.needs({"requirements-test.txt": "moto"}) == ("pytest==8.4.1",)


@pytest.mark.parametrize(
    "files",
    [
        {"requirements-test.txt": "pytest>=7\n"},
        {"requirements-test.txt": "-r more.txt", "more.txt": "PyTest[testing] ~= 8.0 # why\n"},
        {"requirements.txt": "pytest", "requirements-test.txt": "moto"},
        {"pyproject.toml": "[dependency-groups]\ntest = ['pytest']"},
        {
            "pyproject.toml": "[project]\nname='x'\ndependencies=['pytest>=7']",
            "requirements-test.txt": "a",
        },
    ],
)
def test_pytest_that_the_project_asks_for_is_left_to_it(host: Host, files: dict[str, str]) -> None:
    assert host.needs(files) == ()


def test_a_constraint_asks_for_nothing_and_decides_the_version(host: Host) -> None:
    """A full ``constraints.txt`` must neither lose pytest nor contradict the host's version."""
    files = {"requirements-test.txt": "-c all.txt\nmoto", "all.txt": "pytest==8.0\nmoto==5"}
    assert host.needs(files) == ("pytest",)


def test_plugins_that_the_project_deploys(host: Host) -> None:
    found = host.needs({"requirements.txt": "pytest_cov==5\nhypothesis"})
    assert found == ("pytest==8.4.1",)


@pytest.mark.parametrize(
    ("requires", "python", "expected"),
    [
        (">=3.10", "3.12.4", "pytest==8.4.1"),
        (">=3.10", "3.9.1", "pytest"),
        ("<3.12", "3.12.4", "pytest"),
        ("", "3.12.4", "pytest==8.4.1"),
        ("nonsense", "3.12.4", "pytest"),
    ],
)
def test_version_that_does_not_fit_inside_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requires: str, python: str, expected: str
) -> None:
    host = Host(tmp_path, monkeypatch)
    host.has("pytest", "8.4.1", requires=requires)
    assert host.needs({}, python) == (expected,)


@pytest.mark.parametrize("version", ["9.3.0.dev1+gabc", "unknown"])
def test_version_that_no_index_has_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    host = Host(tmp_path, monkeypatch)
    host.has("pytest", version)
    assert host.needs({}) == ("pytest",)


def test_a_plugin_whose_metadata_have_no_version_is_free(host: Host, tmp_path: Path) -> None:
    info = tmp_path / "odd" / "odd-1.dist-info"
    write(info, {"entry_points.txt": PLUGIN, "METADATA": "Name: pytest-odd\n"})
    host.distributions.append(PathDistribution(info))
    assert "pytest-odd" in host.needs({})


def test_local_plugins_stay_here(host: Host, tmp_path: Path) -> None:
    host.has("my-plugin", "1.0", entry_points=PLUGIN, direct_url_json='{"url": "file:///x"}')
    rename_entry_points(tmp_path)
    assert not any(entry.startswith("my-plugin") for entry in host.needs({}))


def test_what_this_package_brought_along_is_no_plugin_of_the_project(
    host: Host, tmp_path: Path
) -> None:
    host.has("platformdirs", "4.0", entry_points=PLUGIN)
    rename_entry_points(tmp_path)
    assert host.needs({}) == ("hypothesis==6.1", "pytest-cov==6.0", "pytest==8.4.1")


def test_of_two_with_one_name_the_first_counts(host: Host, tmp_path: Path) -> None:
    host.has("pytest", "7.0")
    host.has("Pytest_Cov", "5.0", entry_points=PLUGIN)
    rename_entry_points(tmp_path)
    assert host.needs({}) == ("hypothesis==6.1", "pytest-cov==6.0", "pytest==8.4.1")


@pytest.mark.parametrize("metadata", [None, "", "Version: 1\n"])
def test_leftovers_of_interrupted_installations(
    host: Host, tmp_path: Path, metadata: str | None
) -> None:
    info = tmp_path / "broken" / "~ytest-1.dist-info"
    write(info, {"entry_points.txt": PLUGIN})
    if metadata is not None:
        write(info, {"METADATA": metadata})
    host.distributions.insert(0, PathDistribution(info))
    assert host.needs({}) == ("hypothesis==6.1", "pytest-cov==6.0", "pytest==8.4.1")
