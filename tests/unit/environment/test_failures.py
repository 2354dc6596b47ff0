"""Failures by their texts, as pip, compilers, linkers and loaders print them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.config._toml import loads
from pytest_arm64.engine.container import Finished
from pytest_arm64.environment.failures import (
    FailurePattern,
    Tools,
    build_failure,
    classify,
    decisive_lines,
    failure_patterns,
    import_failure,
)
from pytest_arm64.environment.pip_installer import _failure
from pytest_arm64.errors import BuildError
from unit.support import is_plain_text

DNF, APT = Tools("dnf", "3.12"), Tools("apt", "3.11")

CASES = [
    ("error: [Errno 2] No such file or directory: 'gcc'", "compiler", "gcc"),
    ("error: command 'gcc' failed: No such file or directory", "compiler", "gcc"),
    ("error: command '/usr/bin/aarch64-linux-gnu-gcc' failed: No such file", "compiler", "gcc"),
    ("error: [Errno 2] No such file or directory: 'aarch64-linux-gnu-gcc'", "compiler",
     'system-packages = { build = ["gcc"] }'),
    ("ERROR: Unknown compiler(s): [['cc'], ['gcc'], ['clang']]", "compiler", "gcc"),
    ("CMake Error: No CMAKE_CXX_COMPILER could be found.", "compiler", "gcc-c++"),
    ("error: can't find Rust compiler", "compiler", "rust"),
    ("Cargo, the Rust package manager, is not installed or is not on PATH.", "compiler", "cargo"),
    ("x.c:1:10: fatal error: Python.h: No such file or directory", "missing-system-library",
     "python3.12-devel"),
    ("Modules/common.h:15:10: fatal error: lber.h: No such file or directory",
     "missing-system-library", "openldap-devel"),
    ("x.c:1:10: fatal error: 'ffi.h' file not found", "missing-system-library", "libffi-devel"),
    ("/usr/bin/ld: cannot find -lodd: No such file or directory", "missing-system-library",
     "{ build = [\"PACKAGE\"] } (which one: dnf provides '*/odd')"),
    ("/usr/bin/ld: cannot find -lpq", "missing-system-library", "libpq-devel"),
    ("Error: pg_config executable not found.", "missing-system-library", "libpq-devel"),
    ("Exception: Can not find valid pkg-config name.", "missing-system-library", "mariadb"),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hash", "lock"),
    ("OSError: [Errno 28] No space left on device", "disk-full", "cache prune"),
    ("Temporary failure in name resolution", "network", "network"),
    ("WARNING: Retrying after connection broken by 'ConnectionResetError(104)': /simple/numpy/\n"
     "ERROR: No matching distribution found for numpy", "network", "index"),
    ("ERROR: No matching distribution found for demo==9", "missing-wheel", "pytest-arm64 audit"),
    ("ImportError: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /x.so)",
     "abi-mismatch", "2.38"),
    ("version `GLIBCXX_3.4.32' not found", "abi-mismatch", "libstdc++"),
    ("ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
     "missing-system-library", "mesa-libGL"),
    ("ImportError: /x.so: cannot allocate memory in static TLS block", "runtime-difference",
     "GLIBC_TUNABLES"),
    ("<jemalloc>: Unsupported system page size", "runtime-difference", "64"),
    ("OSError: [Errno 8] Exec format error: 'tool'", "wrong-architecture", "machine"),
]  # fmt: skip


@pytest.mark.parametrize(("log", "kind", "word"), CASES)
def test_each_text_has_its_class_and_its_remedy(log: str, kind: str, word: str) -> None:
    first = classify(f"before\n{log}\nafter\n", DNF)[0]
    assert first.kind == kind
    assert word in first.fix


def test_remedies_are_in_the_words_of_the_package_manager() -> None:
    log = "x.c:1:10: fatal error: Python.h: No such file or directory"
    assert classify(log, APT)[0].fix == (
        'at build time: system-packages = { build = ["python3.11-dev"] }'
    )
    assert "in the builder" in classify(log, Tools("none"))[0].fix
    missing = "libgomp.so.1: cannot open shared object file"
    assert classify(missing, APT)[0].fix == (
        "at run time: apt-get install -y libgomp1; "
        'for the tests: system-packages = { run = ["libgomp1"] }'
    )


def test_one_line_of_the_settings_has_everything_that_a_build_lacks() -> None:
    log = (
        "x.c:1:10: fatal error: lber.h: No such file or directory\n"
        "y.c:1:10: fatal error: Python.h: No such file or directory\n"
        "error: can't find Rust compiler\n"
        "/usr/bin/ld: cannot find -lodd\n"
    )
    steps = build_failure("demo", "1.0", log, APT).next_step.split("; ")
    proposed = [step for step in steps if "PACKAGE" not in step]
    (line,) = proposed
    assert line.startswith("at build time: system-packages = { build = [")
    table = loads(line.partition(": ")[2])["system-packages"]
    assert sorted(table["build"]) == ["cargo", "libldap2-dev", "python3.11-dev", "rustc"]
    assert len(steps) == 2


def test_a_file_for_another_machine_is_not_a_missing_library() -> None:
    message = "/site/x.so: cannot open shared object file: No such file or directory"
    foreign = import_failure(message, DNF, wrong_machine=True)
    assert foreign is not None
    assert foreign.kind == "wrong-architecture"
    missing = import_failure(message, DNF)
    assert missing is not None
    assert missing.kind == "missing-system-library"
    assert import_failure("SystemError: odd", DNF) is None


def test_the_whole_log_is_kept_and_the_decisive_lines_are_shown() -> None:
    log = "\n".join([
        *(f"copying file {number}" for number in range(500)),
        "x.c:1:10: fatal error: lber.h: No such file or directory",
        "compilation terminated.",
        "error: command 'gcc' failed with exit code 1",
        *(f"noise {number}" for number in range(20)),
    ])  # fmt: skip
    error = build_failure("python-ldap", "3.4.4", log, DNF)
    assert error.log == log
    assert "lber.h" in str(error)
    assert len(str(error).splitlines()) < 25
    assert "python-ldap 3.4.4 could not be built (missing-system-library)" in error.what
    assert "openldap-devel" in error.next_step
    assert is_plain_text(error)


def test_what_is_not_recognised_says_so() -> None:
    error = build_failure("demo", "1.0", "something odd\n", seconds=2.0)
    assert (error.package, error.version, error.kinds) == ("demo", "1.0", ("build",))
    assert (error.excerpt, error.seconds) == ("something odd", 2.0)
    assert "(build)" in error.what
    assert error.next_step == ""  # the lines are all that is known


@given(st.text(max_size=300))
def test_any_text_is_taken(log: str) -> None:
    for failure in classify(log, DNF):
        assert failure.kind
        assert failure.fix
    assert len(decisive_lines(log)) <= 18


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        ("ERROR: No matching distribution found for demo==9", "(exit code 1):", "demo==9"),
        ("Retrying after connection broken by x\nERROR: No matching distribution found for a",
         "(exit code 1, network):", "the index and the proxy"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "(exit code 1, hash):", "lock again"),
    ],
)  # fmt: skip
def test_what_pip_says_has_its_class_as_well(text: str, kind: str, word: str) -> None:
    error = _failure("deploy", Finished(1, b"", text.encode()))
    assert kind in error.what
    assert word in error.next_step
    assert error.log == text


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: Failed building wheel for hnswlib",
        "error: failed to build 'hnswlib' when getting requirements to build wheel",
    ],
)
def test_a_build_that_failed_under_pip_names_its_package(line: str) -> None:
    text = f"unable to execute 'gcc': No such file or directory\n{line}\n"
    error = _failure("deploy", Finished(1, b"", text.encode()))
    assert isinstance(error, BuildError)
    assert (error.package, error.version, error.kinds) == ("hnswlib", "", ("compiler",))
    assert line in error.excerpt
    # Packages of the tests are no evidence on what is deployed.
    assert not isinstance(_failure("test", Finished(1, b"", text.encode())), BuildError)


@pytest.mark.parametrize("pattern", failure_patterns(), ids=lambda pattern: pattern.matches[:60])
def test_each_row_recognises_its_own_example_and_not_the_other(pattern: FailurePattern) -> None:
    failures = [f for f in classify(pattern.matches, DNF) if f.kind == pattern.kind]
    assert failures, "the example is not recognised"
    assert pattern.expression.search(pattern.matches)
    assert not pattern.expression.search(pattern.other)
    assert failures[0].text
    assert failures[0].fix
    assert bool(pattern.missing) != bool(pattern.fix), "exactly one of missing and fix"
    assert pattern.missing in {
        "", "program", "header", "library", "module", "shared-library", "symbol-version",
    }  # fmt: skip


def test_no_two_rows_have_the_same_pattern() -> None:
    patterns = [pattern.expression.pattern for pattern in failure_patterns()]
    assert len(patterns) == len(set(patterns))


MESON = """\
  + meson setup /tmp/x /tmp/x/.mesonpy-1 -Dbuildtype=release
  The Meson build system
  Version: 1.9.1
  C compiler for the host machine: cc (gcc 11.4.1)
  Run-time dependency openblas found: NO (tried pkgconfig and cmake)

  ../meson.build:5:12: ERROR: Dependency "openblas" not found, tried pkgconfig and cmake

  A full log can be found at /tmp/x/.mesonpy-1/meson-logs/meson-log.txt
"""
CMAKE = """\
  -- The CXX compiler identification is GNU 11.4.1
  CMake Error at /usr/share/cmake/Modules/FindPackageHandleStandardArgs.cmake:230 (message):
    Could NOT find ZLIB (missing: ZLIB_LIBRARY ZLIB_INCLUDE_DIR)
  Call Stack (most recent call first):
    CMakeLists.txt:4 (find_package)
  -- Configuring incomplete, errors occurred!

  *** CMake configuration failed
"""
CMAKE_PROJECT = """\
  CMake Error at CMakeLists.txt:12 (message):
    the SIMD kernels of this project are written for another processor
  -- Configuring incomplete, errors occurred!
"""
PIP = """\
Processing /tmp/demo.tar.gz
  Preparing metadata (pyproject.toml): finished with status 'error'
  error: subprocess-exited-with-error

  × Preparing metadata (pyproject.toml) did not run successfully.
  │ exit code: 1
  ╰─> [30 lines of output]
{output}
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
error: metadata-generation-failed

× Encountered error while generating package metadata.
╰─> demo

note: This is an issue with the package mentioned above, not pip.
hint: See above for details.
"""


@pytest.mark.parametrize(
    ("log", "reason", "kind", "package"),
    [
        (MESON, 'ERROR: Dependency "openblas" not found', "missing-system-library",
         "openblas-devel"),
        (CMAKE, "Could NOT find ZLIB", "missing-system-library", "zlib-devel"),
        (CMAKE_PROJECT, "written for another processor", "build", ""),
        ("error[E0432]: unresolved import `core::arch::x86_64`\n" + "noise\n" * 30,
         "core::arch::x86_64", "build", ""),
        ("ld: x.o: undefined reference to `cblas_dgemm'\n" + "noise\n" * 30,
         "cblas_dgemm", "build", ""),
    ],
)  # fmt: skip
def test_the_reason_of_each_back_end_is_among_the_lines_that_are_shown(
    log: str, reason: str, kind: str, package: str
) -> None:
    indented = PIP.format(output="\n".join(f"      {line}" for line in log.splitlines()))
    for text in (log, indented):
        error = build_failure("demo", "1.0", text, DNF)
        assert reason in error.excerpt
        assert kind in error.kinds
        assert package in error.next_step
        installed = _failure("deploy", Finished(1, b"", text.encode()))
        assert reason in installed.what


@pytest.mark.parametrize(
    "log",
    ["x" * 3_000_000, "\n".join(f"{'a' * 990}{n}" for n in range(3000)), " " * 2_000_000,
     "'" * 1_000_000, "error: " * 200_000, "No such file\n" * 200_000],
    ids=["one line", "long lines", "blanks", "quotes", "one error", "many errors"],
)  # fmt: skip
def test_a_hostile_log_takes_no_time(log: str) -> None:
    began = time.process_time()
    build_failure("demo", "1.0", log, DNF)
    assert time.process_time() - began < 8
