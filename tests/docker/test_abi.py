"""The ABI record of a real environment, and against what a real image has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from docker_cases import RunPytest
from unit.binary.elves import elf

SUITE = """
def test_records(arm64_install, arm64_abi):
    (package,) = [p for p in arm64_install["packages"] if p["name"].lower() == "markupsafe"]
    assert (package["state"], package["scope"]) == ("wheel", "deploy")
    (file,) = [f for f in arm64_abi["files"] if "_speedups" in f["path"]]
    assert (file["machine"], file["kind"]) == ("aarch64", "library")
    assert file["package"].lower().startswith("markupsafe-")
    assert arm64_abi["loadable"] is True and arm64_abi["looked_up"] is True
    assert [load["outcome"] for load in arm64_abi["loads"]] == ["loaded"]
    path = "/opt/pytest-arm64/" + file["path"]
    import markupsafe._speedups
    assert markupsafe._speedups.__file__ == path
    # What the loader itself has mapped for it.
    with open("/proc/self/maps") as maps:
        mapped = {line.split()[-1] for line in maps if "/" in line}
    assert {found.rpartition("/")[2] for found in file["needed"].values()} <= {
        name.rpartition("/")[2] for name in mapped
    }
"""


def test_what_the_record_says_is_what_the_loader_does(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    result = run_pytest(project("markupsafe==3.0.2\n", test_it=SUITE), "--arm64", "-q")
    assert result.code == 0, result.out
    assert "1 passed" in result.out


BOTH = """
def test_both_systems_were_asked(arm64_abi):
    of_file = [f for f in arm64_abi["findings"] if f["path"].endswith("lies/ext.so")]
    finding, tag = sorted(of_file, key=lambda f: f["kind"])
    assert (finding["kind"], finding["version"]) == ("abi-mismatch", "GLIBC_2.36")
    assert (tag["kind"], tag["version"]) == ("wheel-tag", "GLIBC_2.36")
    assert finding["against"] == ["declared data of al2023-python3.11"]
    assert arm64_abi["beside"] == "declared data of al2023-python3.11"
    assert "stand-in" in arm64_abi["against"]
"""


def test_what_loads_on_a_stand_in_and_not_on_the_target_is_a_finding(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    """Debian 12 has glibc 2.36, Amazon Linux 2023 has 2.34; the wheel's tag promises 2.17."""
    name = "lies-1.0-py3-none-manylinux_2_17_aarch64.whl"
    folder = project(f"./{name}\n", test_it=BOTH)
    information = {
        "METADATA": b"Metadata-Version: 2.1\nName: lies\nVersion: 1.0\n",
        "WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
        b"Tag: py3-none-manylinux_2_17_aarch64\n",
        "RECORD": b"lies/__init__.py,,\nlies/ext.so,,\nlies-1.0.dist-info/METADATA,,\n"
        b"lies-1.0.dist-info/WHEEL,,\nlies-1.0.dist-info/RECORD,,\n",
    }
    needs = {"libc.so.6": ["GLIBC_2.36"]}
    with zipfile.ZipFile(folder / name, "w") as wheel:
        wheel.writestr("lies/__init__.py", b"")
        wheel.writestr("lies/ext.so", elf(needed=["libc.so.6"], needs=needs))
        for member, content in information.items():
            wheel.writestr(f"lies-1.0.dist-info/{member}", content)
    result = run_pytest(folder, "--arm64", "--arm64-target", "al2023-python3.11")
    assert "1 of them CANNOT BE LOADED" in result.out
    assert "only for declared data of al2023-python3.11" in result.out
    assert "1 passed" in result.out


def test_a_whole_image_against_itself() -> None:
    image = os.environ["PYTEST_ARM64_IMAGE"].replace("{arch}", "arm64")
    command = [sys.executable, "-m", "pytest_arm64", "abi", f"image:{image}", "--format", "json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    assert found["looked_up"] is True
    assert len(found["files"]) > 100
    assert {file["machine"] for file in found["files"]} == {"aarch64"}


STARTS = """
import subprocess

def test_a_program_of_the_repository():
    assert subprocess.run(["bin/tool"]).returncode == 7
"""


def test_a_program_of_the_repository_for_x86_does_not_pass_unseen(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    """Emulated, the host's kernel runs it; native, it does not start."""
    folder = project(test_it=STARTS)
    (folder / "bin").mkdir()
    (folder / "main.c").write_text("int main(void) { return 7; }\n")
    build = ["gcc", "-static", "-o", str(folder / "bin/tool"), str(folder / "main.c")]
    subprocess.run(build, check=True)
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    result = run_pytest(folder, "--arm64", "-q", "--arm64-gate", "all")
    assert result.code == 1, result.out
    assert "wrong-architecture: bin/tool" in result.out
    assert "host's own processor" in result.out
