"""Targets: the shipped data is coherent, the user's own is checked."""

from __future__ import annotations

import re
import subprocess
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.config._toml import loads
from pytest_arm64.config.suggestions import suggestion
from pytest_arm64.config.targets import (
    DEFAULT_PYTHON,
    Recipe,
    Target,
    as_package,
    find_target,
    own_target,
    shipped_recipes,
    shipped_targets,
)
from pytest_arm64.errors import SettingsError
from unit.support import attempt, is_plain_text

DATA = loads(resources.files("pytest_arm64.resources").joinpath("targets.toml").read_text("utf-8"))
TARGETS = sorted(shipped_targets().values(), key=lambda target: target.name)
GLIBC = {
    "amzn 2": "2.26",
    "amzn 2023": "2.34",
    "debian 12": "2.36",
    "debian 13": "2.41",
    "ubuntu 22.04": "2.35",
    "ubuntu 24.04": "2.39",
    "centos 7": "2.17",
    "almalinux 8": "2.28",
    "almalinux 9": "2.34",
}
SHIPPED = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@SHIPPED
def test_shipped_target_is_complete(target: Target) -> None:
    assert re.fullmatch(r"[a-z0-9./_-]+:[a-z0-9.-]+", target.image)
    assert re.fullmatch(r"3\.\d\d", target.python)
    assert target.name.endswith(f"-python{target.python}")
    assert target.interpreter.startswith("/")
    assert target.interpreter.endswith(f"/python{target.python}")
    assert target.glibc == GLIBC[target.os]
    assert target.recipe == shipped_recipes()[target.recipe.name]


@SHIPPED
def test_digest_looks_like_one(target: Target) -> None:
    assert target.digest == "" or re.fullmatch(r"sha256:[0-9a-f]{64}", target.digest)
    assert target.reference == target.image + (f"@{target.digest}" if target.digest else "")


@SHIPPED
def test_target_can_get_its_python(target: Target) -> None:
    """Either a recipe installs it, or the image is the one of that Python."""
    has_each = target.recipe.name == "manylinux"
    given = "python{python}" in target.recipe.provision
    assert given or has_each or target.python in target.image


def test_every_announced_target_is_there() -> None:
    names = {f"al2023-python3.{minor}" for minor in (11, 12, 13, 14)}
    for kind in ("lambda", "lambda-zip"):
        names |= {f"{kind}-python3.{minor}" for minor in (10, 11, 12, 13, 14)}
    for kind in ("debian12", "debian13", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34"):
        names |= {f"{kind}-python3.{minor}" for minor in (10, 11, 12, 13, 14)}
    names |= {"ubuntu22.04-python3.10", "ubuntu24.04-python3.12"}
    assert {target.name for target in TARGETS} == names
    assert f"al2023-python{DEFAULT_PYTHON}" in names


def test_names_are_unique() -> None:
    expanded = [
        (base.get("name", key) + kind, python)
        for key, base in DATA["bases"].items()
        for python in base["pythons"]
        for kind in ("", "-zip")[: 1 + ("zip-facts" in base)]
    ]
    assert len(expanded) == len(set(expanded)) == len(TARGETS)


def test_every_recipe_is_used_or_for_the_users_own() -> None:
    assert set(shipped_recipes()) == {
        *("dnf", "apt", "lambda", "none", "python-image", "manylinux")
    }
    assert {base["recipe"] for base in DATA["bases"].values()} <= set(shipped_recipes())


@pytest.mark.parametrize("recipe", shipped_recipes().values(), ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("kind", ["provision", "builder"])
def test_recipe_is_a_shell_command(recipe: Recipe, kind: str) -> None:
    command = getattr(recipe, kind).format(python="3.12")
    assert "{" not in command
    assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0


OWN = {"image": "my/base:1", "python": "3.13"}


def test_own_target_needs_image_and_python_only() -> None:
    found = own_target("mine", OWN)
    assert found == Target("mine", "my/base:1", "3.13", "", "", "python3.13", Recipe("none"))


def test_own_target_takes_everything() -> None:
    assert own_target("mine", {**OWN, "page-size": 65536}).facts.page_size == 65536
    more = {"os": "debian 12", "glibc": "2.36", "interpreter": "/py", "digest": "sha256:ab"}
    found = own_target("mine", {**OWN, **more, "recipe": "apt"})
    assert (found.os, found.glibc, found.interpreter) == ("debian 12", "2.36", "/py")
    assert found.recipe == shipped_recipes()["apt"]
    assert found.reference == "my/base:1@sha256:ab"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"image": None}, "'image' is missing"),
        ({"python": None}, "'python' is missing"),
        ({"pyton": "3.12"}, "did you mean 'python'?"),
        ({"pythons": "3.12"}, "unknown key 'pythons'"),
        ({"name": "x"}, "unknown key 'name'"),
        ({"python": 3.12}, "python must be a string, not 3.12"),
        ({"python": "3.12.1"}, "a minor like '3.12', not '3.12.1'"),
        ({"python": "3.12; rm -rf /"}, "a minor like"),
        ({"image": ""}, "image is empty"),
        ({"recipe": "yum"}, "recipe must be one of apt, dnf, lambda, manylinux, none, python"),
        ({"page-size": 1000}, "page-size must be one of 4096, 16384, 65536, not 1000"),
        ({"page-size": "65536"}, "not '65536'"),
        ({"page-size": True}, "not True"),
        ({"page-size": [4096]}, "page-size must be"),
    ],
)
def test_own_target_refusals(change: dict[str, Any], part: str) -> None:
    table = {k: v for k, v in {**OWN, **change}.items() if v is not None}
    with pytest.raises(SettingsError) as caught:
        own_target("mine", table)
    assert "[tool.pytest-arm64.targets.mine]" in caught.value.what
    assert part in caught.value.what


VALUES = st.text(max_size=5) | st.integers() | st.booleans() | st.lists(st.text(max_size=2))
KEYS = st.sampled_from(
    ["image", "python", "os", "glibc", "interpreter", "recipe", "digest", "name", "x"]
)


@given(st.dictionaries(KEYS, VALUES))
def test_own_target_is_made_or_refused(table: dict[str, Any]) -> None:
    found = attempt(SettingsError, lambda: own_target("mine", table))
    if isinstance(found, SettingsError):
        assert is_plain_text(found)
    else:
        assert found.image == table["image"] != ""
        assert re.fullmatch(r"3\.\d+", found.python)


def test_own_target_wins_over_a_shipped_one() -> None:
    own = own_target("al2023-python3.12", OWN)
    assert find_target("al2023-python3.12", {"al2023-python3.12": own}) is own
    assert find_target("al2023-python3.12", {}).image == "amazonlinux:2023"


def test_several_targets_are_refused_with_the_command_that_takes_them() -> None:
    with pytest.raises(SettingsError, match="names several targets") as error:
        find_target("al2023-python3.12, lambda-python3.13", {})
    assert "audit --target al2023-python3.12,lambda-python3.13" in error.value.next_step


def test_unknown_target_lists_the_users_own_too() -> None:
    with pytest.raises(SettingsError) as caught:
        find_target("mime", {"mine": own_target("mine", OWN)})
    assert "did you mean 'mine'?" in caught.value.what
    assert "al2023-python3.11" in caught.value.next_step
    assert "mine" in caught.value.next_step


@given(st.text(max_size=12), st.lists(st.text(min_size=1, max_size=12), max_size=5))
def test_suggestion(word: str, known: list[str]) -> None:
    found = suggestion(word, known)
    assert found == "" or found in {f" (did you mean {name!r}?)" for name in known}
    if word in known:
        assert found == f" (did you mean {word!r}?)"


def test_suggestion_needs_likeness() -> None:
    assert suggestion("imge", ["image", "network"]) == " (did you mean 'image'?)"
    assert suggestion("zzz", ["image", "network"]) == ""


@pytest.mark.parametrize(
    ("name", "package", "like"),
    [
        ("lambda-python3.12", "zip", "lambda-zip-python3.12"),
        ("lambda-zip-python3.12", "image", "lambda-python3.12"),
        ("lambda-python3.11", "zip", "lambda-zip-python3.11"),
        ("lambda-zip-python3.12", "zip", "lambda-zip-python3.12"),
        ("lambda-python3.12", "", "lambda-python3.12"),
        ("al2023-python3.12", "zip", "al2023-python3.12"),
    ],
)
def test_a_service_is_judged_by_its_package(name: str, package: str, like: str) -> None:
    targets = shipped_targets()
    found = as_package(targets[name], package)
    assert (found.facts, found.package) == (targets[like].facts, targets[like].package)
    assert (found.name, found.image) == (name, targets[name].image)
    assert as_package(own_target("mine", OWN), package) == own_target("mine", OWN)
