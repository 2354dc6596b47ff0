"""Which macros a compiler for Linux defines on one machine, and what ``#if`` makes of them."""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

_LONGEST = 2000
"""Characters of a condition: longer ones are unknown."""
_MOST = 1 << 64
_LINUX: Final = {
    **dict.fromkeys(("__linux__", "__linux", "linux", "__gnu_linux__", "__ELF__"), 1),
    **dict.fromkeys(("__unix__", "__unix", "unix", "__LP64__", "_LP64", "__STDC__"), 1),
    "__GNUC__": 14,
    "__SIZEOF_POINTER__": 8,
    "__SIZEOF_LONG__": 8,
    "__SIZEOF_INT__": 4,
    "__WORDSIZE": 64,
    "__SIZEOF_INT128__": 16,
    "__CHAR_BIT__": 8,
    "__BYTE_ORDER__": 1234,
    "__ORDER_LITTLE_ENDIAN__": 1234,
    "__ORDER_BIG_ENDIAN__": 4321,
}
_ARM: Final = {
    **dict.fromkeys(("__aarch64__", "__AARCH64EL__", "__ARM_NEON", "__ARM_64BIT_STATE"), 1),
    "__ARM_ARCH": 8,
    "__ARM_ARCH_8A": 1,
    "__ARM_ARCH_ISA_A64": 1,
    "__CHAR_UNSIGNED__": 1,
}
_X86: Final = dict.fromkeys(
    ("__x86_64__", "__x86_64", "__amd64__", "__amd64", "__SSE__", "__SSE2__", "__MMX__"), 1
)
_NEITHER = re.compile(
    r"_?_?WIN(32|64)(__)?|_WINDOWS|_MSC_\w+|__MINGW\w*|__CYGWIN__|_?_?APPLE_?_?|__MACH__|TARGET_OS_\w+"
    r"|__(Free|Net|Open)BSD__|__DragonFly__|__sun\w*|sun|__SVR4|_?_?ANDROID(__)?|__EMSCRIPTEN__"
    r"|__wasm\w*|__HAIKU__|_AIX|__hpux|__QNX\w*|__VXWORKS__|_?_?BIG_ENDIAN_?_?|__CUDA\w*|__HIP\w*"
    r"|__(powerpc|ppc|PPC|POWERPC|s390|mips|MIPS|riscv|sparc|alpha|hppa|ia64|loongarch|m68k)\w*"
    r"|_ARCH_PPC\w*|__ALTIVEC__|__VSX__|_M_(PPC|MIPS|ARM|IA64|IX86|X64|AMD64|ARM64)\w*"
    r"|_?_?i386(__)?|__i[4-6]86__|_X86_|__arm__|__thumb\w*|__ILP32__|__AARCH64EB__"
)
"""Of other systems, compilers and machines."""
_OF_X86 = re.compile(
    r"__(x86_64|amd64)(__)?"
    r"|__(SSE|SSSE|AVX|MMX|FMA|BMI|TBM|XOP|ABM|POPCNT|PCLMUL|AES|SHA|LZCNT|F16C|RDRND|RDSEED|ADX"
    r"|XSAVE|RTM|3dNOW|GFNI|VAES|VPCLMULQDQ|PRFCHW|FSGSBASE|MOVBE)\w*__"
    r"|(\w*_)?(SSE[1-4]?(_?[12])?|SSSE3|AVX(2|512)?\w*|MMX|X86(_?64)?|X64|AMD64|I[3-6]86|FMA[34]?)"
    r"(_\w*)?",
    re.IGNORECASE,
)
_OF_ARM = re.compile(
    r"__(aarch64|AARCH64|arm64|ARM)_?\w*|(\w*_)?(NEON|ARM|ARM64|AARCH64|ARMV\d\w*|SVE2?)(_\w*)?",
    re.IGNORECASE,
)
_BINARY: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
_COMPARED: Mapping[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class Macros:
    """The macros of one machine, and those that a file defines; None is what is not known."""

    def __init__(self, own: Mapping[str, int], absent: re.Pattern[str]) -> None:
        self._values: dict[str, int | None] = {**_LINUX, **own}
        self._predefined = frozenset(self._values)
        self._absent = absent
        self._skipped: set[str] = set()

    def define(self, name: str, value: str, reached: bool | None) -> None:
        """Take account of a ``#define``; *reached* says whether the compiler sees it."""
        if name in self._predefined:
            return
        if reached is False:
            self._skipped.add(name)
        elif reached is None:
            self._values.setdefault(name, None)
        else:
            self._values[name] = evaluated(value, self) if value else None

    def undefine(self, name: str, reached: bool | None) -> None:
        """Take account of an ``#undef``."""
        if reached is not False and name not in self._predefined:
            self._values.pop(name, None)
            if reached:
                self._skipped.add(name)

    def defined(self, name: str) -> bool | None:
        """Whether there is such a macro."""
        if name in self._values:
            return True
        if name in self._skipped or _NEITHER.fullmatch(name) or self._absent.fullmatch(name):
            return False
        return None

    def value(self, name: str) -> int | None:
        """What it stands for: zero, where there is no such macro."""
        if name in self._values:
            return self._values[name]
        return 0 if self.defined(name) is False else None


def macros_of_arm() -> Macros:
    """Those of aarch64 Linux."""
    return Macros(_ARM, _OF_X86)


def macros_of_x86() -> Macros:
    """Those of x86-64 Linux without flags for more than its first processors."""
    return Macros(_X86, _OF_ARM)


def evaluated(condition: str, macros: Macros) -> int | None:
    """What the expression *condition* of an ``#if`` is; None where that is not known."""
    tree = _parsed(condition)
    try:
        return _value(tree, macros) if tree is not None else None
    except RecursionError:
        return None


@lru_cache(maxsize=2048)
def _parsed(condition: str) -> ast.expr | None:
    """As a Python expression: C's has the same precedences where both have the operator."""
    if len(condition) > _LONGEST:
        return None
    text = re.sub(r"__has_include(_next)?\s*\(\s*[<\"]([\w./+-]*)[>\"]\s*\)", _included, condition)
    text = re.sub(r"\bdefined\s+(\w+)", r"defined(\1)", text)
    text = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", text)
    text = re.sub(r"!(?!=)", "~", text).replace("&&", " and ").replace("||", " or ")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _included(match: re.Match[str]) -> str:
    """Headers of x86 as a macro that there is on x86 only."""
    return "defined(__x86_64__)" if X86_HEADER.fullmatch(match[2]) else "unknown"


X86_HEADER = re.compile(
    r"(x86intrin|x86gprintrin|immintrin|[xpetnsw]mmintrin|ammintrin|wmmintrin|avx\w*intrin|mmintrin"
    r"|fma\w*intrin|bmi2?intrin|shaintrin|cpuid|intrin)\.h"
)
"""Headers that compilers have for x86 only."""


def _value(node: ast.expr, macros: Macros) -> int | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int) and abs(node.value) < _MOST else None
    if isinstance(node, ast.Name):
        return macros.value(node.id)
    if isinstance(node, ast.BoolOp):
        return _all_or_any(node, macros)
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, macros)
        if value is None or isinstance(node.op, ast.Not):
            return None
        return int(not value) if isinstance(node.op, ast.Invert) else -value
    if isinstance(node, ast.Call):
        name = node.args[0] if node.args and isinstance(node.func, ast.Name) else None
        asked = isinstance(name, ast.Name) and getattr(node.func, "id", "") == "defined"
        return macros.defined(name.id) if asked and isinstance(name, ast.Name) else None
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _computed(_COMPARED.get(type(node.ops[0])), node.left, node.comparators[0], macros)
    if isinstance(node, ast.BinOp):
        return _computed(_BINARY.get(type(node.op)), node.left, node.right, macros)
    return None


def _all_or_any(node: ast.BoolOp, macros: Macros) -> int | None:
    decisive = isinstance(node.op, ast.Or)
    values = [_value(each, macros) for each in node.values]
    if any(value is not None and bool(value) is decisive for value in values):
        return decisive
    return None if None in values else not decisive


def _computed(
    function: Callable[[int, int], int] | None, left: ast.expr, right: ast.expr, macros: Macros
) -> int | None:
    first, second = _value(left, macros), _value(right, macros)
    if function is None or first is None or second is None:
        return None
    value = function(first, second)
    return value if abs(value) < _MOST else None
