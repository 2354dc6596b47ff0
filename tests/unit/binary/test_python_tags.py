"""Extension modules that the target's Python does not look for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.binary.record import AbiFinding
from pytest_arm64.binary.scan import scan_path
from pytest_arm64.binary.system import declared_system
from pytest_arm64.config.targets import find_target
from unit.binary.elves import X86_64, elf, write


def findings(
    folder: Path, target: str, *names: str, machine: int | None = None
) -> list[AbiFinding]:
    content = elf() if machine is None else elf(machine=machine)
    write(folder, dict.fromkeys(names, content))
    chosen = find_target(target, {})
    record = scan_path(folder, declared_system(chosen), chosen)
    return [finding for finding in record.findings if finding.kind == "other-python"]


OWN = "a/_x.cpython-312-aarch64-linux-gnu.so"


@pytest.mark.parametrize("target", ["lambda-python3.13", "al2023-python3.11"])
def test_a_module_for_another_python_cannot_be_imported(tmp_path: Path, target: str) -> None:
    (found,) = findings(tmp_path, target, OWN)
    assert (found.path, found.grave) == (OWN, True)
    assert found.text.startswith("only Python 3.12 can import it, and the target has 3.1")


def test_of_several_pythons_all_are_named(tmp_path: Path) -> None:
    names = (OWN, "b/_x.cpython-310-aarch64-linux-gnu.so", "_x.cpython-313t-aarch64-linux-gnu.so")
    (found,) = findings(tmp_path, "lambda-python3.13", *names)
    assert "only Python 3.10, 3.12, 3.13t can" in found.text


@pytest.mark.parametrize(
    "names",
    [
        (OWN,),
        (OWN, "a/_x.cpython-313-aarch64-linux-gnu.so"),
        ("a/_x.abi3.so",),
        ("a/_x.so", "a/libx.so", "a/libx.so.1"),
        ("py311/_x.cpython-311-aarch64-linux-gnu.so", "py312/_x.cpython-312-aarch64-linux-gnu.so"),
        ("a/_x.cpython-311-aarch64-linux-gnu.so", "a/_x.abi3.so"),
        ("a/_x.pypy310-pp73-aarch64-linux-gnu.so",),
    ],
)
def test_what_python_312_can_import(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert findings(tmp_path, "al2023-python3.12", *names) == []


def test_what_is_for_another_machine_is_told_as_that_alone(tmp_path: Path) -> None:
    name = "a/_x.cpython-311-x86_64-linux-gnu.so"
    assert findings(tmp_path, "al2023-python3.12", name, machine=X86_64) == []


def test_each_package_has_one_finding(tmp_path: Path) -> None:
    files = {
        "a/_x.cpython-311-aarch64-linux-gnu.so": elf(),
        "a/_y.cpython-311-aarch64-linux-gnu.so": elf(),
        "b/_x.cpython-312-aarch64-linux-gnu.so": elf(),
        "c/_x.cpython-310-aarch64-linux-gnu.so": elf(),
    }
    for path in list(files):
        package = path[0]
        rows = "".join(f"{name},,\n" for name in files if name.startswith(f"{package}/"))
        files[f"{package}-1.dist-info/RECORD"] = rows.encode()
        files[f"{package}-1.dist-info/WHEEL"] = b"Tag: py3-none-any\n"
    write(tmp_path, files)
    target = find_target("al2023-python3.12", {})
    record = scan_path(tmp_path, declared_system(target), target)
    told = [f.package for f in record.findings if f.kind == "other-python"]
    assert told == ["a-1", "c-1"]
