"""Source distributions whose files show whether their build compiles something."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import PURE, SOURCE, Row, WheelMatrix
from pytest_arm64.contents import sdists
from pytest_arm64.contents.sdist_rules import Gathered
from pytest_arm64.index.archives import ArchiveError, sdist_members, sdist_members_of_zip
from unit.index.served import Played, joined, matrix_of, metadata, release, sdist, serve

pytestmark = pytest.mark.usefixtures("index_alone")

PLAIN = b"from setuptools import setup\nsetup(name='zed', py_modules=['zed'])\n"
PLAIN_FILES = {"setup.py": PLAIN, "zed.py": b"pass\n"}
PAGE = "zed-1.0.tar.gz"


def matrix_from(
    folder: Path, content: bytes, *, line: str = "zed==1.0", contents: bool = True
) -> WheelMatrix:
    projects = {
        "zed": release("zed", "1.0", sdist=True),
        "dep": joined(release("dep", "1.0", "py3-none-any"), release("dep", "2.0", "py3-none-any")),
        "extra": release("extra", "1.0", "py3-none-any"),
    }
    with serve(projects) as index:
        index.files[PAGE] = content
        return matrix_of(folder, line, index.url, contents=contents)


def row_of(folder: Path, files: Mapping[str, bytes], *, edition: str = "2.2") -> Row:
    return matrix_from(folder, sdist("zed", "1.0", files=files, edition=edition))["zed"]


def test_sources_of_python_alone_are_pure_and_green(tmp_path: Path) -> None:
    matrix = matrix_from(tmp_path, sdist("zed", "1.0", files=PLAIN_FILES))
    row = matrix["zed"]
    assert (row.state, row.cause, row.native) == (PURE, "pure-source", False)
    assert (row.from_source, row.green, row.remedy) == (True, True, None)
    assert "its setup.py was read, not run" in row.detail
    assert (matrix.ready, matrix.exit_code) == (True, 0)


def system(backend: str, *requires: str, more: str = "") -> bytes:
    return (
        f"[build-system]\nrequires = {list(requires)!r}\nbuild-backend = '{backend}'\n"
        f"[project]\nname = 'zed'\nversion = '1.0'\ndependencies = ['dep']\n{more}"
    ).encode()


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": system("hatchling.build", "hatchling"), "zed/data.c": b""},
        {"pyproject.toml": system("flit_core.buildapi", "flit_core"), "zed.py": b""},
        {"pyproject.toml": system("poetry.core.masonry.api", "poetry-core"), "zed.py": b""},
        {"pyproject.toml": system("pdm.backend", "pdm-backend"), "zed.py": b""},
        {"pyproject.toml": system("uv_build", "uv_build"), "zed.py": b""},
        {"pyproject.toml": system("setuptools.build_meta", "setuptools"), "zed.py": b""},
        {
            "pyproject.toml": system(
                "hatchling.build",
                "hatch-vcs",
                more="[tool.hatch.build.hooks.vcs]\nversion-file='v'",
            ),
            "zed.py": b"",
        },
        {**PLAIN_FILES, "tests/fast.c": b"", "docs/x.rs": b"", "zed/fake.h": b""},
        {**PLAIN_FILES, "README": b"", "examples/libx.so": b"\x7fELF"},
        {"setup.py": PLAIN.replace(b", py_modules=['zed']", b"")},
        {"setup.cfg": b"[metadata]\nname = zed\n", "zed.py": b""},
    ],
)
def test_sources_whose_build_compiles_nothing_are_pure(
    tmp_path: Path, files: Mapping[str, bytes]
) -> None:
    row = row_of(tmp_path, files)
    assert (row.state, row.from_source) == (PURE, True), row.detail


@pytest.mark.parametrize(
    ("more", "proof"),
    [
        ({"zed/fast.c": b"int x;"}, "is compiled: it holds zed/fast.c"),
        ({"src/lib.rs": b""}, "is compiled: it holds src/lib.rs"),
        ({"zed/fast.pyx": b""}, "is compiled: it holds zed/fast.pyx"),
        ({"zed/old.F90": b""}, "is compiled: it holds zed/old.F90"),
        ({"CMakeLists.txt": b""}, "is compiled: it holds CMakeLists.txt"),
        ({"setup.py": b"setup(ext_modules=[Extension('zed', [])])"}, "is compiled: setup.py:"),
        ({"setup.py": b"setup(cffi_modules=['build.py:ffi'])"}, "is compiled: setup.py: cffi"),
        (
            {"setup.py": b"import helper\nsetup(**helper.K)", "helper.py": b"K = Extension()"},
            "is compiled: helper.py: Extension",
        ),
        (
            {"setup.py": b"import subprocess\nsubprocess.run(['make'])"},
            "may be compiled: its setup",
        ),
        ({"setup.py": b"print 'old'"}, "may be compiled: its setup.py is too large, or"),
        (
            {"setup.py": b"setup()" + b"#" * 2**19, "setup.cfg": b""},
            "its setup.py is too large, or",
        ),
        (
            {**{f"a{n}.py": b"" for n in range(300)}, "setup.py": b"setup(ext_modules=x)"},
            "is compiled: setup.py: ext_modules",
        ),
        ({"pyproject.toml": system("setuptools.build_meta", "Cython")}, "its build needs cython"),
        ({"pyproject.toml": system("maturin", "maturin")}, "is compiled: maturin builds it"),
        ({"pyproject.toml": system("mesonpy", "meson-python")}, "is compiled: mesonpy builds it"),
        ({"pyproject.toml": system("scikit_build_core.build")}, "scikit_build_core builds it"),
        ({"pyproject.toml": system("own.backend")}, "may be compiled: own builds it"),
        (
            {
                "pyproject.toml": system("own", more="[build-system.x]").replace(
                    b"[project]", b"backend-path = ['.']\n[project]"
                )
            },
            "may be compiled: its back end comes with it",
        ),
        (
            {"pyproject.toml": system("hatchling.build", more="[tool.hatch.build.hooks.custom]")},
            "may be compiled: hatchling runs the hook custom",
        ),
        (
            {
                "pyproject.toml": system(
                    "poetry.core.masonry.api", more="[tool.poetry.build]\nscript='b'"
                )
            },
            "may be compiled: poetry runs the hook script",
        ),
        (
            {
                "pyproject.toml": system(
                    "setuptools.build_meta", more="[[tool.setuptools.ext-modules]]\nname='x'"
                )
            },
            "is compiled: pyproject.toml: ext-modules",
        ),
        ({"setup.cfg": b"[options]\ncmdclass =\n  build_py = x.Y\n"}, "setup.cfg: cmdclass"),
        ({"setup.cfg": b"[extension=zed._fast]\nsources = a.c\n"}, "setup.cfg: extension"),
        ({"setup.cfg": b"[global]\nsetup-hooks =\n  x.y\n"}, "setup.cfg: setup-hooks"),
        (
            {"pyproject.toml": system("setuptools.build_meta", "cmake-build-extension")},
            "its build needs cmake-build-extension",
        ),
        ({"pyproject.toml": b"[broken"}, "may be compiled: its pyproject.toml cannot be read"),
        ({"zed/lib.so": b"x"}, "may be compiled: it holds zed/lib.so, which is compiled already"),
        ({"zed/tool": b"\x7fELF\x02\x01"}, "may be compiled: it holds zed/tool"),
    ],
)
def test_what_compiles_or_may_stays_source_and_says_why(
    tmp_path: Path, more: Mapping[str, bytes], proof: str
) -> None:
    row = row_of(tmp_path, {**PLAIN_FILES, **more})
    assert (row.state, row.cause, row.native) == (SOURCE, "source-everywhere", True)
    assert proof in row.detail
    assert not row.from_source


OPTIONAL = b"""
from setuptools import setup, Extension
try:
    setup(name='zed', ext_modules=[Extension('zed._fast', ['fast.c'])])
except SystemExit:
    setup(name='zed')
"""


def test_an_optional_extension_is_source_that_falls_back_to_slow_python(tmp_path: Path) -> None:
    row = row_of(tmp_path, {"setup.py": OPTIONAL, "zed.py": b"", "fast.c": b""})
    assert (row.state, row.native, row.pure_fallback) == (SOURCE, True, True)
    assert "without a compiler it falls back to pure Python, which is slow" in row.detail


@pytest.mark.parametrize("files", [{}, {"README": b""}, {"zed.py": b""}])
def test_sources_that_show_nothing_are_not_called_pure(
    tmp_path: Path, files: Mapping[str, bytes]
) -> None:
    assert row_of(tmp_path, files).cause == "source-everywhere"


def test_what_is_not_read_to_its_end_is_neither_pure_nor_certain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdists, "_AFTER_PROOF", 1000)
    files = {
        "pyproject.toml": system("hatchling.build", "hatchling"),
        "setup.cfg": b"[options]\ninstall_requires = dep\n",
        "zed/data.c": bytes(2000),
        "zed/tool": b"\x7fELF",
        "setup.py": b"setup(install_requires=['extra'])",
    }
    for left_out in ("", "pyproject.toml"):
        chosen = {name: content for name, content in files.items() if name != left_out}
        content = sdist("zed", "1.0", files=chosen, edition="2.1")
        row = matrix_from(tmp_path, content)["zed"]
        assert row.state == SOURCE
        assert "it holds zed/data.c" in row.detail
        assert row.doubt


def test_sources_with_a_compiled_wheel_for_x86_are_not_called_pure(tmp_path: Path) -> None:
    with serve({"zed": release("zed", "1.0", "cp312-cp312-linux_x86_64", sdist=True)}) as index:
        index.files[PAGE] = sdist("zed", "1.0", files=PLAIN_FILES)
        row = matrix_of(tmp_path, "zed==1.0", index.url)["zed"]
    assert row.state == SOURCE


def test_a_pure_wheel_that_no_binary_keeps_out_leaves_pure_sources(tmp_path: Path) -> None:
    with serve({"zed": release("zed", "1.0", "py3-none-any", sdist=True)}) as index:
        index.files[PAGE] = sdist("zed", "1.0", files=PLAIN_FILES)
        row = matrix_of(tmp_path, "--no-binary zed\nzed==1.0", index.url)["zed"]
    assert (row.state, row.from_source) == (PURE, True)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"setup.py": b"setup(name='zed', install_requires=['dep<2'])"}, ["dep 1.0", "zed 1.0"]),
        (
            {"setup.py": b"setup()", "setup.cfg": b"[options]\ninstall_requires = dep<2\n"},
            ["dep 1.0", "zed 1.0"],
        ),
        (
            {
                "setup.py": b"setup(name='zed', install_requires=open('r.txt').read().split())",
                "zed.egg-info/requires.txt": b"dep<2\n\n[:os_name == 'nt']\nextra\n\n[more]\na\n",
            },
            ["dep 1.0", "zed 1.0"],
        ),
        (
            {"pyproject.toml": system("setuptools.build_meta"), "zed.py": b""},
            ["dep 2.0", "zed 1.0"],
        ),
        (
            {
                "pyproject.toml": b"[build-system]\nbuild-backend = 'setuptools.build_meta'\n"
                b"[project]\nname = 'zed'\ndynamic = ['version', 'dependencies']\n"
                b"[tool.setuptools.dynamic]\ndependencies = {file = ['requirements.in']}\n",
                "requirements.in": b"dep<2  # why\n",
                "zed.py": b"",
            },
            ["dep 1.0", "zed 1.0"],
        ),
    ],
)
def test_dependencies_that_its_files_state_are_in_the_tree(
    tmp_path: Path, files: Mapping[str, bytes], names: list[str]
) -> None:
    content = sdist("zed", "1.0", files={"zed.py": b"", **files}, edition="2.1")
    matrix = matrix_from(tmp_path, content)
    assert sorted(f"{r.name} {r.version}" for r in matrix.deployed) == names
    assert matrix.complete, matrix


def test_an_extra_that_its_files_state_is_followed(tmp_path: Path) -> None:
    script = b"setup(name='zed', install_requires=[], extras_require={'more': ['extra']})"
    content = sdist("zed", "1.0", files={"setup.py": script, "zed.py": b""}, edition="2.1")
    matrix = matrix_from(tmp_path, content, line="zed[more]==1.0")
    assert {row.name for row in matrix.deployed} == {"zed", "extra"}
    assert matrix.complete


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": b"setup(name='zed', install_requires=read())"},
        {
            "setup.py": b"import sys\nsetup(install_requires=f(sys.version_info))",
            "zed.egg-info/requires.txt": b"dep\n",
        },
        {"setup.py": b"setup(install_requires=read())", "zed.egg-info/requires.txt": b"no dep?\n"},
    ],
)
def test_dependencies_that_are_computed_leave_the_matrix_incomplete(
    tmp_path: Path, files: Mapping[str, bytes]
) -> None:
    content = sdist("zed", "1.0", files={"zed.py": b"", **files}, edition="2.1")
    matrix = matrix_from(tmp_path, content)
    assert matrix["zed"].doubt
    assert matrix.exit_code == 3


def test_a_static_back_end_wrote_its_metadata_for_the_wheel_as_well(tmp_path: Path) -> None:
    content = sdist(
        "zed",
        "1.0",
        ["dep<2"],
        files={"pyproject.toml": b"[build-system]\nbuild-backend = 'flit_core.buildapi'\n"},
        edition="2.1",
    )
    matrix = matrix_from(tmp_path, content)
    assert matrix["dep"].version == "1.0"
    assert matrix.ready


def test_sources_are_read_once_and_offline_from_the_cache(tmp_path: Path) -> None:
    with serve({"zed": release("zed", "1.0", sdist=True)}) as index:
        index.files[PAGE] = sdist("zed", "1.0", files=PLAIN_FILES, edition="2.1")
        first = matrix_of(tmp_path, "zed==1.0", index.url)
        asked = len(index.asked(PAGE))
        matrix_of(tmp_path, "zed==1.0", index.url)
        assert len(index.asked(PAGE)) == asked
        offline = matrix_of(tmp_path, "zed==1.0", index.url, offline=True)
    assert first.ready
    assert offline.ready


def test_without_contents_nothing_is_read_of_the_sources(tmp_path: Path) -> None:
    content = sdist("zed", "1.0", files=PLAIN_FILES)
    row = matrix_from(tmp_path, content, contents=False)["zed"]
    assert (row.state, row.from_source) == (SOURCE, False)


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


INFO = (member("zed-1.0/PKG-INFO"), metadata("zed", "1.0"))
SCRIPT = (member("zed-1.0/setup.py"), PLAIN)


@pytest.mark.parametrize(
    "content",
    [
        b"no archive",
        packed(INFO),
        packed(INFO, (member("zed-1.0/setup.py", tarfile.SYMTYPE, "/etc/passwd"), b"")),
        packed(INFO, (member("zed-1.0/setup.py", tarfile.LNKTYPE, "zed-1.0/PKG-INFO"), b"")),
        packed(INFO, (member("other-1.0/setup.py"), PLAIN)),
        packed(INFO, (member("zed-1.0/../setup.py"), PLAIN)),
        packed(INFO, SCRIPT, (member("zed-1.0/" + "d/" * 3000 + "x.c"), b"")),
        packed(INFO, SCRIPT, (member("zed-1.0/zeros.txt"), bytes(3 * 2**20))),
        packed(INFO, SCRIPT)[:-20],
    ],
    ids=["no archive", "empty", "link", "hard link", "other", "dots", "deep", "bomb", "cut"],
)
def test_hostile_sources_are_not_called_pure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(sdists, "_MAXIMUM_UNPACKED", 2**21)
    assert matrix_from(tmp_path, content)["zed"].state == SOURCE


def test_sources_that_are_not_what_the_index_says_are_not_called_pure(tmp_path: Path) -> None:
    genuine = sdist("zed", "1.0", files=PLAIN_FILES)

    class Other(Played):
        def digest(self, name: str, file: str) -> str:
            return hashlib.sha256(genuine).hexdigest()

    with serve({"zed": release("zed", "1.0", sdist=True)}) as index:
        index.__class__ = Other
        index.files[PAGE] = sdist("zed", "1.0", files={**PLAIN_FILES, "more.py": b""})
        assert matrix_of(tmp_path, "zed==1.0", index.url)["zed"].state == SOURCE
        index.files[PAGE] = genuine
        assert matrix_of(tmp_path, "zed==1.0", index.url)["zed"].state == PURE


def test_zipped_sources_are_read_too(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("zed-1.0/PKG-INFO", metadata("zed", "1.0"))
        for name, content in PLAIN_FILES.items():
            archive.writestr(f"zed-1.0/{name}", content)
    projects = {"zed": release("zed", "1.0")}
    projects["zed"].files.append(("zed-1.0.zip", "", False))
    with serve(projects) as index:
        index.files["zed-1.0.zip"] = buffer.getvalue()
        row = matrix_of(tmp_path, "zed==1.0", index.url)["zed"]
    assert (row.state, row.from_source) == (PURE, True)


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"zed-1.0/{name}", content)
    return buffer.getvalue()


LONG = {**PLAIN_FILES, "long.txt": Random(1).randbytes(200_000)}
ARCHIVES = {
    ".tar.gz": sdist("zed", "1.0", files=LONG),
    ".zip": zipped({**LONG, "PKG-INFO": metadata("zed", "1.0")}),
}


@pytest.mark.parametrize("ending", ARCHIVES)
@given(
    changes=st.lists(st.tuples(st.integers(0, 250_000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 250_000),
)
def test_any_bytes_are_members_or_an_archive_error(
    ending: str, changes: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(ARCHIVES[ending])
    for place, value in changes:
        content[place % len(content)] = value
    stream = io.BytesIO(bytes(content[: len(content) - cut]))
    members = (
        sdist_members_of_zip(stream, "zed")
        if ending == ".zip"
        else sdist_members(stream, f"zed-1.0{ending}", "zed", limit=2**21)
    )
    with suppress(ArchiveError):
        for each in members:
            assert len(each.read()) <= 4 * 2**20


NAMES = ("setup.py", "setup.cfg", "pyproject.toml", "PKG-INFO", "r.txt", "z.egg-info/requires.txt")
PIECES = st.sampled_from(
    [
        *(
            b"[options]\n",
            b"[build-system]\n",
            b"[project]\n",
            b"[tool.poetry]\n",
            b"[a]\n",
            b"x = 1\n",
        ),
        *(b"install_requires = a\n", b"build-backend = 'hatchling.build'\n", b"dynamic = 3\n"),
        *(
            b"setup()\n",
            b"setup(**k)\n",
            b"k = {}\n",
            b"requires = ['a', 1]\n",
            b"-r ../../etc/x\n",
        ),
        *(b"Requires-Dist: a; b\n", b"Dynamic: Requires-Dist\n", b"n = " + b"9" * 5000 + b"\n"),
        *(b"\xff\xfe", b"\x00", b"%(x)s\n", b"name = 'a'\n", b"a; extra == 'x\n", b"[:bad(]\n"),
    ]
)


@settings(max_examples=50)
@given(texts=st.dictionaries(st.sampled_from(NAMES), st.lists(PIECES, max_size=6).map(b"".join)))
def test_any_files_are_judged(texts: dict[str, bytes]) -> None:
    gathered = Gathered(texts=texts, tops={name.partition("/")[0] for name in texts})
    contents = sdists.contents_of(gathered)
    assert contents.verdict in ("pure", "optional", "native", "unclear")
    assert contents.requires is None or all(isinstance(each, str) for each in contents.requires)
