"""A target that the project is not made for is a problem, never "ready"."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.index.served import Project, matrix_of_folder, release, serve

pytestmark = pytest.mark.usefixtures("index_alone")

PROJECTS: dict[str, Project] = {"pure": release("pure", "1.0", "py3-none-any")}
PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["pure"]\n'
POETRY = '[tool.poetry]\nname = "shop"\nversion = "1"\n[tool.poetry.dependencies]\npure = "*"\n'
POETRY_LOCK = """[[package]]
name = "pure"
version = "1.0"
optional = false
python-versions = "*"
files = [{{file = "pure-1.0-py3-none-any.whl", hash = "sha256:aa"}}]
[metadata]
lock-version = "2.1"
python-versions = "{}"
"""
UV_LOCK = """version = 1
{}
[[package]]
name = "shop"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "pure" }}]
[[package]]
name = "pure"
version = "1.0"
source = {{ registry = "https://host.invalid/simple" }}
wheels = [{{ url = "https://host.invalid/pure-1.0-py3-none-any.whl", hash = "sha256:aa" }}]
"""
PYLOCK = """lock-version = "1.0"
created-by = "test"
{}
[[packages]]
name = "pure"
version = "1.0"
[[packages.wheels]]
url = "https://host.invalid/pure-1.0-py3-none-any.whl"
hashes = {{ sha256 = "aa" }}
"""


def problems(folder: Path, files: dict[str, str], target: str = "al2023-python3.12") -> list[str]:
    with serve(PROJECTS) as index:
        matrix = matrix_of_folder(folder, files, index.url, target=target)
    assert matrix.ready is not bool(matrix.problems)
    return list(matrix.problems)


@pytest.mark.parametrize(
    ("files", "origin"),
    [
        (
            {"pyproject.toml": PROJECT + 'requires-python = ">=3.13"\n'},
            "pyproject.toml:5: for Python >=3.13",
        ),
        (
            {"pyproject.toml": PROJECT + 'requires-python = ">=3.13"\n', "requirements.txt": ""},
            "pyproject.toml:5: for Python >=3.13",
        ),
        (
            {"pyproject.toml": POETRY + 'python = "^3.13"\n'},
            "pyproject.toml:6: for Python <4,>=3.13",
        ),
    ],
)
def test_requires_python_without_a_lock_is_compared_with_the_target(
    tmp_path: Path, files: dict[str, str], origin: str
) -> None:
    (problem,) = problems(tmp_path, files)
    assert problem.startswith(f"{origin}, the target has 3.12; ")
    assert "al2023-python3.13, al2023-python3.14" in problem
    assert "3.11" not in problem
    assert not problems(tmp_path, files, target="al2023-python3.13")


@pytest.mark.parametrize("text", ["3.8\n", "# ours\n3.8.19\n", "cpython-3.9\n", "3.99"])
def test_a_python_version_without_a_target_is_a_problem(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, {"pyproject.toml": PROJECT, ".python-version": text})
    assert problem.startswith(".python-version:")
    assert "the target has 3.12; no target has such a Python" in problem


@pytest.mark.parametrize("text", ["3.12\n", "3.12.7\n", "3.13\n", "system\n", "pypy3.8\n"])
def test_a_python_version_that_a_target_has_is_none(tmp_path: Path, text: str) -> None:
    assert not problems(tmp_path, {"pyproject.toml": PROJECT, ".python-version": text})


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK.format("3.12.13")},
        {"pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK.format("~3.12.3")},
        {"pyproject.toml": PROJECT, "uv.lock": UV_LOCK.format('requires-python = "==3.12.4"')},
        {"pylock.toml": PYLOCK.format('requires-python = "<=3.12.5"')},
        {"pyproject.toml": PROJECT + 'requires-python = "==3.12.4"\n'},
    ],
)
def test_an_exact_patch_of_the_same_minor_is_no_contradiction(
    tmp_path: Path, files: dict[str, str]
) -> None:
    assert not problems(tmp_path, files)
    assert problems(tmp_path, files, target="al2023-python3.13")


X86 = "platform_machine == 'x86_64' and sys_platform == 'linux'"
BOTH = "sys_platform == 'linux'"


@pytest.mark.parametrize(
    "files",
    [
        {
            "pyproject.toml": PROJECT,
            "uv.lock": UV_LOCK.format(f'supported-markers = ["{X86}", "os_name == \'nt\'"]'),
        },
        {"pylock.toml": PYLOCK.format(f'environments = ["{X86}"]')},
        {"pyproject.toml": f'{PROJECT}[tool.uv]\nenvironments = ["{X86}"]\n'},
    ],
)
def test_environments_that_exclude_aarch64_are_a_problem(
    tmp_path: Path, files: dict[str, str]
) -> None:
    (problem,) = problems(tmp_path, files)
    assert "excludes Linux on aarch64" in problem
    assert "[tool.uv] environments" in problem
    assert "platform_machine == 'aarch64'" in problem
    admitted = {name: text.replace(X86, BOTH) for name, text in files.items()}
    assert not problems(tmp_path, admitted)
