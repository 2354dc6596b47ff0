"""The audit and the real thing: its idea of a target, and its findings in a run."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import packaging
from packaging.markers import Marker

from docker_cases import RunPytest, outcomes
from pytest_arm64.audit.platform import ordered_tags, platform_of
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Mount, Plan
from pytest_arm64.engine.endpoint import Engine

INSIDE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from packaging.markers import Marker, default_environment
from packaging.tags import sys_tags
texts = json.loads(sys.argv[2])
print(json.dumps({
    "environment": default_environment(),
    "tags": [str(tag) for tag in sys_tags()],
    "holds": [Marker(text).evaluate({"extra": "x"}) for text in texts],
}))
"""
VALUES = {
    "python_version": ["2.7", "3.9", "3.10", "3.11", "3.12"],
    "python_full_version": ["3.8.0", "3.11.0", "3.11.2", "3.12.1"],
    "sys_platform": ["linux", "win32", "darwin"],
    "platform_system": ["Linux", "Windows", "Darwin"],
    "platform_machine": ["aarch64", "x86_64", "arm64", "ARM64"],
    "os_name": ["posix", "nt"],
    "implementation_name": ["cpython", "pypy"],
    "platform_python_implementation": ["CPython", "PyPy"],
    "extra": ["x", "y"],
}


def marker(chance: random.Random, depth: int = 2) -> str:
    if depth and chance.random() < 0.6:
        word = chance.choice(["and", "or"])
        return f"({marker(chance, depth - 1)} {word} {marker(chance, depth - 1)})"
    name = chance.choice(sorted(VALUES))
    ordered = name.startswith("python_")
    operator = chance.choice(["==", "!=", *(["<", "<=", ">", ">="] if ordered else ["in"])])
    return f"{name} {operator} '{chance.choice(VALUES[name])}'"


def test_markers_and_tags_are_those_of_the_interpreter_inside(
    engine: Engine, tmp_path: Path
) -> None:
    chance = random.Random(20261123)
    texts = [marker(chance) for _ in range(200)]
    image = os.environ["PYTEST_ARM64_IMAGE"].replace("{arch}", "arm64")
    library = str(Path(packaging.__file__).parents[1])
    plan = Plan(image=image, platform="linux/arm64", mounts=[Mount(library, read_only=True)])
    with Container(engine, plan) as container:
        done = container.run(["python3", "-c", INSIDE, library, json.dumps(texts)])
    assert done.code == 0, done.text
    told = json.loads(done.stdout)
    version = told["environment"]["python_full_version"]
    minor = version.rpartition(".")[0]
    glibc = max(
        int(tag.split("manylinux_2_")[1].split("_")[0])
        for tag in told["tags"]
        if "-manylinux_2_" in tag
    )
    declared = shipped_targets()["al2023-python3.12"]
    platform = platform_of(replace(declared, python=minor, glibc=f"2.{glibc}"))
    major, _, number = minor.partition(".")
    ours = ordered_tags((int(major), int(number)), "arm64", (2, glibc))
    assert ["-".join(tag) for tag in ours] == told["tags"]
    # The patch level is the image's own: a target declares none.
    environment = {**platform.markers, "python_full_version": version, "extra": "x"}
    assert [Marker(text).evaluate(environment) for text in texts] == told["holds"]
    ignored = {"platform_release", "platform_version", "implementation_version"}
    for name in set(told["environment"]) - ignored - {"python_full_version"}:
        assert platform.markers[name] == told["environment"][name]
    assert 25 < sum(told["holds"]) < 175


def test_what_cannot_be_installed_is_a_gate_before_the_tests(
    project: Callable[..., Path], run_pytest: RunPytest
) -> None:
    test = (
        "def test_it(arm64_matrix):\n    assert arm64_matrix['intel-openmp'].cause == 'x86-only'\n"
    )
    folder = project("intel-openmp==2024.2.1\n", test_it=test)
    result = run_pytest(folder, "--arm64", "--arm64-gate", "all", f"--junitxml={folder}/xml")
    assert result.code == 1
    assert outcomes(folder / "xml") == {
        (f"arm64.{folder.name}", "intel-openmp"): "failure",
        (f"arm64.{folder.name}", "decision:verdict"): "skipped",
        ("test_it", "test_it"): "passed",
    }
    (header,) = result.lines("arm64: audit of ")
    assert f"{folder.name} for al2023-python3.12: 1 package: 1 blocking; not ready" in header
    assert result.lines("x86-only: a library of an x86 vendor")
