"""Locks: read as they are, followed for the target; an index settles only what they do not."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import BLOCKER, PURE, SOURCE, WHEEL, WheelMatrix
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.services import read_services
from pytest_arm64.errors import SettingsError
from pytest_arm64.inputs.configured import configured_service
from pytest_arm64.inputs.service import Service, read_service
from unit.index.served import Project, joined, matrix_of_folder, release, serve
from unit.support import attempt, is_plain_text, write

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
ANY = "py3-none-any"
PROJECTS: dict[str, Project] = {
    "app": release("app", "1.0", ANY, requires=["zed>=1", "only-arm"]),
    "zed": joined(release("zed", "1.0", X86, sdist=True), release("zed", "2.0", X86, ARM)),
    "only-arm": release("only-arm", "1.0", ARM),
    "pytool": release("pytool", "1.0", ANY),
    "setuptools": release("setuptools", "80.0", ANY),
}
PYPROJECT = """
[project]
name = "shop"
version = "1"
dependencies = [
    "app",
    "zed==1.0",
]
[project.optional-dependencies]
more = ["only-arm"]
[dependency-groups]
dev = ["pytool"]
"""


def files(index: Any, name: str, version: str, *kinds: str) -> list[tuple[str, str, str]]:
    """File names of a release with address and hash, as a lock lists them."""
    found = []
    for file, _, _ in index.projects[name].files:
        if file.split("-")[1].removesuffix(".tar.gz") == version and (
            not kinds or any(kind in file for kind in kinds)
        ):
            address = index.url.replace("/simple", f"/files/{name}/{file}")
            found.append((file, address, index.digest(name, file)))
    return found


def uv_package(index: Any, name: str, version: str, *kinds: str, more: str = "") -> str:
    lines = [
        "[[package]]",
        f'name = "{name}"',
        f'version = "{version}"',
        f'source = {{ registry = "{index.url}" }}',
    ]
    listed = files(index, name, version, *kinds)
    lines.append(more)
    for file, url, digest in listed:
        if file.endswith(".tar.gz"):
            lines.append(f'sdist = {{ url = "{url}", hash = "sha256:{digest}", size = 5 }}')
    wheels = [
        f'{{ url = "{url}", hash = "sha256:{digest}", size = 7 }},'
        for file, url, digest in listed
        if file.endswith(".whl")
    ]
    return "\n".join([*lines, "wheels = [", *wheels, "]", ""])


def uv_lock(index: Any, *, pruned: bool = False) -> str:
    app_needs = 'dependencies = [{ name = "only-arm" }, { name = "zed" }]'
    return "\n".join(
        [
            'version = 1\nrequires-python = ">=3.11"\n',
            uv_package(index, "app", "1.0", more=app_needs),
            uv_package(index, "only-arm", "1.0"),
            uv_package(index, "pytool", "1.0"),
            '[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }',
            'dependencies = [{ name = "app" }, { name = "zed" },',
            '  { name = "colorama", marker = "sys_platform == \'win32\'" }]',
            '[package.optional-dependencies]\nmore = [{ name = "only-arm" }]',
            '[package.dev-dependencies]\ndev = [{ name = "pytool" }]',
            '[package.metadata]\nrequires-dist = [{ name = "app" },',
            '  { name = "zed", specifier = "==1.0" }]',
            uv_package(index, "zed", "2.0", "x86") if pruned else uv_package(index, "zed", "1.0"),
        ]
    )


def pylock(index: Any) -> str:
    lines = ['lock-version = "1.0"\ncreated-by = "test"\ndependency-groups = ["dev"]\n']
    markers = {"pytool": "'dev' in dependency_groups", "colorama": "sys_platform == 'win32'"}
    for name, version in (("app", "1.0"), ("only-arm", "1.0"), ("pytool", "1.0"), ("zed", "1.0")):
        lines.append(f'[[packages]]\nname = "{name}"\nversion = "{version}"')
        if name in markers:
            lines.append(f'marker = "{markers[name]}"')
        if name == "app":
            lines.append('dependencies = [{ name = "only-arm" }, { name = "zed" }]')
        wheels = []
        for file, url, digest in files(index, name, version):
            entry = f'{{ url = "{url}", hashes = {{ sha256 = "{digest}" }} }}'
            if file.endswith(".whl"):
                wheels.append(entry)
            else:
                lines.append(f"sdist = {entry}")
        lines.append(f"wheels = [{', '.join(wheels)}]")
    lines.append('[[packages]]\nname = "colorama"\nversion = "1"')
    lines.append('sdist = { url = "https://h/colorama-1.tar.gz", hashes = { sha256 = "aa" } }')
    lines.append(f'marker = "{markers["colorama"]}"')
    return "\n".join(lines)


def poetry_lock(index: Any) -> str:
    lines = []
    for name, version in (("app", "1.0"), ("only-arm", "1.0"), ("pytool", "1.0"), ("zed", "1.0")):
        lines.append(f'[[package]]\nname = "{name}"\nversion = "{version}"\noptional = false')
        lines.append('python-versions = ">=3.8"\nfiles = [')
        for file, _, digest in files(index, name, version):
            lines.append(f'    {{file = "{file}", hash = "sha256:{digest}"}},')
        lines.append("]")
        if name == "app":
            lines.append('[package.dependencies]\nonly-arm = "*"\nzed = ">=1"')
            lines.append('colorama = {version = "^1", markers = "sys_platform == \'win32\'"}')
    lines.append('[metadata]\nlock-version = "2.1"\npython-versions = "^3.11"\n')
    return "\n".join(lines)


LOCKS = {"uv.lock": uv_lock, "pylock.toml": pylock, "poetry.lock": poetry_lock}


def matrix_with(tmp_path: Path, index: Any, name: str, **how: Any) -> WheelMatrix:
    content = {"pyproject.toml": PYPROJECT, name: LOCKS[name](index)}
    return matrix_of_folder(tmp_path, content, index.url, **how)


@pytest.mark.parametrize("name", LOCKS)
def test_every_kind_of_lock_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    with serve(PROJECTS) as index:
        matrix = matrix_with(tmp_path, index, name)
    assert {row.name: (row.version, row.state) for row in matrix.deployed} == {
        "app": ("1.0", PURE),
        "only-arm": ("1.0", WHEEL),
        "zed": ("1.0", SOURCE),
    }
    assert [(row.name, row.state) for row in matrix.of_scope("test")] == [("pytool", PURE)]
    assert [row.name for row in matrix.of_scope("build")] == ["setuptools"]
    assert matrix.complete, matrix.problems
    zed = matrix["zed"]
    assert (zed.cause, zed.x86) == ("pin-predates-wheel", WHEEL)
    assert zed.remedy is not None
    assert zed.remedy.version == "2.0"
    assert zed.remedy.file == f"zed-2.0-{ARM}.whl"
    assert zed.hashes[0].startswith("sha256:")


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock"])
def test_the_way_to_a_locked_package_begins_in_the_manifest(tmp_path: Path, name: str) -> None:
    with serve(PROJECTS) as index:
        matrix = matrix_with(tmp_path, index, name)
    assert matrix["only-arm"].path == ("pyproject.toml:6", "app 1.0", "only-arm 1.0")
    zed = matrix["zed"].remedy
    assert zed is not None
    assert zed.held_by == ("zed==1.0 (pyproject.toml:7)",)


def test_a_green_lock_asks_for_parts_of_its_wheels_once_and_for_no_page(tmp_path: Path) -> None:
    with serve(PROJECTS) as index:
        lock = re.sub(r', \{ name = "zed" \}|\{ name = "zed" \},\n', "", uv_lock(index))
        content = {"pyproject.toml": PYPROJECT, "uv.lock": lock}
        matrix = matrix_of_folder(tmp_path, content, index.url)
        assert matrix.ready
        wheels = {row.file for row in matrix.packages if row.file.endswith(".whl")}
        assert {path.rpartition("/")[2] for path in index.asked()} == wheels
        count = len(index.requests)
        assert matrix_of_folder(tmp_path, content, index.url).ready
        assert len(index.requests) == count


@pytest.mark.parametrize("name", LOCKS)
def test_extras_and_groups_are_deployed_where_they_are_asked_for(tmp_path: Path, name: str) -> None:
    with serve(PROJECTS) as index:
        matrix = matrix_with(tmp_path, index, name, groups=("dev",))
    assert "pytool" in {row.name for row in matrix.deployed}
    assert not matrix.of_scope("test")
    for wrong in ({"extras": ("none",)}, {"groups": ("none",)}):
        with pytest.raises(SettingsError) as caught:
            read_service(tmp_path, {}, root=tmp_path, **wrong)  # type: ignore[arg-type]
        assert is_plain_text(caught.value)


def test_a_lock_that_was_pruned_to_x86_is_named(tmp_path: Path) -> None:
    with serve(PROJECTS) as index:
        content = {"pyproject.toml": PYPROJECT, "uv.lock": uv_lock(index, pruned=True)}
        matrix = matrix_of_folder(tmp_path, content, index.url)
    zed = matrix["zed"]
    assert (zed.state, zed.cause) == (BLOCKER, "lock-for-x86")
    assert f"zed-2.0-{ARM}.whl" in zed.detail
    assert zed.remedy is not None
    assert "lock again for all platforms" in zed.remedy.text
    assert any("made for another platform" in note for note in matrix.notes)


def test_a_lock_for_another_python_is_a_problem(tmp_path: Path) -> None:
    with serve(PROJECTS) as index:
        lock = uv_lock(index).replace(">=3.11", ">=3.13")
        content = {"pyproject.toml": PYPROJECT, "uv.lock": lock}
        matrix = matrix_of_folder(tmp_path, content, index.url)
    (problem,) = matrix.problems
    assert problem.startswith("uv.lock is for Python >=3.13, the target has 3.12; ")
    assert "al2023-python3.13" in problem
    assert matrix.exit_code == 3


def test_a_release_that_is_not_in_the_lock_is_unknown(tmp_path: Path) -> None:
    with serve(PROJECTS) as index:
        lock = uv_lock(index).replace('{ name = "only-arm" }, ', '{ name = "gone" }, ')
        content = {"pyproject.toml": PYPROJECT, "uv.lock": lock}
        matrix = matrix_of_folder(tmp_path, content, index.url)
    assert matrix["gone"].state == "unknown"
    assert "uv.lock has no release of it" in matrix["gone"].detail


def test_forks_are_chosen_by_the_target(tmp_path: Path) -> None:
    lock = """
version = 1
[[package]]
name = "root"
version = "0"
source = { editable = "." }
dependencies = [
  { name = "zed", version = "1.0", marker = "python_full_version < '3.13'" },
  { name = "zed", version = "2.0", marker = "python_full_version >= '3.13'" },
]
[[package]]
name = "zed"
version = "1.0"
source = { registry = "https://host.invalid/simple" }
wheels = [{ url = "https://host.invalid/zed-1.0-py3-none-any.whl" }]
[[package]]
name = "zed"
version = "2.0"
source = { registry = "https://host.invalid/simple" }
wheels = [{ url = "https://host.invalid/zed-2.0-py3-none-any.whl" }]
"""
    for target, version in (("al2023-python3.12", "1.0"), ("al2023-python3.13", "2.0")):
        matrix = matrix_of_folder(tmp_path, {"uv.lock": lock}, "http://127.0.0.1:9", target=target)
        assert [(row.name, row.version) for row in matrix.deployed] == [("zed", version)]
        assert matrix.ready


WORKSPACE = {
    "pyproject.toml": '[tool.uv.workspace]\nmembers = ["libs/*", "apps/*"]\n',
    "apps/api/pyproject.toml": (
        '[project]\nname = "api"\nversion = "1"\ndependencies = ["core", "app"]\n'
        "[tool.uv.sources]\ncore = { workspace = true }\n"
    ),
    "libs/core/pyproject.toml": (
        '[project]\nname = "core"\nversion = "2"\ndependencies = ["side"]\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[tool.uv.sources]\nside = { path = "../../side", editable = true }\n'
    ),
    "side/pyproject.toml": (
        '[project]\nname = "side"\nversion = "3"\ndependencies = ["only-arm"]\n'
        '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n'
    ),
}


def test_a_workspace_without_a_lock_is_followed_by_its_sources(tmp_path: Path) -> None:
    with serve(PROJECTS) as index:
        projects = {**PROJECTS, "app": release("app", "1.0", ANY)}
        index.projects = projects
        matrix = matrix_of_folder(tmp_path, WORKSPACE, index.url, path="apps/api")
    assert {row.name: (row.state, row.editable) for row in matrix.deployed} == {
        "app": (PURE, False),
        "core": (PURE, True),
        "only-arm": (WHEEL, False),
        "side": (SOURCE, True),
    }
    assert matrix["only-arm"].path[1:] == ("core", "side", "only-arm 1.0")
    assert matrix.complete


def test_every_lock_names_a_commit_of_a_repository_alike(tmp_path: Path) -> None:
    place = "https://host.invalid/rack.git"
    locks = {
        "uv.lock": f"""version = 1
[[package]]
name = "shop"
version = "1"
source = {{ virtual = "." }}
[[package]]
name = "rack"
version = "2"
source = {{ git = "{place}?subdirectory=a%2Fb&tag=v2#abc123" }}
""",
        "pylock.toml": f"""lock-version = "1.0"
created-by = "test"
[[packages]]
name = "rack"
version = "2"
vcs = {{ type = "git", url = "{place}", commit-id = "abc123", subdirectory = "a/b" }}
""",
        "poetry.lock": f"""[[package]]
name = "rack"
version = "2"
files = []
[package.source]
type = "git"
url = "{place}"
reference = "v2"
resolved_reference = "abc123"
subdirectory = "a/b"
[metadata]
lock-version = "2.1"
python-versions = ">=3.10"
content-hash = "0"
""",
    }
    for name, text in locks.items():
        folder = tmp_path / name.partition(".")[0]
        write(folder, {name: text, "pyproject.toml": PYPROJECT})
        lock = read_service(folder / name, {}).lock
        assert lock is not None
        assert lock.locals["rack"].uri == f"git+{place}@abc123#subdirectory=a/b"


def test_a_source_of_uv_and_of_poetry_names_its_revision(tmp_path: Path) -> None:
    uv = """[project]
name = "shop"
dependencies = ["rack[fast]", "shelf"]
[tool.uv.sources]
rack = { git = "https://host.invalid/rack", tag = "v2", subdirectory = "a" }
shelf = { git = "https://host.invalid/shelf" }
"""
    poetry = """[tool.poetry]
name = "shop"
[tool.poetry.dependencies]
rack = { git = "https://host.invalid/rack", tag = "v2", subdirectory = "a", extras = ["fast"] }
shelf = { git = "https://host.invalid/shelf" }
"""
    for name, text in (("uv", uv), ("poetry", poetry)):
        write(tmp_path / name, {"pyproject.toml": text})
        wishes = read_service(tmp_path / name, {}).deploy
        assert [wish.url for _, wish in wishes.requirements] == [
            "git+https://host.invalid/rack@v2#subdirectory=a",
            "git+https://host.invalid/shelf",
        ]


def test_a_member_of_a_locked_workspace_has_its_own_tree(tmp_path: Path) -> None:
    with serve(PROJECTS) as index:
        lock = "\n".join(
            [
                'version = 1\n[manifest]\nmembers = ["api", "core"]\n',
                '[[package]]\nname = "api"\nversion = "1"\nsource = { editable = "apps/api" }',
                'dependencies = [{ name = "core" }]\n',
                '[[package]]\nname = "core"\nversion = "2"\nsource = { editable = "libs/core" }',
                'dependencies = [{ name = "only-arm" }]\n',
                '[[package]]\nname = "tool"\nversion = "1"',
                'source = { git = "https://host.invalid/tool?rev=a#b" }\n',
                uv_package(index, "only-arm", "1.0"),
            ]
        )
        content = {**WORKSPACE, "uv.lock": lock}
        api = matrix_of_folder(tmp_path, content, index.url, path="apps/api")
        core = matrix_of_folder(tmp_path, content, index.url, path="libs/core")
        whole = matrix_of_folder(tmp_path, content, index.url)
    assert [row.name for row in api.deployed] == ["only-arm", "core"]
    assert [row.name for row in core.deployed] == ["only-arm"]
    assert [row.name for row in whole.deployed] == ["only-arm", "core"]
    assert api["core"].path[0] == "apps/api/pyproject.toml:4"


LOCK_OF_WORKSPACE = """
version = 1
[[package]]
name = "member"
version = "1"
source = { editable = "member" }
dependencies = [{ name = "app" }]
[[package]]
name = "app"
version = "1.0"
source = { registry = "https://index.test/simple" }
"""


@pytest.mark.parametrize(
    ("files", "lock"),
    [
        ({}, "uv.lock"),
        ({"member/requirements.txt": "app\n"}, ""),
        ({"member/uv.lock": LOCK_OF_WORKSPACE}, ""),
    ],
)
def test_a_configured_member_has_the_lock_of_its_workspace(
    tmp_path: Path, files: dict[str, str], lock: str
) -> None:
    root = '[tool.uv.workspace]\nmembers = ["member"]\n'
    root += '[tool.pytest-arm64.service.member]\nrequirements = "member/pyproject.toml"\n'
    member = '[project]\nname = "member"\nversion = "1"\ndependencies = ["app"]\n'
    written = {
        "pyproject.toml": root,
        "uv.lock": LOCK_OF_WORKSPACE,
        "member/pyproject.toml": member,
    }
    write(tmp_path, {**written, **files})
    project = read_project_files(tmp_path)
    (configured,) = read_services(project)
    service = configured_service(configured, project, {})
    assert (service.lock.shown if service.lock is not None else "") == lock
    assert service.name == "member"


def test_requirements_go_before_a_lock_and_that_is_told(tmp_path: Path) -> None:
    with serve(PROJECTS) as index:
        content = {"requirements.txt": "only-arm\n", "uv.lock": uv_lock(index)}
        matrix = matrix_of_folder(tmp_path, content, index.url)
    assert [row.name for row in matrix.deployed] == ["only-arm"]
    assert matrix.notes == ("requirements.txt was read, uv.lock was not",)


def test_poetry_writes_constraints_of_its_own(tmp_path: Path) -> None:
    text = """
[tool.poetry.dependencies]
python = "^3.11"
one = "^1.2.3"
two = { version = "~2.1", extras = ["fast"], python = ">=3.9" }
three = "0.4"
four = "*"
five = [{ version = "^0.0.3", platform = "linux" }, { version = "1", platform = "darwin" }]
six = { git = "https://host.invalid/six.git" }
seven = { version = "1", optional = true }
eight = "^1 || ^2"
"""
    write(tmp_path, {"pyproject.toml": text})
    wishes = read_service(tmp_path, {}).deploy
    # Before packaging 26 there was no space before the "@".
    assert [str(requirement).replace(" @ ", "@ ") for requirement, _ in wishes.requirements] == [
        "one<2,>=1.2.3",
        'two[fast]<2.2,>=2.1; python_version >= "3.9"',
        "three==0.4",
        "four",
        'five<0.0.4,>=0.0.3; sys_platform == "linux"',
        'five==1; sys_platform == "darwin"',
        "six@ git+https://host.invalid/six.git",
        "eight",
    ]


def test_groups_and_extras_of_a_project(tmp_path: Path) -> None:
    text = """
[project]
name = "shop"
dependencies = ["one"]
[project.optional-dependencies]
all = ["shop[fast]", "two"]
fast = ["three"]
[dependency-groups]
serve = ["four", { include-group = "More_Things" }]
more-things = ["five"]
"""
    write(tmp_path, {"pyproject.toml": text})
    service = read_service(tmp_path, {}, extras=("all",), groups=("serve",))
    assert [wish.name for _, wish in service.deploy.requirements] == [
        "one",
        "three",
        "two",
        "four",
        "five",
    ]
    assert [wish.origin for _, wish in service.deploy.requirements][:2] == [
        "pyproject.toml:4",
        "pyproject.toml:7",
    ]


def test_a_lock_of_three_thousand_entries_is_no_burden(tmp_path: Path) -> None:
    names = ", ".join(f'{{ name = "p{i}" }}' for i in range(3000))
    entries = [
        'version = 1\n[[package]]\nname = "root"\nversion = "0"\nsource = { virtual = "." }',
        f"dependencies = [{names}]",
    ]
    for i in range(3000):
        entries.append(f'[[package]]\nname = "p{i}"\nversion = "1.{i}"')
        entries.append('source = { registry = "https://host.invalid/simple" }')
        entries.append(f'dependencies = [{{ name = "p{(i + 1) % 3000}" }}]')
        url = f"https://host.invalid/p{i}-1.{i}-cp312-cp312-manylinux_2_28_aarch64.whl"
        entries.append(f'wheels = [{{ url = "{url}", hash = "sha256:{i:064x}", size = 9 }}]')
    matrix = matrix_of_folder(tmp_path, {"uv.lock": "\n".join(entries)}, "http://127.0.0.1:9")
    assert len(matrix.deployed) == 3000
    assert matrix.ready


SCRAP: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "version", "source", "dependencies", "marker", "wheels", "url", "files"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return '""' if value is None else json.dumps(value)


@given(
    st.sampled_from(sorted(LOCKS)),
    st.lists(SCRAP, max_size=3),
    st.dictionaries(st.sampled_from(["version", "lock-version", "requires-python"]), SCRAP),
)
@example("uv.lock", [{"name": "a", "source": {"virtual": "."}, "dependencies": 3}], {"version": 1})
@example("uv.lock", [{"name": "a", "source": {"editable": "\0"}}], {"version": 1})
def test_any_lock_is_read_or_refused(name: str, packages: list[Any], head: dict[str, Any]) -> None:
    lines = [f"{key} = {toml(value)}" for key, value in head.items()]
    lines.append(f"{'packages' if name == 'pylock.toml' else 'package'} = {toml(packages)}")
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), {name: "\n".join(lines), "pyproject.toml": "[project]\n"})
        found = attempt(SettingsError, lambda: read_service(Path(folder), {}))
    assert isinstance(found, Service) or is_plain_text(found)


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[[package]", b"version = 7\n"])
def test_what_is_no_lock_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    write(tmp_path, {name: content})
    with pytest.raises(SettingsError) as caught:
        read_service(tmp_path / name, {})
    assert is_plain_text(caught.value)
