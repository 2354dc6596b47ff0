"""A service's files, as what it asks for."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_arm64.errors import SettingsError
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.inputs.requirements import RequirementSet
from pytest_arm64.inputs.service import read_service
from unit.support import attempt, is_plain_text, settings_of, write

pytestmark = pytest.mark.usefixtures("index_alone")


def read_wishes(path: Path, environ: Mapping[str, str] = MappingProxyType({})) -> RequirementSet:
    return read_service(path, environ).deploy


def texts(wishes: RequirementSet) -> list[str]:
    return [str(requirement) for requirement, _ in wishes.requirements]


def origins(wishes: RequirementSet) -> list[str]:
    return [wish.origin for _, wish in wishes.requirements]


def test_files_lead_to_files(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "requirements.txt": "-r more/base.txt  # all\n--constraint=limits.txt\n\none[x]>=1\n",
            "more/base.txt": "-c ../limits.txt\n-r ../requirements.txt\ntwo==2;os_name>'3'\n",
            "limits.txt": "three<3\n",
        },
    )
    wishes = read_wishes(tmp_path / "requirements.txt")
    assert texts(wishes) == ['two==2; os_name > "3"', "one[x]>=1"]
    assert origins(wishes) == ["more/base.txt:3", "requirements.txt:4"]
    assert [wish.origin for _, wish in wishes.constraints] == ["limits.txt:1"]
    assert not wishes.gaps


def test_hashes_and_options_of_a_requirement(tmp_path: Path) -> None:
    lock = "one==1 \\\n    --hash=sha256:" + "A" * 64 + " \\\n    --hash=sha256:" + "b" * 64 + "\n"
    write(tmp_path, {"r.txt": "--require-hashes\n" + lock + "two --config-settings=a=b\n"})
    wishes = read_wishes(tmp_path / "r.txt")
    assert texts(wishes) == ["one==1", "two"]
    assert wishes.requirements[0][1].hashes == {"a" * 64, "b" * 64}
    assert origins(wishes) == ["r.txt:2", "r.txt:5"]


def test_options_that_decide_where_packages_come_from(tmp_path: Path) -> None:
    text = (
        "-i ${HOST}/simple\n--extra-index-url=http://b/simple\n-f wheels\n--no-index\n--pre\none\n"
    )
    write(tmp_path, {"r.txt": text})
    wishes = read_wishes(tmp_path / "r.txt", {"HOST": "http://a"})
    assert wishes.index == "http://a/simple"
    assert wishes.extra_indexes == ("http://b/simple",)
    assert wishes.links == (str(tmp_path / "wheels"),)
    assert wishes.no_index
    assert wishes.prereleases


@given(
    st.lists(
        st.binary(max_size=60)
        | st.sampled_from(
            ["-r .", "-e .", "./", "a @ ", "-f", "-c", "[x]", "a @ //[", "-e //[::"]
        ).map(str.encode),
        max_size=4,
    ).map(b"\n".join)
)
@example(b"-r r.txt\n-c r.txt")
@example(b"a" * 5000)
@example(b"https://[::1\n")
@example(b"git+ssh://h:port/x\n")
def test_any_file_is_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {"r.txt": content})
        found = attempt(SettingsError, lambda: read_wishes(Path(name) / "r.txt", {}))
    assert isinstance(found, RequirementSet) or is_plain_text(found)


def test_what_is_not_understood_is_a_gap_and_not_silence(tmp_path: Path) -> None:
    write(tmp_path, {"r.txt": "--all-releases one\n-r http://host.invalid/r.txt\none\n"})
    wishes = read_wishes(tmp_path / "r.txt")
    assert len(wishes.gaps) == 2
    assert wishes.gaps[0].startswith("r.txt:1:")


@pytest.mark.parametrize(
    "line",
    [
        *("one two", "???", "one==", "one @", "--install-somehow :all:", "--hash=md5:1", "-r"),
        *("one --hash=x", "--no"),
    ],
)
def test_a_line_that_is_nothing_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    write(tmp_path, {"r.txt": f"ok\n{line}\n"})
    with pytest.raises(SettingsError, match=r"r\.txt:2") as caught:
        read_wishes(tmp_path / "r.txt")
    assert is_plain_text(caught.value)


@pytest.mark.parametrize(
    ("line", "name", "url"),
    [
        ("git+https://h.invalid/a/proj.git", "proj", "git+https://h.invalid/a/proj.git"),
        ("git+https://h.invalid/a/b.git@v1#egg=proj", "proj", "#egg=proj"),
        ("https://h.invalid/proj-1.0.tar.gz", "proj", "https://h.invalid/proj-1.0.tar.gz"),
        ("./proj-1.0-py3-none-any.whl", "proj", "file://"),
        ("proj @ https://h.invalid/x.zip", "proj", "https://h.invalid/x.zip"),
        ("-e ./legacy", "legacy", "file://"),
        ("https://h.invalid/", "h-invalid", "https://"),
    ],
)
def test_direct_references_keep_a_name(tmp_path: Path, line: str, name: str, url: str) -> None:
    write(tmp_path, {"r.txt": line + "\n", "legacy/setup.py": ""})
    ((requirement, wish),) = read_wishes(tmp_path / "r.txt").requirements
    assert wish.name == name
    assert url in (requirement.url or "")


def test_local_projects_are_read_and_not_run(tmp_path: Path) -> None:
    manifest = """
        [project]
        name = "My.Lib"
        version = "3"
        dependencies = ["one"]
        optional-dependencies.Fast_Mode = ["two"]
        [build-system]
        build-backend = "hatchling.build"
        """
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            "app/requirements.txt": "-e ../lib[fast-mode]\n",
            "lib/pyproject.toml": manifest,
        },
    )
    wishes = read_wishes(tmp_path / "app")
    (local,) = wishes.locals
    assert (local.name, local.version, local.requires) == ("my-lib", "3", ("one",))
    assert local.extras == (("fast-mode", ("two",)),)
    assert not local.native
    assert texts(wishes) == ["my-lib[fast-mode]"]


@pytest.mark.parametrize(
    ("backend", "extra", "native"),
    [
        ("maturin", {}, True),
        ("mesonpy", {}, True),
        ("setuptools.build_meta", {}, False),
        ("setuptools.build_meta", {"lib/setup.py": "boom"}, True),
        ("flit_core.buildapi", {}, False),
    ],
)
def test_a_local_build_may_compile(
    tmp_path: Path, backend: str, extra: dict[str, str], native: bool
) -> None:
    text = f'[project]\nname="lib"\nversion="1"\n[build-system]\nbuild-backend="{backend}"\n'
    write(tmp_path, {"r.txt": "./lib\n", "lib/pyproject.toml": text, **extra})
    assert read_wishes(tmp_path / "r.txt").locals[0].native is native


def test_a_folder_is_its_requirements_and_its_project(tmp_path: Path) -> None:
    project = '[project]\nname = "a"\nversion = "1"\ndependencies = ["two"]\n'
    write(tmp_path, {"requirements.txt": "one\n", "pyproject.toml": project})
    wishes = read_wishes(tmp_path)
    assert texts(wishes) == ["one", "two"]
    assert origins(wishes) == ["requirements.txt:1", "pyproject.toml:4"]


def test_configured_files_go_first(tmp_path: Path) -> None:
    project = '[tool.pytest-arm64]\nrequirements = "deploy.txt"\n'
    write(tmp_path, {"requirements.txt": "one", "deploy.txt": "two", "pyproject.toml": project})
    assert texts(read_wishes(tmp_path)) == ["two"]


def test_dynamic_dependencies_are_a_gap(tmp_path: Path) -> None:
    project = '[project]\nname = "a"\ndynamic = ["version", "dependencies"]\n'
    write(tmp_path, {"pyproject.toml": project, "old/setup.py": "raise SystemExit"})
    assert read_wishes(tmp_path / "pyproject.toml").gaps
    assert "not executed" in read_wishes(tmp_path / "old").gaps[0]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pyproject.toml": "[tool.other]\none = '^1'\n"},
        {"pyproject.toml": "not toml ["},
        {"requirements.txt": "-r gone.txt\n"},
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, files)
    with pytest.raises(SettingsError) as caught:
        read_wishes(tmp_path)
    assert is_plain_text(caught.value)


@pytest.mark.parametrize(
    ("line", "included"),
    [
        ('-r "a b.txt"', "a b.txt"),
        ("-r 'a b.txt'", "a b.txt"),
        ("-r a\\ b.txt", "a b.txt"),
        ('--requirement="a b.txt"', "a b.txt"),
        ("-r ${DIR}/base.txt", "deep/base.txt"),
        ('-r "${DIR}/a b.txt"  # why', "deep/a b.txt"),
        ("--requirem deep/base.txt", "deep/base.txt"),
        ("-r deep/base.txt --no-index", "deep/base.txt"),
    ],
)
def test_audit_and_environment_follow_the_same_includes(
    tmp_path: Path, line: str, included: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIR", "deep")
    write(tmp_path, {"requirements.txt": line + "\n", included: "one==1\n"})
    manifest = read_manifest(settings_of(tmp_path), tmp_path)
    assert texts(read_wishes(tmp_path / "requirements.txt", {"DIR": "deep"})) == ["one==1"]
    assert tmp_path / included in manifest.documents


@pytest.mark.parametrize(
    "head", ["one==1", "one", "-r base.txt", "#", "--pre", "./one", "one[x]", "-e ."]
)
def test_a_line_of_200_000_blanks_is_read_in_time(tmp_path: Path, head: str) -> None:
    blanks = " " * 200_000
    write(tmp_path, {"requirements.txt": f"{head}{blanks}x\n{head}{blanks}\\\n", "base.txt": ""})
    began = time.process_time()
    attempt(SettingsError, lambda: read_wishes(tmp_path / "requirements.txt"))
    attempt(SettingsError, lambda: read_manifest(settings_of(tmp_path), tmp_path))
    assert time.process_time() - began < 2


@pytest.mark.parametrize("kinds", [("sha512",), ("sha384",), ("sha256", "sha512")])
def test_hashes_that_cannot_be_compared_with_the_index_are_reported(
    tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    line = "one==1 " + " ".join(f"--hash={kind}:{'a' * 64}" for kind in kinds)
    write(tmp_path, {"r.txt": line + "\n"})
    wishes = read_wishes(tmp_path / "r.txt")
    assert not wishes.requirements[0][1].hashes
    assert [gap for gap in wishes.gaps if kinds[-1] in gap and gap.startswith("r.txt:1:")]


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha3"])
def test_hashes_that_pip_refuses_are_refused(tmp_path: Path, kind: str) -> None:
    write(tmp_path, {"r.txt": f"one==1 --hash={kind}:{'a' * 64}\n"})
    with pytest.raises(SettingsError, match=r"r\.txt:1"):
        read_wishes(tmp_path / "r.txt")


@pytest.mark.parametrize(
    "line",
    [
        'https://h.invalid/x-1.0-py3-none-any.whl; python_version >= "3.9"',
        'x @ https://h.invalid/x-1.0-py3-none-any.whl; python_version >= "3.9"',
        './x-1.0-py3-none-any.whl; python_version >= "3.9"',
        'git+https://h.invalid/x.git@v1; python_version >= "3.9"',
    ],
)
def test_a_marker_may_follow_an_address_without_a_blank(tmp_path: Path, line: str) -> None:
    write(tmp_path, {"r.txt": line + "\n"})
    ((requirement, wish),) = read_wishes(tmp_path / "r.txt").requirements
    assert (wish.name, str(requirement.marker)) == ("x", 'python_version >= "3.9"')
    assert ";" not in (requirement.url or "")


@pytest.mark.parametrize("kind", ["sha512", "sha384", "sha224", "sha1", "md5"])
@pytest.mark.parametrize("line", ["x @ {}", "{}", "{} ; python_version >= '3.9'"])
def test_a_hash_in_an_address_that_is_not_compared_is_reported(
    tmp_path: Path, kind: str, line: str
) -> None:
    address = f"https://h.invalid/x-1.0-py3-none-any.whl#{kind}={'a' * 40}"
    write(tmp_path, {"r.txt": line.format(address) + "\n"})
    assert [g for g in read_wishes(tmp_path / "r.txt").gaps if f"{kind} hashes" in g]
