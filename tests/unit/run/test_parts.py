"""Parts of a run: which service gets which arguments, settings and cells."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_arm64.config.option_values import Given
from pytest_arm64.config.project import Project
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.services import services_at
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.errors import SettingsError
from pytest_arm64.inside.ran import Ran
from pytest_arm64.mirror.task import Task
from pytest_arm64.run.parts import RunPart, parts_of
from unit.support import settings_of

MANIFEST = """
[tool.pytest-arm64]
env = ["ALL=1"]
memory = "1GB"
[tool.pytest-arm64.service.api]
requirements = ["api/requirements.txt", "api/more.txt"]
test-requirements = "api/test.txt"
tests = ["api/tests", "shared/test_api.py"]
env = ["REGION=x"]
network = "none"
memory = "512MB"
[tool.pytest-arm64.service.gpu]
requirements = "gpu/requirements.txt"
boundary = { reason = "CUDA", migratable-when = "never" }
[tool.pytest-arm64.service.locked]
requirements = "locked/uv.lock"
tests = "locked/tests"
[tool.pytest-arm64.service.empty]
requirements = "empty/requirements.txt"
"""
FILES = (
    "api/requirements.txt",
    "api/more.txt",
    "api/test.txt",
    "api/tests/test_a.py",
    "api/tests/unit/test_b.py",
    "shared/test_api.py",
    "shared/test_all.py",
    "gpu/requirements.txt",
    "gpu/deep/gpu_test.py",
    "locked/uv.lock",
    "locked/tests/test_l.py",
    "empty/requirements.txt",
    "empty/.venv/pyvenv.cfg",
    "empty/.venv/test_no.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("", "utf-8")
    (root / "pyproject.toml").write_text(MANIFEST, "utf-8")
    return root


def parts(
    root: Path,
    *args: str,
    here: str = "",
    paths: tuple[str, ...] = (),
    failed: tuple[str, ...] = (),
    reference: bool = False,
    settings: Settings | None = None,
    **options: Any,
) -> dict[str, RunPart]:
    values = {
        "arm64_service": [],
        "arm64_requirements": [],
        "inifilename": None,
        "rootdir": None,
        "file_or_dir": list(paths),
        "pyargs": False,
        "lf": False,
        **options,
    }
    config: Any = SimpleNamespace(
        option=SimpleNamespace(**values),
        rootpath=root,
        invocation_params=SimpleNamespace(dir=root / here),
        cache=SimpleNamespace(get=lambda *_: dict.fromkeys(failed, True)),
        getini={"python_files": ["test_*.py"], "testpaths": []}.__getitem__,
    )
    target = shipped_targets()["al2023-python3.12"]
    settings = settings or Settings(
        root, target, "of-table", reference=reference, env=("ALL=1",), memory=2**30
    )
    files = read_project_files(root)
    project = Project(files, settings, services_at(files), Given())
    task = Task(args=(*args, *paths), cwd=str(root / here), module=False, ran=Ran())
    return {part.name: part for part in parts_of(config, project, task)}


def arguments(root: Path, found: dict[str, RunPart]) -> dict[str, list[str]]:
    return {
        name: [
            word.replace(f"{root}/", "") for word in part.task.args if word != f"--rootdir={root}"
        ]
        for name, part in found.items()
    }


def test_every_service_has_its_tests_and_the_rest_is_the_repositorys(root: Path) -> None:
    assert arguments(root, parts(root, "-x")) == {
        "api": ["-x", "api/tests", "shared/test_api.py"],
        "gpu": ["-x", "gpu"],
        "locked": ["-x", "locked/tests"],
        "shop": [
            "-x",
            *(f"--ignore={p}" for p in ("api/tests", "shared/test_api.py", "gpu", "locked/tests")),
            "--ignore=empty",
        ],
    }


def test_paths_are_shared_among_those_that_they_belong_to(root: Path) -> None:
    node = "api/tests/test_a.py::test_x[a::b]"
    assert arguments(root, parts(root, paths=(node, "shared", "locked/tests/test_l.py"))) == {
        "api": [node, "shared/test_api.py"],
        "locked": ["locked/tests/test_l.py"],
        "shop": ["shared", "--ignore=shared/test_api.py"],
    }
    assert list(parts(root, here="api/tests/unit")) == ["api"]
    assert arguments(root, parts(root, here="api")) == {"api": ["api/tests"]}


def test_a_packages_own_tests_run_in_each_environment(root: Path) -> None:
    found = arguments(root, parts(root, "--pyargs", paths=("numpy",), pyargs=True))
    assert found == {name: ["--pyargs", "numpy"] for name in ("api", "gpu", "locked", "empty")}


def test_only_those_in_which_something_failed_run_again(root: Path) -> None:
    failed = ("api/tests/test_a.py::test_x", "shared/test_all.py::test_y")
    assert list(parts(root, lf=True, failed=failed)) == ["api", "shop"]
    assert list(parts(root, failed=failed)) == ["api", "gpu", "locked", "shop"]
    assert list(parts(root, lf=True)) == ["api", "gpu", "locked", "shop"]


def test_an_options_value_that_looks_like_a_path_stays(root: Path) -> None:
    found = arguments(root, parts(root, "-k", "shared", paths=("shared",)))
    assert found["api"] == ["-k", "shared", "shared/test_api.py"]


def test_services_are_chosen_by_name(root: Path) -> None:
    assert list(parts(root, arm64_service=["gpu"])) == ["gpu"]
    assert list(parts(root, arm64_service=["locked", "api"])) == ["api", "locked"]
    with pytest.raises(SettingsError, match="there is no such service"):
        parts(root, arm64_service=["gpus"])
    with pytest.raises(SettingsError, match="the arguments select none of its tests"):
        parts(root, arm64_service=["empty"])
    with pytest.raises(SettingsError, match="the arguments select none of its tests"):
        parts(root, paths=("gpu",), arm64_service=["api"])


def test_a_service_adds_to_the_settings_and_replaces_them(root: Path) -> None:
    found = parts(root)
    api = found["api"].settings
    assert [path.name for path in api.requirements] == ["requirements.txt", "more.txt"]
    assert [path.name for path in api.test_requirements] == ["test.txt"]
    assert (api.env, api.network, api.memory) == (("ALL=1", "REGION=x"), "none", 512 * 2**20)
    gpu = found["gpu"].settings
    assert (gpu.env, gpu.network, gpu.memory) == (("ALL=1",), "bridge", 2**30)
    # A lock decides by itself: it is no requirement file.
    assert found["locked"].settings.requirements == ()
    assert found["shop"].settings.memory == 2**30


def test_a_services_own_artifact_is_what_its_tests_run_in(root: Path) -> None:
    (root / "packed").mkdir()
    table = "[tool.pytest-arm64.service.{}]\nartifact = '{}'\ntests = 'locked/tests'\n"
    for name, artifact, image in (
        ("built", "image:shop/built:1", "shop/built:1"),
        ("packed", "dir:packed", "of-table"),
    ):
        (root / "pyproject.toml").write_text(table.format(name, artifact), "utf-8")
        found = parts(root)
        own = found[name].settings
        assert own.artifact is not None
        assert own.artifact.kind == artifact.partition(":")[0]
        assert [planned.cell.image for planned in found[name].cells] == [image]
        # What runs beside it has nothing of it.
        assert found["shop"].settings.artifact is None
        assert [planned.cell.image for planned in found["shop"].cells] == ["of-table"]
        with pytest.raises(SettingsError, match="toml:1: artifact: there is no x86"):
            parts(root, reference=True)


def test_what_stays_on_x86_runs_there_and_nowhere_else(root: Path) -> None:
    cells = {
        name: [planned.cell.architecture for planned in part.cells]
        for name, part in parts(root).items()
    }
    assert {name: part.beside for name, part in parts(root).items()}["shop"]
    assert cells == {"api": ["arm64"], "gpu": ["amd64"], "locked": ["arm64"], "shop": ["arm64"]}


@pytest.mark.parametrize(
    ("name", "text", "obeyed"),
    [
        ("pytest.ini", "", True),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", True),
        ("pyproject.toml", "[project]\nname = 'a'\n", False),
        ("tox.ini", "[tox]\n[pytest]\n", True),
        ("setup.cfg", "[metadata]\n", False),
        ("setup.cfg", "[tool:pytest]\n", True),
    ],
)
def test_a_service_runs_by_its_own_settings_of_pytest(
    root: Path, name: str, text: str, obeyed: bool
) -> None:
    (root / "locked" / name).write_text(text, "utf-8")
    task = parts(root, "-q")["locked"].task
    own = ("-c", str(root / "locked" / name)) if obeyed else ()
    tests = str(root / "locked/tests")
    # Of any folder with a pyproject.toml pytest would make a root.
    assert task.args == (*own, f"--rootdir={root}", "-q", tests)
    assert task.cwd == str(root / "locked" if obeyed else root)
    assert parts(root, "-q", inifilename="x.ini")["locked"].task.args == ("-q", tests)


def test_all_parts_have_one_root(root: Path) -> None:
    for part in parts(root).values():
        assert f"--rootdir={root}" in part.task.args
    given = parts(root, "--rootdir", "x", rootdir="x")
    assert all(f"--rootdir={root}" not in part.task.args for part in given.values())


def test_the_roots_settings_are_nobodys_own(root: Path) -> None:
    (root / "pytest.ini").write_text("", "utf-8")
    assert parts(root)["locked"].task.cwd == str(root)


def test_one_environment_for_all_is_one_part(root: Path) -> None:
    whole = parts(root, arm64_requirements=["x.txt"])
    assert {name: part.beside for name, part in whole.items()} == {"shop": False}
    (root / "pyproject.toml").unlink()
    assert arguments(root, parts(root, "-x", paths=("api",))) == {"shop": ["-x", "api"]}


@pytest.mark.parametrize(
    ("table", "packages", "refused"),
    [
        ('target = "lambda-zip-python3.12"', 'run = ["libpq"]', True),
        ('target = "lambda-python3.12"\npackage = "zip"', 'run = ["libpq"]', True),
        ('target = "lambda-zip-python3.12"\npackage = "image"', 'run = ["libpq"]', False),
        ('target = "lambda-zip-python3.12"', 'build = ["gcc"]', False),
        ('target = "lambda-python3.12"', 'run = ["libpq"]', False),
    ],
)
def test_a_zip_is_refused_packages_that_no_function_in_it_has(
    tmp_path: Path, table: str, packages: str, refused: bool
) -> None:
    settings = settings_of(
        tmp_path, f"[tool.pytest-arm64]\n{table}\nsystem-packages = {{ {packages} }}\n"
    )
    if refused:
        with pytest.raises(SettingsError, match=r"pyproject\.toml.*no package manager"):
            parts(tmp_path, settings=settings)
    else:
        assert parts(tmp_path, settings=settings)
