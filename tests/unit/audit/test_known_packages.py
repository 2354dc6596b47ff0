"""The curated table of system packages, as each target needs it."""

from __future__ import annotations

import pytest

from pytest_arm64.audit.known_packages import Known
from pytest_arm64.audit.matrix import SOURCE, WHEEL
from pytest_arm64.config.system_packages import PackageNames, read_system_packages
from pytest_arm64.config.targets import shipped_targets


@pytest.mark.parametrize(
    ("target", "state", "names"),
    [
        ("al2023-python3.12", SOURCE, PackageNames(("libpq-devel",), ("libpq",))),
        ("al2023-python3.12", WHEEL, PackageNames((), ("libpq",))),
        ("debian12-python3.12", SOURCE, PackageNames(("libpq-dev",), ("libpq5",))),
        ("lambda-python3.12", SOURCE, PackageNames(("libpq-devel",), ("libpq",))),
        ("manylinux_2_28-python3.12", SOURCE, PackageNames()),
    ],
)
def test_names_are_those_of_the_targets_package_manager(
    target: str, state: str, names: PackageNames
) -> None:
    known = Known.of(shipped_targets()[target])
    assert known.system_packages("psycopg2", state) == names
    assert known.installable(names) == names
    assert len(known.system_words(names)) == len((*names.build, *names.run))


def test_what_a_zip_lacks_is_named_and_not_proposed() -> None:
    known = Known.of(shipped_targets()["lambda-zip-python3.12"])
    names = known.system_packages("psycopg2", SOURCE)
    assert known.system_words(names)[-1] == "libpq (dnf, at run time)"
    assert known.installable(names) == PackageNames(("libpq-devel",))


@pytest.mark.parametrize("manager", ["dnf", "apt"])
def test_the_settings_take_every_name_of_the_table(manager: str) -> None:
    known = Known(manager)
    for package in known.tables["system"]:
        names = known.system_packages(package, SOURCE)
        read_system_packages({"build": list(names.build), "run": list(names.run)})
