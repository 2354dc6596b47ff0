"""``pytest_arm64.typing`` has the types of every fixture and hook, and is cheap to import."""

from __future__ import annotations

import ast
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from pytest_arm64 import hooks, plugin
from pytest_arm64 import typing as public
from pytest_arm64.inside.ran import FACTS, facts_here

USER = Path(__file__).parents[2] / "typing_tests" / "api.py"


@pytest.mark.parametrize("name", public.__all__)
def test_each_public_type_can_be_had_at_run_time(name: str) -> None:
    assert getattr(public, name) is not None


def test_nothing_else_is_there() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        public.Nothing  # type: ignore[attr-defined]  # noqa: B018  (that is what is tested)


def test_annotations_of_a_suite_can_be_evaluated() -> None:
    code = "def test_it(golden: ArmGolden, matrix: ArmMatrix) -> None: ..."
    names: dict[str, typing.Any] = {n: getattr(public, n) for n in ("ArmGolden", "ArmMatrix")}
    exec(code, names)
    assert set(typing.get_type_hints(names["test_it"])) == {"golden", "matrix", "return"}


def test_the_facts_of_a_target_are_those_of_the_fixture() -> None:
    assert set(public.ArmTarget.__annotations__) == set(FACTS) == set(facts_here())


def test_the_checked_suite_uses_every_type_fixture_and_hook() -> None:
    tree = ast.parse(USER.read_text("utf-8"))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    specified = {name for name in vars(hooks) if name.startswith("pytest_arm64_")}
    fixtures = {name for name in vars(plugin) if name.startswith("arm64_")}
    assert specified
    assert fixtures
    assert {*public.__all__, *specified, *fixtures} <= used


def test_importing_the_types_loads_no_engine_and_no_resolver() -> None:
    code = (
        "import sys, pytest_arm64.typing\n"
        "print(*{'docker', 'urllib3', 'resolvelib', 'pytest'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "\n"
