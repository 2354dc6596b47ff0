"""Frames: any bytes become frames or a ProtocolError; order is that of the writing."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.errors import ProtocolError
from pytest_arm64.inside.frames import Exited, Frame
from pytest_arm64.mirror import mirror
from pytest_arm64.mirror.frame_table import markdown
from pytest_arm64.mirror.frames import Batch, BatchReader, Ordered, parse_batch
from pytest_arm64.mirror.mirror import HostMirror
from unit.mirror.scripted import as_json

KINDS: tuple[type[Frame], ...] = get_args(Frame)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
NONCE = "c0ffee"
ROOT = Path(__file__).parents[3]


@given(st.binary())
def test_any_bytes_are_frames_or_an_error(data: bytes) -> None:
    try:
        batches = list(BatchReader().feed(data))
    except ProtocolError:
        return
    assert all(isinstance(frame, KINDS) for batch in batches for frame in batch.frames)


@given(JSON)
def test_any_json_is_a_batch_or_an_error(value: object) -> None:
    for line in (value, [1, value]):
        try:
            batch = parse_batch(json.dumps(line).encode())
        except ProtocolError:
            continue
        assert all(isinstance(frame, KINDS) for frame in batch.frames)


def values_of(hint: object) -> st.SearchStrategy[object]:
    """Values of the annotation of a field."""
    if hint is object:
        return JSON
    if get_origin(hint) in (Union, UnionType):
        return st.one_of([values_of(argument) for argument in get_args(hint)])
    if isinstance(hint, type) and hasattr(hint, "_fields"):
        return st.tuples(*map(values_of, get_type_hints(hint).values())).map(lambda v: hint(*v))
    if get_origin(hint) is tuple:
        return st.tuples(*map(values_of, get_args(hint)))
    if get_origin(hint) is list:
        return st.lists(values_of(get_args(hint)[0]), max_size=3)
    if get_origin(hint) is dict:
        return st.dictionaries(st.text(), values_of(get_args(hint)[1]), max_size=3)
    if hint is float:
        return st.floats(allow_nan=False)
    assert isinstance(hint, type)
    return st.from_type(hint)


FRAMES = st.sampled_from(KINDS).flatmap(values_of)


@given(
    st.integers(0),
    st.lists(FRAMES, min_size=1, max_size=4),
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
def test_every_frame_survives_the_way_over_the_wire_and_any_cut(
    mark: int, sent: list[Frame], sizes: list[int]
) -> None:
    line = json.dumps([mark, *map(as_json, sent)]).encode() + b"\n"
    reader, batches, cuts = BatchReader(), [], cycle(sizes)
    while line:
        size = next(cuts)
        batches += list(reader.feed(line[:size]))
        line = line[size:]
    assert batches == [Batch(mark, tuple(sent))]
    assert list(map(type, batches[0].frames)) == list(map(type, sent))
    assert not reader.incomplete


@given(FRAMES, JSON, st.data())
def test_a_value_of_another_type_is_an_error(
    sent: Frame, other: object, data: st.DataObject
) -> None:
    values = as_json(sent)
    if len(values) == 1:
        return
    values[data.draw(st.integers(1, len(values) - 1))] = other
    with suppress(ProtocolError):
        batch = parse_batch(json.dumps([0, values]).encode())
        # What was put there is of the right type after all.
        assert json.loads(json.dumps(as_json(batch.frames[0]))) == json.loads(json.dumps(values))


@pytest.mark.parametrize("kind", KINDS)
def test_the_mirror_has_a_method_of_that_type_for_each_frame(kind: type[Frame]) -> None:
    method = getattr(HostMirror, f"_on_{kind.__name__.lower()}")
    hints = get_type_hints(method, {**vars(mirror), "LogXML": object, "TerminalReporter": object})
    assert next(iter(hints.values())) is kind


def test_deeply_nested_json_is_an_error() -> None:
    with pytest.raises(ProtocolError):
        parse_batch(b'[0,["Exited",' + b"[" * 100_000)


def _written(pieces: list[bytes | int]) -> tuple[bytes, bytes]:
    """What a sender writes: printed text, and frames told by their numbers."""
    printed, frames = b"", b""
    for number, piece in enumerate(pieces, 1):
        if isinstance(piece, bytes):
            printed += piece
        else:
            printed += b"\0arm64-" + NONCE.encode() + b"-%d\0" % number
            frames += b'[%d,["Exited",%d,[]]]\n' % (number, piece)
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
        value = event.code if isinstance(event, Exited) else event
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


def test_the_documentation_has_the_table_of_frames() -> None:
    """After a change: scripts/frame-table --write."""
    assert markdown() in (ROOT / "docs/how-it-works.md").read_text("utf-8")
