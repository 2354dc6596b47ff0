"""The smoke tests: a known answer of each deployed package, and none of what is not deployed."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib import resources
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

from pytest_arm64.environment.inside_files import inside_files
from pytest_arm64.smoke import test_smoke as suite
from pytest_arm64.smoke.case import (
    SMOKES,
    Smoke,
    deployed_packages,
    deployed_smokes,
    is_native,
    normalised,
    unchecked,
)
from pytest_arm64.smoke.conftest import MOST, summary

ROOT = Path(__file__).parents[3]
HERE = deployed_smokes(deployed_packages())
WHEEL = "Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"


@pytest.mark.parametrize("smoke", [s for _, s in HERE], ids=[name for name, _ in HERE])
def test_what_is_installed_here_gives_the_known_answers(smoke: Smoke) -> None:
    smoke.run()


def test_the_checks_are_many_and_each_package_has_one() -> None:
    names = [name for smoke in SMOKES for name in smoke.packages]
    assert len(SMOKES) >= 100
    assert len(names) == len(set(names))
    assert all(normalised(name) == name for name in names)
    assert all(smoke.modules for smoke in SMOKES)


def test_the_documentation_names_every_package() -> None:
    page = (ROOT / "docs/smoke.md").read_text("utf-8")
    listed = set(re.findall(r"[\w-]+", page.partition("## Packages")[2]))
    assert {name for smoke in SMOKES for name in smoke.packages} - listed == set()


def test_a_cell_gets_the_suite_which_needs_nothing_but_pytest_and_python_3_9() -> None:
    files = {n: c for n, c in inside_files().items() if n.startswith("pytest_arm64/smoke/")}
    shipped = resources.files("pytest_arm64.smoke").iterdir()
    assert {Path(name).name for name in files} == {
        file.name for file in shipped if file.name.endswith(".py")
    }
    for name, content in files.items():
        tree = ast.parse(content, name, feature_version=(3, 9))
        for node in tree.body:
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                first = module.partition(".")[0]
                assert first == "pytest" or first in sys.stdlib_module_names, f"{name}: {module}"


def distribution(folder: Path, name: str, *files: str, code: str = "") -> Distribution:
    """An installed package of *files* and a module of its name with *code*."""
    info = folder / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(WHEEL.format(name=name))
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in (f"{name}.py", *files)))
    (folder / f"{name}.py").write_text(code)
    return PathDistribution(info)


@pytest.mark.parametrize(
    ("file", "native"),
    [
        ("zed/_zed.cpython-311-aarch64-linux-gnu.so", True),
        ("zed/_zed.abi3.so", True),
        ("zed.libs/libodd-1a2b.so.5.9", True),
        ("zed/soap.py", False),
        ("zed/notes.so.txt/readme", False),
    ],
)
def test_a_package_with_a_compiled_file_is_native(
    tmp_path: Path, file: str, *, native: bool
) -> None:
    assert is_native(distribution(tmp_path, "zed", file)) is native


def test_the_name_under_which_a_package_is_deployed_is_its_test() -> None:
    names = [name for name, _ in deployed_smokes(["opencv-contrib-python", "xxhash", "zed"])]
    assert names == ["opencv-contrib-python", "xxhash"]
    assert deployed_smokes(["zed"]) == []


def test_native_packages_without_a_check_are_named() -> None:
    assert unchecked(["zed", "numpy", "polars-runtime-32"]) == ["zed"]
    assert summary(1, ["zed"]) == (
        "arm64 smoke: 1 package with a check; native packages without one: zed"
    )
    assert summary(2, []).endswith("; every deployed native package has one")
    many = summary(2, [f"p{n}" for n in range(MOST + 3)])
    assert many.endswith(f"p{MOST - 1} and 3 more")


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """The suite as a cell runs it: with the packages in *folder*, and with pytest, alone."""
    code = (
        "import sys; import pytest\n"
        "path = [p for p in sys.path if 'site-packages' not in p]\n"
        f"sys.path[:] = [{str(folder)!r}, *path]\n"
        "sys.exit(pytest.main(['-q', '-pno:cacheprovider', '--pyargs', 'pytest_arm64.smoke']))\n"
    )
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name, content in inside_files().items():
        if name.startswith("pytest_arm64/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_package_that_is_not_deployed_is_no_test(tmp_path: Path) -> None:
    distribution(tmp_path, "zed", "zed.abi3.so")
    done = run(tmp_path)
    assert done.returncode == 5, done.stdout  # pytest: no tests ran
    assert "skipped" not in done.stdout
    assert "arm64 smoke: 0 packages with a check; native packages without one: zed" in done.stdout


def test_a_wrong_answer_and_a_module_that_cannot_be_loaded_fail(tmp_path: Path) -> None:
    distribution(tmp_path, "mmh3", code="def hash(text):\n    return 7\n")
    distribution(tmp_path, "crc32c", code="raise ImportError('libodd.so.1: no such file')\n")
    done = run(tmp_path)
    assert done.returncode == 1, done.stdout
    assert "2 failed" in done.stdout
    assert "assert 7 == -156908512" in done.stdout
    assert "libodd.so.1" in done.stdout


def test_the_suite_finds_its_packages_when_it_is_imported() -> None:
    assert [name for name, _ in suite.SMOKES] == [name for name, _ in HERE]
