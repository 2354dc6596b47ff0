"""Why an installation, a build or an import failed: a class, the decisive lines, and a remedy.

The texts are those that pip, compilers, linkers and loaders print; they were collected by provoking
each of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..binary.remedies import library_remedy, version_remedy
from ..errors import BuildError

MISSING_WHEEL = "missing-wheel"
MISSING_LIBRARY = "missing-system-library"
COMPILER = "compiler"
ABI_MISMATCH = "abi-mismatch"
WRONG_ARCHITECTURE = "wrong-architecture"
RESOLUTION = "resolution"
NETWORK = "network"
HASH = "hash"
DISK = "disk-full"
RUNTIME = "runtime-difference"
BUILD = "build"

_CONTEXT = 12

# Development packages that have a header, a linked library or a program, by package manager.
_DEVELOPMENT = {
    "Python.h": ("python{python}-devel", "python{python}-dev"),
    "lber.h": ("openldap-devel", "libldap2-dev"),
    "ldap.h": ("openldap-devel", "libldap2-dev"),
    "sasl/sasl.h": ("cyrus-sasl-devel", "libsasl2-dev"),
    "libpq-fe.h": ("libpq-devel", "libpq-dev"),
    "pg_config": ("libpq-devel", "libpq-dev"),
    "mysql.h": ("mariadb-connector-c-devel", "libmariadb-dev"),
    "mysql_config": ("mariadb-connector-c-devel", "libmariadb-dev"),
    "ffi.h": ("libffi-devel", "libffi-dev"),
    "openssl/ssl.h": ("openssl-devel", "libssl-dev"),
    "openssl/opensslv.h": ("openssl-devel", "libssl-dev"),
    "zlib.h": ("zlib-devel", "zlib1g-dev"),
    "jpeglib.h": ("libjpeg-turbo-devel", "libjpeg62-turbo-dev"),
    "libxml/xpath.h": ("libxml2-devel", "libxml2-dev"),
    "libxml/xmlversion.h": ("libxml2-devel", "libxml2-dev"),
    "libxslt/xslt.h": ("libxslt-devel", "libxslt1-dev"),
    "hdf5.h": ("hdf5-devel", "libhdf5-dev"),
    "portaudio.h": ("portaudio-devel", "portaudio19-dev"),
    "sndfile.h": ("libsndfile-devel", "libsndfile1-dev"),
    "librdkafka/rdkafka.h": ("librdkafka-devel", "librdkafka-dev"),
    "snappy-c.h": ("snappy-devel", "libsnappy-dev"),
    "geos_c.h": ("geos-devel", "libgeos-dev"),
    "sqlite3.h": ("sqlite-devel", "libsqlite3-dev"),
    "usb.h": ("libusbx-devel", "libusb-1.0-0-dev"),
    "ldap": ("openldap-devel", "libldap2-dev"),
    "lber": ("openldap-devel", "libldap2-dev"),
    "ssl": ("openssl-devel", "libssl-dev"),
    "crypto": ("openssl-devel", "libssl-dev"),
    "z": ("zlib-devel", "zlib1g-dev"),
    "pq": ("libpq-devel", "libpq-dev"),
    "xml2": ("libxml2-devel", "libxml2-dev"),
    "xslt": ("libxslt-devel", "libxslt1-dev"),
    "stdc++": ("gcc-c++", "g++"),
    "gfortran": ("gcc-gfortran", "gfortran"),
    "gomp": ("libgomp", "libgomp1"),
    "openblas": ("openblas-devel", "libopenblas-dev"),
}
_COMPILERS = {
    "gcc": ("gcc", "gcc"),
    "cc": ("gcc", "gcc"),
    "c++": ("gcc-c++", "g++"),
    "g++": ("gcc-c++", "g++"),
    "gfortran": ("gcc-gfortran", "gfortran"),
    "clang": ("clang", "clang"),
    "cmake": ("cmake", "cmake"),
    "make": ("make", "make"),
    "ninja": ("ninja-build", "ninja-build"),
    "swig": ("swig", "swig"),
    "rustc": ("rust cargo", "rustc cargo"),
    "cargo": ("rust cargo", "rustc cargo"),
}


@dataclass(frozen=True)
class Failure:
    """One reason, recognised."""

    kind: str
    text: str
    remedy: str


@dataclass(frozen=True)
class Tools:
    """What remedies are written for."""

    recipe: str = ""
    """Name of the target's recipe: dnf, apt, lambda or none."""
    python: str = ""
    """Minor of its Python."""

    def at_build_time(self, name: str, kind: str, known: dict[str, tuple[str, str]]) -> str:
        """How *name*, a *kind* of thing, comes into the builder."""
        found = known.get(name)
        manager = {"dnf": 0, "lambda": 0, "apt": 1}.get(self.recipe)
        if manager is None:
            return f"at build time: install what has the {kind} {name} in the builder image"
        command = ("dnf install -y", "apt-get install -y")[manager]
        if found is None:
            package = (f"'*/{name}'", f"PACKAGE (which one: apt-file search {name})")[manager]
        else:
            package = found[manager].format(python=self.python or "3")
        return f"at build time: {command} {package}"


def classify(log: str, tools: Tools) -> list[Failure]:
    """Everything in *log* that is recognised, the most decisive first; each thing once."""
    found: dict[tuple[str, str], Failure] = {}
    for pattern, make in _PATTERNS:
        for match in pattern.finditer(log):
            failure = make(match, tools)
            found.setdefault((failure.kind, failure.text), failure)
    return list(found.values())


def decisive_lines(log: str) -> list[str]:
    """The few lines of *log* that somebody who looks for the reason would read."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip() and not _NOISE.match(line)]
    errors = [line for line in lines if _DECISIVE.search(line)]
    return list(dict.fromkeys([*errors[:_CONTEXT], *lines[-6:]]))


def build_failure(
    package: str, version: str, log: str, tools: Tools | None = None, *, seconds: float = 0.0
) -> BuildError:
    """The error of a build, with its reasons and remedies as far as they are known."""
    failures = classify(log, tools or Tools())
    lines = [line.strip() for line in decisive_lines(log)]
    shown = "\n".join(f"    {line}" for line in lines)
    kinds = tuple(dict.fromkeys(failure.kind for failure in failures)) or (BUILD,)
    return BuildError(
        package,
        version,
        what=f"{package} {version} could not be built ({', '.join(kinds)}):\n{shown}",
        kinds=kinds,
        excerpt="\n".join(lines),
        seconds=seconds,
        why="it has no wheel for this target, so it has to be compiled"
        if kinds != (NETWORK,)
        else "a build fetches what it needs",
        next_step="; ".join(dict.fromkeys(failure.remedy for failure in failures))
        or "read the lines above",
        log=log,
    )


def import_failure(message: str, tools: Tools, *, wrong_machine: bool = False) -> Failure:
    """Why a compiled module could not be loaded, by its error's text.

    *wrong_machine* says that the file itself is for another machine, which the loader words as
    if it were not there.
    """
    if wrong_machine:
        return Failure(
            WRONG_ARCHITECTURE, message, "install a build for this machine, or build it from source"
        )
    known = classify(message, tools)
    return (
        known[0] if known else Failure(RUNTIME, message, "read the message; it was imported here")
    )


def _compiler(match: re.Match[str], tools: Tools) -> Failure:
    # Distributions call it aarch64-linux-gnu-gcc.
    name = match[1].rpartition("/")[2].rpartition("-")[2]
    return Failure(
        COMPILER, f"there is no {name}", tools.at_build_time(name, "program", _COMPILERS)
    )


def _cxx(match: re.Match[str], tools: Tools) -> Failure:
    del match
    return Failure(
        COMPILER, "there is no C++ compiler", tools.at_build_time("g++", "program", _COMPILERS)
    )


def _rust(match: re.Match[str], tools: Tools) -> Failure:
    del match
    return Failure(
        COMPILER, "there is no Rust compiler", tools.at_build_time("cargo", "program", _COMPILERS)
    )


def _lacking(what: str, kind: str) -> Callable[[re.Match[str], Tools], Failure]:
    """The failure of a build for want of *what*, which is followed by the name that matched."""

    def failure(match: re.Match[str], tools: Tools) -> Failure:
        name = match[1].rstrip(":")
        remedy = tools.at_build_time(name, kind, _DEVELOPMENT)
        return Failure(MISSING_LIBRARY, f"the {what}{name} is missing", remedy)

    return failure


def _shared(match: re.Match[str], tools: Tools) -> Failure:
    name = match[1].rpartition("/")[2]
    return Failure(MISSING_LIBRARY, f"{name} is not there", library_remedy(name, tools.recipe))


def _version(match: re.Match[str], tools: Tools) -> Failure:
    del tools
    version = match[1]
    return Failure(ABI_MISMATCH, f"{version} is not there", version_remedy(version))


def _said(kind: str, text: str, remedy: str) -> Callable[[re.Match[str], Tools], Failure]:
    def make(match: re.Match[str], tools: Tools) -> Failure:
        del tools
        values = {"name": match[1] if match.re.groups else ""}
        return Failure(kind, text.format(**values), remedy.format(**values))

    return make


def _patterns() -> Iterator[tuple[re.Pattern[str], Callable[[re.Match[str], Tools], Failure]]]:
    programs = "|".join(map(re.escape, _COMPILERS))
    end = r"(?=$|\s|['\"`,:])"
    yield re.compile(rf"No such file or directory: '((?:[\w.-]*-)?(?:{programs}))'"), _compiler
    yield re.compile(rf"unable to execute '((?:[\w.-]*-)?(?:{programs}))'"), _compiler
    yield re.compile(rf"command '((?:\S*[/-])?(?:{programs}))' failed: No such file"), _compiler
    yield re.compile(r"Unknown compiler\(s\): \[\['(\S+?)'"), _compiler
    yield re.compile(r"No CMAKE_\w+_COMPILER could be found"), _cxx
    yield (
        re.compile(
            rf"(?m)^(?:/\S+: \d+: |sh: (?:line \d+: )?)?({programs}): (?:command )?not found"
        ),
        _compiler,
    )
    yield re.compile(r"can't find Rust compiler"), _rust
    yield re.compile(r"Cargo, the Rust package manager, is not installed"), _rust
    yield (
        re.compile(r"fatal error: '?(\S+?)'?(?: file not found|: No such file)"),
        _lacking("header ", "header"),
    )
    yield re.compile(rf"cannot find -l(\S+?){end}"), _lacking("library -l", "library")
    program = _lacking("program ", "program")
    yield re.compile(r"(\w+_config|\w+-config) executable not found"), program
    yield re.compile(r"(pg_config|mysql_config): (?:command )?not found"), program
    yield (
        re.compile(r"Can not find valid pkg-config name"),
        _said(
            MISSING_LIBRARY,
            "pkg-config does not find MySQL",
            "at build time: install MariaDB's development package (dnf: mariadb-connector-c-devel, "
            "apt: libmariadb-dev)",
        ),
    )
    yield re.compile(r"version [`'\"]((?:GLIBC|GLIBCXX|CXXABI|GCC)_[\w.]+)' not found"), _version
    yield re.compile(r"(\S+\.so(?:\.\S+?)?): cannot open shared object file"), _shared
    yield (
        re.compile(r"THESE PACKAGES DO NOT MATCH THE HASHES"),
        _said(
            HASH,
            "a file is not what its hash says",
            "often the lock was made on x86 only, and has no hash of the ARM file: lock again for "
            "all platforms; else somebody changed the file on its way",
        ),
    )
    yield (
        re.compile(r"No space left on device|\[Errno 28\]"),
        _said(
            DISK, "the disk is full", "free some space: docker system df, pytest-arm64 cache prune"
        ),
    )
    yield (
        re.compile(
            r"Temporary failure in name resolution|Name or service not known|NewConnectionError"
            r"|after connection broken by|Max retries exceeded"
            r"|Network is unreachable|Connection refused|ProxyError|ReadTimeoutError|ConnectTimeout"
        ),
        _said(
            NETWORK,
            "the network or the index does not answer",
            "check the network, the index and the proxy as the container sees them",
        ),
    )
    yield (
        re.compile(r"No matching distribution found for (\S+)"),
        _said(
            MISSING_WHEEL,
            "no index has a file of {name} for this target",
            "see which versions of {name} have one: pytest-arm64 audit",
        ),
    )
    yield (
        re.compile(r"ResolutionImpossible"),
        _said(
            RESOLUTION,
            "the requirements contradict each other",
            "loosen one of the pins named above",
        ),
    )
    yield (
        re.compile(r"cannot allocate memory in static TLS block"),
        _said(
            RUNTIME,
            "static thread-local storage is used up",
            "import the module earlier, or set GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384",
        ),
    )
    yield (
        re.compile(
            r"Unsupported system page size"
            r"|ELF load command (?:address/offset not properly|alignment)"
        ),
        _said(
            RUNTIME,
            "it was built for smaller pages than this kernel has",
            "take a build with 64 KiB alignment (-z max-page-size=65536)",
        ),
    )
    yield (
        re.compile(r"(?i)exec format error"),
        _said(
            WRONG_ARCHITECTURE,
            "a program for another machine was started",
            "install a build for this machine",
        ),
    )


_PATTERNS = list(_patterns())
_NOISE = re.compile(r"\s*(WARNING: Location|Looking in (indexes|links)|\[notice\])")
_DECISIVE = re.compile(
    r"(?i)\b(fatal )?error:|cannot find -l|not found|No such file|Unknown compiler|Rust"
    r"|ERROR:|Could not|No matching"
)
