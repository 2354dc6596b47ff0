"""Frozen dataclasses to JSON and back, with every type checked: reports come from anywhere."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def encode(value: Any) -> Any:
    """*value*, a dataclass or what its fields hold, as ``json.dumps`` takes it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def decode(cls: type[T], data: Any) -> T:
    """The dataclass *cls* that ``encode`` gave as *data*; keys that it does not know are left out.

    Raises:
        ValueError: something is missing or of another type; the message says where.
    """
    found: T = _value(cls, data, cls.__name__)
    return found


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _value(wanted: Any, data: Any, where: str) -> Any:
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        choices = get_args(wanted)
        if data is None and type(None) in choices:
            return None
        return _value(next(c for c in choices if c is not type(None)), data, where)
    if origin is tuple:
        if not isinstance(data, list):
            raise _error(where, "a list", data)
        item = get_args(wanted)[0]
        return tuple(_value(item, entry, f"{where}[{i}]") for i, entry in enumerate(data))
    if is_dataclass(wanted):
        return _record(wanted, data, where)
    if wanted is date:
        return _date(data, where)
    if wanted is float and isinstance(data, int) and not isinstance(data, bool):
        return _float(data, where)
    if not isinstance(data, wanted) or (isinstance(data, bool) and wanted is not bool):
        raise _error(where, wanted.__name__, data)
    return data


def _record(cls: Any, data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise _error(where, "an object", data)
    hints = _hints(cls)
    values = {}
    for field in fields(cls):
        if field.name in data:
            place = f"{where}.{field.name}"
            values[field.name] = _value(hints[field.name], data[field.name], place)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{where} has no {field.name}")
    return cls(**values)


def _date(data: Any, where: str) -> date:
    try:
        return date.fromisoformat(data)
    except (ValueError, TypeError):
        raise _error(where, "a date", data) from None


def _float(data: int, where: str) -> float:
    try:
        return float(data)
    except OverflowError:
        raise _error(where, "a number of ordinary size", data) from None


def _error(where: str, wanted: str, data: Any) -> ValueError:
    kind = "null" if data is None else type(data).__name__
    return ValueError(f"{where} is {kind}, not {wanted}")
