"""``pdm.lock``: what is deployed, what the tests need, and what the target selects."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.audit.locked import locked_tree
from pytest_arm64.audit.platform import platform_of
from pytest_arm64.errors import SettingsError
from pytest_arm64.inputs.lock import Lock
from pytest_arm64.inputs.service import read_service
from unit.support import AL2023, write

PROJECT = '[project]\nname = "own"\nversion = "1"\ndependencies = ["requests[socks]"]\n'
LOCK = """\
[metadata]
groups = ["default", "dev", "extra"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:x"

[[metadata.targets]]
requires_python = ">=3.12"

[[package]]
name = "requests"
version = "2.32.3"
requires_python = ">=3.8"
summary = "HTTP"
groups = ["default"]
dependencies = ["certifi>=2017.4.17", "win-only; sys_platform == 'win32'"]
files = [
    {file = "requests-2.32.3-py3-none-any.whl", hash = "sha256:ONE"},
]

[[package]]
name = "requests"
version = "2.32.3"
extras = ["socks"]
requires_python = ">=3.8"
groups = ["default"]
dependencies = ["PySocks!=1.5.7,>=1.5.6", "requests==2.32.3"]
files = [
    {file = "requests-2.32.3-py3-none-any.whl", hash = "sha256:ONE"},
]

[[package]]
name = "certifi"
version = "2024.7.4"
groups = ["default"]
files = [
    {url = "https://files.test/certifi-2024.7.4-py3-none-any.whl", hash = "sha256:TWO"},
]

[[package]]
name = "pysocks"
version = "1.7.1"
groups = ["default"]
files = []

[[package]]
name = "win-only"
version = "1.0"
groups = ["default"]
marker = "sys_platform == 'win32'"
files = []

[[package]]
name = "pytest"
version = "8.3.2"
groups = ["dev"]
files = []

[[package]]
name = "more"
version = "1.0"
groups = ["extra"]
files = []

[[package]]
name = "tool"
version = "0.1"
groups = ["default"]
git = "https://git.test/tool.git"
ref = "main"
revision = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

[[package]]
name = "lib"
version = "0.1"
groups = ["default"]
path = "./libs/lib"
editable = true
""".replace("ONE", "1" * 64).replace("TWO", "2" * 64)


def lock(folder: Path, text: str = LOCK, **how: tuple[str, ...]) -> Lock:
    write(folder, {"pyproject.toml": PROJECT, "pdm.lock": text, "libs/lib/pyproject.toml": PROJECT})
    service = read_service(folder, {}, root=folder, **how)  # type: ignore[arg-type]
    assert service.lock is not None
    assert service.manifest == "pdm.lock"
    return service.lock


def names(of: Lock, *, test: bool = False) -> dict[str, str]:
    tree = locked_tree(of, of.test if test else of.deploy, platform_of(AL2023))
    assert not tree.problems
    return {name: str(node.version) for name, node in tree.nodes.items()}


def test_what_is_deployed_is_the_default_group_on_the_target(tmp_path: Path) -> None:
    assert names(lock(tmp_path)) == {
        "requests": "2.32.3",
        "certifi": "2024.7.4",
        "pysocks": "1.7.1",
        "tool": "0.1",
        "lib": "0.1",
    }


def test_the_tests_need_the_first_usual_group_and_a_group_can_be_deployed(tmp_path: Path) -> None:
    assert names(lock(tmp_path), test=True) == {"pytest": "8.3.2"}
    assert "more" in names(lock(tmp_path, extras=("extra",)))
    deployed = lock(tmp_path, groups=("dev",))
    assert "pytest" in names(deployed)
    assert not deployed.test.needs


def test_files_have_names_or_addresses_and_hashes(tmp_path: Path) -> None:
    releases = lock(tmp_path).releases
    (requests,) = releases["requests"]
    assert [(file.name, file.sha256) for file in requests.files] == [
        ("requests-2.32.3-py3-none-any.whl", "1" * 64)
    ]
    assert [need.name for need in requests.needs] == ["certifi", "win-only", "pysocks"]
    (certifi,) = releases["certifi"]
    assert certifi.files[0].url == "https://files.test/certifi-2024.7.4-py3-none-any.whl"


def test_repositories_and_folders_are_what_they_are(tmp_path: Path) -> None:
    locals_ = lock(tmp_path).locals
    assert locals_["tool"].uri == f"git+https://git.test/tool.git@{'a' * 40}"
    assert locals_["lib"].editable
    assert locals_["lib"].uri == (tmp_path / "libs/lib").as_uri()


def test_of_two_versions_the_one_whose_marker_holds_is_selected(tmp_path: Path) -> None:
    entry = '[[package]]\nname = "zed"\nversion = "{}"\ngroups = ["default"]\nmarker = "{}"\n'
    text = LOCK + entry.format("1", "python_version < '3.12'")
    text += entry.format("2", "python_version >= '3.12'")
    assert names(lock(tmp_path, text))["zed"] == "2"


def test_a_lock_for_another_python_says_so(tmp_path: Path) -> None:
    found = lock(tmp_path, LOCK.replace('[[metadata.targets]]\nrequires_python = ">=3.12"', ""))
    assert found.requires_python == ""
    other = lock(tmp_path, LOCK.replace('">=3.12"', '">=3.13"'))
    (problem,) = locked_tree(other, other.deploy, platform_of(AL2023)).problems
    assert "for Python >=3.13" in problem


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (LOCK.replace('groups = ["dev"]\n', ""), "which group each package belongs to"),
        (LOCK.replace("./libs/lib", "../../outside"), "outside"),
        (LOCK.replace("certifi>=2017.4.17", "no requirement"), "not a requirement"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        lock(tmp_path / "project", text)


def test_an_unknown_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no group 'absent'"):
        lock(tmp_path, groups=("absent",))
