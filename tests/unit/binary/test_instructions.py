"""Instructions beyond Graviton2: counted by function, told from data, and only hinted at.

The words are those of Arm's manual; capstone 5 names each of them as here (2026-11-30).
"""

from __future__ import annotations

import json
import random
import struct
import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.cores import CoreCode, core_code
from pytest_arm64.binary.instructions import NewerFunction, read_instructions
from pytest_arm64.binary.learned import system_of_target
from pytest_arm64.binary.scan import scan_tar
from pytest_arm64.cli import main
from pytest_arm64.config.targets import find_target
from pytest_arm64.environment.tree import TarEntry, tar_of
from unit.binary.elves import X86_64, code

WORDS = {
    "SVE": [0x2518E3E0, 0xA540A000, 0x65A20020],
    "I8MM": [0x4E82A420, 0x4E82AC20, 0x6E82A420, 0x4E829C20, 0x4F82F020, 0x4F02F020],
    "BF16": [*(0x6E42EC20, 0x6E42FC20, 0x1E634020, 0x0EA16820, 0x6EC2FC20, 0x4F42F020, 0x4FC2F020)],
    "FHM": [
        *(0x4E22EC20, 0x4EA2EC20, 0x6E22CC20, 0x6EA2CC20, 0x4F820020, 0x4F824020),
        *(0x6F828020, 0x6F82C020, 0x0F820020, 0x4F8208A0),
    ],
}
"""ptrue, ld1w, fmla; smmla, usmmla, ummla, usdot, sudot; bfmmla, bfdot, bfcvt, …; fmlal, …"""
PLAIN = [
    *(0x4E22CC20, 0xD65F03C0, 0x3DC00000, 0x8B010000, 0x94000000, 0x90000000, 0xA9BF7BFD),
    *(0x4E829420, 0xB8200000, 0x4F821020, 0x0F8010A0, 0xD503201F),
]
"""fmla, ret, ldr, add, bl, adrp, stp; sdot and ldadd, which Graviton2 has; fmla by element, nop."""


@pytest.mark.parametrize("extension", WORDS)
def test_each_instruction_is_counted_for_its_extension(extension: str) -> None:
    words = WORDS[extension]
    for word in words:
        found = read_instructions(code({"f": [*PLAIN, *[word] * 5]}))
        assert found.functions == (NewerFunction("f", extension, 5),), hex(word)
    found = read_instructions(code({"f": [*words, *words]}))
    assert found.functions == (NewerFunction("f", extension, 2 * len(words)),)


def test_what_graviton2_has_is_nothing() -> None:
    found = read_instructions(code({"f": PLAIN * 50}, PLAIN * 50))
    assert (found.functions, found.nameless, found.complete) == ((), {}, True)


def test_words_are_those_of_the_function_that_they_are_in() -> None:
    functions = {"before": PLAIN, "it": WORDS["SVE"] * 2, "after": PLAIN}
    for dynamic in (False, True):
        found = read_instructions(code(functions, dynamic=dynamic))
        assert found.functions == (NewerFunction("it", "SVE", 6),)


@pytest.mark.parametrize(
    ("name", "dispatched"),
    [
        ("simsimd_dot_f16c_serial", False),
        ("ggml_compute_forward_add", False),
        ("dgemm_small_kernel_tn_NEOVERSEV1", True),
        ("sgemm_kernel_ARMV8SVE", True),
        ("ChaCha20_ctr32_sve", True),
        ("vpx_convolve8_neon_i8mm", True),
        ("x264_8_add4x4_idct_sve2", True),
        ("_ZN5faiss13fvec_L2sqr_nyILNS_9SIMDLevelE5EEEvPfPKfS4_mm", True),
        ("simsimd_dot_bf16_neon", True),
        ("main", False),
    ],
)
def test_a_name_can_say_that_it_is_chosen_by_processor(name: str, *, dispatched: bool) -> None:
    assert NewerFunction(name, "SVE", 9).dispatched is dispatched


def test_a_private_function_beside_a_chosen_one_belongs_to_it() -> None:
    """As OpenBLAS's dot_compute, which sdot_k_A64FX and ddot_k_A64FX alone call."""
    sve = WORDS["SVE"] * 3
    functions = {"sdot_k_A64FX": sve, "dot_compute": sve, "main": PLAIN, "alone": sve}
    private = code(functions, private=("dot_compute", "alone"))
    found = {f.name: f.dispatched for f in read_instructions(private).functions}
    assert found == {"sdot_k_A64FX": True, "dot_compute": True, "alone": False}
    found = {f.name: f.dispatched for f in read_instructions(code(functions)).functions}
    assert not found["dot_compute"]  # others may call it


def test_a_private_function_beside_a_private_one_is_not_excused_by_it() -> None:
    sve = WORDS["SVE"] * 3
    functions = {"copy_bf16": sve, "copy_f32": sve, "add": sve, "add_one": sve}
    found = read_instructions(code(functions, private=tuple(functions))).functions
    assert {f.name for f in found if not f.dispatched} == {"add", "add_one"}


@pytest.mark.parametrize(("after", "excused"), [("damin_k_A64FX", True), ("dot_add", False)])
def test_chosen_functions_without_such_instructions_excuse_what_is_between_two(
    after: str, *, excused: bool
) -> None:
    """As OpenBLAS's init_parameter, of which there is one for each core."""
    functions = {"ncopy_A64FX": PLAIN, "init_parameter": WORDS["SVE"] * 3, after: PLAIN}
    (found,) = read_instructions(code(functions, private=("init_parameter",))).functions
    assert found.dispatched is excused


def test_data_between_functions_is_no_code() -> None:
    """As tables of OpenSSL's libcrypto: random words have SVE's group twice as often as SME's."""
    rng = random.Random(0)
    noise = [rng.getrandbits(32) for _ in range(20_000)]
    found = read_instructions(code({"f": PLAIN, "table": noise}, noise))
    assert found.functions == ()
    assert "SVE" not in found.nameless


def test_code_without_names_is_counted_as_a_whole() -> None:
    assert read_instructions(code({}, WORDS["SVE"] * 40)).nameless == {"SVE": 120}
    assert read_instructions(code({}, WORDS["SVE"] * 3)).nameless == {}


@pytest.mark.parametrize("data", [b"", b"\x7fELF", code({"f": WORDS["SVE"] * 9}, machine=X86_64)])
def test_what_is_no_library_for_aarch64_has_none(data: bytes) -> None:
    assert read_instructions(data).functions == ()


@given(st.integers(0, 700), st.binary(max_size=64))
def test_damaged_files_have_fewer_hints_and_raise_nothing(place: int, noise: bytes) -> None:
    content = code({"f": WORDS["SVE"] * 9, "g": PLAIN})
    found = read_instructions(content[:place] + noise + content[place + len(noise) :])
    assert len(found.functions) <= 16


def test_a_section_that_claims_more_than_the_file_has_is_read_within_it() -> None:
    content = bytearray(code({"f": WORDS["SVE"] * 9}))
    start = struct.unpack_from("<Q", content, 40)[0]
    struct.pack_into("<Q", content, start + 64 + 32, 2**62)
    assert read_instructions(bytes(content)).functions == (NewerFunction("f", "SVE", 27),)


def test_abi_names_the_function_and_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ARM64_IMAGE", raising=False)
    path = tmp_path / "a-1.0-cp312-cp312-manylinux_2_28_aarch64.whl"
    functions = {"dot_serial": WORDS["SVE"] * 9, "dot_sve": WORDS["SVE"] * 9}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/ext.so", code(functions))
    arguments = ["abi", str(path), "--target", "al2023-python3.12"]
    assert main([*arguments, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [(f["kind"], f["grave"], f["symbols"]) for f in found] == [
        ("newer-instructions", False, ["dot_serial"]),
        ("core-specific-code", False, ["dot_sve"]),
    ]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "newer-instructions" in out
    assert "core-specific-code" not in out


def test_an_environment_is_looked_at_for_newer_instructions_too(tmp_path: Path) -> None:
    """``--arm64-cpu auto`` decides by the record of the environment, which is read as a tar."""
    archive = tmp_path / "environment.tar"
    record = "env/zed/ext.so,,\nenv/zed/plain.so,,\n"
    files = {
        "zed/ext.so": code({"dot_sve": WORDS["I8MM"] * 9}),
        "zed/plain.so": code({"main": PLAIN}),
        "zed-1.0.dist-info/RECORD": record.replace("env/", "").encode(),
        "zed-1.0.dist-info/WHEEL": b"Tag: cp312-cp312-manylinux_2_28_aarch64\n",
    }
    archive.write_bytes(tar_of({f"env/{name}": TarEntry(data) for name, data in files.items()}))
    target = find_target("al2023-python3.12", {})
    with archive.open("rb") as stream:
        system = system_of_target(target, date(2026, 11, 30))
        found = scan_tar("environment", stream, "/opt", "/opt", system, target)
    assert [(f.path, f.kind, f.package, f.extension) for f in found.findings] == [
        ("env/zed/ext.so", "core-specific-code", "zed-1.0", "I8MM"),
    ]
    files_of = {"env/zed/ext.so": ("*",)}  # it lies in no folder of packages
    assert core_code(found, "tests/") == CoreCode("graviton3", ("zed 1.0",), ("I8MM",), files_of)
    assert core_code(found, "env/") is None
