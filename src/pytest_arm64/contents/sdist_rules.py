"""Whether the build of a source distribution compiles something, judged from its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from ..config._toml import TOMLDecodeError, loads
from ..index.metadata import requirement_of
from ..inputs.reading import Table, strings, table
from ..inputs.setup_script import COMPILING_TOOLS, SetupScript, read_setup_script

PURE, OPTIONAL, NATIVE, UNCLEAR = "pure", "optional", "native", "unclear"
_SOURCES = frozenset(
    [
        *(".c", ".cc", ".cpp", ".cxx", ".pyx", ".f", ".f77", ".f90", ".f95", ".for", ".rs", ".go"),
        *(".zig", ".cu", ".s", ".asm", ".swift"),
    ]
)
_COMPILED = frozenset([".so", ".a", ".o", ".dylib", ".pyd"])
_ROOTS = frozenset(["src", "lib", "python"])
_BUILD_FILES = frozenset(["CMakeLists.txt", "Cargo.toml", "meson.build"])
_ELF = b"\x7fELF"
# Files in these are compiled by no build, and packed into no package that matters.
BESIDE = frozenset(
    [
        *("test", "tests", "testing", "doc", "docs", "example", "examples", "samples", "demo"),
        *("demos", "benchmark", "benchmarks", "fixtures", "testdata", "test_data", ".github"),
    ]
)
# Back ends that compile nothing unless a hook does, with what names their hooks.
_PURE_BACKENDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "hatchling": (
        ("hatch", "build", "hooks"),
        ("hatch", "build", "targets", "wheel", "hooks"),
    ),
    "poetry": (("poetry", "build"),),
    "pdm": (
        ("pdm", "build", "custom-hook"),
        ("pdm", "build", "run-setuptools"),
    ),
    "flit_core": (),
    "flit": (),
    "uv_build": (),
}
_HARMLESS_HOOKS = frozenset(["vcs", "version", "fancy-pypi-readme", "requirements_txt", "autorun"])
_COMPILING_BACKENDS = frozenset(
    ["mesonpy", "scikit_build_core", "maturin", "py_build_cmake", "sipbuild", "enscons"]
)
# Words in the names of plug-ins that compile: setuptools-rust, cmake-build-extension.
_COMPILERS = frozenset(
    [
        *("rust", "cython", "cmake", "dso", "zig", "golang", "cpp", "swig", "cuda", "fortran"),
        *("meson", "mypyc", "pybind11", "cffi", "nuitka", "cppimport"),
    ]
)
# What a setup.cfg makes setuptools, pbr or d2to1 run or compile.
_CONFIGURED = re.compile(
    rb"^(?:\s*(cmdclass|setup[-_]hooks|ext_modules)\s*=|\[(extension)\b)", re.MULTILINE
)
_SETUPTOOLS = frozenset(["", "setuptools", "pbr"])


@dataclass
class Gathered:
    """What was seen of one source distribution, up to the end or to the first proof."""

    texts: dict[str, bytes] = field(default_factory=dict)
    """The files that say how it is built, by path."""
    tops: set[str] = field(default_factory=set)
    """What is in its top folder."""
    source: str = ""
    """The first file in a language that has to be compiled."""
    compiled: str = ""
    """The first file that is compiled already."""
    python: bool = False
    """Whether it has a Python file that it could install."""
    whole: bool = True
    """Whether it was read to its end."""

    def see(self, path: str, start: bytes) -> None:
        """Take account of the file *path*, whose first four bytes are *start*."""
        place = PurePosixPath(path)
        self.tops.add(place.parts[0])
        if place.parts[0] in _ROOTS:
            self.tops.update(place.parts[1:2])
        if len(place.parts) > 1 and BESIDE.intersection(place.parts[:-1]):
            return
        suffix = place.suffix.lower()
        self.python = self.python or (suffix == ".py" and path != "setup.py")
        if suffix in _SOURCES or place.name in _BUILD_FILES:
            self.source = self.source or path
        if suffix in _COMPILED or start == _ELF:
            self.compiled = self.compiled or path

    def text(self, path: str) -> bytes | None:
        return self.texts.get(path)


@dataclass(frozen=True)
class SdistBuild:
    """How one source distribution is built."""

    data: Table
    """Its ``pyproject.toml``."""
    script: SetupScript | None

    @property
    def backend(self) -> str:
        """The first word of the back end's name; empty for setuptools by default."""
        name = table(self.data, "build-system").get("build-backend", "")
        return str(name).partition(":")[0].partition(".")[0]

    @property
    def in_tree(self) -> bool:
        """Whether the back end comes with the sources."""
        return "backend-path" in table(self.data, "build-system")

    @property
    def hook(self) -> str:
        """What the back end runs of the project's own; empty for nothing."""
        for keys in _PURE_BACKENDS.get(self.backend, ()):
            value = table(self.data, "tool", *keys[:-1]).get(keys[-1])
            hooks = value if isinstance(value, dict) else {keys[-1]: value} if value else {}
            other = [
                name
                for name, hook in hooks.items()
                if name not in _HARMLESS_HOOKS and table(hook).get("enable-by-default", True)
            ]
            if other:
                return f"{self.backend} runs the hook {other[0]}"
        return ""

    @property
    def is_static(self) -> bool:
        """Whether the back end writes the same metadata into the wheel as into the sdist."""
        dynamic = strings(table(self.data, "project").get("dynamic"))
        return (
            self.backend in _PURE_BACKENDS
            and not self.in_tree
            and not self.hook
            and not {"dependencies", "optional-dependencies"}.intersection(dynamic)
        )

    @property
    def tool(self) -> str:
        """What its build needs that is there to compile; empty for nothing."""
        for text in strings(table(self.data, "build-system").get("requires")):
            try:
                name = canonicalize_name(requirement_of(text).name)
            except (ValueError, RecursionError):
                continue
            if name in COMPILING_TOOLS or _COMPILERS.intersection(name.split("-")):
                return name
        return ""


def build_of(gathered: Gathered) -> SdistBuild | None:
    """How it is built; None where its ``pyproject.toml`` cannot be read."""
    content = gathered.text("pyproject.toml")
    try:
        data = loads(content.decode("utf-8")) if content is not None else {}
    except (UnicodeDecodeError, TOMLDecodeError, RecursionError):
        return None
    source = gathered.text("setup.py")
    script = read_setup_script(source, gathered.tops) if source is not None else None
    return SdistBuild(data, script)


def judged(gathered: Gathered, build: SdistBuild | None) -> tuple[str, str]:
    """What its build compiles, and what shows it: a file, or a word of a build script.

    What is not sure to compile nothing is ``native``, or ``unclear`` where nothing says so.
    """
    if build is None:
        return UNCLEAR, "its pyproject.toml cannot be read"
    script = build.script
    if script is not None and script.compiles and build.backend not in _PURE_BACKENDS:
        return (OPTIONAL if script.optional else NATIVE), f"setup.py: {script.compiles}"
    if not gathered.whole:
        return NATIVE, f"it holds {gathered.source}"
    if build.backend in _COMPILING_BACKENDS:
        return NATIVE, f"{build.backend} builds it"
    if build.tool:
        return NATIVE, f"its build needs {build.tool}"
    return next(_doubts(gathered, build), (PURE, ""))


def _doubts(gathered: Gathered, build: SdistBuild) -> Iterator[tuple[str, str]]:
    """What keeps the build from being sure to compile nothing."""
    if gathered.compiled:
        yield UNCLEAR, f"it holds {gathered.compiled}, which is compiled already"
    if build.in_tree:
        yield UNCLEAR, "its back end comes with it"
    if build.backend in _PURE_BACKENDS:
        if build.hook:
            yield UNCLEAR, build.hook
        return
    if build.backend not in _SETUPTOOLS:
        yield UNCLEAR, f"{build.backend} builds it"
    yield from _doubts_of_setuptools(gathered, build)


def _doubts_of_setuptools(gathered: Gathered, build: SdistBuild) -> Iterator[tuple[str, str]]:
    script = build.script
    setuptools = table(build.data, "tool", "setuptools")
    if setuptools.get("ext-modules"):
        yield NATIVE, "pyproject.toml: ext-modules"
    if setuptools.get("cmdclass"):
        yield UNCLEAR, "pyproject.toml: cmdclass"
    configured = _CONFIGURED.search(gathered.text("setup.cfg") or b"")
    if configured is not None:
        yield UNCLEAR, f"setup.cfg: {(configured[1] or configured[2]).decode()}"
    if gathered.source:
        yield NATIVE, f"it holds {gathered.source}"
    if script is None and not gathered.texts.keys() & {"pyproject.toml", "setup.cfg"}:
        yield UNCLEAR, "it holds no build script"
    if script is not None:
        helper = _compiling_helper(gathered, script)
        if helper:
            yield NATIVE, helper
        if script.unclear:
            yield UNCLEAR, f"its setup.py {script.unclear}"
    if not gathered.python and not (script is not None and script.describes_project):
        yield UNCLEAR, "it holds no Python file"


def _compiling_helper(gathered: Gathered, script: SetupScript) -> str:
    """The module beside the script that compiles something for it; empty for none."""
    for path, source in gathered.texts.items():
        module = path.removesuffix(".py")
        if path.endswith(".py") and module in script.imports and module != "versioneer":
            word = read_setup_script(source).compiles
            if word:
                return f"{path}: {word}"
    return ""
