"""What a repository holds that is read on the host: locks, settings, code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from .harness import Kind
from .refusals import arm64_errors

_UV = """version = 1
requires-python = ">=3.11"
[[package]]
name = "shop"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "zed", marker = "python_version < '4'" }]
[package.optional-dependencies]
more = [{ name = "zed", extra = ["a"] }]
[[package]]
name = "zed"
version = "1.0"
source = { registry = "https://h/simple" }
sdist = { url = "https://h/zed-1.0.tar.gz", hash = "sha256:aa", size = 5 }
wheels = [
    { url = "https://h/zed-1.0-py3-none-any.whl", hash = "sha256:bb", size = 7 },
]
"""
_PYLOCK = """lock-version = "1.0"
created-by = "test"
[[packages]]
name = "zed"
version = "1.0"
marker = "python_version < '4'"
wheels = [{ url = "https://h/zed-1.0-py3-none-any.whl", hashes = { sha256 = "bb" } }]
[[packages]]
name = "near"
directory = { path = "near" }
"""
_POETRY = """[[package]]
name = "zed"
version = "1.0"
optional = false
python-versions = ">=3.8"
files = [
    {file = "zed-1.0-py3-none-any.whl", hash = "sha256:bb"},
]
[package.dependencies]
near = {version = "^1", markers = "sys_platform == 'win32'"}
[package.extras]
all = ["near (>=1)"]
[metadata]
lock-version = "2.1"
python-versions = "^3.11"
"""
_PDM = """[metadata]
groups = ["default", "test"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:aa"
[[metadata.targets]]
requires_python = ">=3.11"
[[package]]
name = "zed"
version = "1.0"
requires_python = ">=3.8"
groups = ["default", "test"]
marker = "python_version < '4'"
dependencies = ["near>=1"]
files = [
    {file = "zed-1.0-py3-none-any.whl", hash = "sha256:bb"},
]
[[package]]
name = "near"
version = "1.0"
groups = ["test"]
path = "./near"
"""
_PIPFILE = """{
    "_meta": {
        "pipfile-spec": 6,
        "sources": [{"name": "own", "url": "https://h/simple", "verify_ssl": true}]
    },
    "default": {
        "zed": {
            "extras": ["a"],
            "hashes": ["sha256:bb"],
            "index": "own",
            "markers": "python_version < '4'",
            "version": "==1.0"
        },
        "near": {"path": "./near", "editable": true}
    },
    "develop": {"far": {"git": "https://h/far.git", "ref": "main"}}
}
"""
_LOCKS = {
    b"created-by": "pylock.toml",
    b"python-versions": "poetry.lock",
    b"strategy": "pdm.lock",
    b"_meta": "Pipfile.lock",
    b"": "uv.lock",
}
_MANIFEST = """[project]
name = "shop"
version = "1"
dependencies = ["zed"]
[tool.poetry.dependencies]
zed = ">=1"
"""


def _lock_seeds() -> list[bytes]:
    return [text.encode() for text in (_UV, _PYLOCK, _POETRY, _PDM, _PIPFILE)]


def _read_lock(data: bytes, folder: Path) -> None:
    from pytest_arm64.inputs.service import read_service

    name = next(name for mark, name in _LOCKS.items() if mark in data)
    place = folder / name.partition(".")[0]
    (place / "near").mkdir(parents=True, exist_ok=True)
    (place / "pyproject.toml").write_text(_MANIFEST)
    (place / name).write_bytes(data)
    read_service(place / name, {}, root=place)


_REQUIREMENTS = """\
# deployed
--extra-index-url https://h/simple
-c limits.txt
zed[more]>=1,<2 ; python_version < "4"  # a comment
near==1.0 \\
    --hash=sha256:aa --hash=sha512:bb
far @ https://h/far-1.0-py3-none-any.whl
-e ./near
-r more.txt
--no-binary zed
"""


def _requirements_seeds() -> list[bytes]:
    return [_REQUIREMENTS.encode(), b"\xef\xbb\xbfzed==1.0\nzed == 1.*\n"]


def _read_requirements(data: bytes, folder: Path) -> None:
    from pytest_arm64.inputs.service import read_service

    place = folder / "service"
    (place / "near").mkdir(parents=True, exist_ok=True)
    (place / "near" / "pyproject.toml").write_text(_MANIFEST)
    (place / "limits.txt").write_text("zed<3\n")
    (place / "more.txt").write_text("other\n")
    (place / "requirements.txt").write_bytes(data)
    read_service(place / "requirements.txt", {}, root=place)


_SETTINGS = """\
[build-system]
requires = ["setuptools>=61"]
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["zed[more]>=1; python_version < '4'", "near"]
[project.optional-dependencies]
more = ["other"]
[dependency-groups]
test = ["pytest", { include-group = "lint" }]
lint = ["ruff"]
[tool.uv.sources]
near = { path = "near", editable = true }
[[tool.uv.index]]
url = "https://h/simple"
[tool.pytest-arm64]
target = "al2023-python3.12"
services = ["near*"]
env = ["A=1", "B"]
memory = "512MB"
cpu = "graviton3"
[tool.pytest-arm64.service.api]
requirements = ["requirements.txt"]
tests = "near"
monthly-cost = 180.0
network = "none"
[tool.pytest-arm64.service.gpu]
requirements = "requirements.txt"
boundary = { reason = "CUDA", migratable-when = "a CUDA-free runtime", review = 2027-03-01 }
[[tool.pytest-arm64.allow-source]]
package = "zed"
services = ["api"]
reason = "it builds"
expires = 2027-06-30
[tool.pytest-arm64.targets.own]
image = "registry/own:1"
python = "3.12"
glibc = "2.36"
"""


def _settings_seeds() -> list[bytes]:
    return [_SETTINGS.encode(), _MANIFEST.encode()]


def _read_settings(data: bytes, folder: Path) -> None:
    from pytest_arm64.advisories.database import project_advisories
    from pytest_arm64.config.option_values import Given
    from pytest_arm64.config.project import load_project
    from pytest_arm64.decide.allowances import read_accepted_defects, read_allowances
    from pytest_arm64.inputs.service import read_service

    place = folder / "settings"
    (place / "near").mkdir(parents=True, exist_ok=True)
    (place / "requirements.txt").write_text("zed\n")
    (place / "pyproject.toml").write_bytes(data)
    try:
        project = load_project(Given(), {}, rootpath=place, cwd=place)
        project_advisories(project.files)
        read_allowances(project.files.table, project.services)
        read_accepted_defects(project.files.table, project.services)
        for service in project.services.declared:
            project.settings_of(service)
    finally:  # a mistake in our own table hides none in the others
        read_service(place / "pyproject.toml", {}, root=place)


def _advisories_seeds() -> list[bytes]:
    from unit.advisories.made_advisories import entry

    ranged = entry(
        events=[{"introduced": "0"}, {"last_affected": "2.1"}],
        cores=["graviton3"],
        page_sizes=[65536],
        libc="glibc",
    )
    listed = entry("ARM-2026-0002", versions=["1.0", "2.0rc1"])
    return [json.dumps([ranged, listed]).encode(), json.dumps(entry()).encode()]


def _read_advisories(data: bytes, folder: Path) -> None:
    from pytest_arm64.advisories.database import Advisories
    from pytest_arm64.advisories.entries import read_advisories
    from unit.support import AL2023

    advisories = Advisories(read_advisories(data, "own.json"), ("neoverse-v1",))
    for version in ("1.0", "2.0", "2.1.post1"):
        advisories.defects("zed", version, AL2023)
    assert advisories.fingerprint


def _baseline_seeds() -> list[bytes]:
    package = {
        "service": "api",
        "target": "al2023-python3.12",
        "scope": "deploy",
        "package": "zed",
        "version": "1.0",
        "state": "source",
    }
    finding = {
        "service": "api",
        "target": "al2023-python3.12",
        "finding": "abi",
        "state": "failed",
        "grade": "emulated",
    }
    return [json.dumps({"format": 1, "packages": [package] * 2, "findings": [finding]}).encode()]


def _read_baseline(data: bytes, folder: Path) -> None:
    from pytest_arm64.decide.baseline import NAME, read_baseline

    (folder / NAME).write_bytes(data)
    read_baseline(folder)


_CODE = """\
import ctypes, os, platform, struct, sys
import numpy as np
ARCHES = {"x86_64": "amd64", **{"i386": "386"}}
if platform.machine() != "x86_64":  # arm64: ignore[refuses-arm] a reason
    raise RuntimeError("only x86_64")
def load(name: str = "lib" + "x86_64"):
    match platform.machine():
        case "x86_64" | "AMD64": arch = "x64"
        case other: arch = ARCHES[other]
    return ctypes.CDLL(f"/opt/{arch}/{name}.so")
try:
    value = np.longdouble(1) * struct.calcsize("l") + os.sysconf("SC_PAGESIZE") // 4096
except (OSError, ImportError) as error:
    sys.exit(error)
"""


def _code_seeds() -> list[bytes]:
    return [_CODE.encode()]


def _read_code(data: bytes, folder: Path) -> None:
    from pytest_arm64.sources.scan import scan

    place = folder / "code"
    place.mkdir(exist_ok=True)
    (place / "app.py").write_bytes(data)
    scan("api", place, place)


_NATIVE = """\
#include <immintrin.h>
#if defined(__x86_64__) && (FOO >= 0x10UL || !defined(BAR)) // arm64: ignore[plain-char] a reason
#define FAST 1
#elif defined(__aarch64__)
#error "none"
#endif
struct cell { char state; };
static int next(char c, struct cell *cell) {
    asm volatile("rdtsc" : "=a"(c)); long double x = _mm_sum(c);
    while ((c = getchar()) != EOF) if (cell->state == -1) return c + 128;
}
"""
_RUST = """\
#[cfg(target_arch = "x86_64")] mod a { use core::arch::x86_64::*; }
fn b() { unsafe { std::arch::x86_64::_rdtsc() } }
"""
_BUILD = """\
if(NOT MSVC AND CMAKE_BUILD_TYPE STREQUAL "Release")
  set(CMAKE_C_FLAGS "${CMAKE_C_FLAGS} -mavx2 -march=haswell")
endif()
ifeq ($(ARCH),x86_64)
CFLAGS += -msse4.2 -m64
endif
add_project_arguments('-msse2', language: 'c')
cdef extern from "immintrin.h": pass
"""


def _native_seeds() -> list[bytes]:
    return [text.encode() for text in (_NATIVE, _RUST, _BUILD)]


def _read_native(data: bytes, folder: Path) -> None:
    from pytest_arm64.sources.scan import scan

    place = folder / "native"
    place.mkdir(exist_ok=True)
    for name in ("a.c", "a.cpp", "a.rs", "a.pyx", "CMakeLists.txt", "Makefile", "meson.build"):
        (place / name).write_bytes(data)
    scan("api", place, place)


def _none() -> tuple[type[Exception], ...]:
    return ()


PROJECTS: Mapping[str, Kind] = {
    "lock": Kind(_lock_seeds, _read_lock, arm64_errors),
    "requirements": Kind(_requirements_seeds, _read_requirements, arm64_errors),
    "settings": Kind(_settings_seeds, _read_settings, arm64_errors),
    "advisories": Kind(_advisories_seeds, _read_advisories, arm64_errors),
    "baseline": Kind(_baseline_seeds, _read_baseline, arm64_errors),
    "code": Kind(_code_seeds, _read_code, _none),
    "native-code": Kind(_native_seeds, _read_native, _none),
}
