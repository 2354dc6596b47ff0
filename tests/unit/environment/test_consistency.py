"""What is installed against what it asks for: the same verdict as `pip check` has."""

from __future__ import annotations

import io
import tarfile

import pytest

from pytest_arm64.audit.platform import marker_environment
from pytest_arm64.environment.consistency import Distribution, broken, installed_in

MARKERS = marker_environment((3, 12), "aarch64")


def problems(*distributions: tuple[str, str, list[str]]) -> list[str]:
    return broken((Distribution(n, v, tuple(r)) for n, v, r in distributions), MARKERS)


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        (["b"], []),
        (["B_>=1"], ["a 1.0 requires B_>=1, which is not installed"]),
        (["b>=2"], ["a 1.0 requires b>=2, and 1.5 is installed"]),
        (["c"], ["a 1.0 requires c, which is not installed"]),
        (["c; platform_machine == 'x86_64'"], []),
        (["c; extra == 'more'"], []),
        (["c; python_version >= '3.12'"], [
            'a 1.0 requires c; python_version >= "3.12", which is not installed']),
        (["!!! nothing that could be read"], []),
    ],
)  # fmt: skip
def test_requirements(requires: list[str], expected: list[str]) -> None:
    assert problems(("a", "1.0", requires), ("b", "1.5", [])) == expected


def test_names_are_compared_as_installers_do() -> None:
    assert problems(("a", "1", ["Some.Thing>=1"]), ("some_thing", "1.0rc1", [])) == [
        "a 1 requires Some.Thing>=1, and 1.0rc1 is installed"
    ]
    assert problems(("a", "1", ["Some.Thing"]), ("some_thing", "odd version", [])) == []


def test_metadata_are_read_from_the_archive() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        files = {
            "site/a-1.dist-info/METADATA": "Name: a\nVersion: 1\nRequires-Dist: b\n\nName: no",
            "site/a/METADATA": "Name: other\n",
        }
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    assert list(installed_in(buffer)) == [Distribution("a", "1", ("b",))]
    assert buffer.tell() == 0
