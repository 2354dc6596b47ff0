"""The install plan against a played index: which files, in which order, or why not."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from pytest_arm64 import cache
from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.audit.builds import build_requirements
from pytest_arm64.config.changes import read_changes
from pytest_arm64.environment.deciding_lock import lock_of
from pytest_arm64.environment.installation_order import installation_order
from pytest_arm64.environment.plan import (
    PlanRequest,
    make_plan,
    plan_build,
)
from pytest_arm64.environment.planned_scope import (
    InstallPlan,
    LocalPlaces,
    NotPlannableError,
    PlannedPackage,
)
from pytest_arm64.environment.wheel_cache import fetch
from pytest_arm64.errors import InstallError
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.index.simple import IndexFile
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.inputs.requirements import RequirementSet
from unit.index.served import Played, Project, joined, release, serve
from unit.support import CELL, is_plain_text, ran, settings_of, write

ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
PURE = "py3-none-any"
PROJECTS: Mapping[str, Project] = {
    "app": release("app", "1.0", PURE, requires=["native>=2", "pure"]),
    "native": joined(release("native", "2.0", ARM, X86), release("native", "3.0", X86, ARM)),
    "pure": release("pure", "1.5", PURE),
    "compiled": release("compiled", "1.0", X86, sdist=True),
    "gone": release("gone", "1.0", X86),
    "old": release("old", "1.0", PURE, requires=['pure; python_full_version < "3.12.3"']),
    "pytest": release("pytest", "9.0", PURE, requires=["pure"]),
    "broken": release("broken", "1.0", PURE, requires=["native==9"]),
    "shaky": joined(
        release("shaky", "1.0", PURE, requires=["native==2.0"]),
        release("shaky", "2.0", PURE, requires=["native==9"]),
    ),
    "strict": release("strict", "1.0", PURE, requires=["native==2.0"]),
    "tool": release("tool", "1.0", PURE),
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))


@pytest.fixture
def index() -> Iterator[Played]:
    with serve(PROJECTS) as played:
        yield played


def plan_request(
    folder: Path,
    played: Played,
    requirements: str,
    *,
    runner: tuple[str, ...] = (),
    more: Mapping[str, str] | None = None,
) -> PlanRequest:
    write(folder, {"requirements.txt": requirements})
    settings = settings_of(folder)
    config = PipConfig({"index-url": played.url, **(more or {})}, {}, ())
    manifest = read_manifest(settings, folder)
    return PlanRequest(manifest, runner, config, CELL, ran(python_version="3.12.4"))


def planned(asked: PlanRequest, *, offline: bool = False) -> InstallPlan:
    with Auditor({}, config=asked.config, offline=offline) as auditor:
        return make_plan(asked, auditor)[0]


def shown(plan: InstallPlan) -> list[tuple[str, str, str, str]]:
    return [(p.name, p.version, p.scope, p.state) for p in plan.packages]


def test_exactly_one_file_of_each_package_what_others_need_first(
    tmp_path: Path, index: Played
) -> None:
    plan = planned(plan_request(tmp_path, index, "app\n", runner=("pytest",)))
    assert shown(plan) == [
        ("pure", "1.5", "deploy", "pure"),
        ("native", "3.0", "deploy", "wheel"),
        ("app", "1.0", "deploy", "pure"),
        ("pytest", "9.0", "test", "pure"),
    ]
    native = plan.packages[1]
    assert native.file == f"native-3.0-{ARM}.whl"
    assert native.url.endswith(f"/files/native/native-3.0-{ARM}.whl")
    assert [p.name for p in plan.packages if p.requested] == ["app", "pytest"]


def test_sources_and_what_has_nothing_usable_are_told_apart(tmp_path: Path, index: Played) -> None:
    plan = planned(plan_request(tmp_path, index, "compiled\ngone\n"))
    assert shown(plan) == [
        ("gone", "1.0", "deploy", "blocker"),
        ("compiled", "1.0", "deploy", "source"),
    ]


def test_markers_are_those_of_the_interpreter_that_was_found(tmp_path: Path, index: Played) -> None:
    asked = plan_request(tmp_path, index, "old\n")
    assert [p.name for p in planned(asked).packages] == ["old"]
    early = replace(asked, ran=ran(python_version="3.12.2"))
    assert [p.name for p in planned(early).packages] == ["pure", "old"]


def test_a_file_that_is_named_by_its_address_is_planned(tmp_path: Path, index: Played) -> None:
    file = f"native-2.0-{ARM}.whl"
    address = index.url.replace("/simple", f"/files/native/{file}")
    plan = planned(plan_request(tmp_path, index, f"native @ {address}\npure\n"))
    assert shown(plan) == [
        ("pure", "1.5", "deploy", "pure"),
        ("native", "2.0", "deploy", "wheel"),
    ]
    assert plan.packages[1].url == address
    x86 = address.replace("aarch64", "x86_64")
    assert shown(planned(plan_request(tmp_path, index, f"native @ {x86}\n"))) == [
        ("native", "2.0", "deploy", "blocker")
    ]


def test_what_an_address_names_is_fetched_anew_where_that_is_asked(
    tmp_path: Path, index: Played
) -> None:
    file = f"pure-1.5-{PURE}.whl"
    index.files[file] = index.content("pure", file)
    address = index.url.replace("/simple", f"/files/pure/{file}")
    asked = plan_request(tmp_path, index, f"pure @ {address}\n")

    def fetched(*, refresh: bool) -> bytes:
        with Auditor({}, config=asked.config, refresh=refresh) as auditor:
            plan, fetcher = make_plan(asked, auditor)
            return fetch(fetcher, plan.packages[0]).read_bytes()

    first = fetched(refresh=False)
    index.files[file] = first + b"\n"
    assert fetched(refresh=False) == first
    assert fetched(refresh=True) == first + b"\n"


class TestRepositories:
    @pytest.fixture
    def address(self, tmp_path: Path) -> str:
        """Of a repository with the project ``rack``, in a folder of it."""
        folder = tmp_path / "rack"
        project = '[project]\nname = "rack"\ndynamic = ["version"]\ndependencies = ["pure"]\n'
        write(folder, {"inner/pyproject.toml": project})
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.invalid"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
            subprocess.run([*git, *words], cwd=folder, check=True)
        return f"git+{folder.as_uri()}#subdirectory=inner"

    def test_its_project_is_a_source_and_what_it_needs_is_planned(
        self, tmp_path: Path, index: Played, address: str
    ) -> None:
        # The tests want it too, and get what is deployed.
        asked = plan_request(tmp_path, index, f"rack @ {address}\n", runner=("rack", "tool"))
        plan = planned(asked)
        assert shown(plan) == [
            ("pure", "1.5", "deploy", "pure"),
            ("rack", "", "deploy", "source"),
            ("tool", "1.0", "test", "pure"),
        ]
        (source,) = plan.of_state("source")
        assert source.url.startswith("file:")
        assert source.url.endswith("#subdirectory=inner")
        assert (plan.editable, plan.folders) == ((), ())

    def test_what_its_build_needs_is_read_in_its_folder(
        self, tmp_path: Path, index: Played, address: str
    ) -> None:
        system = '[build-system]\nrequires = ["tool"]\n[project]\nname = "rack"\nversion = "1"\n'
        write(tmp_path / "rack", {"inner/pyproject.toml": system})
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "two"],
            cwd=tmp_path / "rack",
            check=True,
        )
        asked = plan_request(tmp_path, index, f"rack @ {address}\n")
        (source,) = planned(asked).packages
        assert source.version == "1"
        file = IndexFile(source.file, source.url, "sdist", source.version, sha256=source.sha256)
        with Auditor({}, config=asked.config) as auditor:
            wanted = build_requirements(auditor.index(RequirementSet("", ())), "rack", file)
        assert list(map(str, wanted)) == ["tool"]

    def test_a_lock_names_a_commit(self, tmp_path: Path, index: Played, address: str) -> None:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=tmp_path / "rack", capture_output=True, check=True
        ).stdout.decode()
        place = address.removeprefix("git+").partition("#")[0]
        lock = f"""version = 1
[[package]]
name = "mine"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "rack" }}]
[[package]]
name = "rack"
version = "7"
source = {{ git = "{place}?subdirectory=inner&rev=main#{commit.strip()}" }}
"""
        project = '[project]\nname = "mine"\nversion = "1"\ndependencies = ["rack"]\n'
        asked = plan_request(tmp_path, index, "")
        (tmp_path / "requirements.txt").unlink()
        write(tmp_path, {"uv.lock": lock, "pyproject.toml": project})
        asked = replace(asked, manifest=read_manifest(settings_of(tmp_path), tmp_path))
        (source,) = planned(asked).packages
        assert (source.name, source.version, source.state) == ("rack", "7", "source")
        write(tmp_path, {"uv.lock": lock.replace(commit[:8], "0" * 8)})
        later = replace(asked, manifest=read_manifest(settings_of(tmp_path), tmp_path))
        with pytest.raises(NotPlannableError, match="git fetch: "):
            planned(later)


def test_an_older_glibc_is_heeded(tmp_path: Path, index: Played) -> None:
    asked = replace(plan_request(tmp_path, index, "native\n"), ran=ran(glibc="2.10"))
    assert shown(planned(asked)) == [("native", "3.0", "deploy", "blocker")]


def test_versions_of_another_architecture_hold(tmp_path: Path, index: Played) -> None:
    asked = replace(plan_request(tmp_path, index, "native\n"), pins=("native==2.0",))
    assert shown(planned(asked)) == [("native", "2.0", "deploy", "wheel")]


def test_versions_of_another_architecture_that_the_tests_contradict_are_left_to_pip(
    tmp_path: Path, index: Played
) -> None:
    asked = plan_request(tmp_path, index, "pure\n", runner=("native==3.0",))
    with pytest.raises(NotPlannableError, match="the other architecture"):
        planned(replace(asked, pins=("native==2.0",)))


def test_a_local_project_stays_where_it_is_and_its_needs_are_planned(
    tmp_path: Path, index: Played
) -> None:
    project = '[project]\nname = "mine"\nversion = "1"\ndependencies = ["pure"]\n'
    write(tmp_path, {"pyproject.toml": project})
    plan = planned(plan_request(tmp_path, index, "tool\n"))
    assert plan.editable == (tmp_path,)
    assert [p.name for p in plan.packages] == ["tool", "pure"]


def test_a_local_project_that_only_the_tests_want_is_planned_for_them(
    tmp_path: Path, index: Played
) -> None:
    head = '[project]\nname = "{}"\nversion = "1"\ndependencies = {}\n'
    write(
        tmp_path,
        {
            "lib/pyproject.toml": head.format("lib", '["pure"]'),
            "helpers/pyproject.toml": head.format("helpers", '["tool", "lib"]'),
            "requirements-test.txt": "./helpers\n-e ./lib\n",
        },
    )
    plan = planned(plan_request(tmp_path, index, "-e ./lib\n"))
    assert plan.projects == {
        "deploy": LocalPlaces(editable=(tmp_path / "lib",)),
        "test": LocalPlaces(folders=(tmp_path / "helpers",)),
    }
    assert [(p.name, p.scope) for p in plan.packages] == [("pure", "deploy"), ("tool", "test")]


def test_of_what_is_no_package_the_dependencies_are_planned(tmp_path: Path, index: Played) -> None:
    head = '[project]\nname = "{}"\nversion = "1"\ndependencies = {}\n'
    write(
        tmp_path,
        {
            "lib/pyproject.toml": head.format("lib", '["native"]'),
            "pyproject.toml": head.format("shop", '["pure", "lib"]')
            + "[tool.uv]\npackage = false\n"
            '[tool.uv.sources]\nlib = { path = "lib", editable = true }\n',
        },
    )
    plan = planned(plan_request(tmp_path, index, ""))
    assert {package.name for package in plan.packages} == {"pure", "native"}
    assert plan.editable == (tmp_path / "lib",)


def test_a_project_with_poetrys_own_tables_is_planned_where_they_are_understood(
    tmp_path: Path, index: Played
) -> None:
    asked = plan_request(tmp_path, index, "")
    (tmp_path / "requirements.txt").unlink()
    head = (
        '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'
        '[tool.poetry]\nname = "mine"\nversion = "1"\n[tool.poetry.dependencies]\n'
    )
    lines = 'python = "^3.10 || ^2.7"\nnative = "^2"\npure = {version = "*", optional = true}\n'
    group = '[tool.poetry.group.dev.dependencies]\ntool = "*"\n'
    write(tmp_path, {"pyproject.toml": head + lines + group})
    asked = replace(asked, manifest=read_manifest(settings_of(tmp_path), tmp_path))
    plan = planned(asked)
    assert shown(plan) == [("native", "2.0", "deploy", "wheel"), ("tool", "1.0", "test", "pure")]
    assert plan.editable == (tmp_path,)
    for line in ('native = "^2 || ^3"', 'pure = {path = "../pure"}', 'pure = {python = "2 || 3"}'):
        write(tmp_path, {"pyproject.toml": f"{head}{line}\n"})
        with pytest.raises(NotPlannableError, match="dynamic"):
            planned(replace(asked, manifest=read_manifest(settings_of(tmp_path), tmp_path)))


def test_a_lock_decides_for_the_tests_as_well(tmp_path: Path, index: Played) -> None:
    wheels = {"native": f"native-2.0-{ARM}.whl", "pure": f"pure-1.5-{PURE}.whl"}
    lines = ['lock-version = "1.0"', 'created-by = "test"']
    for name, file in wheels.items():
        address = index.url.replace("/simple", f"/files/{name}/{file}")
        # Made once: an archive tells the time at which it was made.
        index.files[file] = index.content(name, file)
        digest = hashlib.sha256(index.files[file]).hexdigest()
        version = file.split("-")[1]
        lines += [
            f'[[packages]]\nname = "{name}"\nversion = "{version}"',
            f'wheels = [{{name = "{file}", url = "{address}", hashes = {{sha256 = "{digest}"}}}}]',
        ]
    project = '[project]\nname = "mine"\nversion = "1"\ndependencies = ["native"]\n'
    asked = plan_request(tmp_path, index, "", runner=("native", "tool"))
    (tmp_path / "requirements.txt").unlink()
    write(tmp_path, {"pylock.toml": "\n".join(lines), "pyproject.toml": project})
    asked = replace(asked, manifest=read_manifest(settings_of(tmp_path), tmp_path))
    lock = lock_of(asked.manifest)
    assert lock is not None
    assert lock.digest
    plan = planned(asked)
    # The newest is 3.0, which the lock does not have.
    assert shown(plan) == [
        ("pure", "1.5", "deploy", "pure"),
        ("native", "2.0", "deploy", "wheel"),
        ("tool", "1.0", "test", "pure"),
    ]
    assert (plan.editable, plan.folders) == ((tmp_path,), ())
    with Auditor({}, config=asked.config) as auditor:
        fetcher = make_plan(asked, auditor)[1]
        assert fetch(fetcher, plan.packages[1]).name == wheels["native"]


def test_a_project_with_compiled_code_is_built_where_a_lock_decides(
    tmp_path: Path, index: Played
) -> None:
    asked = plan_request(tmp_path, index, "")
    (tmp_path / "requirements.txt").unlink()
    project = '[project]\nname = "mine"\nversion = "1"\n'
    script = (
        'from setuptools import Extension, setup\nsetup(ext_modules=[Extension("m", ["m.c"])])\n'
    )
    own = '[[package]]\nname = "mine"\nversion = "1"\nsource = { editable = "." }\n'
    write(
        tmp_path,
        {"uv.lock": f"version = 1\n{own}", "pyproject.toml": project, "setup.py": script},
    )
    asked = replace(asked, manifest=read_manifest(settings_of(tmp_path), tmp_path))
    assert lock_of(asked.manifest) is not None
    plan = planned(asked)
    assert (plan.editable, plan.folders) == ((), (tmp_path,))


def test_beside_an_artifact_only_the_tests_packages_are_planned(
    tmp_path: Path, index: Played
) -> None:
    asked = plan_request(tmp_path, index, "native\n", runner=("app", "tool"))
    plan = planned(replace(asked, there=("native==2.0", "Own-Package==7")))
    # Of what is there nothing is planned again, and its version holds: the newest is 3.0.
    assert {entry[0] for entry in shown(plan)} == {"tool", "app", "pure"}
    assert planned(replace(asked, there=())).of_state("wheel")[0].version == "3.0"


@pytest.mark.parametrize(
    ("requirements", "word"),
    [
        ("demo @ hg+https://example.invalid/demo\n", "direct reference"),
        ("demo @ git+http://127.0.0.1:1/demo\n", "demo: git clone: .*127.0.0.1"),
        ("pure --hash=sha256:" + "0" * 64 + "\ntool\n", "some packages have hashes"),
    ],
)
def test_what_cannot_be_planned_says_why(
    tmp_path: Path, index: Played, requirements: str, word: str
) -> None:
    with pytest.raises(NotPlannableError, match=word):
        planned(plan_request(tmp_path, index, requirements))


@pytest.mark.parametrize(
    ("requirements", "runner", "words"),
    [
        (
            "absent-project\n",
            (),
            ["absent-project: no index has a project of this name", "requirements.txt:1 asks for"],
        ),
        ("tool\npure==9\n", (), ["no release satisfies pure==9", "requirements.txt:2 asks for"]),
        (
            "native==3.0\nnative==2.0\n",
            (),
            ["requirements.txt:1 asks for native==3.0", "requirements.txt:2 asks for native==2.0"],
        ),
        (
            "strict\nnative==3.0\n",
            (),
            ["strict 1.0 asks for native==2.0", "requirements.txt:2 asks for native==3.0"],
        ),
        ("broken==1.0\n", (), ["no release satisfies native==9", "broken 1.0 asks for"]),
        ("broken\n", (), ["no release satisfies native==9", "broken 1.0 asks for"]),
    ],
)
def test_what_nobody_can_install_is_refused_and_not_left_to_pip(
    tmp_path: Path, index: Played, requirements: str, runner: tuple[str, ...], words: list[str]
) -> None:
    with pytest.raises(InstallError) as caught:
        planned(plan_request(tmp_path, index, requirements, runner=runner))
    for word in words:
        assert word in str(caught.value), word


class TestWhatGivesWay:
    """What nobody has written down gives way to what somebody has."""

    def planned(
        self,
        folder: Path,
        played: Played,
        deployed: str,
        tests: str,
        runner: tuple[str, ...] = (),
    ) -> InstallPlan:
        write(folder, {"requirements-test.txt": tests})
        return planned(plan_request(folder, played, deployed, runner=runner))

    @pytest.mark.parametrize(
        ("tests", "runner"),
        [
            ("strict\n", ("native==3.0",)),  # a plugin that asks for another pytest
            ("-c limits.txt\ntool\n", ("native==3.0",)),
            ("pure\n", ("native==9.9",)),  # a release that the index does not have
        ],
    )
    def test_the_version_of_what_the_session_needs(
        self, tmp_path: Path, index: Played, tests: str, runner: tuple[str, ...]
    ) -> None:
        write(tmp_path, {"limits.txt": "native<3\n"})
        plan = self.planned(tmp_path, index, "pure\n", tests, runner)
        version = "3.0" if "pure" in tests else "2.0"
        assert ("native", version, "test", "wheel") in shown(plan)
        assert plan.changed == ()

    @pytest.mark.parametrize(
        ("deployed", "tests"),
        [
            ("native\n", "native==2.0\n"),
            ("native>=2\n", "strict\n"),
            ("app\n", "native<3\n"),  # nobody but app asks for it
            ("native\n", "-c limits.txt\ntool\nnative\n"),
        ],
    )
    def test_the_newest_release_of_what_is_deployed_and_that_is_said(
        self, tmp_path: Path, index: Played, deployed: str, tests: str
    ) -> None:
        write(tmp_path, {"limits.txt": "native<3\n"})
        plan = self.planned(tmp_path, index, deployed, tests)
        assert ("native", "2.0", "deploy", "wheel") in shown(plan)
        (changed,) = plan.changed
        assert "native 2.0 is installed, not 3.0" in changed

    def test_of_what_is_deployed_only_what_has_to(self, tmp_path: Path, index: Played) -> None:
        plan = self.planned(tmp_path, index, "native\npure\nshaky\n", "native<3\n")
        assert {p.name: p.version for p in plan.packages} == {
            "native": "2.0",
            "pure": "1.5",
            "shaky": "1.0",
        }

    @pytest.mark.parametrize(
        ("deployed", "tests", "words"),
        [
            ("native==3.0\n", "native==2.0\n", "native==3.0 (deployed, by requirements.txt:1)"),
            ("strict\n", "native>2\n", "no release satisfies native>2 under native==2.0"),
            ("app\n", "native==1.0\n", "no release satisfies native==1.0"),
        ],
    )
    def test_nothing_that_is_written_down(
        self, tmp_path: Path, index: Played, deployed: str, tests: str, words: str
    ) -> None:
        with pytest.raises(InstallError) as caught:
            self.planned(tmp_path, index, deployed, tests)
        assert "what the tests need cannot be installed" in str(caught.value)
        assert words in str(caught.value)

    def test_the_versions_that_a_lock_has_of_what_it_does_not_deploy(
        self, tmp_path: Path, index: Played
    ) -> None:
        lock = """version = 1
[[package]]
name = "mine"
version = "1"
source = { editable = "." }
[[package]]
name = "native"
version = "2.0"
source = { registry = "https://index.invalid/simple" }
"""
        project = '[project]\nname = "mine"\nversion = "1"\n'
        asked = plan_request(tmp_path, index, "")
        (tmp_path / "requirements.txt").unlink()
        files = {"uv.lock": lock, "pyproject.toml": project}
        for tests, version in (("native\n", "2.0"), ("native==3.0\n", "3.0")):
            write(tmp_path, {**files, "requirements-test.txt": tests})
            asked = replace(asked, manifest=read_manifest(settings_of(tmp_path), tmp_path))
            assert shown(planned(asked)) == [("native", version, "test", "wheel")]


def test_an_older_release_that_asks_for_what_there_is_is_planned(
    tmp_path: Path, index: Played
) -> None:
    versions = {
        (p.name, p.version) for p in planned(plan_request(tmp_path, index, "shaky\n")).packages
    }
    assert versions == {("shaky", "1.0"), ("native", "2.0")}


@pytest.mark.parametrize("status", [401, 403, 407])
def test_an_index_that_refuses_is_refused_and_not_left_to_pip(
    tmp_path: Path, index: Played, status: int
) -> None:
    index.answers["/simple/native/"] = (status, {}, b"")
    with pytest.raises(InstallError, match=f"native: .*returned {status}"):
        planned(plan_request(tmp_path, index, "native\n"))


@pytest.mark.parametrize("status", [500, 503])
def test_an_index_that_fails_is_left_to_pip(tmp_path: Path, index: Played, status: int) -> None:
    index.answers["/simple/native/"] = (status, {}, b"")
    with pytest.raises(NotPlannableError, match=f"returned {status}"):
        planned(plan_request(tmp_path, index, "native\n"))


def test_a_setting_that_is_pips_own_business(tmp_path: Path, index: Played) -> None:
    with pytest.raises(NotPlannableError, match="uploaded-prior-to"):
        planned(plan_request(tmp_path, index, "pure\n", more={"uploaded-prior-to": "2026-01-01"}))


def test_musl_has_no_tags(tmp_path: Path, index: Played) -> None:
    with pytest.raises(NotPlannableError, match="musl"):
        planned(replace(plan_request(tmp_path, index, "pure\n"), ran=ran(glibc="")))


def test_what_builds_need_is_wheels_or_built_itself(tmp_path: Path, index: Played) -> None:
    asked = plan_request(tmp_path, index, "")
    with Auditor({}, config=asked.config) as auditor:
        found = plan_build(asked, auditor, [Requirement("tool"), Requirement("app")])
        assert [p.name for p in found] == ["tool", "pure", "native", "app"]
        (compiled,) = plan_build(asked, auditor, [Requirement("compiled")])
        assert compiled.state == "source"


class TestFiles:
    def test_a_file_is_fetched_once_and_found_again_without_a_network(
        self, tmp_path: Path, index: Played
    ) -> None:
        index.files["pure-1.5-py3-none-any.whl"] = index.content("pure", f"pure-1.5-{PURE}.whl")
        asked = plan_request(tmp_path, index, "pure\n")
        with Auditor({}, config=asked.config) as auditor:
            plan, fetcher = make_plan(asked, auditor)
            (package,) = plan.packages
            path = fetch(fetcher, package)
            assert hashlib.sha256(path.read_bytes()).hexdigest() == package.sha256
            assert package.sha256 in path.parts
            before = len(index.asked("/files/"))
            assert fetch(fetcher, package) == path
            assert len(index.asked("/files/")) == before
        index.answers["/simple/pure/"] = (500, {}, b"")
        with Auditor({}, config=asked.config, offline=True) as auditor:
            plan, fetcher = make_plan(asked, auditor)
            assert fetch(fetcher, plan.packages[0]) == path

    def test_what_is_not_kept_cannot_be_had_offline(self, tmp_path: Path, index: Played) -> None:
        asked = plan_request(tmp_path, index, "pure\n")
        planned(asked)
        with Auditor({}, config=asked.config, offline=True) as auditor:
            plan, fetcher = make_plan(asked, auditor)
            with pytest.raises(InstallError, match="could not be fetched") as caught:
                fetch(fetcher, plan.packages[0])
            assert is_plain_text(caught.value)

    def test_a_file_that_is_not_what_the_index_says(self, tmp_path: Path, index: Played) -> None:
        asked = plan_request(tmp_path, index, "tool\n")
        with Auditor({}, config=asked.config) as auditor:
            plan, fetcher = make_plan(asked, auditor)
            package = replace(plan.packages[0], sha256="0" * 64)
            with pytest.raises(InstallError, match=r"not what its hash says \(hash\)"):
                fetch(fetcher, package)
            locked = replace(plan.packages[0], allowed=frozenset(["1" * 64]))
            with pytest.raises(InstallError, match="1111"):
                fetch(fetcher, locked)
        kept = [p for p in (cache.cache_folder() / "distributions").rglob("*") if p.is_file()]
        assert kept == []

    def test_a_file_that_is_gone(self, tmp_path: Path, index: Played) -> None:
        asked = plan_request(tmp_path, index, "tool\n")
        with Auditor({}, config=asked.config) as auditor:
            plan, fetcher = make_plan(asked, auditor)
            path = "/" + plan.packages[0].url.split("/", 3)[3]
            index.answers[path] = (404, {}, b"")
            with pytest.raises(InstallError, match="answers 404"):
                fetch(fetcher, plan.packages[0])


@given(
    st.dictionaries(
        st.sampled_from("abcdefg"), st.sets(st.sampled_from("abcdefg"), max_size=3), max_size=7
    )
)
def test_order_has_everything_once_and_needs_first_where_there_is_no_cycle(
    edges: dict[str, set[str]],
) -> None:
    parents = {name: {p for p in above if p in edges and p < name} for name, above in edges.items()}
    order = installation_order(parents)
    assert sorted(order) == sorted(parents)
    for name, above in parents.items():
        assert all(order.index(name) < order.index(parent) for parent in above)
    cyclic = {name: {p for p in above if p in edges} for name, above in edges.items()}
    assert sorted(installation_order(cyclic)) == sorted(cyclic)


def test_a_file_beside_the_index_is_used_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "a-1.0-py3-none-any.whl"
    path.write_bytes(b"x")
    package = PlannedPackage("a", "1.0", "deploy", "pure", path.name, path.as_uri())
    asked = PipConfig({"index-url": "http://127.0.0.1:9"}, {}, ())
    with Auditor({}, config=asked) as auditor:
        fetcher = auditor.index(RequirementSet("", ())).fetcher
        assert fetch(fetcher, package) == path


LOCK = """\
version = 1
requires-python = ">=3.12"

[[package]]
name = "own"
version = "1.0"
source = {{ virtual = "." }}
dependencies = [{{ name = "app" }}]

[[package]]
name = "app"
version = "1.0"
source = {{ registry = "{index}" }}
dependencies = [{{ name = "native" }}, {{ name = "pure" }}]

[[package]]
name = "native"
version = "2.0"
source = {{ registry = "{index}" }}

[[package]]
name = "pure"
version = "1.5"
source = {{ registry = "{index}" }}
wheels = [{{ url = "{index}files/pure-1.5-py3-none-any.whl", hash = "sha256:{sha}" }}]
"""


def tried(asked: PlanRequest, *changes: str) -> PlanRequest:
    return replace(asked, manifest=replace(asked.manifest, changes=read_changes(changes)))


def test_a_change_takes_the_place_of_a_requirement(tmp_path: Path, index: Played) -> None:
    asked = plan_request(tmp_path, index, "gone==1.0\nnative==2.0\n", runner=("pytest",))
    plan = planned(tried(asked, "gone=tool", "native==3.0"))
    assert sorted(shown(plan))[:2] == [
        ("native", "3.0", "deploy", "wheel"),
        ("pure", "1.5", "test", "pure"),
    ]
    assert ("tool", "1.0", "deploy", "pure") in shown(plan)
    assert not plan.of_state("blocker")


def test_a_change_makes_another_environment(tmp_path: Path, index: Played) -> None:
    asked = plan_request(tmp_path, index, "native==2.0\n")
    before, after = asked.manifest.fingerprint(), tried(asked, "native==3.0").manifest.fingerprint()
    assert before != after
    assert before == {key: value for key, value in after.items() if key != "changes"}


def test_hashes_of_what_stays_are_checked_and_a_change_needs_none(
    tmp_path: Path, index: Played
) -> None:
    text = f"pure==1.5 --hash=sha256:{'1' * 64}\nnative==2.0 --hash=sha256:{'2' * 64}\n"
    plan = planned(tried(plan_request(tmp_path, index, text), "native==3.0"))
    allowed = {package.name: package.allowed for package in plan.packages}
    assert allowed == {"pure": frozenset(["1" * 64]), "native": frozenset()}


@pytest.mark.parametrize(
    ("changes", "versions"),
    [
        (["native==3.0"], {"app": "1.0", "native": "3.0", "pure": "1.5"}),
        (["app=tool"], {"tool": "1.0"}),
    ],
)
def test_a_change_of_a_lock_leaves_the_rest_as_it_is_locked(
    tmp_path: Path, index: Played, changes: list[str], versions: dict[str, str]
) -> None:
    asked = plan_request(tmp_path, index, "")
    (tmp_path / "requirements.txt").unlink()
    write(
        tmp_path,
        {
            "pyproject.toml": '[project]\nname = "own"\nversion = "1.0"\ndependencies = ["app"]\n',
            "uv.lock": LOCK.format(index=index.url, sha="3" * 64),
        },
    )
    asked = replace(asked, manifest=read_manifest(settings_of(tmp_path), tmp_path))
    plan = planned(tried(asked, *changes))
    assert {package.name: package.version for package in plan.packages} == versions
    for package in plan.packages:
        assert package.allowed == ({"3" * 64} if package.name == "pure" else frozenset())
