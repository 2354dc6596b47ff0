"""Cases of PyArrow and polars."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest

from .case import (
    DISPATCH,
    EXACT_BY_DESIGN,
    SUMMATION,
    UNDEFINED_CAST,
    Case,
    Lazily,
    cases,
    numbers,
)

pa: Any = Lazily("pyarrow")
compute: Any = Lazily("pyarrow.compute")
parquet: Any = Lazily("pyarrow.parquet")
csv: Any = Lazily("pyarrow.csv")
pl: Any = Lazily("polars")

ODD = [1.5, -2.5, math.nan, 3e9, -3e9]
WORDS = ["one", "two", "three", None, "stra\u00dfe", ""] * 5


def doubles() -> list[float]:
    values: list[float] = numbers(300).tolist()
    return values


def table() -> Any:
    columns = {
        "key": [i % 7 for i in range(300)],
        "value": doubles(),
        "small": pa.array(doubles(), pa.float32()),
        "text": WORDS * 10,
    }
    return pa.table(columns)


def through_parquet(**options: Any) -> Any:
    """What comes back, column by column, of a table that was written to a file and read."""
    stream = io.BytesIO()
    parquet.write_table(table(), stream, **options)
    read = parquet.read_table(io.BytesIO(stream.getvalue()))
    return {name: read[name].to_pylist() for name in read.column_names}


def frame() -> Any:
    return pl.DataFrame(
        {"key": [i % 7 for i in range(300)], "value": doubles(), "text": WORDS * 10}
    )


def filtered() -> Any:
    stream = io.BytesIO()
    parquet.write_table(table(), stream, row_group_size=50)
    read = parquet.read_table(io.BytesIO(stream.getvalue()), filters=[("value", ">", 7.0)])
    return read["value"].to_pylist()


def through_polars() -> Any:
    stream = io.BytesIO()
    frame().write_parquet(stream)
    return pl.read_parquet(io.BytesIO(stream.getvalue())).rows()[:30]


SPLIT = {"use_dictionary": False, "column_encoding": {"value": "BYTE_STREAM_SPLIT"}}
ARROW_SUMS = "Arrow sums pairwise, in blocks"

CASES = [
    *cases("PyArrow",
    Case("PyArrow: float to integer, safe", lambda: compute.cast(pa.array([1.5, 2.0]), pa.int32()).to_pylist(),
         "feared: the check of what was cut off", "Arrow: safe casts raise", call=True),
    Case("PyArrow: float to integer, unsafe", lambda: compute.cast(pa.array([1.5, -2.5, 100.9]), pa.int32(),
         safe=False).to_pylist(), "feared: rounding", EXACT_BY_DESIGN),
    Case("PyArrow: NaN to integer, unsafe", lambda: [type(v).__name__ for v in compute.cast(pa.array(ODD),
         pa.int64(), safe=False).to_pylist()], "saturation against integer indefinite", UNDEFINED_CAST),
    Case("PyArrow: doubles through Parquet", through_parquet,
         "doubles that come back wrong, without a word, from SVE code",
         "Apache Arrow issues 50503 and 50605: Parquet on Graviton3 with 25.0.0"),
    Case("PyArrow: byte streams through Parquet", lambda: through_parquet(**SPLIT),
         "shuffles in SIMD", "Parquet: BYTE_STREAM_SPLIT"),
    Case("PyArrow: deltas through Parquet", lambda: through_parquet(use_dictionary=False,
         column_encoding={"key": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY"}),
         "feared: bit packing in SIMD", "Parquet: DELTA_BINARY_PACKED"),
    Case("PyArrow: compressed Parquet", lambda: [through_parquet(compression=c)["value"][:9]
         for c in ("snappy", "gzip", "zstd", "lz4")], "feared: codecs", EXACT_BY_DESIGN),
    Case("PyArrow: filter of Parquet", filtered, "feared: statistics of pages",
         EXACT_BY_DESIGN),
    Case("PyArrow: sums and means", lambda: [f(pa.array(doubles())).as_py() for f in (compute.sum,
         compute.mean, compute.stddev)], "order of summation in SIMD", ARROW_SUMS, DISPATCH),
    Case("PyArrow: sums of f4", lambda: compute.sum(pa.array(doubles(), pa.float32())).as_py(),
         "order of summation in SIMD", ARROW_SUMS, DISPATCH),
    Case("PyArrow: minimum with NaN", lambda: str(compute.min_max(pa.array(ODD)).as_py()),
         "x86's MINPD returns the second operand, ARM's FMIN the NaN", "Arrow skips NaN in min_max"),
    Case("PyArrow: groups", lambda: table().group_by("key").aggregate([("value", "sum"),
         ("text", "count")]).sort_by("key")["value_sum"].to_pylist(), "order of groups and sums",
         "Arrow hashes with SIMD", DISPATCH),
    Case("PyArrow: sort of ties", lambda: compute.sort_indices(table()["key"]).to_pylist(),
         "feared: unstable sort", "Arrow: sort_indices is stable"),
    Case("PyArrow: texts", lambda: [compute.utf8_upper(pa.array(WORDS)).to_pylist(),
         compute.match_substring(pa.array(WORDS), "ra").to_pylist(), compute.utf8_length(
         pa.array(WORDS)).to_pylist()], "feared: SIMD of UTF-8", EXACT_BY_DESIGN),
    Case("PyArrow: numbers of a CSV file", lambda: csv.read_csv(io.BytesIO(
         b"a\n0.1\n1e-310\n123456789.123456789\n"))["a"].to_pylist(), "feared: rounding in the parser",
         "Arrow reads floats with fast_float"),
    Case("PyArrow: decimals and halves", lambda: [compute.cast(pa.array(["1.25", "-2.5"]),
         pa.decimal128(9, 2)).to_pylist(), pa.array(numbers(9, dtype="f2")).to_pylist()],
         "feared: half precision in hardware", EXACT_BY_DESIGN),
    ),
    *cases("polars",
    Case("polars: sums and means", lambda: frame().select(pl.col("value").sum().alias("sum"),
         pl.col("value").mean().alias("mean"), pl.col("value").std().alias("std")).row(0),
         "order of summation in SIMD", SUMMATION, DISPATCH),
    Case("polars: groups", lambda: frame().group_by("key", maintain_order=True).agg(pl.col("value").sum())
         .rows(), "order of summation in SIMD", SUMMATION, DISPATCH),
    Case("polars: float to integer", lambda: [pl.Series([1.9, -1.9]).cast(pl.Int32).to_list(),
         pl.Series([math.nan, 1e30]).cast(pl.Int64, strict=False).to_list()],
         "feared: saturation", "Rust: as saturates everywhere; polars gives null", call=True),
    Case("polars: ranks and order", lambda: [frame()["value"].rank().to_list()[:20],
         frame().sort("key", maintain_order=True)["value"].to_list()[:20]], "feared: unstable sort",
         EXACT_BY_DESIGN),
    Case("polars: texts", lambda: frame().select(pl.col("text").str.to_uppercase().alias("a"),
         pl.col("text").str.contains("[a-t]{3}").alias("b")).rows()[:6], "feared: SIMD of UTF-8",
         EXACT_BY_DESIGN),
    Case("polars: rolling windows", lambda: frame()["value"].rolling_mean(5).to_list()[4:40],
         "fused multiply-add in online means", SUMMATION, DISPATCH),
    Case("polars: through Parquet", through_polars, "feared: decoders in SIMD", EXACT_BY_DESIGN),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tables(case: Case, conform: Any) -> None:
    conform(case)
