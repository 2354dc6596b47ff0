"""NumPy's file format, as far as a recorded array is checked where NumPy is not installed.

Source: ``numpy.lib.format``, versions 1 to 3: magic, version, length of the header, a Python
literal with type, order and shape, then the elements.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re

from .lazily import Array
from .shape import MalformedError

_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000
"""What NumPy itself reads of a file that is not trusted."""
_PLAIN = re.compile(r"[<>|=][?a-zA-Z]([0-9]{1,9})(\[[^\]]*\])?\Z")
_WIDE = "U"
"""The code of text, of which four bytes are a character."""


def digest_of(content: bytes) -> str:
    """As ``values.digest_of`` of the array that the file *content* holds.

    Raises:
        MalformedError: it is no such file, or its elements are not in C's order.
    """
    start = len(_MAGIC) + 2
    if content[: len(_MAGIC)] != _MAGIC or len(content) < start + 4:
        raise MalformedError("it is no array of NumPy's")
    width = 2 if content[len(_MAGIC)] == 1 else 4
    length = int.from_bytes(content[start : start + width], "little")
    if length > _LONGEST_HEADER:
        raise MalformedError("its header is too long")
    elements = start + width + length
    try:
        header = ast.literal_eval(content[start + width : elements].decode("latin-1").strip())
        ordered = not header["fortran_order"]
        about = json.dumps([header["descr"], list(header["shape"])])
    except (ValueError, SyntaxError, LookupError, TypeError, MemoryError, RecursionError):
        raise MalformedError("its header cannot be read") from None
    if not ordered:
        raise MalformedError("its elements are not in the order in which goldens are written")
    digest = hashlib.sha256(about.encode())
    digest.update(memoryview(content)[elements:])
    return digest.hexdigest()


def size_of(dtype: Array, shape: list[int]) -> int:
    """Bytes of an array's elements, from its type and shape as a golden's tree has them.

    Raises:
        MalformedError: *dtype* is none that a golden has.
    """
    return _itemsize(dtype) * math.prod(shape)


def _itemsize(dtype: Array) -> int:
    if isinstance(dtype, str):
        found = _PLAIN.match(dtype)
        if found is None:
            raise MalformedError(f"{dtype[:50]!r} is no type of an array")
        return int(found[1]) * (4 if dtype[1] == _WIDE else 1)
    return sum(size_of(kind, shape[0] if shape else []) for _, kind, *shape in dtype)
