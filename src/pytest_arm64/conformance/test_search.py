"""Cases of vector search: FAISS and usearch."""

from __future__ import annotations

from typing import Any

import pytest

from .case import DISPATCH, EXACT_BY_DESIGN, SUMMATION, WITHIN, Case, Lazily, cases

np: Any = Lazily("numpy")
faiss: Any = Lazily("faiss")
usearch: Any = Lazily("usearch.index")

SIZE = 32
EXACT = "the nearest of all vectors are compared; ties are not among them"


def vectors(count: int, dtype: str = "f4") -> Any:
    """Vectors that are not near each other: integers of a fixed generator."""
    drawn = np.random.default_rng(11).integers(-99, 99, (count, SIZE))
    return drawn.astype(dtype)


def queries() -> Any:
    return vectors(300)[::37] + np.float32(0.25)


def nearest(index: Any) -> Any:
    index.train(vectors(300))
    index.add(vectors(300))
    distances, found = index.search(queries(), 4)
    return [distances, found]


def in_usearch(metric: str, dtype: str, *, exact: bool = True) -> Any:
    index = usearch.Index(ndim=SIZE, metric=metric, dtype=dtype)
    index.add(np.arange(300), vectors(300) / 99)
    return index.search(queries() / 99, 4, exact=exact)


def recall() -> float:
    """Share of the true neighbours that an approximate search finds."""
    exact = in_usearch("l2sq", "f32").keys
    approximate = in_usearch("l2sq", "f32", exact=False).keys
    shared = sum(len(set(a.tolist()) & set(b.tolist())) for a, b in zip(exact, approximate))
    return bool(shared / exact.size > 0.9)


def binary() -> Any:
    index = faiss.IndexBinaryFlat(SIZE * 8)
    index.add(vectors(300, "u1"))
    distances, found = index.search(vectors(300, "u1")[::37], 1)
    return [distances, found]


CASES = [
    *cases("FAISS",
    Case("FAISS: flat, distances", lambda: nearest(faiss.IndexFlatL2(SIZE)), "order of summation in SIMD",
         SUMMATION, DISPATCH),
    Case("FAISS: flat, inner products", lambda: nearest(faiss.IndexFlatIP(SIZE)),
         "order of summation in SIMD", SUMMATION, DISPATCH),
    Case("FAISS: bytes", lambda: nearest(faiss.IndexScalarQuantizer(SIZE,
         faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_L2)), "codes at a margin, decoded in SIMD",
         "FAISS: scalar quantizer", WITHIN, {"rtol": 1e-3}),
    Case("FAISS: half precision", lambda: nearest(faiss.IndexScalarQuantizer(SIZE,
         faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_L2)), "feared: conversion in hardware",
         "FAISS: scalar quantizer", WITHIN, {"rtol": 1e-5}),
    Case("FAISS: graph", lambda: nearest(faiss.IndexHNSWFlat(SIZE, 16))[1], "feared: another path",
         "The graph is built from distances that are rounded"),
    Case("FAISS: bits", binary, "feared: counting bits in SIMD", EXACT_BY_DESIGN),
    ),
    *cases("usearch",
    Case("usearch: distances", lambda: in_usearch("l2sq", "f32").keys, "order of summation in SIMD", EXACT),
    Case("usearch: cosines", lambda: [in_usearch("cos", "f32").keys, in_usearch("cos", "f32").distances],
         "reciprocal square roots in SIMD", "usearch through SimSIMD: RSQRT and its refinement", WITHIN,
         {"atol": 1e-3}),
    Case("usearch: inner products of half precision", lambda: in_usearch("ip", "f16").keys,
         "sums in half precision", "SimSIMD: kernels for FP16 accumulate by processor"),
    Case("usearch: bytes", lambda: in_usearch("cos", "i8").keys, "dot products of bytes by instruction",
         "SimSIMD: SDOT and I8MM against VNNI"),
    Case("usearch: bfloat16", lambda: in_usearch("l2sq", "bf16").keys, "BFDOT rounds otherwise",
         "Arm ARM, BFDOT: rounding to odd"),
    Case("usearch: recall", recall, "feared: another path through the graph", EXACT),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_search(case: Case, conform: Any) -> None:
    conform(case)
