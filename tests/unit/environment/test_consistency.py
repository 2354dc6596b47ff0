"""What is installed against what it asks for: the same verdict as `pip check` has."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

import pytest

from pytest_arm64.audit.platform import marker_environment
from pytest_arm64.environment.consistency import DistributionMetadata, broken, installed_in

MARKERS = marker_environment((3, 12), "aarch64")


def problems(*distributions: tuple[str, str, list[str]]) -> list[str]:
    return broken((DistributionMetadata(n, v, tuple(r)) for n, v, r in distributions), MARKERS)


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
        (["c; 'dev' in dependency_groups"], []),
    ],
)  # fmt: skip
def test_requirements(requires: list[str], expected: list[str]) -> None:
    assert problems(("a", "1.0", requires), ("b", "1.5", [])) == expected


def test_names_are_compared_as_installers_do() -> None:
    assert problems(("a", "1", ["Some.Thing>=1"]), ("some_thing", "1.0rc1", [])) == [
        "a 1 requires Some.Thing>=1, and 1.0rc1 is installed"
    ]
    assert problems(("a", "1", ["Some.Thing"]), ("some_thing", "odd version", [])) == []


def tarred(files: Mapping[str, str]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer


SITE = "/opt/env/site-packages"


def test_metadata_are_read_from_the_archive() -> None:
    buffer = tarred(
        {
            "env/site-packages/a-1.dist-info/WHEEL": "Tag: py2-none-any\nTag: py3-none-any\n",
            "env/site-packages/a-1.dist-info/METADATA": (
                "Name: a\nVersion: 1\nRequires-Dist: b\n\nName: no"
            ),
            "env/site-packages/a/METADATA": "Name: other\n",
            "env/site-packages/b-2.dist-info/METADATA": "Name: b\nVersion: 2\n",
            "env/site-packages/b-2.dist-info/WHEEL": (
                "Tag: py3-none-any\nTag: cp312-cp312-linux_aarch64\n"
            ),
            "env/site-packages/c-3.dist-info/METADATA": "Name: c\nVersion: 3\n",
        }
    )
    assert list(installed_in(buffer, "/opt", {SITE})) == [
        DistributionMetadata("a", "1", ("b",), portable=True),
        DistributionMetadata("b", "2", ()),
        DistributionMetadata("c", "3", ()),
    ]
    assert buffer.tell() == 0


@pytest.mark.parametrize(
    "folder",
    ["setuptools/_vendor/", "pip/_vendor/", "a/tests/data/", "a-1.dist-info/", "../lib/"],
)
def test_what_lies_deeper_than_a_site_is_not_installed(folder: str) -> None:
    """setuptools brings metadata of what it vendors, and tests bring broken ones."""
    path = f"env/site-packages/{folder}pydantic-2.dist-info/METADATA"
    text = "Name: pydantic\nVersion: 2\nRequires-Dist: typing-extensions>=4.16.0\n"
    assert list(installed_in(tarred({path: text}), "/opt", {SITE})) == []


def test_an_archive_of_the_whole_file_system_is_read_alike() -> None:
    text = "Name: a\nVersion: 1\n"
    archive = tarred({"opt/env/site-packages/a-1.dist-info/METADATA": text})
    assert [found.name for found in installed_in(archive, "/", {SITE})] == ["a"]
