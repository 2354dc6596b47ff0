"""Targets as declared data: what is asked for, before any image was looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SettingsError
from ._toml import Table, loads
from .facts import PAGE, PAGES, Facts, shipped_facts
from .suggestions import suggestion

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

ARCHITECTURES = ("arm64", "amd64")
MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}
DEFAULT_PYTHON = "3.12"
PACKAGES = IMAGE, ZIP = ("image", "zip")
"""How a Lambda function can be deployed."""
OWN = " (own)"
"""How the name of a target of the user's own ends where a shipped one has that name."""
_HIGHEST_PATCH = 99


@dataclass(frozen=True)
class Recipe:
    """Shell commands that bring an image to what is needed; ``{python}`` is the minor."""

    name: str
    provision: str = ""
    builder: str = ""
    cross: str = ""
    """Brings a compiler for aarch64 to the amd64 image."""
    manager: str = ""
    """What installs a library, where that is not the recipe's name."""


@dataclass(frozen=True)
class Target:
    """What is asked: a deployment platform, for one Python minor ("3.12")."""

    name: str
    image: str
    python: str
    os: str
    glibc: str
    interpreter: str
    recipe: Recipe
    digest: str = ""
    library_path: tuple[str, ...] = ()
    """Folders of its ``LD_LIBRARY_PATH``."""
    provides: tuple[str, ...] = ()
    """Python packages that its runtime brings along."""
    facts: Facts = field(default_factory=Facts)
    """What is known of the platform, for when no image can be looked into."""
    facts_file: Path | None = None
    """A file by ``pytest-arm64 target learn``, which answers instead of ``facts``."""
    package: str = ""
    """How a Lambda function is deployed, ``image`` or ``zip``; empty elsewhere."""

    @property
    def reference(self) -> str:
        """Image reference as an engine pulls it, pinned where a digest is known."""
        return f"{self.image}@{self.digest}" if self.digest else self.image

    @property
    def manager(self) -> str:
        """What brings a library to it: ``dnf``, ``apt``, ``manylinux``, ``none``, Lambda's way."""
        if self.package == ZIP:
            return "lambda-zip"
        if self.package == IMAGE:
            return "lambda-yum" if self.os == "amzn 2" else "lambda-dnf"
        return self.recipe.manager or self.recipe.name


_BASE_KEYS = {"name", "image", "digest", "os", "glibc", "pythons", "interpreter", "recipe"}


def _expand(key: str, base: Table, recipes: Mapping[str, Recipe]) -> Iterator[Target]:
    prefix = base.get("name", key)
    for python in base["pythons"]:
        target = Target(
            name=f"{prefix}-python{python}",
            image=base["image"].format(python=python),
            python=python,
            os=base.get("os", ""),
            glibc=base.get("glibc", ""),
            interpreter=base["interpreter"].format(python=python, nodot=python.replace(".", "")),
            recipe=recipes[base.get("recipe", "none")],
            digest=base.get("digest", ""),
            library_path=tuple(base.get("library-path", ())),
            provides=tuple(base.get("provides", ())),
            facts=_facts_of(base, "facts", python),
            package=IMAGE if "zip-facts" in base else "",
        )
        yield target
        if "zip-facts" in base:
            name, facts = f"{prefix}-zip-python{python}", _facts_of(base, "zip-facts", python)
            yield replace(target, name=name, facts=facts, package=ZIP)


def _facts_of(base: Table, key: str, python: str) -> Facts:
    facts = shipped_facts()[base[key]]
    end = base.get("supported-until", {}).get(python, facts.supported_until)
    return replace(facts, supported_until=end)


def shipped_recipes() -> dict[str, Recipe]:
    """Recipes of ``resources/targets.toml`` by name."""
    data = _data()
    return {name: Recipe(name, **commands) for name, commands in data["recipes"].items()}


@cache
def shipped_targets() -> Mapping[str, Target]:
    """Targets of ``resources/targets.toml`` by name, for example ``al2023-python3.12``."""
    recipes = shipped_recipes()
    bases = _data()["bases"]
    return {t.name: t for key, base in bases.items() for t in _expand(key, base, recipes)}


def as_package(target: Target, package: str) -> Target:
    """*target*, with the facts that count for a function that is deployed as *package*.

    A target that is not Lambda's, and one that has that package already, stays as it is.
    """
    if not target.package or package in ("", target.package):
        return target
    one, other = ("lambda-", "lambda-zip-")[:: 1 if package == ZIP else -1]
    twin = shipped_targets()[target.name.replace(one, other, 1)]
    return replace(target, facts=twin.facts, package=package)


@cache
def _data() -> Table:
    text = resources.files("pytest_arm64.resources").joinpath("targets.toml").read_text("utf-8")
    return loads(text)


def own_target(name: str, table: Table, folder: Path | None = None) -> Target:
    """A target of the user's own, ``[tool.pytest-arm64.targets.NAME]``.

    Needs ``image`` and ``python``; ``interpreter``, ``os``, ``glibc``, ``digest``, ``recipe`` (one
    of the shipped ones), ``page-size`` (bytes) and ``facts`` (a file, relative to *folder*) may be
    given.

    Raises:
        SettingsError: a key is missing, unknown, or not a string.
    """
    where = f"[tool.pytest-arm64.targets.{name}]"
    choices = (_BASE_KEYS - {"name", "pythons"}) | {"python", "facts", "page-size"}
    for key, value in table.items():
        if key not in choices:
            raise SettingsError(f"{where}: unknown key {key!r}{suggestion(key, choices)}")
        if key == "page-size":
            if type(value) is not int or value not in PAGES:
                shown = ", ".join(map(str, PAGES))
                raise SettingsError(f"{where}: page-size must be one of {shown}, not {value!r}")
        elif not isinstance(value, str):
            raise SettingsError(f"{where}: {key} must be a string, not {value!r}")
    for key in ("image", "python"):
        if key not in table:
            raise SettingsError(
                f"{where}: {key!r} is missing",
                next_step='a target needs image = "shop/base:1.4" and python = "3.12"',
            )
    if not table["image"]:
        raise SettingsError(f"{where}: image is empty")
    if not re.fullmatch(r"3\.\d+", table["python"]):
        raise SettingsError(f"{where}: python must be a minor like '3.12', not {table['python']!r}")
    recipes = shipped_recipes()
    recipe = table.get("recipe", "none")
    if recipe not in recipes:
        near = suggestion(recipe, recipes)
        raise SettingsError(
            f"{where}: recipe must be one of {', '.join(sorted(recipes))}, not {recipe!r}{near}"
        )
    return Target(
        # A result must not pass for one of the shipped target.
        name=f"{name}{OWN}" if name in shipped_targets() else name,
        image=table["image"],
        python=table["python"],
        os=table.get("os", ""),
        glibc=table.get("glibc", ""),
        interpreter=table.get("interpreter", f"python{table['python']}"),
        recipe=recipes[recipe],
        digest=table.get("digest", ""),
        facts=Facts(page_size=table.get("page-size", PAGE)),
        facts_file=(folder or Path.cwd()) / table["facts"] if table.get("facts") else None,
    )


def allows_minor(specifier: SpecifierSet, minor: str) -> bool:
    """Whether *specifier* admits any patch release of the Python *minor*."""
    return any(specifier.contains(f"{minor}.{patch}") for patch in range(_HIGHEST_PATCH + 1))


def find_target(name: str, own: Mapping[str, Target]) -> Target:
    """The target called *name*, the user's own first.

    Raises:
        SettingsError: no target has that name, and the message lists the names; or *name* is a
            list.
    """
    targets = {**shipped_targets(), **own}
    if "," in name and name not in targets:
        raise SettingsError(
            f"{name!r} names several targets",
            why="a service is installed and tested on one target",
            next_step="run once for each, with --arm64-target NAME, or compare what each would "
            f"install: pytest-arm64 audit --target {name.replace(' ', '')}",
        )
    if name not in targets:
        raise SettingsError(
            f"there is no target {name!r}{suggestion(name, targets)}",
            next_step="choose one of " + ", ".join(sorted(targets)),
        )
    return targets[name]
