"""``Pipfile.lock``, read as a requirement file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.environment.deciding_lock import lock_of
from pytest_arm64.errors import SettingsError
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.inputs.pipfile_lock import as_requirement_file
from pytest_arm64.inputs.service import Service, read_service
from unit.support import JSON, settings_of, write

ONE, TWO = "1" * 64, "2" * 64
LOCK = {
    "_meta": {
        "hash": {"sha256": "x"},
        "pipfile-spec": 6,
        "requires": {"python_version": "3.12"},
        "sources": [
            {"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": True},
            {"name": "own", "url": "https://own.test/simple", "verify_ssl": True},
        ],
    },
    "default": {
        "certifi": {
            "hashes": [f"sha256:{ONE}", f"sha256:{TWO}"],
            "index": "pypi",
            "markers": "python_version >= '3.6'",
            "version": "==2024.7.4",
        },
        "requests": {
            "extras": ["socks"],
            "hashes": [f"sha256:{TWO}"],
            "index": "pypi",
            "version": "==2.32.3",
        },
    },
    "develop": {
        "certifi": {"hashes": [f"sha256:{ONE}"], "version": "==2024.7.4"},
        "pytest": {"hashes": [f"sha256:{ONE}"], "version": "==8.3.2"},
    },
}


def text(lock: object) -> str:
    return json.dumps(lock, indent=4)


def read(folder: Path, lock: object, **files: str) -> Service:
    write(folder, {"Pipfile.lock": text(lock), "Pipfile": "[packages]\n", **files})
    return read_service(folder, {}, root=folder)


def test_what_it_deploys_is_pinned_with_its_hashes_at_its_line(tmp_path: Path) -> None:
    service = read(tmp_path, LOCK)
    deploy = service.deploy
    assert [str(requirement) for requirement, _ in deploy.requirements] == [
        'certifi==2024.7.4; python_version >= "3.6"',
        "requests[socks]==2.32.3",
    ]
    certifi, requests = (wish for _, wish in deploy.requirements)
    assert certifi.hashes == {ONE, TWO}
    lines = text(LOCK).splitlines()
    for wish, name in ((certifi, "certifi"), (requests, "requests")):
        file, _, number = wish.origin.rpartition(":")
        assert file == "Pipfile.lock"
        assert lines[int(number) - 1].strip() == f'"{name}": {{'
    assert deploy.index == "https://pypi.org/simple"
    assert deploy.extra_indexes == ("https://own.test/simple",)
    assert service.manifest == "Pipfile.lock"
    assert service.lock is None
    assert not deploy.gaps


def test_what_is_for_development_is_what_the_tests_need(tmp_path: Path) -> None:
    service = read(tmp_path, LOCK)
    assert service.test is not None
    assert [str(r) for r, _ in service.test.requirements] == ["certifi==2024.7.4", "pytest==8.3.2"]


@pytest.mark.parametrize(
    ("markers", "shown"),
    [
        ("'dev' in dependency_groups", ""),
        ("('dev' in dependency_groups)", ""),
        (
            "('dev' in dependency_groups) and (python_version >= '3.9')",
            '; os_name != "" and python_version >= "3.9"',
        ),
        ("'docs' in dependency_groups", '; os_name == ""'),
        ("'dev' not in dependency_groups", '; os_name == ""'),
    ],
)
def test_the_group_in_a_marker_is_that_of_its_section(
    tmp_path: Path, markers: str, shown: str
) -> None:
    develop = {"pytest": {"version": "==8.3.2", "markers": markers}}
    service = read(tmp_path, {**LOCK, "develop": develop})
    assert service.test is not None
    assert [str(r) for r, _ in service.test.requirements] == [f"pytest==8.3.2{shown}"]


def test_an_environment_is_made_of_the_same(tmp_path: Path) -> None:
    read(tmp_path, LOCK)
    manifest = read_manifest(settings_of(tmp_path), tmp_path)
    assert manifest.deploy.files == (tmp_path / "Pipfile.lock",)
    assert manifest.test.requirements == ("certifi==2024.7.4", "pytest==8.3.2")
    assert manifest.requested(manifest.deploy) == {"certifi", "requests"}
    (document,) = manifest.documents.values()
    assert f"--hash=sha256:{TWO}" in document.decode()
    assert lock_of(manifest) is None


def test_repositories_and_folders_are_named_and_then_nothing_has_hashes(tmp_path: Path) -> None:
    default = {
        **LOCK["default"],  # type: ignore[dict-item]
        "tool": {"git": "https://git.test/tool.git", "ref": "a" * 40, "markers": "os_name == 'nt'"},
        "lib": {"path": "./libs/lib", "editable": True},
    }
    lib = '[project]\nname = "lib"\nversion = "1"\ndependencies = []\n'
    service = read(tmp_path, {**LOCK, "default": default}, **{"libs/lib/pyproject.toml": lib})
    texts = [str(requirement) for requirement, _ in service.deploy.requirements]
    assert f"tool@ git+https://git.test/tool.git@{'a' * 40}" in texts[2].replace(" @", "@")
    assert [local.name for local in service.deploy.locals] == ["lib"]
    assert not any(wish.hashes for _, wish in service.deploy.requirements)


@pytest.mark.parametrize("other", ["requirements.txt", "uv.lock", "poetry.lock"])
def test_another_file_comes_first_and_the_lock_is_mentioned(tmp_path: Path, other: str) -> None:
    contents = {
        "requirements.txt": "six\n",
        "uv.lock": 'version = 1\n[[package]]\nname = "own"\nsource = { virtual = "." }\n',
        "poetry.lock": "[metadata]\n",
    }
    project = '[project]\nname = "own"\nversion = "1"\ndependencies = []\n'
    files = {other: contents[other], "pyproject.toml": project}
    service = read(tmp_path, LOCK, **files)
    assert service.manifest == other
    assert [note for note in service.notes if note.startswith("Pipfile.lock was not read")]


@pytest.mark.parametrize(
    "lock",
    [
        {},
        [],
        {"_meta": {}, "default": {"a": "==1"}},
        {"_meta": {}, "default": {"a": {"version": "one"}}},
        {"_meta": {}, "default": {"a": {"version": "==1\n--index-url https://evil.test"}}},
        {"_meta": {}, "default": {"a": {"version": "==1", "markers": "nonsense"}}},
        {"_meta": {}, "default": {"a": {"version": "==1", "hashes": ["sha256:1 -r x"]}}},
        {"_meta": {}, "default": {"a\n-r x": {"version": "==1"}}},
        {"_meta": {}, "default": {"a": {"path": "x\n-r /etc/shadow"}}},
        {"_meta": {"sources": [{"url": "https://a.test --trusted-host b"}]}},
        {"_meta": {"sources": [{"url": "https://a.test/\ud800"}]}},
        {"_meta": {}, "default": {"zed": {"markers": "extra == '\ud800'"}}},
        {"_meta": {}, "default": {"zed": {"git": "https://a.test/\udfff"}}},
    ],
)
def test_what_is_no_lock_is_refused(tmp_path: Path, lock: object) -> None:
    write(tmp_path, {"Pipfile.lock": text(lock)})
    with pytest.raises(SettingsError, match=r"Pipfile\.lock"):
        read_service(tmp_path / "Pipfile.lock", {})


ENTRY = st.fixed_dictionaries(
    {}, optional={"version": JSON, "markers": JSON, "hashes": JSON, "git": JSON, "path": JSON}
)


@given(st.dictionaries(st.text(max_size=8), ENTRY | JSON, max_size=4), JSON)
def test_no_content_adds_a_line_of_its_own(default: dict[str, object], sources: object) -> None:
    lock = {"_meta": {"sources": sources}, "default": default}
    try:
        made = as_requirement_file(json.dumps(lock).encode(), Path("Pipfile.lock"))
    except SettingsError:
        return
    lines = [line for line in made.decode().splitlines() if line]
    assert len(lines) <= len(default) + (len(sources) if isinstance(sources, list) else 0)
