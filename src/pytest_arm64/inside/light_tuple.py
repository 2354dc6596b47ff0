"""Named tuples whose classes cost little to create."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, cast

_Tuple = tuple[Any, ...]  # of any fields, as those of a named tuple are


class LightTuple(_Tuple):
    """Stands for ``typing.NamedTuple``, as which type checkers see it.

    Each class of that one compiles its constructor and all of its annotations: 41 ms for the
    frames, in each emulated start of Python 3.11 (graviton2 on x86-64, measured 2026-11-30), in
    place of 4 ms.
    """

    __slots__ = ()
    # Without annotations, which would be fields.
    _fields = cast("tuple[str, ...]", ())
    _defaults = cast("dict[str, object]", {})

    def __init_subclass__(cls) -> None:
        own = vars(cls)
        cls._fields = tuple(own.get("__annotations__", ()))
        cls._defaults = {name: own[name] for name in cls._fields if name in own}
        for index, name in enumerate(cls._fields):
            setattr(cls, name, property(itemgetter(index)))

    def __new__(cls, *values: object, **named: object) -> LightTuple:  # noqa: PYI034  (Self needs Python 3.11)
        """Takes fields by place and by name.

        Raises:
            TypeError: one is missing, unknown or given twice.
        """
        if len(values) != len(cls._fields):
            left = cls._fields[len(values) :]
            given = cls._defaults | named
            values = (*values, *(given[name] for name in left if name in given))
            if len(values) != len(cls._fields) or not named.keys() <= set(left):
                raise TypeError(f"{cls.__name__} has the fields {', '.join(cls._fields)}")
        elif named:
            raise TypeError(f"{cls.__name__} has been given {', '.join(named)} twice")
        return tuple.__new__(cls, values)

    def __getnewargs__(self) -> _Tuple:
        return tuple(self)

    def __repr__(self) -> str:
        fields = ", ".join(f"{n}={v!r}" for n, v in zip(self._fields, self))  # noqa: B905  (Python 3.9 has no strict=)
        return f"{type(self).__name__}({fields})"

    def _replace(self, **named: object) -> LightTuple:
        values = dict(zip(self._fields, self))  # noqa: B905  (Python 3.9 has no strict=)
        return type(self)(**{**values, **named})
