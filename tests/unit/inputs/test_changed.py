"""Requirements with changes to try applied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement

from pytest_arm64.config.changes import read_changes
from pytest_arm64.inputs.changed import with_changes
from pytest_arm64.inputs.requirements import LocalProject, RequirementSet, sourced_requirement


def asked(*texts: str, constraints: tuple[str, ...] = ()) -> RequirementSet:
    def pairs(listed: tuple[str, ...]) -> Iterator[tuple[Requirement, object]]:
        for text in listed:
            wanted = Requirement(text)
            yield wanted, sourced_requirement(wanted, "requirements.txt:1", direct=True)

    return RequirementSet("", tuple(pairs(texts)), tuple(pairs(constraints)))  # type: ignore[arg-type]


def texts_of(wishes: RequirementSet) -> list[str]:
    assert all(w.name == sourced_requirement(r, "").name for r, w in wishes.requirements)
    assert all(w.specifier == r.specifier for r, w in wishes.requirements)
    return [str(requirement) for requirement, _ in wishes.requirements]


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("zed==1.0", "zed==2.0", "zed==2.0"),
        ("zed[fast]==1.0 ; python_version > '3'", "zed==2", 'zed[fast]==2; python_version > "3"'),
        ("zed[fast]==1.0", "zed=zed-binary", "zed-binary[fast]"),
        ("zed @ https://x.test/zed-1.0.zip", "zed==2.0", "zed==2.0"),
        ("zed==1.0", "zed", "zed"),
        (
            "zed==1.0",
            "zed; platform_machine == 'x86_64'",
            'zed==1.0; platform_machine == "x86_64"',
        ),
        (
            "zed==1.0; os_name == 'posix'",
            "zed; platform_machine == 'x86_64'",
            'zed==1.0; os_name == "posix" and platform_machine == "x86_64"',
        ),
    ],
)
def test_a_requirement_is_changed_with_its_extras_and_its_marker(
    before: str, change: str, after: str
) -> None:
    changed = with_changes(asked(before, "app"), read_changes([change]))
    first, second = texts_of(changed)
    assert Requirement(first) == Requirement(after)
    assert second == "app"
    assert changed.tried
    assert not changed.constraints


def test_what_only_dependencies_ask_for_is_constrained() -> None:
    changed = with_changes(asked("app"), read_changes(["zed==2.0"]))
    assert texts_of(changed) == ["app"]
    assert [str(requirement) for requirement, _ in changed.constraints] == ["zed==2.0"]


def test_constraints_and_local_projects_change_as_well() -> None:
    local = LocalProject("lib", "1.0", "lib", native=False, requires=("zed==1.0", "app"))
    wishes = asked("lib", constraints=("zed==1.0", "app==1.0"))
    wishes = with_changes(
        RequirementSet("", wishes.requirements, wishes.constraints, locals=(local,)),
        read_changes(["zed==2.0"]),
    )
    assert wishes.locals[0].requires == ("zed==2.0", "app")
    assert [str(requirement) for requirement, _ in wishes.constraints] == ["app==1.0"]


def test_without_a_change_nothing_changes() -> None:
    wishes = asked("zed==1.0")
    assert with_changes(wishes, ()) is wishes
