"""Cases of ONNX Runtime, with models of one operator that are written here."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from .case import DISPATCH, INTEGER, SUMMATION, WITHIN, Case, Lazily, cases, numbers

np: Any = Lazily("numpy")
runtime: Any = Lazily("onnxruntime")

FLOAT32, UINT8, INT8, INT64, FLOAT16 = 1, 2, 3, 7, 10
_TYPES = {"float32": FLOAT32, "uint8": UINT8, "int8": INT8, "int64": INT64, "float16": FLOAT16}
HALF = {"rtol": 1e-2, "atol": 1e-2}
SINGLE = {"rtol": 1e-4, "atol": 1e-4}


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, content: bytes | str | float) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    if isinstance(content, float):
        return varint(number << 3 | 5) + struct.pack("<f", content)
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def attribute(name: str, value: float | Sequence[int]) -> bytes:
    if isinstance(value, float):
        content = field(2, value) + field(20, 1)
    elif isinstance(value, int):
        content = field(3, value) + field(20, 2)
    else:
        content = b"".join(field(8, part) for part in value) + field(20, 7)
    return field(1, name) + content


def described(name: str, kind: int, shape: Sequence[int]) -> bytes:
    sizes = b"".join(field(1, field(1, size)) for size in shape)
    tensor = field(1, kind) + (field(2, sizes) if shape else b"")
    return field(1, name) + field(2, field(1, tensor))


def model(operator: str, inputs: Sequence[Any], kind: int, attributes: Mapping[str, Any]) -> bytes:
    """A model of one *operator*, as bytes: onnx/onnx.proto, IR version 8, operators 17."""
    names = [f"x{number}" for number in range(len(inputs))]
    node = b"".join(field(1, name) for name in names) + field(2, "y") + field(4, operator)
    node += b"".join(field(5, attribute(name, value)) for name, value in attributes.items())
    graph = field(1, node) + field(2, "case")
    for name, value in zip(names, inputs):
        graph += field(11, described(name, _TYPES[value.dtype.name], value.shape))
    graph += field(12, field(1, "y") + field(2, field(1, field(1, kind))))
    return field(1, 8) + field(8, field(2, 17)) + field(7, graph)


def run(operator: str, *inputs: Any, **attributes: Any) -> Any:
    """What the processor's kernel of *operator* computes of *inputs*, on one thread."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    kind = attributes.pop("kind", _TYPES[inputs[0].dtype.name])
    session = runtime.InferenceSession(
        model(operator, inputs, kind, attributes), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {f"x{number}": value for number, value in enumerate(inputs)})[0]


def image(channels: int = 4, dtype: str = "f4") -> Any:
    return (numbers(1, channels, 12, 12) / 8).astype(dtype)


def weights(*shape: int, dtype: str = "f4") -> Any:
    return (numbers(*shape) / 16).astype(dtype)


def quantized() -> Any:
    a = (np.arange(64).reshape(8, 8) * 7 % 251).astype("u1")
    b = (np.arange(64).reshape(8, 8) * 5 % 127).astype("i1")
    return run("MatMulInteger", a, b, kind=6)


CASES = cases(
    "ONNX Runtime",
    Case("ONNX Runtime: matrix product", lambda: run("MatMul", numbers(33, 20, dtype="f4"),
         numbers(20, 17, dtype="f4")), "blocked kernels", SUMMATION, DISPATCH),
    Case("ONNX Runtime: convolution", lambda: run("Conv", image(), weights(8, 4, 3, 3), pads=[1, 1, 1, 1]),
         "blocked kernels", SUMMATION, WITHIN, SINGLE),
    Case("ONNX Runtime: depthwise convolution", lambda: run("Conv", image(8), weights(8, 1, 3, 3), group=8,
         pads=[1, 1, 1, 1]), "kernels of their own for depthwise convolutions",
         "ONNX Runtime, MLAS: depthwise kernels by architecture", WITHIN, SINGLE),
    Case("ONNX Runtime: depthwise convolution of f2", lambda: run("Conv", image(8, "f2"),
         weights(8, 1, 3, 3, dtype="f2"), group=8, pads=[1, 1, 1, 1]),
         "half-precision kernels exist on ARM only", "ONNX Runtime, MLAS: halfgemm and NEON FP16 kernels",
         WITHIN, HALF),
    Case("ONNX Runtime: convolution of f2 with bias", lambda: run("Conv", np.ones((1, 1, 3, 3), "f2"),
         np.full((1, 1, 1, 1), 0.5, "f2"), np.full(1, 0.5, "f2")),
         "a bias that half-precision kernels of ARM leave out",
         "ONNX Runtime issue 18992: wrong FP16 convolution on arm64", WITHIN, HALF),
    Case("ONNX Runtime: matrix product of f2", lambda: run("MatMul", numbers(16, 12, dtype="f2"),
         (numbers(12, 8) / 8).astype("f2")), "half-precision kernels exist on ARM only",
         "ONNX Runtime, MLAS: halfgemm", WITHIN, HALF),
    Case("ONNX Runtime: integers", quantized, "dot products of bytes by instruction",
         "ONNX Runtime, quantization: VPMADDUBSW saturates on x86 without VNNI; ARM is exact", INTEGER),
    Case("ONNX Runtime: softmax", lambda: run("Softmax", numbers(6, 20, dtype="f4")),
         "exp in SIMD", "ONNX Runtime, MLAS: its own polynomial", WITHIN, SINGLE),
    Case("ONNX Runtime: activations", lambda: [run(name, numbers(60, dtype="f4")) for name in
         ("Tanh", "Sigmoid", "Erf", "Exp")], "polynomials in SIMD",
         "ONNX Runtime, MLAS: its own polynomials", WITHIN, SINGLE),
    Case("ONNX Runtime: normalised layer", lambda: run("LayerNormalization", numbers(6, 16, dtype="f4"),
         weights(16)), "order of summation", SUMMATION, WITHIN, SINGLE),
    Case("ONNX Runtime: pooling", lambda: [run("MaxPool", image(), kernel_shape=[3, 3]),
         run("AveragePool", image(), kernel_shape=[2, 2])], "feared: NaN in maxima", SUMMATION, DISPATCH),
    Case("ONNX Runtime: quantised", lambda: run("QuantizeLinear", numbers(60, dtype="f4"),
         np.array(0.05, "f4"), np.array(120, "u1"), kind=UINT8),
         "feared: rounding and saturation", "ONNX QuantizeLinear: half to even, saturating"),
    Case("ONNX Runtime: float to integer", lambda: run("Cast", np.array([1.9, -1.9, 250.4], "f4"), to=INT64,
         kind=INT64), "feared: rounding", "ONNX Cast: towards zero"),
    Case("ONNX Runtime: padded", lambda: run("Pad", image(1), np.array([0, 0, 1, 1, 0, 0, 1, 1])),
         "feared: shuffles in SIMD", "ONNX Pad copies"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_models(case: Case, conform: Any) -> None:
    conform(case)
