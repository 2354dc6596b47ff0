"""Cases of the standard library."""

from __future__ import annotations

import hashlib
import math
import os
import random
import statistics
import struct
import sys
import zlib
from typing import Any

import pytest

from .case import EXACT_BY_DESIGN, FLOAT, INTEGER, NAN_SIGN, WITHIN, Case

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
]


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
