"""Cases of the standard library."""

from __future__ import annotations

import array
import bz2
import cmath
import datetime
import decimal
import hashlib
import json
import lzma
import math
import os
import random
import re
import sqlite3
import statistics
import struct
import sys
import unicodedata
import zlib
from typing import Any

import pytest

from .case import EXACT_BY_DESIGN, FLOAT, INTEGER, NAN_SIGN, WITHIN, Case

TEXT = b"the quick brown fox \x80\xff jumps over " * 40
POINTS = [x / 7 for x in range(-50, 50)]

CASES = [
    Case(
        "copysign of a new NaN",
        lambda: math.copysign(1, math.inf - math.inf),
        "the sign of the default NaN",
        NAN_SIGN,
        FLOAT,
    ),
    Case(
        "os.O_DIRECT",
        lambda: os.O_DIRECT,
        "flags of the kernel's ABI are numbered by architecture",
        "Linux, arch/arm64/include/uapi/asm/fcntl.h",
        INTEGER,
    ),
    Case(
        "byte order and sizes",
        lambda: [sys.byteorder, *(struct.calcsize(c) for c in "bhilqnPfd"), struct.pack("=d", 0.1)],
        "feared: another byte order, other sizes",
        "Both Linux ABIs are LP64 and little-endian",
    ),
    Case(
        "elementary functions",
        lambda: [[f(x) for x in POINTS] for f in (math.sin, math.exp, math.atan, math.tanh)],
        "libm picks FMA variants by processor",
        "glibc manual, Errors in Math Functions",
        WITHIN,
        {"ulp": 1},
    ),
    Case(
        "logarithms and powers",
        lambda: [[math.log(abs(x) + 1), math.pow(abs(x), 1.5), math.sqrt(abs(x))] for x in POINTS],
        "libm picks FMA variants by processor",
        "glibc manual, Errors in Math Functions",
        WITHIN,
        {"ulp": 1},
    ),
    Case(
        "fsum and statistics",
        lambda: [math.fsum(POINTS), statistics.fmean(POINTS), statistics.stdev(POINTS)],
        "feared: extended precision on x86",
        EXACT_BY_DESIGN,
    ),
    Case(
        "random",
        lambda: [f(random.Random(7)) for f in (_uniform, _gauss, _shuffled)],
        "feared: another generator",
        "Mersenne Twister in integers; gauss goes through libm",
        WITHIN,
        {"ulp": 1},
    ),
    Case(
        "hashes and checksums",
        lambda: [
            *(
                hashlib.new(n, b"x" * 999).hexdigest()
                for n in ("md5", "sha1", "sha256", "sha3_256")
            ),
            zlib.crc32(b"y" * 999),
            zlib.adler32(b"y" * 999),
            hashlib.blake2b(b"z").hexdigest(),
        ],
        "feared: SIMD and cryptographic instructions of the processor",
        EXACT_BY_DESIGN,
    ),
    Case(
        "hash of numbers",
        lambda: [hash(0.1), hash(2**61), hash(-1), hash(1e300), hash((1, 2.5))],
        "feared: pointer sizes",
        "Python's documentation, Hashing of numeric types",
    ),
    Case(
        "integers of floats",
        lambda: [int(-2.9), round(2.5), math.floor(-0.5), math.trunc(1e18), int(1e300)],
        "feared: conversions, as in C",
        EXACT_BY_DESIGN,
    ),
    Case(
        "text of floats",
        lambda: [repr(x) for x in (0.1, 1e23, 5e-324, 1 / 3)] + [float("0.1") + 0.2],
        "feared: rounding of decimal conversion",
        EXACT_BY_DESIGN,
    ),
    Case(
        "gamma and error functions",
        lambda: [
            [math.lgamma(abs(x) + 0.3), math.erf(x), math.gamma(abs(x) + 0.3)] for x in POINTS
        ],
        "Python's own series; contraction of its terms",
        "CPython, Modules/mathmodule.c",
        WITHIN,
    ),
    Case(
        "complex functions",
        lambda: [[cmath.exp(complex(x, 1)), cmath.sqrt(complex(x, -1))] for x in POINTS],
        "libm, and contraction",
        "C17 annex G",
        WITHIN,
    ),
    Case(
        "complex products",
        lambda: [complex(x, 1.1) * complex(0.3, x) / complex(x, 2) for x in POINTS],
        "a fused multiply-add in a difference of products",
        "GCC, -ffp-contract=fast is its default",
        WITHIN,
    ),
    Case(
        "remainders of floats",
        lambda: [[math.fmod(x, 0.7), x % 0.7, x // 0.7, math.remainder(x, 0.7)] for x in POINTS],
        "feared: fmod by subtraction",
        EXACT_BY_DESIGN,
    ),
    Case(
        "half-precision floats in struct",
        lambda: [struct.pack("<e", x) for x in (65504.0, 1e-7, -0.0, 0.1)],
        "feared: conversion in hardware",
        "CPython converts half precision in integers",
    ),
    Case(
        "compressed streams",
        lambda: [f(TEXT) for f in (zlib.compress, bz2.compress, lzma.compress)],
        "another match found by SIMD, or by a library that replaces zlib",
        "RFC 1951 fixes the format, not the encoder",
    ),
    Case(
        "compression round trips",
        lambda: [
            d(c(TEXT)) == TEXT
            for c, d in (
                (zlib.compress, zlib.decompress),
                (bz2.compress, bz2.decompress),
                (lzma.compress, lzma.decompress),
            )
        ],
        "feared: SIMD of decoders",
        "RFC 1951",
    ),
    Case(
        "checksums at all lengths",
        lambda: [[zlib.crc32(TEXT[:n]), zlib.adler32(TEXT[:n])] for n in range(130)],
        "feared: instructions for CRC, and what fills no vector",
        EXACT_BY_DESIGN,
    ),
    Case(
        "regular expressions",
        lambda: [
            re.findall(p, "stra\u00dfe 12 \xff\u20ac abc") for p in (r"\w+", r"[\x80-\xff]", r"\d")
        ],
        "feared: plain char in classes",
        "CPython matches code points, not chars",
    ),
    Case(
        "JSON of numbers",
        lambda: [json.dumps([0.1, 1e23, -0.0, 2**70]), json.loads("[1e-310, 123456789.123456789]")],
        "feared: rounding of decimal conversion",
        EXACT_BY_DESIGN,
    ),
    Case(
        "decimal",
        lambda: [
            decimal.Decimal(2).sqrt(),
            decimal.Decimal("1.1") ** 7,
            decimal.Decimal.from_float(0.1),
        ],
        "feared: assembly of libmpdec",
        EXACT_BY_DESIGN,
    ),
    Case(
        "large integers",
        lambda: [3**500 % 10**40, pow(7, 10**6, 10**9 + 7), math.isqrt(10**61), (-7) // 2],
        "feared: size of digits",
        EXACT_BY_DESIGN,
    ),
    Case(
        "choices and samples",
        lambda: [f(random.Random(5)) for f in (_chosen, _sampled)],
        "feared: another generator",
        "Mersenne Twister in integers",
    ),
    Case(
        "dates of timestamps",
        lambda: [
            str(datetime.datetime.fromtimestamp(t, datetime.timezone.utc))
            for t in (1e9 + 0.3, 0.1, -1.5, 2**33 + 0.999999)
        ],
        "feared: rounding of seconds",
        "PEP 495; rounded half to even",
    ),
    Case(
        "sums in SQLite",
        lambda: (
            sqlite3.connect(":memory:")
            .execute(
                "select sum(x), avg(x), 7 / 2, -7 % 3, cast(3e19 as integer) "
                "from (select 0.1 as x union all select 0.2 union all select 0.3)"
            )
            .fetchone()
        ),
        "extended precision in SQLite's sums where the platform has it",
        "SQLite's documentation of floating point: long double, or Kahan-Babuska-Neumaier",
        WITHIN,
    ),
    Case(
        "integers that do not fit in array",
        lambda: array.array("b", [200]),
        "feared: wraps or saturates",
        "CPython raises OverflowError",
        call=True,
    ),
    Case(
        "infinity as integer",
        lambda: int(math.inf),
        "feared: conversion in C",
        "CPython raises OverflowError",
        call=True,
    ),
    Case(
        "names and normal forms of characters",
        lambda: [unicodedata.name("\u00df"), unicodedata.normalize("NFKD", "\u00e9\ufb01")],
        "feared: tables",
        EXACT_BY_DESIGN,
    ),
    Case(
        "order of texts",
        lambda: sorted(["a", "B", "\u00e4", "\xff", "\U0001f600"]) + sorted(["b\x80", "b\x7f"]),
        "feared: comparison of signed bytes",
        "CPython compares unsigned code points",
    ),
    Case(
        "order of bytes",
        lambda: sorted([b"\x80", b"\x7f", b"\xff", b"\x00"]),
        "plain char is unsigned on ARM",
        "C17 7.24.4: memcmp compares unsigned char",
    ),
]


def _chosen(generator: random.Random) -> Any:
    return generator.choices(range(9), weights=range(1, 10), k=12)


def _sampled(generator: random.Random) -> Any:
    return generator.sample(range(99), 12)


def _uniform(generator: random.Random) -> Any:
    return [generator.random() for _ in range(9)]


def _gauss(generator: random.Random) -> Any:
    return [generator.gauss(0, 1) for _ in range(9)]


def _shuffled(generator: random.Random) -> Any:
    items = list(range(20))
    generator.shuffle(items)
    return items


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_stdlib(case: Case, conform: Any) -> None:
    conform(case)
