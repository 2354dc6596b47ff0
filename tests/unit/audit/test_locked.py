"""What a lock selects where extras and groups exclude each other, against what uv exports."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.errors import SettingsError
from unit.index.served import matrix_of_folder

pytestmark = pytest.mark.usefixtures("index_alone")

NEW, OLD = "extra == 'extra-6-my-app-new'", "extra == 'extra-6-my-app-old'"
BEFORE = f"(python_full_version < '3.12' and {NEW})"
SINCE = f"(python_full_version >= '3.12' and {NEW})"
ONE, TWO = "extra == 'group-6-my-app-one'", "extra == 'group-6-my-app-two'"
# As uv 0.13 writes it, without addresses and hashes.
LOCK = f"""\
version = 1
revision = 5
requires-python = ">=3.11"
conflicts = [[
    {{ package = "my-app", extra = "new" }},
    {{ package = "my-app", extra = "old" }},
], [
    {{ package = "my-app", group = "one" }},
    {{ package = "my-app", group = "two" }},
]]

[[package]]
name = "my-app"
version = "0"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "base", version = "1.0", marker = "{OLD}" }},
    {{ name = "base", version = "2.0", marker = "{NEW} or extra != 'extra-6-my-app-old'" }},
]

[package.optional-dependencies]
new = [
    {{ name = "base", version = "2.0" }},
    {{ name = "science", version = "1.17", marker = "{BEFORE} or ({NEW} and {OLD})" }},
    {{ name = "science", version = "1.18", marker = "{SINCE} or ({NEW} and {OLD})" }},
]
old = [{{ name = "base", version = "1.0" }}]

[package.dev-dependencies]
one = [{{ name = "names", version = "3.6", marker = "{ONE}" }}]
two = [{{ name = "names", version = "3.7", marker = "{TWO}" }}]
"""


def package(name: str, version: str) -> str:
    wheel = f"https://host.invalid/{name}-{version}-py3-none-any.whl"
    return (
        f'\n[[package]]\nname = "{name}"\nversion = "{version}"\n'
        'source = { registry = "https://host.invalid/simple" }\n'
        f'wheels = [{{ url = "{wheel}", hash = "sha256:{"0" * 64}" }}]\n'
    )


RELEASES = (
    *(("base", "1.0"), ("base", "2.0"), ("science", "1.17"), ("science", "1.18")),
    *(("names", "3.6"), ("names", "3.7")),
)


def locked(folder: Path, *extras: str, groups: tuple[str, ...] = ()) -> WheelMatrix:
    files = {"uv.lock": LOCK + "".join(package(*release) for release in RELEASES)}
    address = "http://host.invalid/simple"
    return matrix_of_folder(folder, files, address, path="uv.lock", extras=extras, groups=groups)


@pytest.mark.parametrize(
    ("extras", "groups", "versions"),
    [
        ((), (), {"base": "2.0"}),
        (("old",), (), {"base": "1.0"}),
        (("new",), (), {"base": "2.0", "science": "1.18"}),
        ((), ("one",), {"base": "2.0", "names": "3.6"}),
        (("old",), ("two",), {"base": "1.0", "names": "3.7"}),
    ],
)
def test_the_extras_and_groups_that_are_chosen_choose_the_forks(
    tmp_path: Path, extras: tuple[str, ...], groups: tuple[str, ...], versions: dict[str, str]
) -> None:
    matrix = locked(tmp_path, *extras, groups=groups)
    assert {row.name: row.version for row in matrix.deployed} == versions
    assert matrix.ready, matrix.problems


@pytest.mark.parametrize(
    ("extras", "groups", "named"),
    [(("old", "new"), (), ("'new'", "'old'")), ((), ("two", "one"), ("'one'", "'two'"))],
)
def test_choices_that_exclude_each_other_are_refused(
    tmp_path: Path, extras: tuple[str, ...], groups: tuple[str, ...], named: tuple[str, str]
) -> None:
    with pytest.raises(SettingsError) as refused:
        locked(tmp_path, *extras, groups=groups)
    assert all(name in refused.value.what for name in named)
    assert "conflicts" in refused.value.why
