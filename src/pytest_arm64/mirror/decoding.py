"""From JSON to typed frames: kind, number of values and types follow from ``inside.frames``."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from reprlib import repr as shortened
from typing import NoReturn, Union, get_args, get_origin, get_type_hints

from ..errors import ProtocolError
from ..inside.frames import Frame

Decoder = Callable[[object], object]
"""Returns a value as its annotation says it, lists as tuples; raises ``_MismatchError``."""


class _MismatchError(Exception):
    """A value is not what the annotation says."""


def decoded(value: object) -> Frame:
    """The frame that *value*, from a line of the protocol, describes.

    Raises:
        ProtocolError: it does not describe any.
    """
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise ProtocolError(f"the session inside sent an invalid frame: {shortened(value)}")
    try:
        decode = _decoders()[value[0]]
    except KeyError:
        text = f"the session inside sent an unknown frame: {shortened(value[0])}"
        raise ProtocolError(text) from None
    try:
        return decode(value[1:])  # type: ignore[return-value]  # the class of that name
    except _MismatchError as error:
        raise ProtocolError(f"a {value[0]} frame cannot be used: {error}") from None


@cache
def _decoders() -> dict[str, Decoder]:
    return {frame.__name__: _decoder(frame) for frame in get_args(Frame)}


def _decoder(hint: object) -> Decoder:
    """What decodes values of the annotation *hint*."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is object:
        return lambda value: value
    if hint is float:
        return _number
    if origin in (Union, types.UnionType):
        present = [_decoder(each) for each in arguments if each is not types.NoneType]
        return _either(present, optional=types.NoneType in arguments)
    if origin is list:
        return _list(_decoder(arguments[0]))
    if origin is dict:
        return _dict(_decoder(arguments[1]), free=arguments[1] is object)
    if origin is tuple:
        return _tuple([_decoder(argument) for argument in arguments])
    if isinstance(hint, type) and issubclass(hint, tuple):
        return _record(hint)
    if isinstance(hint, type):
        return _exactly(hint)
    raise TypeError(f"no frame can have a field of type {hint!r}")


def _refuse(value: object, expected: str) -> NoReturn:
    raise _MismatchError(f"{shortened(value)} is not {expected}")


def _exactly(kind: type) -> Decoder:
    def decode(value: object) -> object:
        return value if type(value) is kind else _refuse(value, f"a {kind.__name__}")

    return decode


def _number(value: object) -> object:
    return value if type(value) in (float, int) else _refuse(value, "a number")


def _either(decoders: list[Decoder], *, optional: bool) -> Decoder:
    def decode_one(value: object) -> object:
        return None if value is None else last(value)

    def decode(value: object) -> object:
        if value is None and optional:
            return None
        for decoder in decoders[:-1]:
            try:
                return decoder(value)
            except _MismatchError:
                continue
        return last(value)

    last = decoders[-1]
    return decode_one if optional and len(decoders) == 1 else decode


def _list(item: Decoder) -> Decoder:
    def decode(value: object) -> object:
        if type(value) is not list:
            _refuse(value, "a list")
        return [item(each) for each in value]

    return decode


def _dict(item: Decoder, *, free: bool) -> Decoder:
    def decode(value: object) -> object:
        if type(value) is not dict:
            _refuse(value, "an object")
        return value if free else {key: item(each) for key, each in value.items()}

    return decode


def _tuple(items: list[Decoder]) -> Callable[[object], tuple[object, ...]]:
    def decode(value: object) -> tuple[object, ...]:
        if type(value) is not list or len(value) != len(items):
            _refuse(value, f"a list of {len(items)}")
        return tuple([item(each) for item, each in zip(items, value)])  # noqa: B905  (of one length)

    return decode


def _record(kind: type[tuple[object, ...]]) -> Decoder:
    """A NamedTuple of ``inside.frames``."""
    values = _tuple([_decoder(hint) for hint in get_type_hints(kind).values()])

    def decode(value: object) -> object:
        return tuple.__new__(kind, values(value))

    return decode
