"""Frames: any bytes become frames or a ProtocolError; order is that of the writing."""

from __future__ import annotations

import json
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.errors import ProtocolError
from pytest_arm64.mirror.frames import KINDS, Batch, BatchReader, Frame, Ordered, parse_batch

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
NONCE = "c0ffee"


@given(st.binary())
def test_any_bytes_are_frames_or_an_error(data: bytes) -> None:
    try:
        batches = list(BatchReader().feed(data))
    except ProtocolError:
        return
    assert all(frame.kind in KINDS for batch in batches for frame in batch.frames)


@given(JSON)
def test_any_json_is_a_batch_or_an_error(value: Any) -> None:
    for line in (value, [1, value]):
        try:
            batch = parse_batch(json.dumps(line).encode())
        except ProtocolError:
            continue
        assert all(len(frame.values) >= KINDS[frame.kind] for frame in batch.frames)


FRAMES = st.tuples(st.sampled_from(sorted(KINDS)), JSON).map(lambda f: (f[0], [f[1]] * 9))


@given(
    st.integers(0),
    st.lists(FRAMES, min_size=1, max_size=4),
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
def test_a_batch_survives_any_cut(
    mark: int, frames: list[tuple[str, list[Any]]], sizes: list[int]
) -> None:
    line = json.dumps([mark, *([kind, *values] for kind, values in frames)]).encode() + b"\n"
    reader, found, cuts = BatchReader(), [], cycle(sizes)
    while line:
        size = next(cuts)
        found += list(reader.feed(line[:size]))
        line = line[size:]
    assert found == [Batch(mark, tuple(Frame(kind, tuple(values)) for kind, values in frames))]
    assert not reader.incomplete


def test_deeply_nested_json_is_an_error() -> None:
    with pytest.raises(ProtocolError):
        parse_batch(b'[0,["exit",' + b"[" * 100_000)


def _written(pieces: list[bytes | int]) -> tuple[bytes, bytes]:
    """What a sender writes: printed text, and frames told by their numbers."""
    printed, frames = b"", b""
    for number, piece in enumerate(pieces, 1):
        if isinstance(piece, bytes):
            printed += piece
        else:
            printed += b"\0arm64-" + NONCE.encode() + b"-%d\0" % number
            frames += b'[%d,["exit",%d]]\n' % (number, piece)
    return printed, frames


TEXTS = st.binary(min_size=1, max_size=20) | st.sampled_from(
    # Nothing that becomes a mark with this run's own nonce: no test can guess that.
    [b"\0", b"\0arm64-", b"\0arm64-c0ffee-x\0", b"\0arm64-0-1\0"]
)


@given(st.lists(TEXTS | st.integers(0, 9)), st.data())
def test_the_order_is_that_of_the_writing(pieces: list[bytes | int], data: st.DataObject) -> None:
    printed, frames = _written(pieces)
    ordered, found = Ordered(NONCE), []
    ways = {True: frames, False: printed}
    while any(ways.values()):
        protocol = data.draw(st.booleans())
        protocol = protocol if ways[protocol] else not protocol
        size = data.draw(st.integers(1, len(ways[protocol])))
        found += list(ordered.feed(ways[protocol][:size], protocol=protocol))
        ways[protocol] = ways[protocol][size:]
    found += list(ordered.rest())
    assert _joined(found) == _joined(pieces)
    assert not ordered.incomplete


def _joined(events: list[Any]) -> list[Any]:
    """Events with neighbouring pieces of text made one."""
    result: list[Any] = []
    for event in events:
        value = event.values[0] if isinstance(event, Frame) else event
        if isinstance(value, bytes) and result and isinstance(result[-1], bytes):
            result[-1] += value
        else:
            result.append(value)
    return result


def test_what_is_printed_is_shown_before_any_frame_comes() -> None:
    ordered = Ordered(NONCE)
    assert list(ordered.feed(b"live", protocol=False)) == [b"live"]


def test_a_mark_whose_frames_never_come_holds_nothing_back_at_the_end() -> None:
    ordered = Ordered(NONCE)
    data = b"a\0arm64-c0ffee-1\0b\0arm64-c0ffee-2\0c"
    assert list(ordered.feed(data, protocol=False)) == [b"a"]
    assert b"".join(event for event in ordered.rest() if isinstance(event, bytes)) == b"bc"
