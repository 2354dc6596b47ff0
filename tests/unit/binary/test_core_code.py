"""Real wheels, as they were recorded: whose code beyond Graviton2 any core may run."""

from __future__ import annotations

import pytest

from core_code import Library, recorded
from pytest_arm64.binary.instructions import Instructions, read_instructions
from unit.binary.elves import code

WHEELS = recorded()
WORD = {
    "SVE": 0x2518E3E0,
    "I8MM": 0x4E82A420,
    "BF16": 0x6E42EC20,
    "FHM": 0x4E22EC20,
    "SME": 0x80800000,
}
PLAIN = 0xD65F03C0
UNGUARDED = {
    "usearch-2.12.0": {"simsimd_dot_f16c_serial", "simsimd_vdot_f16c_serial"},
    "simsimd-4.4.0": {"simsimd_dot_f16c_serial", "simsimd_vdot_f16c_serial"},
    "pywhispercpp-1.3.1": {"ggml_compute_forward_add", "ggml_compute_forward_add1"},
}
"""Functions that die of SIGILL on Graviton2, by release."""
CHOSEN = {
    "numpy",
    "scipy",
    "opencv_python_headless",
    "pyarrow",
    "cryptography",
    "faiss_cpu",
    "pillow",
}
"""Packages that choose such code by processor."""
NONE = {"llvmlite", "grpcio", "lxml", "orjson", "pandas", "scikit_learn"}


def rebuilt(library: Library) -> Instructions:
    """What is read of a library with the same functions in the same order."""
    functions = {
        f"{function.name}#{number}": [
            PLAIN,
            *(word for e, count in function.words.items() for word in [WORD[e]] * count),
        ]
        for number, function in enumerate(library.functions)
    }
    private = [f"{f.name}#{number}" for number, f in enumerate(library.functions) if f.local]
    nameless = [word for e, count in library.nameless.items() for word in [WORD[e]] * count]
    return read_instructions(code(functions, nameless, private=private))


def unguarded(wheel: str) -> set[str]:
    return {
        function.name.partition("#")[0]
        for library in WHEELS[wheel].values()
        for function in rebuilt(library).functions
        if not function.dispatched
    }


def package(wheel: str) -> str:
    return wheel.partition("-")[0]


def test_the_recorded_wheels_are_those_that_are_judged_here() -> None:
    names = {package(wheel) for wheel in WHEELS}
    assert names >= {name.partition("-")[0] for name in UNGUARDED} | CHOSEN | NONE


@pytest.mark.parametrize("release", UNGUARDED)
def test_functions_for_every_core_with_newer_instructions_are_named(release: str) -> None:
    (wheel,) = (name for name in WHEELS if name.startswith(f"{release}-"))
    assert unguarded(wheel) >= UNGUARDED[release]


@pytest.mark.parametrize("wheel", [w for w in WHEELS if package(w) in CHOSEN | NONE])
def test_a_package_that_chooses_by_processor_or_has_no_such_code_has_no_finding(wheel: str) -> None:
    assert unguarded(wheel) == set()


@pytest.mark.parametrize("wheel", [w for w in WHEELS if package(w) in CHOSEN])
def test_code_that_is_chosen_by_processor_is_seen(wheel: str) -> None:
    found = [rebuilt(library) for library in WHEELS[wheel].values()]
    assert any(result.functions or result.nameless for result in found)


@pytest.mark.parametrize("wheel", [w for w in WHEELS if package(w) in NONE])
def test_a_package_without_such_code_has_nothing_at_all(wheel: str) -> None:
    assert all(not rebuilt(library).functions for library in WHEELS[wheel].values())
