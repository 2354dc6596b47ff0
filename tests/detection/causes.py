"""True findings, each with the cause that a report has to give: a wrong hint is worse than none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_arm64.environment.failures import Tools, import_failure
from pytest_arm64.environment.loading import Module, judged
from pytest_arm64.inside.golden import hints
from pytest_arm64.inside.golden.leaves import compare
from pytest_arm64.inside.golden.policy import Policy
from pytest_arm64.inside.golden.values import stored
from pytest_arm64.mirror.deaths import Ground
from pytest_arm64.mirror.task import End
from pytest_arm64.run.differences import Here, difference
from pytest_arm64.run.unseen_session import Outcome

INT_MIN, LONG_MIN = -(2**31), -(2**63)
INTEGER, FLOAT, VALUE = "integer/cast", "beyond policy", "value differs"
SHAPE, IMAGE, INFINITE = "dtype/shape", "image level", "non-finite appeared"
TOOLS = Tools("dnf", "3.12")
LIBRARY, MACHINE = "missing-system-library", "wrong-architecture"


@dataclass(frozen=True)
class Finding:
    """One finding, and what is to be said of it."""

    name: str
    said: str
    """What the product says of it now."""
    causes: tuple[str, ...]
    """What of that has to be said; nothing may be said where there is none."""
    exactly: bool = False
    """Whether nothing else may be said."""

    @property
    def right(self) -> bool:
        if self.exactly or not self.causes:
            return self.said == "".join(self.causes)
        return all(cause in self.said for cause in self.causes)


def value(name: str, golden: Any, here: Any, verdict: str, *expected: str) -> Finding:
    """A value that differs: its class, and its hints and no others."""
    comparison = compare("value", stored(golden), stored(here), Policy())
    given = dict.fromkeys(hint for leaf in comparison.leaves for hint in leaf.hints)
    said = " | ".join([comparison.verdict.value, *given])
    return Finding(name, said, (" | ".join([verdict, *expected]),), exactly=True)


def load(name: str, text: str, *causes: str, machine: str = "aarch64") -> Finding:
    """A module that cannot be imported: the class, and what the fix says."""
    judgement = judged(Module("a", "a.so", machine), "failed", text, TOOLS, "aarch64")
    said = f"{judgement.kind}: {judgement.remedy}" if judgement.kind else ""
    return Finding(name, said, causes)


def build(name: str, log: str, *causes: str) -> Finding:
    """A build that fails: the class, and what the fix says."""
    failure = import_failure(log, TOOLS)
    return Finding(name, f"{failure.kind}: {failure.fix}" if failure is not None else "", causes)


def outcome(name: str, here: tuple[str, str], x86: tuple[str, str], *causes: str) -> Finding:
    """A test that ends otherwise than on x86."""
    said = difference(Here(*here), Outcome("t.py::test", *x86), emulated=True)
    return Finding(name, said, causes)


def death(name: str, code: int, lacks: str, *causes: str) -> Finding:
    """A test that killed its process."""
    return Finding(name, Ground("aarch64, emulated, graviton2", lacks).cause(End(code)), causes)


def core(name: str, core_name: str, *causes: str, emulated: bool = True) -> Finding:
    """A value that stops being finite, on a core."""
    return Finding(name, hints.hint_for_core(core_name, emulated=emulated), causes)


ARGSORT = np.array([149, 127, 99, 255, 4]), np.array([99, 50, 127, 4, 60])
MISSING = ": cannot open shared object file: No such file or directory"
SVE = "graviton2 has no SVE (graviton3 has)"

FINDINGS = (
    # Casts: x86 wraps or gives the integer indefinite value, ARM saturates.
    value("-2.0 as uint8", np.array([254], "u1"), np.array([0], "u1"), INTEGER, hints.CAST),
    value("300.7 and 1e20 as uint8", np.array([44, 0], "u1"), np.array([44, 255], "u1"), INTEGER,
          hints.CAST),
    value("NaN as int32", np.array([INT_MIN], "i4"), np.array([0], "i4"), INTEGER, hints.CAST),
    value("infinity as int32", np.array([INT_MIN], "i4"), np.array([2**31 - 1], "i4"), INTEGER,
          hints.CAST),
    value("NaN as int64", np.array([LONG_MIN]), np.array([0]), INTEGER, hints.CAST),
    value("infinity as int64", np.array([LONG_MIN]), np.array([2**63 - 1]), INTEGER, hints.CAST),
    value("-1.0 as uint64", np.array([2**64 - 1], "u8"), np.array([0], "u8"), INTEGER, hints.CAST),
    value("-1.0 as uint32", np.array([2**32 - 1], "u4"), np.array([0], "u4"), INTEGER, hints.CAST),
    value("(int)3e9f", INT_MIN, 2**31 - 1, INTEGER, hints.CAST),
    value("(int)NAN", INT_MIN, 0, INTEGER, hints.CAST),
    value("(unsigned char)-2.0f", 254, 0, INTEGER, hints.CAST),
    value("(long)1e30", LONG_MIN, 2**63 - 1, INTEGER, hints.CAST),
    value("a cast in a list", [1, INT_MIN, 7], [1, 2**31 - 1, 7], INTEGER, hints.CAST),
    value("a cast in a record", {"level": 254}, {"level": 0}, INTEGER, hints.CAST),
    # Plain char.
    value("sum of char[]", -482, 2590, INTEGER, hints.CHAR),
    value("a char above 127", -56, 200, INTEGER, hints.CHAR),
    value("chars in an array", np.array([-56, -1]), np.array([200, 255]), INTEGER, hints.CHAR),
    # Constants of the kernel.
    value("os.O_DIRECT", 0x4000, 0x10000, INTEGER, hints.FLAG),
    value("os.O_DIRECTORY", 0x10000, 0x4000, INTEGER, hints.FLAG),
    # Order of equal keys.
    value("argsort of zeros", np.arange(6), np.array([0, 3, 2, 1, 5, 4]), INTEGER,
                  hints.STABLE),
    value("argsort of zeros, as a list", [0, 1, 2, 3], [0, 3, 2, 1], INTEGER, hints.STABLE),
    value("the last ten of an argsort", *ARGSORT, INTEGER),
    value("the last ten, as a list", *(side.tolist() for side in ARGSORT), INTEGER),
    value("a label", np.array([0, 1, 2, 0]), np.array([0, 1, 1, 0]), INTEGER),
    value("a count", 41, 42, INTEGER),
    value("an index of a power of two", np.array([2, 8, 1]), np.array([4, 16, 0]), INTEGER),
    # Images.
    value("a resized image", np.full((4, 4), 7, "u1"), np.full((4, 4), 8, "u1"), IMAGE,
          hints.EXACT_RESIZE),
    value("an image that is broken", np.full((4, 4), 7, "u1"), np.full((4, 4), 90, "u1"),
                  INTEGER),
    # Floats.
    value("a*b+c", 0.0, 5.551115123125783e-17, FLOAT, hints.FMA),
    value("a*b+c in a list", [1.0, 0.0], [1.0, 5.551115123125783e-17], FLOAT, hints.FMA),
    value("copysign of a new NaN", -1.0, 1.0, FLOAT, hints.NAN_SIGN),
    value("a wrong number", 1.5, 1.75, FLOAT),
    value("zeros for eigenvalues", np.arange(1.0, 9), np.zeros(8), FLOAT),
    value("a small member of a list", [1e6, 3e-8], [1e6, 9e-8], FLOAT),
    value("a small element", np.array([1e6, 3e-8]), np.array([1e6, 0.0]), FLOAT),
    value("an ill-conditioned solution", np.array([1.0, 1e-12]), np.array([1.0, 2.2e-12]), FLOAT,
          hints.CONDITION),
    value("NaN in a product", np.ones(4), np.array([1, np.nan, 1, 1]), INFINITE),
    value("infinity for a number", 1.0, float("inf"), INFINITE),
    core("NaN on graviton3", "graviton3 (qemu neoverse-v1)", "graviton3 only?"),
    core("NaN on qemu's max", "max", "qemu's 'max'"),
    core("NaN on a core that nobody named", "", "name one with --arm64-cpu"),
    core("NaN on hardware", "", emulated=False),
    # Kinds.
    value("float32 for float64", np.ones(3), np.ones(3, "f4"), SHAPE),
    value("another length", [1, 2], [1], SHAPE),
    value("another text", "0.1", "0.10000000000000001", VALUE),
    value("another truth", True, False, VALUE),
    # Imports.
    load("libGL is missing", f"ImportError: libGL.so.1{MISSING}", LIBRARY, "mesa-libGL"),
    load("libgomp is missing", f"ImportError: libgomp.so.1{MISSING}", LIBRARY, "libgomp"),
    load("OpenSSL 1.1 is wanted", f"ImportError: libssl.so.1.1{MISSING}", "missing-system-library",
         "OpenSSL 3"),
    load("a library that no table has", f"ImportError: libodd.so.7{MISSING}", LIBRARY,
         "dnf provides"),
    load("CUDA is wanted", f"ImportError: libcuda.so.1{MISSING}", "missing-system-library",
         "not on Graviton"),
    load("a file for x86-64", f"ImportError: /site/x.so{MISSING}", MACHINE, "this machine",
         machine="x86_64"),
    load("glibc is too old",
         "ImportError: /lib64/libc.so.6: version `GLIBC_2.38' not found (required by /x.so)",
         "abi-mismatch", "2.38"),
    load("libstdc++ is too old", "ImportError: version `GLIBCXX_3.4.32' not found", "abi-mismatch",
         "libstdc++"),
    load("a symbol is missing", "ImportError: /x.so: undefined symbol: PyOdd_New", "abi-mismatch",
         "from source"),
    load("static TLS is used up", "ImportError: /x.so: cannot allocate memory in static TLS block",
         "runtime-difference", "GLIBC_TUNABLES"),
    load("pages are larger", "ImportError: <jemalloc>: Unsupported system page size",
         "runtime-difference", "64 KiB"),
    load("the core lacks instructions",
         "RuntimeError: NumPy was built with baseline optimizations: (ASIMDHP)",
         "runtime-difference", "oldest Graviton"),
    load("built for NumPy 1",
         "ImportError: A module that was compiled using NumPy 1.x cannot be run in NumPy 2.4.6",
         "abi-mismatch", "NumPy"),
    # What these say on x86 in the same words is no finding.
    load("cv2.cv2", 'ImportError: ERROR: recursion is detected during loading of "cv2" binary '
         "extensions. Check OpenCV installation."),
    load("a test module of NumPy 1.26",
         "ImportError: cannot load module more than once per process"),
    load("Tk is not installed", "ImportError: No module named _tkinter"),
    load("a display is wanted", "KeyError: 'DISPLAY'"),
    load("a module that exits", "SystemExit: 3"),
    # Builds.
    build("no compiler", "error: [Errno 2] No such file or directory: 'gcc'", "compiler", "gcc"),
    build("no Rust", "error: can't find Rust compiler", "compiler", "cargo"),
    build("x86 intrinsics", "simd.c:3:10: fatal error: immintrin.h: No such file or directory",
          "wrong-architecture", "SSE or AVX"),
    build("an option of x86", "gcc: error: unrecognized command-line option '-msse4.2'",
          "wrong-architecture", "SSE or AVX"),
    build("a header is missing", "x.c:1:10: fatal error: lber.h: No such file or directory",
          "missing-system-library", "openldap-devel"),
    build("a library of no package", "/usr/bin/ld: cannot find -lodd", "missing-system-library",
          "which one: dnf provides"),
    build("a program for x86", "OSError: [Errno 8] Exec format error: 'tool'", "wrong-architecture",
          "this machine"),
    # Outcomes and deaths.
    outcome("passes on ARM only", ("passed", ""), ("failed", "E   KeyError: 'a'"),
            "on linux/amd64 it fails: KeyError: 'a'"),
    outcome("dies on x86 only", ("passed", ""),
            ("failed", "the process that ran this test died: killed by SIGFPE (x86_64)"),
            "killed by SIGFPE"),
    outcome("another exception", ("failed", "E   TypeError: b"), ("failed", "E   KeyError: 'a'"),
            "KeyError: 'a'\non ARM64: TypeError: b"),
    outcome("the same failure", ("failed", "E   KeyError: 'a'"), ("failed", "E   KeyError: 'a'")),
    outcome("a deadline", ("failed", "E   Flaky: deadline exceeded"), ("passed", ""),
            "emulator-suspect"),
    outcome("skipped on ARM", ("skipped", ""), ("passed", ""), "on ARM64 it is skipped"),
    death("an SVE instruction", 132, SVE, "has no SVE"),
    death("a null pointer", 139, SVE, "killed by SIGSEGV"),
    death("an unaligned atomic", 135, "", "killed by SIGBUS"),
)  # fmt: skip
