"""C, C++, Cython, Rust and build files: what ARM64 sees of them, and what hostile ones can do."""

from __future__ import annotations

import sys
import time
import warnings
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.sources import languages
from pytest_arm64.sources.budget import StepBudget, UnreadableSourceError
from pytest_arm64.sources.languages import language_of
from pytest_arm64.sources.native import syntax
from pytest_arm64.sources.native.macros import evaluated, macros_of_arm, macros_of_x86
from pytest_arm64.sources.native.preprocessor import MAYBE, NO, SURELY, PreprocessedFile
from pytest_arm64.sources.reader import MOST_STEPS_OF_FILE, findings_in
from pytest_arm64.sources.rules import all_rules
from pytest_arm64.sources.scan import scan
from unit.support import attempt, write

HEADER = "#include <immintrin.h>\n"
CALL = "float sum(float *v) { return _mm_cvtss_f32(_mm_loadu_ps(v)); }\n"


def findings(text: str, path: str = "a.c") -> list[tuple[str, int]]:
    return [(f.rule, f.line) for f in findings_in(text.encode(), path, all_rules())]


@pytest.mark.parametrize(
    ("condition", "on_arm", "on_x86"),
    [
        ("defined(__x86_64__)", False, True),
        ("defined __aarch64__ && __ARM_NEON", True, False),
        ("!defined(__aarch64__)", False, True),
        ("defined(__SSE2__) || defined(_MSC_VER)", False, True),
        ("__AVX2__", False, None),
        ("__ARM_ARCH >= 8", True, False),
        ("__GNUC__ >= 4 && !defined(__clang__)", None, None),
        ("defined(_WIN32)", False, False),
        ("__SIZEOF_POINTER__ == 8", True, True),
        ("__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__", True, True),
        ("!__i386__ == 1", True, True),
        ("0", False, False),
        ("1UL << 3", None, None),
        ("FOO", None, None),
        ("FOO && 0", False, False),
        ("FOO || 1", True, True),
        ("HAVE_SSE2", False, None),
        ("defined(HAVE_NEON)", None, False),
        ("defined(OPENSSL_ASSERT)", None, None),
        ("defined(CHARM) || defined(ESSENCE)", None, None),
        ("__has_include(<immintrin.h>)", False, True),
        ("__has_include(<other.h>)", None, None),
        ("GCC_VERSION(4, 5)", None, None),
        ("defined(", None, None),
        ("'a' == 97", None, None),
        ("~" * 900, None, None),
        ("(" * 1900, None, None),
    ],
)
def test_conditions_are_evaluated_for_both_machines(
    condition: str, on_arm: bool | None, on_x86: bool | None
) -> None:
    for macros, expected in ((macros_of_arm(), on_arm), (macros_of_x86(), on_x86)):
        value = evaluated(condition, macros)
        assert (None if value is None else bool(value)) is expected


@pytest.mark.parametrize("condition", ["1if 2 else 3", "FOO[1, 2](3)", "1 is 1"])
def test_conditions_that_python_would_warn_of_are_read_without_a_word(condition: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert evaluated(f"{condition} || 0", macros_of_arm()) is None
    assert caught == []


def reach(text: str) -> tuple[list[int], list[int]]:
    file = PreprocessedFile(text.encode(), StepBudget(10_000))
    lines = [n for n, line in enumerate(text.split("\n")) if line.startswith("x")]
    return [file.on_arm[n] for n in lines], [file.on_x86[n] for n in lines]


@pytest.mark.parametrize(
    ("text", "on_arm", "on_x86"),
    [
        ("#ifdef __x86_64__\nx\n#else\nx\n#endif\nx", [NO, SURELY, SURELY], [SURELY, NO, SURELY]),
        ("#if FOO\nx\n#elif __aarch64__\nx\n#else\nx\n#endif", [1, 1, 0], [1, 0, 1]),
        ("#ifndef A_H\n#define A_H\nx\n#endif", [SURELY], [SURELY]),
        ("#ifndef A_H\n#undef B\n#define A_H\nx\n#endif", [MAYBE], [MAYBE]),
        ("#ifdef __SSE2__\n#define FAST 1\n#endif\n#if FAST\nx\n#endif", [NO], [SURELY]),
        ("#define N 3\n#if N > 2\nx\n#else\nx\n#endif", [SURELY, NO], [SURELY, NO]),
        ("#define N\n#undef N\n#ifdef N\nx\n#endif", [NO], [NO]),
        ("#if defined(__x86_64__) && \\\n    FOO\nx\n#endif", [NO], [MAYBE]),
        ("/*\n#if 0\n*/\nx", [SURELY], [SURELY]),
        ('char *s = "/*";\n#if 0\nx\n#endif\nx // */', [NO, SURELY], [NO, SURELY]),
        ("#else\nx\n#endif\n#endif\nx", [SURELY, SURELY], [SURELY, SURELY]),
        ("#ifdef __x86_64__\nx", [NO], [SURELY]),
        ("int n = 1'000; /* it's\n#if 0\n*/\nx", [SURELY], [SURELY]),
    ],
)
def test_lines_are_seen_or_not(text: str, on_arm: list[int], on_x86: list[int]) -> None:
    assert reach(text) == (on_arm, on_x86)
    assert reach(text.replace("\n", "\r\n")) == (on_arm, on_x86)


@pytest.mark.parametrize(
    ("text", "branches"),
    [
        ("#ifdef __SSE2__\nx\n#endif", [(1, 3, False)]),
        ("#ifdef __SSE2__\nx\n#else\nx\n#endif", [(1, 5, True)]),
        ("#if __aarch64__\nx\n#elif defined(__AVX2__)\nx\n#endif", [(3, 5, True)]),
        ("#ifdef _WIN32\nx\n#endif\n#if FOO\nx\n#endif", []),
        ("#ifdef __x86_64__\n#ifdef __SSE3__\nx\n#endif\n#endif", [(1, 5, False)]),
    ],
)
def test_branches_of_x86_are_counted(text: str, branches: list[tuple[int, int, bool]]) -> None:
    file = PreprocessedFile(text.encode(), StepBudget(10_000))
    assert [(b.line, b.last, b.arm) for b in file.branches] == branches


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.c", "c"),
        ("src/A.CPP", "cpp"),
        ("lib/CMakeLists.txt", "cmake"),
        ("Makefile", "make"),
        ("b.pyx", "cython"),
        ("py", None),
        ("c", None),
        ("README.md", None),
    ],
)
def test_a_language_is_told_by_the_name(path: str, expected: str | None) -> None:
    language = language_of(path)
    assert (language.name if language is not None else None) == expected


@pytest.mark.parametrize("path", ["sum_avx2.c", "x86/sum.c", "kernels/sse4.1/a.cpp", "a.sse.h"])
def test_a_file_that_is_named_after_x86_is_taken_to_be_built_there_only(path: str) -> None:
    assert findings(HEADER + CALL, path) == []
    assert findings("int f(char c) { return c < 0; }", path) == [("plain-char", 1)]


def test_rust_that_is_named_after_x86_is_taken_to_be_built_there_only() -> None:
    use = "use core::arch::x86_64::*;"
    assert (findings(use, "src/avx512.rs"), findings(use, "src/a.rs")) == ([], [("x86-in-rust", 1)])


@pytest.mark.parametrize("path", ["assess.c", "maxavx.c", "sse2neon.c", "x86.py"])
def test_other_names_say_nothing_of_the_machine(path: str) -> None:
    language = language_of(path)
    assert language is not None
    assert not language.for_x86


def test_each_function_with_vector_functions_is_one_place() -> None:
    text = f"#include <stdio.h>\n{CALL}{CALL}"
    assert findings(text) == [("x86-intrinsics", 2), ("x86-intrinsics", 3)]


@pytest.mark.parametrize("translation", ['"sse2neon.h"', "<simde/x86/sse2.h>", '"../simde/x86.h"'])
def test_a_project_that_translates_them_calls_them_on_arm_too(
    tmp_path: Path, translation: str
) -> None:
    write(tmp_path, {"sum.c": f'#include "vectors.h"\n{CALL}'})
    assert [f.rule for f in scan("s", tmp_path, tmp_path).findings] == ["x86-intrinsics"]
    vectors = f"#ifdef __aarch64__\n#include {translation}\n#else\n{HEADER}#endif\n"
    write(tmp_path, {"vectors.h": vectors})
    assert scan("s", tmp_path, tmp_path).findings == ()


@pytest.mark.parametrize(
    "comment",
    ["// arm64: ignore[plain-char] as agreed", "/* arm64: ignore[plain-char] as agreed */"],
)
def test_a_comment_of_c_ignores_its_line(tmp_path: Path, comment: str) -> None:
    code = "int f(char c) {{ return c < 0; }} {}\n"
    write(tmp_path, {"a.c": code.format(comment), "b.c": code.format(comment[:29] + " */")})
    seen = scan("s", tmp_path, tmp_path)
    assert seen.ignored == 1
    ((path, note),) = [(f.path, f.note) for f in seen.findings]
    assert (path, "reason" in note) == ("b.c", True)


def test_without_the_parsers_what_is_not_looked_at_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a.c": CALL, "b.rs": "", "c.py": "", "Makefile": "CFLAGS = -mavx2\n"})
    monkeypatch.setattr(languages, "has_grammar", lambda _: False)
    seen = scan("s", tmp_path, tmp_path)
    assert (seen.unparsed, seen.files) == (2, 2)
    assert [f.rule for f in seen.findings] == ["x86-flags"]
    monkeypatch.undo()
    assert scan("s", tmp_path, tmp_path).unparsed == 0


def too_new() -> object:
    raise ValueError("Incompatible Language version 99. Must be between 13 and 15")


@pytest.mark.parametrize(
    ("module", "broken"),
    [
        ("tree_sitter_c", SimpleNamespace(language=too_new)),
        ("tree_sitter_c", SimpleNamespace()),
        ("tree_sitter", SimpleNamespace(Language=object)),
        ("tree_sitter", None),
    ],
    ids=["too new", "too old", "without queries", "missing"],
)
def test_parsers_that_do_not_fit_together_count_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, broken: object
) -> None:
    write(tmp_path, {"a.c": CALL})
    monkeypatch.setitem(sys.modules, module, broken)
    for function in (syntax.has_grammar, syntax._grammar):
        function.cache_clear()
    try:
        assert scan("s", tmp_path, tmp_path).unparsed == 1
    finally:
        for function in (syntax.has_grammar, syntax._grammar):
            function.cache_clear()


def test_branches_of_a_service_are_counted(tmp_path: Path) -> None:
    arch = 'import platform\nif platform.machine() == "x86_64":\n    fast = True\n'
    write(
        tmp_path,
        {
            "a.c": "#ifdef __SSE2__\n#endif\n#ifdef __AVX__\n#else\n#endif\n",
            "b.py": arch,
            "c.py": f"{arch}else:\n    fast = False\n",
            "d_avx.c": "#ifdef __AVX__\n#endif\n",
        },
    )
    seen = scan("s", tmp_path, tmp_path)
    assert [(b.path, b.line, b.arm) for b in seen.branches] == [
        ("a.c", 1, False),
        ("a.c", 3, True),
        ("b.py", 2, False),
        ("c.py", 2, True),
    ]


HOSTILE = {
    "conditions": ("a.c", "#ifdef __x86_64__\n" * 50_000),
    "quotes": ("a.c", "char _mm_a" + '\\"' * 500_000),
    "comments": ("a.c", "char _mm_a( EOF" + "/*" * 500_000),
    "brackets": ("a.c", "char c = -1; int a = " + "(" * 500_000 + "_mm_a()"),
    "braces": ("a.cpp", "char c; _mm_a();" + "{" * 300_000),
    "templates": ("a.cpp", "char _mm_a(-1);" + "a<" * 300_000),
    "casts": ("a.cpp", "char _mm_a(-1);" + "(a)" * 200_000),
    "functions": ("a.c", "int f(char c) { return c < 0; }\n" * 30_000),
    "calls": ("CMakeLists.txt", "add_x( -mavx" + "a(" * 400_000),
    "words": ("CMakeLists.txt", "-mavx" + "a" * 1_000_000),
    "cmake quotes": ("CMakeLists.txt", "-mavx" + '\\"' * 500_000),
    "options": ("Makefile", "CFLAGS = " + "-mavx-" * 170_000),
    "assembly": ("a.c", 'void f() { asm("' + "mov" * 300_000 + '"); }'),
    "rust": ("a.rs", "use core::arch::x86_64::*;" + "#[a]" * 200_000 + "mod a {" * 50_000),
    "cython": ("a.pyx", "cdef extern from " * 50_000 + "immintrin.h"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_in_time(name: str) -> None:
    path, text = HOSTILE[name]
    start = time.process_time()
    for part in (text, text[: 1 << 18]):  # the second is below the limit of what is parsed
        attempt(UnreadableSourceError, partial(findings_in, part.encode(), path, all_rules()))
    assert time.process_time() - start < 20


EXAMPLES = [text for rule in all_rules() for text in (*rule.matches, *rule.harmless)]
LINES = [line for text in EXAMPLES for line in text.splitlines()]


@given(
    path=st.sampled_from(
        ["a.c", "a.cpp", "a.rs", "a.pyx", "CMakeLists.txt", "Makefile", "meson.build"]
    ),
    text=st.lists(st.sampled_from(LINES) | st.text(max_size=20), max_size=12).map("\n".join),
)
def test_whatever_a_file_says_it_is_read_or_refused(path: str, text: str) -> None:
    source = text.encode("utf-8", "surrogatepass")
    read = attempt(UnreadableSourceError, lambda: findings_in(source, path, all_rules()))
    if isinstance(read, list):
        assert all(1 <= f.line <= text.count("\n") + text.count("\r") + 1 for f in read)
    assert MOST_STEPS_OF_FILE > 0
