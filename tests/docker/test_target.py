"""Facts that are learned of real images are what the images' own tools say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_arm64.binary.learned import Learned, read_learned

pytestmark = pytest.mark.docker

INSIDE = """
ldconfig -p | sed -n 's/^\\t\\([^ ]*\\) (.*AArch64.*) => \\(.*\\)$/\\1 \\2/p'
"""


def image() -> str:
    return os.environ["PYTEST_ARM64_IMAGE"].replace("{arch}", "arm64")


def learn(source: str, output: Path) -> Learned:
    command = [sys.executable, "-m", "pytest_arm64", "target", "learn", source, "--output"]
    done = subprocess.run([*command, str(output)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read_learned(output)


def inside(script: str) -> str:
    command = ["docker", "run", "--rm", "--platform", "linux/arm64", image(), "sh", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_same_libraries_as_ldconfig_and_the_same_versions_as_readelf(tmp_path: Path) -> None:
    by_engine = learn(image(), tmp_path / "engine.json")
    cached = dict(line.split(" ", 1) for line in inside(INSIDE).splitlines())
    assert len(cached) > 50
    libraries = by_engine.libraries
    assert cached.keys() <= libraries.keys()
    # ldconfig lists a library by its soname, and by the name without a version that builds use.
    assert {name for name, found in libraries.items() if found.soname == name} <= {
        *cached,
        *(name for name in libraries if not re.search(r"\.so\.\d", name)),
    }

    saved = tmp_path / "saved.tar"
    subprocess.run(["docker", "save", "-o", str(saved), image()], check=True)
    by_archive = learn(str(saved), tmp_path / "archive.json")
    assert by_archive.libraries == libraries
    assert by_archive.packages == by_engine.packages

    container = subprocess.run(
        ["docker", "create", "--platform", "linux/arm64", image(), "true"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    exported, folder = tmp_path / "root.tar", tmp_path / "libraries"
    try:
        subprocess.run(["docker", "export", "-o", str(exported), container], check=True)
    finally:
        subprocess.run(["docker", "rm", container], capture_output=True, check=True)
    assert learn(str(exported), tmp_path / "root.json").libraries == libraries

    folder.mkdir()
    members = ["usr/lib/aarch64-linux-gnu", "lib/aarch64-linux-gnu"]
    unpack = ["tar", "-xf", str(exported), "-C", str(folder), "--wildcards", members[0]]
    subprocess.run(unpack, check=True)
    for name in ("libc.so.6", "libstdc++.so.6", "libgcc_s.so.1", "libz.so.1", "libssl.so.3"):
        if name not in libraries:
            continue
        path = folder / members[0] / name
        command = ["readelf", "--version-info", "--wide", str(path)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        defined = text.partition("definition section")[2].partition("needs section")[0]
        nodes = set(re.findall(r"Flags: (?!BASE).*?Name: (\S+)", defined))
        assert nodes == set(libraries[name].versions), name
