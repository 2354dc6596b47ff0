"""Settings: who wins, what is refused and in which words, which target is the default."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_arm64.config.option_values import Given
from pytest_arm64.config.project import load_project
from pytest_arm64.config.project_files import ProjectFiles, read_project_files, repository_root
from pytest_arm64.config.settings import load_settings, passed_variables
from pytest_arm64.config.target_choice import default_target
from pytest_arm64.config.toml_files import TomlFiles
from pytest_arm64.errors import SettingsError
from pytest_arm64.inside.options import CORES
from unit.support import attempt, is_plain_text, settings_of, write

PACKAGED = ("3.11", "3.12", "3.13", "3.14")
KEYS = (
    "cpu",
    "env",
    "image",
    "install",
    "network",
    "requirements",
    "target",
    "targets",
    "test-requirements",
)


def refusal(folder: Path, pyproject: str, **options: Any) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        settings_of(folder, pyproject, **options)
    assert is_plain_text(caught.value)
    return caught.value


class TestOrder:
    """Option, then variable, then table."""

    TABLE = '[tool.pytest-arm64]\ntarget = "al2023-python3.11"\nimage = "of-table"\n'
    VARIABLES: ClassVar = {
        "PYTEST_ARM64_TARGET": "al2023-python3.13",
        "PYTEST_ARM64_IMAGE": "of-variable",
    }

    def test_table(self, tmp_path: Path) -> None:
        found = settings_of(tmp_path, self.TABLE)
        assert (found.target.name, found.image) == ("al2023-python3.11", "of-table")

    def test_variable_beats_table(self, tmp_path: Path) -> None:
        found = settings_of(tmp_path, self.TABLE, self.VARIABLES)
        assert (found.target.name, found.image) == ("al2023-python3.13", "of-variable")

    def test_option_beats_variable(self, tmp_path: Path) -> None:
        found = settings_of(
            tmp_path,
            self.TABLE,
            self.VARIABLES,
            arm64_target="lambda-python3.14",
            arm64_image="of-option",
        )
        assert (found.target.name, found.image) == ("lambda-python3.14", "of-option")

    def test_core(self, tmp_path: Path) -> None:
        table = '[tool.pytest-arm64]\ncpu = "graviton3"\n'
        assert settings_of(tmp_path / "none").core == "graviton2"
        assert settings_of(tmp_path / "table", table).core == "graviton3"
        assert settings_of(tmp_path / "both", table, arm64_cpu="graviton4").core == "graviton4"
        several = settings_of(tmp_path / "several", arm64_cpu="graviton3, graviton2,graviton3")
        assert several.cores == ("graviton3", "graviton2")

    def test_auto_begins_with_the_oldest_core(self, tmp_path: Path) -> None:
        found = settings_of(tmp_path / "option", arm64_cpu="auto")
        assert (found.cores, found.cores_by_code, found.cores_named) == (("graviton2",), True, True)
        table = '[tool.pytest-arm64]\ncpu = "auto"\n'
        assert settings_of(tmp_path / "table", table).cores_by_code
        assert not settings_of(tmp_path / "both", table, arm64_cpu="graviton3").cores_by_code

    @pytest.mark.parametrize("target", ["al2023-python3.12", "debian12-python3.12"])
    def test_auto_is_the_default(self, tmp_path: Path, target: str) -> None:
        found = settings_of(tmp_path, arm64_target=target)
        assert (found.cores_by_code, found.cores_named) == (True, False)
        assert not settings_of(tmp_path, arm64_cpu="graviton2", arm64_target=target).cores_by_code

    @pytest.mark.parametrize("target", ["lambda-python3.12", "lambda-zip-python3.12"])
    def test_auto_is_not_the_default_on_lambda(self, tmp_path: Path, target: str) -> None:
        assert not settings_of(tmp_path, arm64_target=target).cores_by_code
        assert settings_of(tmp_path, arm64_target=target, arm64_cpu="auto").cores_by_code

    def test_a_cross_compiler_is_used_where_it_is_asked_for(self, tmp_path: Path) -> None:
        table = '[tool.pytest-arm64]\ncross = "auto"\n'
        image = {"PYTEST_ARM64_CROSS_IMAGE": "mine:1"}
        assert not settings_of(tmp_path / "none").cross
        assert settings_of(tmp_path / "option", arm64_cross="auto").cross
        found = settings_of(tmp_path / "table", table, image)
        assert (found.cross, found.cross_image) == (True, "mine:1")
        assert not settings_of(tmp_path / "both", table, arm64_cross="off").cross
        with pytest.raises(SettingsError, match=r"cross = 'on' must be one of off, auto"):
            settings_of(tmp_path / "wrong", table.replace("auto", "on"))

    def test_requirements_of_options_replace_those_of_the_table(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.txt": "", "b.txt": ""})
        table = '[tool.pytest-arm64]\nrequirements = "a.txt"\n'
        assert settings_of(tmp_path, table).requirements == (tmp_path / "a.txt",)
        by_option = settings_of(tmp_path, table, arm64_requirements=["b.txt"])
        assert by_option.requirements == (tmp_path / "b.txt",)

    def test_options_are_relative_to_where_the_user_is(self, tmp_path: Path) -> None:
        write(tmp_path, {"inner/a.txt": "", "pyproject.toml": ""})
        options = Given(requirements=("a.txt",))
        files = read_project_files(tmp_path)
        found = load_settings(options, {}, files=files, cwd=tmp_path / "inner")
        assert found.requirements == (tmp_path / "inner/a.txt",)

    @pytest.mark.parametrize(
        ("word", "offline"),
        [("", False), ("0", False), ("false", False), ("NO", False), ("1", True), ("yes", True)],
    )
    def test_offline_variable(self, tmp_path: Path, word: str, offline: bool) -> None:
        assert settings_of(tmp_path, "", {"PYTEST_ARM64_OFFLINE": word}).offline is offline

    def test_flags(self, tmp_path: Path) -> None:
        found = settings_of(
            tmp_path, arm64_refresh=True, arm64_offline=True, arm64_require_native=True
        )
        assert (found.refresh, found.offline, found.require_native) == (True, True, True)
        found = settings_of(tmp_path)
        assert (found.refresh, found.offline, found.require_native) == (False, False, False)

    def test_defaults(self, tmp_path: Path) -> None:
        found = settings_of(tmp_path)
        assert found.target.name == "al2023-python3.12"
        assert (found.install, found.network, found.image) == ("auto", "bridge", "")
        assert found.requirements == found.test_requirements == ()
        assert found.env == ()

    def test_table_reaches_the_settings(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.txt": "", "sub/b.txt": "", "t.txt": ""})
        found = settings_of(
            tmp_path,
            '[tool.pytest-arm64]\nrequirements = ["a.txt", "sub/../sub/b.txt"]\n'
            'test-requirements = "t.txt"\ninstall = "none"\nnetwork = "none"\nenv = ["A=b", "C"]\n',
        )
        assert found.requirements == (tmp_path / "a.txt", tmp_path / "sub/b.txt")
        assert found.test_requirements == (tmp_path / "t.txt",)
        assert (found.install, found.network, found.env) == ("none", "none", ("A=b", "C"))

    def test_own_target(self, tmp_path: Path) -> None:
        found = settings_of(
            tmp_path,
            '[tool.pytest-arm64]\ntarget = "mine"\n'
            '[tool.pytest-arm64.targets.mine]\nimage = "my/base:1"\npython = "3.13"\n',
        )
        assert (found.target.image, found.target.python) == ("my/base:1", "3.13")


class TestRefusals:
    def test_unknown_key_names_the_file_and_the_nearest_key(self, tmp_path: Path) -> None:
        error = refusal(tmp_path, '[tool.pytest-arm64]\nrequirement = "a.txt"\n')
        assert str(tmp_path / "pyproject.toml") in error.what
        assert "'requirement'" in error.what
        assert "did you mean 'requirements'?" in error.what
        assert all(key in error.next_step for key in KEYS)

    @pytest.mark.parametrize(
        "line",
        [
            "target = 3",
            "image = []",
            "cpu = true",
            "requirements = 3",
            "requirements = [1]",
            'test-requirements = ["a", {b = 1}]',
            "install = 1",
            'env = "A"',
            "env = [1]",
            "network = {}",
            'targets = "x"',
            "targets.x = 3",
            "targets.x = {image = 3, python = '3.12'}",
            'env = ["=x"]',
            'env = ["1A=x"]',
            'env = ["A B=x"]',
            'env = ["A\\n"]',
            'env = [""]',
            'install = "yes"',
            'cpu = "graviton6"',
            'target = "al2023"',
            'requirements = "absent.txt"',
            'test-requirements = "absent.txt"',
        ],
    )
    def test_bad_value(self, tmp_path: Path, line: str) -> None:
        error = refusal(tmp_path, f"[tool.pytest-arm64]\n{line}\n")
        assert error.what

    @pytest.mark.parametrize(
        "text",
        [
            "tool = 3",
            "tool = []",
            "[tool]\npytest-arm64 = 3",
            "[tool]\npytest-arm64 = ['target']",
            "[[tool.pytest-arm64]]\ntarget = 'x'",
            "project = 'name'",
            "[[project]]\nname = 'x'",
            "a = ",
            "a = " + "[" * 100_000,
        ],
    )
    def test_hostile_toml(self, tmp_path: Path, text: str) -> None:
        assert str(tmp_path / "pyproject.toml") in refusal(tmp_path, text).what

    def test_not_utf8(self, tmp_path: Path) -> None:
        write(tmp_path, {"pyproject.toml": b"a = '\xff'"})
        assert "cannot be read" in refusal(tmp_path, "").what

    def test_folder_instead_of_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").mkdir()
        assert "cannot be read" in refusal(tmp_path, "").what

    def test_unknown_core_names_what_there_is(self, tmp_path: Path) -> None:
        error = refusal(tmp_path, "", arm64_cpu="cortex-a72")
        assert "'cortex-a72'" in error.what
        assert all(core in error.what for core in CORES)

    def test_unknown_target_suggests_and_lists(self, tmp_path: Path) -> None:
        error = refusal(tmp_path, "", arm64_target="al2023-pyton3.12")
        assert "did you mean 'al2023-python3.12'?" in error.what
        assert "lambda-python3.13" in error.next_step

    def test_missing_file_of_an_option_names_the_option(self, tmp_path: Path) -> None:
        error = refusal(tmp_path, "", arm64_requirements=["nope.txt"])
        assert "--arm64-requirements" in error.what
        assert str(tmp_path / "nope.txt") in error.what

    def test_folder_is_no_requirement_file(self, tmp_path: Path) -> None:
        (tmp_path / "reqs").mkdir()
        error = refusal(tmp_path, "", arm64_requirements=["reqs"])
        assert "is not a file" in error.what

    @given(st.text(alphabet="[]{}=.\"'\n, \\#abtolprjec-6m4yrs013", max_size=60))
    @example("[tool.pytest-arm64.targets.x]\nimage='a'\npython='3.12'\ndigest=''")
    @example("[project]\nrequires-python = 3")
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        with tempfile.TemporaryDirectory() as name:
            manifest = Path(name, "pyproject.toml")
            manifest.write_text(text, "utf-8")
            found = attempt(SettingsError, lambda: read_project_files(manifest.parent))
        if isinstance(found, SettingsError):
            assert is_plain_text(found)
        else:
            assert set(found.table) <= set(KEYS)
            assert isinstance(found.metadata, dict)

    @given(st.binary(max_size=60))
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as name:
            manifest = Path(name, "pyproject.toml")
            manifest.write_bytes(data)
            found = attempt(SettingsError, lambda: read_project_files(manifest.parent))
        if isinstance(found, SettingsError):
            assert str(manifest) in found.what
        else:
            assert found.table == {}


class TestRoot:
    def test_nearest_repository(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        (tmp_path / "a/b").mkdir(parents=True)
        assert repository_root(tmp_path / "a/b") == tmp_path

    def test_worktree_has_a_file(self, tmp_path: Path) -> None:
        write(tmp_path, {".git": "gitdir: elsewhere", "a/x": ""})
        assert repository_root(tmp_path / "a") == tmp_path

    def test_no_repository(self, tmp_path: Path) -> None:
        assert repository_root(tmp_path) == tmp_path

    def test_file_system_root_is_never_mounted(self) -> None:
        with pytest.raises(SettingsError) as caught:
            repository_root(Path("/"))
        assert "whole file system" in caught.value.why
        assert "--rootdir" in caught.value.next_step


def chosen(files: dict[str, str], requires: object = None) -> str:
    project = {} if requires is None else {"requires-python": requires}
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), files)
        return default_target(ProjectFiles(folder, folder, TomlFiles(), {}, project))


class TestDefaultTarget:
    @pytest.mark.parametrize(
        ("text", "minor"),
        [
            ("3.11\n", "3.11"),
            ("3.13.2", "3.13"),
            ("3.14.0rc1\n", "3.14"),
            ("3.13-dev", "3.13"),
            ("cpython-3.11.9-linux-x86_64-gnu", "3.11"),
            ("cpython@3.13", "3.13"),
            ("python3.14", "3.14"),
            ("\ufeff3.11", "3.11"),
            ("# chosen by the team\n3.13\n3.11\n", "3.13"),
            ("3.13 # why", "3.13"),
            ("3.11\n3.12", "3.11"),
        ],
    )
    def test_python_version_file(self, text: str, minor: str) -> None:
        assert chosen({".python-version": text}, ">=3.12,<3.13") == f"al2023-python{minor}"

    @pytest.mark.parametrize(
        "text", ["", "\n", "system", "pypy3.11", "3.9", "2.7", "3", "3.110", "3.13t", "x3.13"]
    )
    def test_unusable_python_version_file_gives_way(self, text: str) -> None:
        assert chosen({".python-version": text}, ">=3.14") == "al2023-python3.14"

    @pytest.mark.parametrize(
        ("requires", "minor"),
        [
            (">=3.10", "3.12"),
            (">=3.13", "3.13"),
            ("<3.12", "3.11"),
            ("==3.13.*", "3.13"),
            ("~=3.13.1", "3.13"),
            ("==3.13.1", "3.13"),
            ("<=3.12", "3.12"),
            (">=3.11,!=3.12.*", "3.11"),
            (">=3.15", "3.12"),
            ("<3", "3.12"),
            ("nonsense", "3.12"),
            (3, "3.12"),
            ([">=3.13"], "3.12"),
            ({}, "3.12"),
        ],
    )
    def test_requires_python(self, requires: object, minor: str) -> None:
        assert chosen({}, requires) == f"al2023-python{minor}"

    @pytest.mark.parametrize(
        ("python", "minor"),
        [
            ('"~3.13"', "3.13"),
            ('"^3.13"', "3.13"),
            ('"3.13.*"', "3.13"),
            ('">=3.11,<3.12"', "3.11"),
            ('"^3.9"', "3.12"),
            ('"*"', "3.12"),
            ('"^2.7 || ^3.13"', "3.12"),
            ("3", "3.12"),
            ('{version = "^3.13"}', "3.12"),
        ],
    )
    def test_poetrys_python(self, tmp_path: Path, python: str, minor: str) -> None:
        poetry = f"[tool.poetry.dependencies]\npython = {python}\n"
        write(tmp_path, {"pyproject.toml": poetry})
        assert default_target(read_project_files(tmp_path)) == f"al2023-python{minor}"
        write(tmp_path, {"pyproject.toml": f"[project]\nrequires-python = '<3.12'\n{poetry}"})
        assert default_target(read_project_files(tmp_path)) == "al2023-python3.11"

    def test_python_version_that_is_no_text(self, tmp_path: Path) -> None:
        write(tmp_path, {".python-version": b"\xff\xfe"})
        assert default_target(read_project_files(tmp_path)) == "al2023-python3.12"

    @given(st.sets(st.sampled_from(PACKAGED), min_size=1))
    def test_lowest_allowed_unless_312(self, allowed: set[str]) -> None:
        requires = ",".join(f"!={p}.*" for p in PACKAGED if p not in allowed)
        expected = "3.12" if "3.12" in allowed else min(allowed)
        assert chosen({}, requires) == f"al2023-python{expected}"

    @given(st.text(max_size=30), st.text(max_size=20))
    def test_always_one_that_exists(self, text: str, requires: str) -> None:
        assert chosen({".python-version": text}, requires) in {
            f"al2023-python{minor}" for minor in PACKAGED
        }


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)


@given(
    st.lists(st.tuples(NAMES, st.none() | st.text(max_size=10)), max_size=6),
    st.dictionaries(NAMES, st.text(max_size=5)),
)
def test_passed_variables(entries: list[tuple[str, str | None]], environ: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        plain = settings_of(Path(name))
    env = tuple(n if value is None else f"{n}={value}" for n, value in entries)
    found = passed_variables(type(plain)(plain.root, plain.target, env=env), environ)
    expected: dict[str, str] = {}
    for variable, value in entries:
        if value is not None:
            expected[variable] = value
        elif variable in environ:
            expected[variable] = environ[variable]
    assert found == expected


@pytest.mark.parametrize(
    ("said", "count"),
    [("512MB", 512 << 20), ("2GB", 2 << 30), ("1 GiB", 1 << 30), ("128MiB", 128 << 20)],
)
def test_memory(tmp_path: Path, said: str, count: int) -> None:
    found = settings_of(tmp_path, f'[tool.pytest-arm64]\nmemory = "{said}"\n')
    assert found.memory == count
    assert settings_of(tmp_path / "other").memory == 0


@pytest.mark.parametrize("said", ["512", "0MB", "-1GB", "lots", "1TB", "512MB ", "٣MB"])
def test_no_amount_of_memory(tmp_path: Path, said: str) -> None:
    with pytest.raises(SettingsError, match="is not an amount of memory"):
        settings_of(tmp_path, f'[tool.pytest-arm64]\nmemory = "{said}"\n')


def test_the_size_of_dev_shm(tmp_path: Path) -> None:
    table = '[tool.pytest-arm64]\nmemory = "1GB"\nshm-size = "256MB"\n'
    assert settings_of(tmp_path / "default").shm_size == 64 << 20
    assert settings_of(tmp_path, table).shm_size == 256 << 20
    with pytest.raises(SettingsError, match="shm-size = '256' is not an amount of memory"):
        settings_of(tmp_path / "bad", '[tool.pytest-arm64]\nshm-size = "256"\n')
    found = settings_of(tmp_path / "given", table, memory="2GB", shm_size="1GB")
    assert (found.memory, found.shm_size) == (2 << 30, 1 << 30)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Given(), (512 << 20, 128 << 20)),
        (Given(memory="4GB", shm_size="3GB"), (4 << 30, 3 << 30)),
        (Given(shm_size="3GB"), (512 << 20, 3 << 30)),
    ],
)
def test_what_a_service_says_counts_before_the_table_and_after_options(
    options: Given, expected: tuple[int, int], tmp_path: Path
) -> None:
    (tmp_path / "r.txt").touch()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest-arm64]\nmemory = "1GB"\nshm-size = "256MB"\n'
        '[tool.pytest-arm64.service.api]\nrequirements = "r.txt"\n'
        'memory = "512MB"\nshm-size = "128MB"\n',
        "utf-8",
    )
    project = load_project(options, {}, rootpath=tmp_path, cwd=tmp_path)
    settings = project.settings_of(project.services.configured[0])
    assert (settings.memory, settings.shm_size) == expected


def test_timeout(tmp_path: Path) -> None:
    assert settings_of(tmp_path).timeout == 0
    assert settings_of(tmp_path, arm64_timeout="1.5").timeout == 1.5


@pytest.mark.parametrize("said", ["0", "-1", "nan", "inf", "1e99", "soon", ""])
def test_no_timeout(tmp_path: Path, said: str) -> None:
    with pytest.raises(SettingsError, match="not a number of seconds above 0"):
        settings_of(tmp_path, arm64_timeout=said)


def test_build_timeout(tmp_path: Path) -> None:
    table = "[tool.pytest-arm64]\nbuild-timeout = 900\n"
    assert settings_of(tmp_path / "default").build_timeout == 0
    assert settings_of(tmp_path, table).build_timeout == 900
    assert settings_of(tmp_path, table, build_timeout="1.5").build_timeout == 1.5
    for said in ("0", "-1", "nan", "inf", "true", '"900"'):
        with pytest.raises(SettingsError, match="build-timeout"):
            settings_of(tmp_path / "bad", f"[tool.pytest-arm64]\nbuild-timeout = {said}\n")
    with pytest.raises(SettingsError, match="--arm64-build-timeout soon is not a number"):
        settings_of(tmp_path, build_timeout="soon")


class TestArtifact:
    """What is deployed already."""

    TABLE = '[tool.pytest-arm64]\nartifact = "{}"\nimage = "of-table"\n'

    def test_an_image_is_what_runs_whatever_else_names_one(self, tmp_path: Path) -> None:
        variables = {"PYTEST_ARM64_IMAGE": "of-variable"}
        found = settings_of(tmp_path, self.TABLE.format("image:shop/api:1"), variables)
        assert found.base == "shop/api:1"

    def test_a_folder_goes_into_the_image_of_the_target(self, tmp_path: Path) -> None:
        (tmp_path / "build").mkdir()
        found = settings_of(tmp_path, self.TABLE.format("dir:build"))
        assert found.base == "of-table"
        assert found.artifact is not None
        assert found.artifact.path == tmp_path / "build"

    @pytest.mark.parametrize(
        "options",
        [{"arm64_compare": True}, {"arm64_record": True}, {"arm64_installer": "pip"}],
    )
    def test_what_makes_no_sense_with_it_is_refused(
        self, tmp_path: Path, options: dict[str, Any]
    ) -> None:
        error = refusal(tmp_path, self.TABLE.format("image:shop/api:1"), **options)
        assert "artifact" in error.what
        assert error.next_step

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        assert "is not a file" in refusal(tmp_path, self.TABLE.format("zip:fn.zip")).what
