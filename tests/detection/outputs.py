"""Values as tests check them: what ordinary code computes, of a seed."""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image


@dataclass(frozen=True)
class Output:
    """One computation, and its numbers as an array that can be damaged and put back."""

    compute: Callable[[int], Any]
    numbers: Callable[[Any], Any] = np.asarray
    """The numbers in a value."""
    rebuilt: Callable[[Any, Any], Any] = lambda _value, numbers: numbers
    """The value with other numbers."""


def _random(seed: int) -> Any:
    return np.random.default_rng(seed)


def _matrix(seed: int, rows: int = 40, columns: int = 40) -> Any:
    return _random(seed).standard_normal((rows, columns))


def _scores(seed: int) -> list[float]:
    rows = _matrix(seed, 24, 9)
    return [statistics.fmean(row) * 10**power for power, row in enumerate(rows.tolist(), -9)]


def _summary(seed: int) -> tuple[float, ...]:
    """Mean, deviation and a probability: nothing that has a scale in common."""
    values = 250_000 + _matrix(seed)[0]
    return float(values.mean()), float(values.std()), float(1e-9 * (1 + abs(values[0]) % 1)), 1e-3


def _frame(seed: int) -> Any:
    table = pd.DataFrame({"key": np.arange(60) % 7, "value": _matrix(seed, 1, 60)[0]})
    return table.groupby("key").agg(["mean", "std", "sum"])


def _in_frame(value: Any, numbers: Any) -> Any:
    return pd.DataFrame(numbers, columns=value.columns[: numbers.shape[-1]])


def _picture(seed: int) -> Any:
    x, y = np.meshgrid(np.arange(64), np.arange(48))
    bands = [(x * (band + 2) + y * 3 + 40 * ((x // 8 + seed) % 2)) % 256 for band in range(3)]
    return np.stack(bands, axis=2).astype("u1")


def _thumbnail(seed: int) -> Any:
    return Image.fromarray(_picture(seed)).resize((30, 20), Image.Resampling.LANCZOS)


def _jpeg(seed: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(_picture(seed)).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _nested(seed: int) -> dict[str, Any]:
    return {"scores": _scores(seed), "total": 3.5 + seed, "name": "demo"}


def _with_gaps(seed: int) -> Any:
    values = _matrix(seed, 20, 5)
    values[values > 1.5] = np.nan
    return values


def _bytes_of(data: bytes) -> Any:
    return np.frombuffer(data, "u1")


OUTPUTS: Mapping[str, Output] = {
    "matrix product": Output(lambda s: _matrix(s) @ _matrix(s + 1)),
    "matrix product, float32": Output(
        lambda s: _matrix(s).astype("f4") @ _matrix(s + 1).astype("f4")
    ),
    "half precision": Output(lambda s: (900 * _matrix(s, 8, 8)).astype("f2")),
    "Fourier transform": Output(lambda s: np.fft.rfft(_matrix(s)[0])),
    "singular values": Output(lambda s: np.linalg.svd(_matrix(s), compute_uv=False)),
    "solution": Output(lambda s: np.linalg.solve(_matrix(s) + 20 * np.eye(40), _matrix(s)[0])),
    "exponentials, float32": Output(lambda s: np.exp(_matrix(s).astype("f4"))),
    "cumulative sum": Output(lambda s: np.cumsum(_matrix(s))),
    "eigenvalues": Output(lambda s: np.linalg.eigvalsh(_matrix(s) + _matrix(s).T)),
    "softmax": Output(
        lambda s: np.exp(9 * _matrix(s)) / np.exp(9 * _matrix(s)).sum(1, keepdims=True)
    ),
    "values with gaps": Output(_with_gaps),
    "histogram": Output(lambda s: np.histogram(_matrix(s), 17)[0]),
    "stable order": Output(lambda s: np.argsort(_matrix(s)[0], kind="stable")),
    "labels": Output(lambda s: (np.argmin(_matrix(s, 60, 4), axis=1)).astype("i4")),
    "picture": Output(_picture),
    "thumbnail": Output(
        _thumbnail, np.asarray, lambda _, n: Image.fromarray(np.ascontiguousarray(n))
    ),
    "JPEG file": Output(_jpeg, _bytes_of, lambda _, n: n.tobytes()),
    "list of scores": Output(_scores, np.array, lambda _, n: n.tolist()),
    "summary": Output(_summary, np.array, lambda _, n: tuple(n.tolist())),
    "nested scores": Output(
        _nested,
        lambda v: np.array(v["scores"]),
        lambda v, n: {**v, "scores": n.tolist()},
    ),
    "grouped table": Output(_frame, lambda v: v.to_numpy(), _in_frame),
}
