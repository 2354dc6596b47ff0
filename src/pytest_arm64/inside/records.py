"""The JSON codec: frozen dataclasses to JSON and back, with every type checked.

Records come from anywhere: out of a container, from other machines, out of a cache. It is defined
here because both sides have records; in the container it only encodes (decoding resolves type
hints, for which it needs Python 3.10).
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_MOST = 2**128
"""Larger numbers than this are an attack: what computes with them may overflow."""
_OPTIONS = "pytest-arm64"


@dataclass(frozen=True)
class Layout:
    """How a record is written as a whole; in its class variable ``JSON``."""

    format: int = 0
    """Written as ``format`` and demanded when it is read; 0 for a part of another record."""
    computed: tuple[str, ...] = ()
    """Properties that are written for other readers; they are not read back."""
    name: str = ""
    """What the record is called where it is refused; the class's name by default."""


@dataclass(frozen=True)
class _Options:
    """How one field is written."""

    name: str = ""
    keys: tuple[str, ...] = ()
    write: Callable[[Any], object] | None = None
    check: Callable[[Any], object] | None = None


def json_options(
    name: str = "",
    *,
    keys: tuple[str, ...] = (),
    write: Callable[[Any], object] | None = None,
    check: Callable[[Any], object] | None = None,
) -> Mapping[str, object]:
    """``metadata`` of a dataclass field.

    Args:
        name: the key in JSON, where it is not the field's name.
        keys: of a record, the only fields that are written.
        write: applied to the value that is written.
        check: applied to the value that was read, of the right type already; it gives the value
            to use, or raises ValueError with the reason why there is none.
    """
    return {_OPTIONS: _Options(name, keys, write, check)}


def encode(value: Any) -> Any:
    """*value*, a dataclass or what its fields hold, as ``json.dumps`` takes it."""
    if isinstance(value, str):
        # A lone surrogate, of a file name for instance, is no text that others can read.
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if is_dataclass(value) and not isinstance(value, type):
        return _encoded_record(value, ())
    if isinstance(value, Mapping):
        return {encode(key): encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def _encoded_record(value: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    layout = _layout(type(value))
    data: dict[str, Any] = {"format": layout.format} if layout.format else {}
    for field in fields(value):
        if keys and field.name not in keys:
            continue
        options = _options(field)
        item = getattr(value, field.name)
        if options.write is not None:
            item = options.write(item)
        key = options.name or field.name
        data[key] = _encoded_record(item, options.keys) if options.keys else encode(item)
    return {**data, **{name: encode(getattr(value, name)) for name in layout.computed}}


def parse(text: str | bytes) -> object:
    """The JSON in *text*, of unknown origin.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or has a number that is none or has
            more than 4,300 digits.
    """
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("not JSON that can be read: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is not a number in JSON")


def decode(cls: type[T], data: object, format_: int = 0) -> T:
    """The dataclass *cls* that ``encode`` gave as *data*; keys that it does not know are left out.

    Args:
        cls: the class.
        data: what was read.
        format_: what it has to have as ``format``, where the class does not say it.

    Raises:
        ValueError: something is missing or of another type; the message says where.
    """
    name = _layout(cls).name or cls.__name__
    if format_:
        _check_format(format_, data, name)
    record: T = _value(cls, data, name)
    return record


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _layout(cls: type) -> Layout:
    layout = getattr(cls, "JSON", None)
    return layout if isinstance(layout, Layout) else Layout()


def _options(field: Field[Any]) -> _Options:
    options = field.metadata.get(_OPTIONS)
    return options if isinstance(options, _Options) else _Options()


def _value(wanted: Any, data: object, where: str) -> Any:
    origin = get_origin(wanted)
    if origin is Union or origin is getattr(types, "UnionType", Union):
        choices = get_args(wanted)
        if data is None and type(None) in choices:
            return None
        return _value(next(c for c in choices if c is not type(None)), data, where)
    if origin is tuple:
        return _items(get_args(wanted)[0], data, where)
    if origin in (Mapping, dict):
        return _mapping(get_args(wanted)[1], data, where)
    if is_dataclass(wanted):
        return _record(wanted, data, where)
    if hasattr(wanted, "_fields"):
        return _row(wanted, data, where)
    if wanted is date:
        return _date(data, where)
    return _scalar(wanted, data, where)


def _items(wanted: Any, data: object, where: str) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise _error(where, "a list", data)
    return tuple(_value(wanted, item, f"{where}[{number}]") for number, item in enumerate(data))


def _mapping(wanted: Any, data: object, where: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise _error(where, "an object", data)
    return {
        _scalar(str, key, f"a key of {where}"): _value(wanted, item, f"{where}[{key!r:.60}]")
        for key, item in data.items()
    }


def _row(wanted: Any, data: object, where: str) -> Any:
    """A named tuple, which is written as a list."""
    names, hints = wanted._fields, _hints(wanted)
    if not isinstance(data, (list, tuple)) or len(data) != len(names):
        raise _error(where, f"a list of {len(names)} values", data)
    pairs = zip(names, data)  # noqa: B905  (Python 3.9 has no strict; the lengths are equal)
    return wanted(*(_value(hints[name], item, f"{where}.{name}") for name, item in pairs))


def _record(cls: Any, data: object, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise _error(where, "an object", data)
    _check_format(_layout(cls).format, data, where)
    hints = _hints(cls)
    values = {}
    for field in fields(cls):
        options = _options(field)
        key = options.name or field.name
        if key in data:
            place = f"{where}.{key}"
            value = _value(hints[field.name], data[key], place)
            values[field.name] = _checked(value, options.check, place)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{where} has no {key}")
    return cls(**values)


def _check_format(number: int, data: object, where: str) -> None:
    given = data.get("format") if isinstance(data, Mapping) else None
    if number and (type(given) is not int or given != number):
        raise ValueError(f"{where} is not of format {number}")


def _checked(value: object, check: Callable[[Any], object] | None, where: str) -> object:
    if check is None:
        return value
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _scalar(wanted: Any, data: object, where: str) -> Any:
    if wanted is float and isinstance(data, int) and not isinstance(data, bool):
        data = _float(data, where)
    if not isinstance(data, wanted) or (isinstance(data, bool) and wanted is not bool):
        raise _error(where, wanted.__name__, data)
    if isinstance(data, str) and not data.isascii():
        _check_text(data, where)
    elif isinstance(data, float) and not math.isfinite(data):
        raise ValueError(f"{where} is not a finite number")
    elif isinstance(data, int) and abs(data) > _MOST:
        raise ValueError(f"{where} is not a number of ordinary size")
    return data


def _check_text(data: str, where: str) -> None:
    try:
        data.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{where} is not text: it has half of a character") from None


def _date(data: object, where: str) -> date:
    try:
        return date.fromisoformat(data)  # type: ignore[arg-type]  # what is no text is a TypeError
    except (ValueError, TypeError):
        raise _error(where, "a date", data) from None


def _float(data: int, where: str) -> float:
    try:
        return float(data)
    except OverflowError:
        raise ValueError(f"{where} is not a number of ordinary size") from None


def _error(where: str, wanted: str, data: object) -> ValueError:
    kind = "null" if data is None else type(data).__name__
    return ValueError(f"{where} is {kind}, not {wanted}")
