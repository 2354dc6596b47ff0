"""Cases in C: what compilers and processors make of what the language leaves open."""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from .case import EXACT_BY_DESIGN, FLOAT, INTEGER, NAN_SIGN, OUTCOME, UNDEFINED_CAST, Case, cases

LIBRARY = "conformance/cases.so"
"""Where the host puts what it compiled in the builder, below the results."""
ABI = "AAPCS64 and System V AMD64 ABI: fundamental types"


@functools.lru_cache(maxsize=None)
def library() -> str:
    """The compiled cases: the host's, or made with this machine's compiler."""
    given = Path(os.environ.get("PYTEST_ARM64_OUT", os.devnull), LIBRARY)
    if given.is_file():
        return str(given)
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here, and none compiled the cases for this machine")
    folder = tempfile.mkdtemp(prefix="pytest-arm64-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = str(Path(folder, "cases.so"))
    source = str(Path(__file__).with_name("cases.c"))
    subprocess.run(
        [compiler, "-O2", "-shared", "-fPIC", "-w", "-o", made, source, "-lm"], check=True
    )
    return made


def whole(name: str) -> int:
    function = getattr(ctypes.CDLL(library()), name)
    function.restype = ctypes.c_long
    return int(function())


def real(name: str) -> float:
    function = getattr(ctypes.CDLL(library()), name)
    function.restype = ctypes.c_double
    return float(function())


class KilledError(Exception):
    """A process died of a signal."""


def survived(name: str) -> Any:
    """What the function returns in a process of its own.

    Raises:
        KilledError: the process died; the message is the signal's name.
    """
    code = (
        "import ctypes, sys; f = getattr(ctypes.CDLL(sys.argv[1]), sys.argv[2]); "
        "f.restype = ctypes.c_long; print(f())"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, library(), name],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return int(done.stdout)
    number = -done.returncode if done.returncode < 0 else done.returncode - 128
    raise KilledError(signal.Signals(number).name)


CASES = cases(
    "C",
    Case("sum of char[]", lambda: whole("sum_of_chars"), "plain char is unsigned on ARM", ABI,
         INTEGER),
    Case("plain char", lambda: whole("char_is_negative"), "plain char is unsigned on ARM", ABI,
         INTEGER),
    Case("wchar_t", lambda: whole("wchar_is_negative"), "wchar_t is unsigned on ARM", ABI, INTEGER),
    Case("long double", lambda: whole("long_double_digits"), "x87 extended against IEEE quad", ABI,
         INTEGER),
    Case("division by zero", lambda: survived("divide_by_zero"), "x86 raises #DE, ARM gives 0",
         "C17 6.5.5: undefined; Intel SDM, IDIV; Arm ARM, SDIV", OUTCOME, call=True),
    Case("remainder of INT_MIN by -1", lambda: survived("remainder_of_minimum"),
         "x86 raises #DE, ARM gives 0", "C17 6.5.5: undefined; Intel SDM, IDIV", OUTCOME, call=True),
    Case("aligned SIMD load of an unaligned address", lambda: survived("aligned_load"),
         "x86's MOVDQA traps; ARM loads: the bug hides", "Intel SDM, MOVDQA", OUTCOME, call=True),
    Case("unaligned atomic", lambda: survived("unaligned_atomic"),
         "without LSE2 (Graviton2) an atomic must be aligned", "Arm ARM, FEAT_LSE2", OUTCOME, call=True),
    Case("unaligned integer", lambda: whole("unaligned_integer"), "feared: traps",
         "Both allow unaligned access to normal memory"),
    Case("a*b+c", lambda: real("contracted"), "one rounding instead of two",
         "GCC, -ffp-contract=fast is its default; x86-64 has no FMA in its baseline", FLOAT),
    Case("0/0", lambda: real("default_nan"), "the sign of the default NaN", NAN_SIGN, FLOAT),
    Case("(int)3e9f", lambda: whole("float_to_int"), "saturation", UNDEFINED_CAST, INTEGER),
    Case("(int)NAN", lambda: whole("nan_to_int"), "NaN becomes 0 on ARM", UNDEFINED_CAST, INTEGER),
    Case("(unsigned char)-2.0f", lambda: whole("negative_to_byte"), "saturation", UNDEFINED_CAST,
         INTEGER),
    Case("(uint64_t)-1.0", lambda: whole("double_to_unsigned"), "saturation", UNDEFINED_CAST,
         INTEGER),
    Case("shift by the width", lambda: [whole("shift_by_width"), whole("shift_long_by_width")],
         "feared: both mask the count in scalar code", "Intel SDM, SHL; Arm ARM, LSLV"),
    Case("shift of a negative", lambda: whole("arithmetic_shift"), "feared: logical shift",
         "GCC: signed shifts are arithmetic"),
    Case("shuffle", lambda: whole("shuffled"), "feared: PSHUFB against TBL",
         "GCC, Vector Extensions: indices are taken modulo the length"),
    Case("minimum with NaN", lambda: real("smaller_with_nan"), "feared: MINSD against FMIN",
         "C17 F.10.9.3"),
    Case("sum of tenths", lambda: real("rounded_sum"), "feared: extended precision",
         EXACT_BY_DESIGN),
    Case("end of file in a char", lambda: whole("end_of_file_in_char"),
         "(char)EOF is 255 on ARM and never equals EOF: a loop without an end", ABI, INTEGER),
    Case("bit field of plain int", lambda: whole("plain_bit_field"), "feared: unsigned bit fields",
         "GCC: plain bit fields are signed on both"),
    Case("bit field of plain char", lambda: whole("char_bit_field"), "plain char is unsigned on ARM", ABI,
         INTEGER),
    Case("enumeration and its size", lambda: [whole("size_of_enum"), whole("enum_is_negative")],
         "feared: short enumerations", ABI),
    Case("comparison of texts", lambda: whole("compared_texts"), "feared: signed characters",
         "C17 7.24.4: strcmp compares unsigned char"),
    Case("(short)1e6f", lambda: whole("float_to_short"), "saturation at 32 bits, then cut off",
         UNDEFINED_CAST),
    Case("(signed char)200.0f", lambda: whole("float_to_signed_char"), "saturation at 32 bits, then cut off",
         UNDEFINED_CAST),
    Case("(long)1e30", lambda: whole("double_to_long"), "saturation", UNDEFINED_CAST, INTEGER),
    Case("(unsigned)-1.0f", lambda: whole("float_to_unsigned"), "saturation", UNDEFINED_CAST, INTEGER),
    Case("rounding of lrint and nearbyint", lambda: [whole("rounded_to_long"), real("rounded_to_int")],
         "feared: rounding modes", "C17 7.12.9"),
    Case("minimum of zeros", lambda: real("smaller_zero"), "MINSD returns the second, FMINNM the negative",
         "C17 F.10.9.2: either zero", FLOAT),
    Case("square root of -1", lambda: real("root_of_negative"), "the sign of the default NaN", NAN_SIGN,
         FLOAT),
    Case("payload of a NaN", lambda: whole("payload_of_nan"), "feared: another of two NaNs is taken",
         "IEEE 754 6.2.3: should be one of them"),
    Case("subnormal sums", lambda: real("subnormal_sum"), "feared: flush to zero", "IEEE 754"),
    Case("leading zeros of 0", lambda: whole("leading_zeros"), "BSR leaves it undefined, CLZ gives the width",
         "GCC, __builtin_clz: undefined for 0", INTEGER),
    Case("bits and rotation", lambda: [whole("counted_bits"), whole("rotated")], "feared: instructions",
         EXACT_BY_DESIGN),
    Case("smallest integer by -1", lambda: survived("quotient_of_minimum"), "x86 raises #DE, ARM gives it back",
         "C17 6.5.5: undefined; Intel SDM, IDIV", OUTCOME, call=True),
    Case("dot product in a loop", lambda: real("dot_product"), "one rounding instead of two in each step",
         "GCC, -ffp-contract=fast is its default", FLOAT),
    Case("polynomial in a loop", lambda: real("polynomial"), "one rounding instead of two in each step",
         "GCC, -ffp-contract=fast is its default", FLOAT),
    Case("size of structures", lambda: whole("size_of_structures"), "feared: alignment", ABI),
    Case("size of long double", lambda: whole("size_of_long_double"), "feared: another size", ABI),
    Case("page size", lambda: os.sysconf("SC_PAGE_SIZE"), "64 KiB pages of some ARM kernels",
         "Linux, Documentation/arch/arm64/memory.rst", INTEGER),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_native(case: Case, conform: Any) -> None:
    conform(case)
