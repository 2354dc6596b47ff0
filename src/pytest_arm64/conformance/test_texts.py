"""Cases of libraries for text, hashes and compression."""

from __future__ import annotations

from typing import Any

import pytest

from .case import EXACT_BY_DESIGN, Case, Lazily, cases

regex: Any = Lazily("regex")
zstandard: Any = Lazily("zstandard")
frame: Any = Lazily("lz4.frame")
block: Any = Lazily("lz4.block")
xxhash: Any = Lazily("xxhash")

TEXT = b"the quick brown fox \x80\xff jumps over " * 60
LENGTHS = (0, 1, 3, 4, 8, 15, 16, 31, 32, 64, 100, 128, 200, 240, 241, 1000, 2000)

CASES = [
    *cases("regex",
    Case("regex: classes and folding", lambda: [regex.findall(p, "Stra\u00dfe \xff\u20ac 12") for p in
         (r"(?i)STRASSE", r"\p{L}+", r"[\x80-\xff]", r"(?e)(Strase){e<=1}")], "feared: plain char in tables",
         "regex matches code points, not chars"),
    Case("regex: bytes", lambda: regex.findall(rb"[\x80-\xff]+", TEXT)[:3],
         "plain char is unsigned on ARM", "regex compares unsigned bytes"),
    ),
    *cases("zstandard",
    Case("zstandard: round trip", lambda: zstandard.decompress(zstandard.compress(TEXT)) == TEXT,
         "feared: SIMD of the decoder", EXACT_BY_DESIGN),
    Case("zstandard: compressed", lambda: [zstandard.ZstdCompressor(level=n).compress(TEXT)
         for n in (1, 3, 9, 19)], "another match found by SIMD", "RFC 8878 fixes the format, not the encoder"),
    ),
    *cases("LZ4",
    Case("LZ4: round trip", lambda: [frame.decompress(frame.compress(TEXT)) == TEXT,
         block.decompress(block.compress(TEXT)) == TEXT], "feared: unaligned copies", EXACT_BY_DESIGN),
    Case("LZ4: compressed", lambda: block.compress(TEXT), "another match found by size of words",
         "LZ4's block format fixes the decoder only"),
    ),
    *cases("xxhash",
    Case("xxhash: all lengths", lambda: [[f(TEXT[:n]).hexdigest() for n in LENGTHS] for f in
         (xxhash.xxh32, xxhash.xxh64, xxhash.xxh3_64, xxhash.xxh3_128)], "feared: NEON and SVE variants",
         "xxHash: the same on all platforms"),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_texts(case: Case, conform: Any) -> None:
    conform(case)
