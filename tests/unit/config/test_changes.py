"""Changes to try, as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.config.changes import Change, read_change, read_changes
from pytest_arm64.errors import SettingsError
from pytest_arm64.records import decode, encode
from unit.support import settings_of


@pytest.mark.parametrize(
    ("text", "name", "requirement", "shown"),
    [
        ("psutil==6.0.0", "psutil", "psutil==6.0.0", "psutil==6.0.0"),
        (" PyYAML >= 6 ", "pyyaml", "PyYAML>=6", "PyYAML>=6"),
        ("zed===1.0", "zed", "zed===1.0", "zed===1.0"),
        ("a!=1", "a", "a!=1", "a!=1"),
        ("psycopg2=psycopg2-binary", "psycopg2", "psycopg2-binary", "psycopg2=psycopg2-binary"),
        ("a_b = c.d[x]~=1.2", "a-b", "c.d[x]~=1.2", "a-b=c.d[x]~=1.2"),
        ("psutil=psutil==6.0.0", "psutil", "psutil==6.0.0", "psutil==6.0.0"),
        (
            "mkl; platform_machine == 'x86_64'",
            "mkl",
            'mkl; platform_machine == "x86_64"',
            'mkl; platform_machine == "x86_64"',
        ),
    ],
)
def test_a_change_names_a_project_and_what_takes_its_place(
    text: str, name: str, requirement: str, shown: str
) -> None:
    change = read_change(text)
    assert (change.name, change.requirement, str(change)) == (name, requirement, shown)
    assert decode(Change, encode(change)) == change


@pytest.mark.parametrize(
    "text",
    ["", "=", "a=", "a==", "a=b=c", "-r x.txt", "./wheel.whl", "a @ https://x.test/a.whl", "a b"],
)
def test_what_is_no_change_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_change(text)
    assert "--arm64-try" in error.value.what
    assert "NAME==VERSION" in error.value.next_step


@given(st.text(max_size=40))
def test_any_text_is_a_change_or_is_refused(text: str) -> None:
    try:
        change = read_change(text)
    except SettingsError:
        return
    assert read_change(str(change)) == change


def test_two_changes_of_one_project_are_refused() -> None:
    assert len(read_changes(["a==1", "a==1", "fixes", "b=a"])) == 2
    with pytest.raises(SettingsError, match="changes a twice: to a==1 and to a==2"):
        read_changes(["a==1", "a==2"])


def test_a_report_with_a_change_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Change\.requirement"):
        decode(Change, {"name": "a", "requirement": "not a requirement"})


def test_the_settings_have_the_changes_and_an_x86_side(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, changes=("a==1", "fixes"))
    assert settings.changes == (Change("a", "a==1"),)
    assert settings.reference
    assert settings.try_fixes
    assert not settings_of(tmp_path).changes


@pytest.mark.parametrize(
    ("pyproject", "why"),
    [
        ('[tool.pytest-arm64]\ninstaller = "pip"\n', "does not work with the installer pip"),
        ('[tool.pytest-arm64]\nartifact = "zip:function.zip"\n', "there is no x86 side"),
    ],
)
def test_where_nothing_can_be_changed_a_trial_is_refused(
    tmp_path: Path, pyproject: str, why: str
) -> None:
    (tmp_path / "function.zip").write_bytes(b"")
    with pytest.raises(SettingsError, match=why):
        settings_of(tmp_path, pyproject, changes=("a==1",))
