"""abi3 modules that use more of CPython than their tag promises."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary import stable_abi
from pytest_arm64.binary.record import AbiFinding
from pytest_arm64.binary.scan import scan_path
from pytest_arm64.binary.second_reader import undefined_names
from pytest_arm64.binary.system import declared_system
from pytest_arm64.config.targets import find_target
from unit.binary.elves import X86_64, elf, write

# Since when: https://docs.python.org/3/c-api/stable.html#contents-of-limited-api
SINCE = {"PyList_New": (3, 2), "PyUnicode_AsUTF8AndSize": (3, 10), "Py_IncRef": (3, 2)}


@pytest.fixture(autouse=True)
def lists_of_cpython(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As abi3info has them, whether it is installed or not."""
    played = ModuleType("abi3info")
    entries = {
        name: SimpleNamespace(added=SimpleNamespace(major=a, minor=b))
        for name, (a, b) in SINCE.items()
    }
    symbols = {_Symbol(name): entry for name, entry in entries.items()}
    played.FUNCTIONS = symbols  # type: ignore[attr-defined] # a module that is played
    played.DATAS = {  # type: ignore[attr-defined] # the same
        _Symbol("PyExc_ValueError"): SimpleNamespace(added=SimpleNamespace(major=3, minor=2))
    }
    monkeypatch.setitem(sys.modules, "abi3info", played)
    stable_abi._added.cache_clear()
    yield
    stable_abi._added.cache_clear()


class _Symbol:
    def __init__(self, name: str) -> None:
        self.name = name


def module(*names: str, machine: int = 183) -> bytes:
    needs = {"libc.so.6": ["GLIBC_2.17"]}
    return elf(
        machine=machine,
        needed=["libc.so.6"],
        needs=needs,
        symbols=dict.fromkeys(names, "GLIBC_2.17"),
    )


def findings(
    folder: Path, tag: str, content: bytes, name: str = "a/_x.abi3.so"
) -> list[AbiFinding]:
    write(
        folder,
        {
            name: content,
            "a-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n".encode(),
            "a-1.0.dist-info/RECORD": f"{name},,\n".encode(),
        },
    )
    target = find_target("al2023-python3.12", {})
    record = scan_path(folder, declared_system(target), target)
    assert record.exit_code == 0
    return [finding for finding in record.findings if finding.kind == "wheel-tag"]


TAG = "manylinux_2_17_aarch64"


def test_what_came_later_than_the_tag_says_is_named(tmp_path: Path) -> None:
    content = module("PyList_New", "PyUnicode_AsUTF8AndSize", "malloc")
    (found,) = findings(tmp_path, f"cp37-abi3-{TAG}", content)
    assert (found.package, found.path, found.grave) == ("a-1.0", "a/_x.abi3.so", False)
    assert "in the stable ABI since Python 3.10" in found.text
    assert found.symbols == ("PyUnicode_AsUTF8AndSize",)
    assert found.remedy == "the true tag is cp310-abi3: tell its publisher"


def test_what_is_not_in_the_stable_abi_is_named(tmp_path: Path) -> None:
    content = module("PyList_New", "_PyLong_AsByteArray", "PyExc_ValueError")
    (found,) = findings(tmp_path, f"cp37-abi3-{TAG}", content)
    assert "not in the stable ABI" in found.text
    assert found.symbols == ("_PyLong_AsByteArray",)


@pytest.mark.parametrize(
    ("tag", "content", "name"),
    [
        (f"cp310-abi3-{TAG}", module("PyUnicode_AsUTF8AndSize"), "a/_x.abi3.so"),
        (f"cp37-abi3-{TAG}", module("PyList_New", "malloc", "py_own"), "a/_x.abi3.so"),
        (f"cp312-cp312-{TAG}", module("_PyLong_AsByteArray"), "a/_x.abi3.so"),
        (f"cp37-abi3-{TAG}", module("_PyLong_New"), "a/_x.cpython-312-aarch64-linux-gnu.so"),
        (f"cp37-abi3-{TAG}", module("_PyLong_New", machine=X86_64), "a/_x.abi3.so"),
    ],
)
def test_what_keeps_its_promise_or_gives_none_is_not_found(
    tmp_path: Path, tag: str, content: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_arm64.binary.record.AbiRecord.exit_code", 0)
    assert findings(tmp_path, tag, content, name) == []


def test_a_module_without_a_suffix_of_its_own_counts_in_an_abi3_wheel(tmp_path: Path) -> None:
    assert findings(tmp_path, f"cp37-abi3-{TAG}", module("_PyLong_New"), "a/_x.so")


def test_without_the_lists_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "abi3info", None)
    stable_abi._added.cache_clear()
    assert findings(tmp_path, f"cp37-abi3-{TAG}", module("_PyLong_New")) == []


@given(st.binary(max_size=600), st.integers(0, 1200))
def test_a_damaged_file_has_names_or_none_and_never_an_error(noise: bytes, at: int) -> None:
    content = bytearray(module("PyList_New", "malloc"))
    content[at : at + len(noise)] = noise
    assert all(isinstance(name, str) for name in undefined_names(bytes(content)))


def test_the_names_are_those_that_the_file_takes_from_others() -> None:
    assert list(undefined_names(module("PyList_New", "malloc"))) == ["PyList_New", "malloc"]
