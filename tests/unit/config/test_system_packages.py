"""Packages of the system: names that a package manager may be given, and the line that says so."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.config._toml import loads
from pytest_arm64.config.artifact import Artifact
from pytest_arm64.config.system_packages import (
    PackageNames,
    SystemPackages,
    read_system_packages,
    refuse_for,
    settings_line,
)
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.errors import SettingsError
from unit.support import project_of, settings_of, write

TABLE = "[tool.pytest-arm64]\n"
BOTH = SystemPackages(PackageNames(("libpq-devel",), ("libpq",)))
REAL = (
    "libpq-devel",
    "mesa-libGL",
    "g++",
    "libstdc++6",
    "libglib2.0-0",
    "python3.11-dev",
    "gcc-c++",
    "7zip",
    "libSM",
    "perl-Test-Simple",
    "so_name",
)
HOSTILE = (
    "-y",
    "--allow-unauthenticated",
    "-oDPkg::Pre-Invoke::=id",
    "libc6-",  # apt-get removes it
    "./evil.deb",
    "/tmp/evil.rpm",
    "http://evil/x.rpm",
    "a b",
    "a\n",
    "a\0",
    "a;id",
    "$(id)",
    "`id`",
    "lib*",
    "?obsolete",
    "~U",
    "@development",
    "a=1",
    "a/unstable",
    "a:amd64",
    "a,b",
    "",
    "ä",
    "٣",
    "a" * 101,
)


def test_the_names_of_an_images_own_package_manager_replace_the_others() -> None:
    packages = read_system_packages(
        {"build": ["libpq-devel"], "run": ["libpq"], "apt": {"build": ["libpq-dev"]}}
    )
    assert packages.of("dnf") == PackageNames(("libpq-devel",), ("libpq",))
    assert packages.of("apt") == PackageNames(("libpq-dev",))
    assert packages.build
    assert packages.run


@pytest.mark.parametrize("name", REAL)
def test_real_names_are_taken(name: str) -> None:
    assert read_system_packages({"run": [name]}).names.run == (name,)


@pytest.mark.parametrize("key", ["build", "run"])
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_more_than_a_name_is_refused(name: str, key: str) -> None:
    for table in ({key: ["gcc", name]}, {"apt": {key: [name]}}):
        with pytest.raises(SettingsError, match="cannot be the name of a package"):
            read_system_packages(table)


@given(st.text(max_size=12) | st.from_regex(r"[-+.\w]{1,8}"))
def test_what_is_taken_is_no_option_path_pattern_or_second_word(name: str) -> None:
    try:
        read_system_packages({"build": [name]})
    except SettingsError:
        return
    assert set(name) <= set(string.ascii_letters + string.digits + "+._-")
    assert name[0].isalnum()
    assert not name.endswith(("-", ".", "_"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"biuld": ["gcc"]}, "did you mean 'build'"),
        ({"apt": {"rum": ["gcc"]}}, r"system-packages\.apt has no key 'rum' \(did you mean 'run'"),
        ({"apt": {"dnf": {}}}, "has no key 'dnf'"),
        ({"apt": ["gcc"]}, "must be a table"),
        ({"build": "gcc"}, "must be a list"),
        ({"build": [1]}, "cannot be the name"),
        ({"run": [f"lib{number}" for number in range(101)]}, "more than 100"),
    ],
)
def test_a_mistake_is_named(table: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        read_system_packages(table)
    assert "libpq" in refused.value.next_step


def test_a_mistake_in_a_file_has_its_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"pyproject\.toml: system-packages\.run: '-y'"):
        settings_of(tmp_path, TABLE + 'system-packages = { run = ["-y"] }\n')
    write(tmp_path, {"requirements.txt": ""})
    service = (
        "[tool.pytest-arm64.service.api]\n"
        'requirements = "requirements.txt"\n'
        'system-packages = { run = ["-y"] }\n'
    )
    with pytest.raises(SettingsError, match=r"pyproject\.toml:3: .*system-packages\.run: '-y'"):
        settings_of(tmp_path, service)


def test_a_service_replaces_what_the_project_says(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": ""})
    project = project_of(
        tmp_path,
        TABLE
        + 'system-packages = { build = ["gcc"] }\n'
        + '[tool.pytest-arm64.service.own]\nrequirements = "requirements.txt"\n'
        + 'system-packages = { run = ["libpq"] }\n'
        + '[tool.pytest-arm64.service.none]\nrequirements = "requirements.txt"\n'
        + "system-packages = {}\n"
        + '[tool.pytest-arm64.service.silent]\nrequirements = "requirements.txt"\n',
    )
    said = {
        service.name: project.settings_of(service).system_packages.names
        for service in project.services.configured
    }
    assert said == {
        "own": PackageNames(run=("libpq",)),
        "none": PackageNames(),
        "silent": PackageNames(build=("gcc",)),
    }
    assert project.settings.system_packages.names == PackageNames(build=("gcc",))


def test_a_function_in_a_zip_cannot_have_them_where_it_runs() -> None:
    zipped = shipped_targets()["lambda-zip-python3.12"]
    with pytest.raises(SettingsError, match="a zip has no package manager") as error:
        refuse_for(BOTH, zipped, None)
    assert "layer" in error.value.next_step
    assert 'package = "image"' in error.value.next_step
    refuse_for(SystemPackages(PackageNames(build=("libpq-devel",))), zipped, None)
    refuse_for(BOTH, shipped_targets()["lambda-python3.12"], None)


def test_an_image_that_is_built_already_is_tested_as_it_is() -> None:
    target = shipped_targets()["al2023-python3.12"]
    with pytest.raises(SettingsError, match="image:mine:1"):
        refuse_for(BOTH, target, Artifact("image", "mine:1", "image:mine:1"))
    refuse_for(BOTH, target, Artifact("dir", "/x", "dir:x"))


def test_the_line_that_is_proposed_says_what_it_should() -> None:
    line = settings_line(["libpq-devel", "gcc", "gcc"], ["libpq"])
    table = loads(f"{TABLE}{line}\n")["tool"]["pytest-arm64"]
    packages = read_system_packages(table["system-packages"])
    assert packages.names == PackageNames(("libpq-devel", "gcc"), ("libpq",))
    own = SystemPackages(PackageNames(("a",)), {"apt": PackageNames(run=("b",))})
    assert read_system_packages(loads(f"x = {own.shown}")["x"]) == own
