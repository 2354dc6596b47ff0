"""Files of a repository lead to places in the repository only; the user's own lead anywhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pytest_arm64.errors import SettingsError
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.inputs.service import read_service
from unit.support import project_of, settings_of, write

pytestmark = pytest.mark.usefixtures("index_alone")

SECRET = "root-entry-of-the-host"
PROJECT = '[project]\nname = "app"\nversion = "1"\ndependencies = ["lib"]\n'
LIB = '[project]\nname = "lib"\nversion = "1"\n[build-system]\nbuild-backend = "hatchling.build"\n'


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host with secrets beside a repository, ``repo``."""
    files = {
        "secret.txt": SECRET,
        "keys/id": SECRET,
        "lib/pyproject.toml": LIB,
        "repo/.git/HEAD": "",
    }
    return write(tmp_path, files)


LINES = [
    "-r {host}/secret.txt",
    "-r ../secret.txt",
    "-c ../secret.txt",
    "-r file://{host}/secret.txt",
    "-r ${{WHERE}}/secret.txt",
    "-r inside/../../secret.txt",
    "-r link.txt",
    "--find-links {host}/keys",
    "--find-links=../keys",
    "-f folder-link",
    "--extra-index-url file://{host}/keys",
    "-i file://{host}/keys",
    "-e ../lib",
    "../lib",
    "lib @ file://{host}/lib",
    "file://{host}/lib#egg=lib",
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("reader", ["environment", "audit"])
def test_a_line_that_leads_outside_is_refused_unread(host: Path, line: str, reader: str) -> None:
    repo = host / "repo"
    (repo / "link.txt").symlink_to(host / "secret.txt")
    (repo / "folder-link").symlink_to(host / "keys")
    write(repo, {"requirements.txt": f"six\n{line.format(host=host)}\n"})
    environ = {"WHERE": str(host)}
    readers: dict[str, Callable[..., object]] = {
        "environment": partial(read_manifest, settings_of(repo)),
        "audit": read_service,
    }
    with pytest.raises(SettingsError, match=r"txt:2.*outside the repository") as caught:
        readers[reader](repo, environ=environ)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("line", LINES)
def test_what_an_included_file_names_is_refused_as_well(host: Path, line: str) -> None:
    repo = host / "repo"
    (repo / "link.txt").symlink_to(host / "secret.txt")
    (repo / "folder-link").symlink_to(host / "keys")
    write(repo, {"requirements.txt": "-r more.txt\n", "more.txt": line.format(host=host)})
    with pytest.raises(SettingsError, match=r"more\.txt:1.*outside the repository"):
        read_manifest(settings_of(repo), repo, environ={"WHERE": str(host)})


def test_a_requirement_file_that_is_a_link_to_outside_is_refused(host: Path) -> None:
    (host / "repo/requirements.txt").symlink_to(host / "secret.txt")
    with pytest.raises(SettingsError, match="outside the repository") as caught:
        read_manifest(settings_of(host / "repo"), host / "repo")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("key", ["requirements", "test-requirements"])
@pytest.mark.parametrize("place", ["../secret.txt", "{host}/secret.txt"])
def test_a_setting_of_the_repository_that_leads_outside_is_refused(
    host: Path, key: str, place: str
) -> None:
    text = f'[tool.pytest-arm64]\n{key} = ["{place.format(host=host)}"]\n'
    write(host / "repo", {"pyproject.toml": text, "requirements.txt": "six\n"})
    with pytest.raises(SettingsError, match="outside the repository"):
        project_of(host / "repo")


@pytest.mark.parametrize(
    "text",
    [
        '[tool.uv.sources]\nlib = { path = "../lib" }\n',
        '[tool.uv.sources]\nlib = { path = "../lib", editable = true }\n',
        '[tool.uv]\nfind-links = ["../keys"]\n',
        '[[tool.uv.index]]\nurl = "../keys"\n',
        '[[tool.uv.index]]\nurl = "../keys"\nformat = "flat"\n',
        '[tool.poetry.dependencies]\nlib = {path = "../lib"}\n',
    ],
)
def test_a_source_in_pyproject_that_leads_outside_is_refused(host: Path, text: str) -> None:
    write(host / "repo", {"pyproject.toml": PROJECT + text})
    with pytest.raises(SettingsError, match="outside the repository"):
        read_service(host / "repo", {})


def test_an_address_of_a_file_outside_in_pyproject_is_refused(host: Path) -> None:
    text = PROJECT.replace('"lib"', f'"lib @ file://{host}/lib"')
    write(host / "repo", {"pyproject.toml": text})
    with pytest.raises(SettingsError, match="outside the repository"):
        read_service(host / "repo", {})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "pylock.toml",
            'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "lib"\n'
            'directory = { path = "../lib" }\n',
        ),
        (
            "uv.lock",
            'version = 1\n[[package]]\nname = "app"\nversion = "1"\nsource = { virtual = "." }\n'
            'dependencies = [{ name = "lib" }]\n[[package]]\nname = "lib"\nversion = "1"\n'
            'source = { directory = "../lib" }\n',
        ),
        (
            "poetry.lock",
            '[[package]]\nname = "lib"\nversion = "1"\nfiles = []\n'
            '[package.source]\ntype = "directory"\nurl = "../lib"\n'
            '[metadata]\nlock-version = "2.1"\n',
        ),
    ],
)
def test_a_lock_that_leads_outside_is_refused(host: Path, name: str, text: str) -> None:
    write(host / "repo", {"pyproject.toml": PROJECT, name: text})
    with pytest.raises(SettingsError, match="outside the repository"):
        read_service(host / "repo", {})


def test_places_in_the_repository_are_read(host: Path) -> None:
    files = {"app/requirements.txt": "-e ../lib\n-r ../base.txt\n-f ../wheels\n", "base.txt": "six"}
    write(host / "repo", {**files, "lib/pyproject.toml": LIB, "wheels/x": ""})
    app = host / "repo/app"
    manifest = read_manifest(settings_of(app), app)
    assert manifest.local == (host / "repo/lib",)
    assert manifest.links == (host / "repo/wheels",)


def test_a_file_of_the_user_outside_any_repository_may_name_any_place(host: Path) -> None:
    own = write(host / "own", {"mine.txt": "-e ../lib\n-f ../keys\n"}) / "mine.txt"
    repo = host / "repo"
    manifest = read_manifest(settings_of(repo, requirements=(own,)), repo)
    assert manifest.local == (host / "lib",)
    assert manifest.links == (host / "keys",)


def test_a_link_that_leads_back_into_the_repository_is_read(host: Path) -> None:
    repo = write(host / "repo", {"deep/base.txt": "six"})
    (repo / "requirements.txt").symlink_to(repo / "deep/base.txt")
    assert read_service(repo, {}).deploy.requirements
