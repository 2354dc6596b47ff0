"""Real trees from recorded pages: what is selected is what uv selects for the same target."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from pytest_arm64.audit.matrix import PURE, WHEEL
from unit.index.served import Project, matrix_of, serve

pytestmark = pytest.mark.usefixtures("index_alone")

DATA = Path(__file__).parents[2] / "data" / "trees.json.xz"
NAMES = (
    *("api-with-data", "django", "flask", "pinned-lambda", "notebook", "torch", "language-models"),
    *("dask", "mocks", "scraper", "mlflow", "dashboards", "telemetry", "tools"),
)


@pytest.fixture(scope="module")
def recorded() -> Any:
    return json.loads(lzma.decompress(DATA.read_bytes()))


def projects_of(recorded: Any) -> dict[str, Project]:
    return {
        name: Project(
            [(file, requires, bool(yanked)) for file, requires, yanked, _ in rows],
            {v: told[0] for v, told in recorded["requires"].get(name, {}).items()},
        )
        for name, rows in recorded["projects"].items()
    }


def test_every_recorded_tree_is_compared(recorded: Any) -> None:
    assert sorted(recorded["trees"]) == sorted(NAMES)
    assert not any(tree["error"] for tree in recorded["trees"].values())


@pytest.mark.parametrize("name", NAMES)
def test_the_versions_are_those_of_uv(tmp_path: Path, recorded: Any, name: str) -> None:
    tree = recorded["trees"][name]
    with serve(projects_of(recorded)) as index:
        text = "\n".join(tree["requirements"])
        matrix = matrix_of(tmp_path, text, index.url, target=tree["target"])
    assert {row.name: row.version for row in matrix.deployed} == tree["versions"]
    assert matrix.complete, [row for row in matrix.deployed if row.doubt]


def test_what_only_x86_asks_for_is_not_in_the_tree(tmp_path: Path, recorded: Any) -> None:
    tree = recorded["trees"]["torch"]
    needs = recorded["requires"]["torch"]["2.5.1"][0]
    assert any("nvidia-cublas" in need and "x86_64" in need for need in needs)
    assert not [name for name in tree["versions"] if name.startswith("nvidia-")]


def test_a_tree_with_blockers_is_complete(tmp_path: Path, recorded: Any) -> None:
    """An installer stops at the first; the rest of the tree must be what it is without them."""
    tree = recorded["trees"]["django"]
    projects = projects_of(recorded)
    blocked = ("psycopg-binary", "sqlparse")
    for name in blocked:
        projects[name].files = [
            (file.replace("aarch64", "x86_64").replace("none-any", "none-win_amd64"), r, y)
            for file, r, y in projects[name].files
            if file.endswith(".whl")
        ]
    # Pinned: an unpinned one would give way to an older release, as it does for an installer.
    text = "\n".join(
        f"{wanted}=={tree['versions'][wanted.partition('[')[0]]}" for wanted in tree["requirements"]
    )
    with serve(projects) as index:
        matrix = matrix_of(tmp_path, text, index.url, target=tree["target"])
    assert {row.name: row.version for row in matrix.deployed} == tree["versions"]
    assert {row.name for row in matrix.deployed if row.state not in (PURE, WHEEL)} == set(blocked)
    assert matrix["django"].blocked_by == ("sqlparse",)
