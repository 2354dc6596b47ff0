"""Which changes can be tried, and what speaks against the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.audit.matrix import Remedy, Row, WheelMatrix
from pytest_arm64.config.changes import read_changes
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.decide.tryable import Trials, proposed_changes, untouched
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.service import Service, read_service
from unit.index.served import joined, release, serve
from unit.support import write

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
PURE = "py3-none-any"
TARGET = shipped_targets()["al2023-python3.12"]
PROJECTS = {
    "zed": joined(
        release("zed", "1.0", X86),
        release("zed", "2.0", ARM, X86),
        release("zed", "3.0", X86),
        release("zed", "4.0", ARM, X86, requires=["held==2.0"]),
    ),
    "zed-binary": release("zed-binary", "1.0", ARM, X86),
    "app": release("app", "1.0", PURE, requires=["zed"]),
    "strict": release("strict", "1.0", PURE, requires=["held==1.0"]),
    "held": joined(release("held", "1.0", PURE), release("held", "2.0", PURE)),
}


@contextmanager
def trials(folder: Path, files: Mapping[str, str]) -> Iterator[tuple[Trials, Service, Auditor]]:
    environ = {"NETRC": str(folder / "no-netrc")}
    with serve(PROJECTS) as index:
        write(folder, {name: text.replace("INDEX", index.url) for name, text in files.items()})
        config = PipConfig({"index-url": index.url}, {}, ())
        service = read_service(folder, environ, root=folder)
        with Auditor(environ, config=config) as auditor:
            yield Trials(auditor, TARGET), service, auditor


def objection(folder: Path, requirements: str, *changes: str) -> str:
    with trials(folder, {"requirements.txt": requirements}) as (resolver, service, _):
        return resolver.objection(service, read_changes(changes))


def test_a_change_that_can_be_resolved_has_nothing_against_it(tmp_path: Path) -> None:
    assert objection(tmp_path, "zed==1.0\n", "zed==2.0") == ""
    assert objection(tmp_path, "zed==1.0\napp\n", "zed==2.0") == ""
    assert objection(tmp_path, "zed==1.0\n", "zed=zed-binary") == ""
    assert objection(tmp_path, "app\n", "zed==2.0") == ""


@pytest.mark.parametrize(
    ("requirements", "change", "why"),
    [
        ("zed==1.0\n", "zed==9.0", "zed"),
        ("zed==1.0\n", "zed==3.0", "on aarch64: zed 3.0 has no file that can be used"),
        ("zed==1.0\nstrict\n", "zed==4.0", "held==2.0"),
        ("zed==1.0\n", "zed=nothing-such", "nothing-such"),
        ("zed==1.0\napp\n", "zed=zed-binary", "app asks for zed too"),
        ("app\n", "zed=zed-binary", "only app asks for zed"),
        ("app\n", "zed; platform_machine == 'x86_64'", "only app asks for zed"),
    ],
)
def test_what_speaks_against_a_change_is_said(
    tmp_path: Path, requirements: str, change: str, why: str
) -> None:
    assert why in objection(tmp_path, requirements, change)


def test_a_fault_that_was_there_before_is_none_of_the_change(tmp_path: Path) -> None:
    assert objection(tmp_path, "zed==3.0\nheld==1.0\n", "held==2.0") == ""


LOCK = """\
version = 1
requires-python = ">=3.12"

[[package]]
name = "own"
version = "1.0"
source = { virtual = "." }
dependencies = [{ name = "app" }, { name = "strict" }, { name = "zed" }]

[[package]]
name = "app"
version = "1.0"
source = { registry = "INDEX" }
dependencies = [{ name = "zed" }]

[[package]]
name = "strict"
version = "1.0"
source = { registry = "INDEX" }
dependencies = [{ name = "held" }]

[[package]]
name = "held"
version = "1.0"
source = { registry = "INDEX" }

[[package]]
name = "zed"
version = "1.0"
source = { registry = "INDEX" }
"""
PYPROJECT = """\
[project]
name = "own"
version = "1.0"
dependencies = ["app", "strict", "zed<2"]
"""


@pytest.mark.parametrize(
    ("change", "why"),
    [("zed==2.0", ""), ("zed==4.0", "held==2.0"), ("held==2.0", "held==1.0")],
)
def test_the_other_releases_of_a_lock_stay(tmp_path: Path, change: str, why: str) -> None:
    files = {"uv.lock": LOCK, "pyproject.toml": PYPROJECT}
    with trials(tmp_path, files) as (resolver, service, _):
        text = resolver.objection(service, read_changes([change]))
        assert (why in text) if why else text == ""
        assert resolver.names(service) == {"app", "strict", "held", "zed"}


def test_two_changes_of_a_lock_can_go_together(tmp_path: Path) -> None:
    files = {"uv.lock": LOCK.replace('[{ name = "app" }, { name = "strict" }, ', "[")}
    files["pyproject.toml"] = PYPROJECT.replace('"app", "strict", ', "")
    with trials(tmp_path, files) as (resolver, service, _):
        assert resolver.objection(service, read_changes(["zed==4.0"])) == ""


def test_a_change_of_what_nothing_asks_for_is_named(tmp_path: Path) -> None:
    with trials(tmp_path, {"requirements.txt": "app\n"}) as (resolver, service, _):
        changes = read_changes(["zed==2.0", "other==1"])
        assert [str(c) for c in untouched(service, changes, resolver.names(service))] == [
            "other==1"
        ]


def row(name: str, version: str, remedy: Remedy | None, state: str = "blocker") -> Row:
    return Row(name, version, state, remedy=remedy)


def test_all_that_the_audit_proposes_is_a_change() -> None:
    matrix = WheelMatrix(
        "api",
        "t",
        (
            row("zed", "1.0", Remedy("", "2.0", own=True, moves=("zed==2.0",))),
            row("held", "1.0", Remedy("", "2.0", moves=("app==3.0", "held==2.0"))),
            row("mkl", "1.0", Remedy("", marker='platform_machine == "x86_64"')),
            row("psycopg2", "2.9", Remedy("", replacement="psycopg2-binary")),
            row("loose", "1.0", Remedy("", "1.5", allowed=True)),
            row("same", "1.0", Remedy("lock again", "1.0", allowed=True)),
            row("stuck", "1.0", Remedy("", "2.0")),
            row("fine", "1.0", None, "wheel"),
        ),
    )
    assert [str(change) for change in proposed_changes(matrix)] == [
        "zed==2.0",
        "app==3.0",
        "held==2.0",
        'mkl; platform_machine == "x86_64"',
        "psycopg2=psycopg2-binary",
        "loose==1.5",
    ]
