"""Wheels for any platform by their names, and what they hold for one machine alone."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import BLOCKER, PURE, TEST, WHEEL, Row, WheelMatrix
from pytest_arm64.binary.elf import elf_machine
from pytest_arm64.contents import wheel_rules
from pytest_arm64.contents.wheel_rules import x86_members
from pytest_arm64.index.archives import ArchiveError
from unit.index.served import Played, joined, matrix_of, matrix_of_folder, metadata, release, serve

pytestmark = pytest.mark.usefixtures("index_alone")

Files = Mapping[str, bytes]
NUMBERS = {"x86_64": 62, "aarch64": 183, "i386": 3, "riscv64": 243}


def elf(machine: str, *, abi: int = 0, size: int = 4000) -> bytes:
    """The header of an ELF file, and bytes that do not compress."""
    ident = b"\x7fELF" + bytes([1 if machine == "i386" else 2, 1, 1, abi]) + bytes(8)
    return ident + struct.pack("<HH", 2, NUMBERS[machine]) + Random(machine).randbytes(size)


X86, ARM = elf("x86_64"), elf("aarch64")
PE = b"MZ" + Random(1).randbytes(4000)
MACH_O = b"\xcf\xfa\xed\xfe" + Random(2).randbytes(4000)


def static(content: bytes) -> bytes:
    """A static library: a table of symbols, then one object."""
    header = "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n"
    table = header.format("/", 0, 0, 0, 0, 40).encode() + bytes(40)
    member = header.format("fast.o/", 0, 0, 0, 644, len(content)).encode()
    return b"!<arch>\n" + table + member + content


def zipped(
    files: Files, *, executable: Sequence[str] = (), method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (0o100755 if name in executable else 0o100644) << 16
            info.compress_type = method
            archive.writestr(info, content)
    return buffer.getvalue()


def wheel(files: Files, version: str = "1.0", *, executable: Sequence[str] = ()) -> bytes:
    info = f"zed-{version}.dist-info/METADATA"
    return zipped(
        {"zed/__init__.py": b"", **files, info: metadata("zed", version)}, executable=executable
    )


@contextmanager
def index_with(wheels: Mapping[str, bytes], **how: object) -> Iterator[Played]:
    """An index with wheels of zed for any platform, by version."""
    projects = {"zed": joined(*(release("zed", version, "py3-none-any") for version in wheels))}
    with serve(projects, **how) as index:
        for version, content in wheels.items():
            index.files[f"zed-{version}-py3-none-any.whl"] = content
        yield index


def row_of(folder: Path, files: Files, *, executable: Sequence[str] = ()) -> Row:
    with index_with({"1.0": wheel(files, executable=executable)}) as index:
        return matrix_of(folder, "zed==1.0", index.url)["zed"]


def test_a_program_for_x86_alone_blocks_and_says_what_fails(tmp_path: Path) -> None:
    with index_with({"1.0": wheel({"zed/linux/zed-manager": X86})}) as index:
        matrix = matrix_of(tmp_path, "zed==1.0", index.url)
    row = matrix["zed"]
    assert (row.state, row.cause, row.native, row.x86) == (BLOCKER, "x86-inside", True, PURE)
    assert row.file == "zed-1.0-py3-none-any.whl"
    assert "none for ARM64: zed/linux/zed-manager; what starts or loads them fails" in row.detail
    assert row.remedy is not None
    assert row.remedy.text.startswith("no later release is known to have them for ARM64")
    assert (matrix.ready, matrix.exit_code, matrix.notes) == (False, 1, ())


FOR_X86_ALONE: dict[str, Files] = {
    "a program": {"zed/linux/zed-manager": X86},
    "a program in bin": {"zed/bin/tool": elf("x86_64", size=100)},
    "a program of some size": {"zed/manager": elf("x86_64", size=20_000)},
    "a program with a version": {"zed/bin/tool-1.2": X86},
    "a program named by its machine": {"zed/tool.x86_64": X86},
    "a library": {"zed/libzed.so": X86},
    "a library with a version": {"zed/libzed.so.1.2": X86},
    "a module of node": {"zed/fast.node": X86},
    "a static library": {"zed/libzed.a": static(X86)},
    "in a jar": {"zed/zed.jar": zipped({"native/linux-x64/libzed.so": X86})},
    "in a zip, stored": {"zed/z.zip": zipped({"bin/tool": X86}, method=zipfile.ZIP_STORED)},
    "beside those for others": {"zed/l/libz.so": X86, "zed/w/z.dll": PE, "zed/m/z.dylib": MACH_O},
    "of GNU's own ABI": {"zed/libzed.so": elf("x86_64", abi=3)},
    "beside one for 32 bits": {"zed/libzed.so": X86, "zed/libzed32.so": elf("i386")},
    "beside a broken jar": {"zed/a.jar": b"PK no" + bytes(99), "zed/libzed.so": X86},
    "beside an ARM one of Android": {"zed/lib.so": X86, "zed/android/arm64-v8a/lib.so": ARM},
    "many": {f"zed/lib{n}.so": elf("x86_64", size=20_000) for n in range(90)},
}


@pytest.mark.parametrize("kind", FOR_X86_ALONE)
def test_a_wheel_with_files_for_x86_alone_blocks(tmp_path: Path, kind: str) -> None:
    row = row_of(tmp_path, FOR_X86_ALONE[kind])
    assert (row.state, row.cause) == (BLOCKER, "x86-inside"), kind


def test_an_executable_of_any_size_is_looked_at(tmp_path: Path) -> None:
    small = {"zed/manager": elf("x86_64", size=100)}
    assert row_of(tmp_path, small).state == PURE
    assert row_of(tmp_path, small, executable=["zed/manager"]).state == BLOCKER


FINE: dict[str, Files] = {
    "both": {"zed/libzed_x64.so": X86, "zed/libzed_arm64.so": ARM},
    "both, of one name": {"zed/a/libzed.so": X86, "zed/b/libzed.so": ARM},
    "ARM alone": {"zed/libzed.so": ARM},
    "both in jars": {"a.jar": zipped({"l.so": X86}), "b.jar": zipped({"l.so": ARM})},
    "both static": {"a/libz.a": static(X86), "b/libz.a": static(ARM)},
    "ARM in a jar": {"zed/libzed.so": X86, "zed/zed.jar": zipped({"linux-aarch64/l.so": ARM})},
    "ARM in what is not read": {"zed/libzed.so": X86, "zed/linux-arm64.tar.xz": bytes(99)},
    "ARM in a broken jar": {"zed/libzed.so": X86, "zed/linux-arm64.jar": b"no" + bytes(99)},
    "Windows": {"zed/zed.dll": PE, "zed/bin/zed.exe": PE, "zed/z.pyd": PE},
    "macOS": {"zed/libzed.dylib": MACH_O, "zed/mac64/zed": MACH_O, "zed/libzed.so": MACH_O},
    "a script": {"zed/bin/run": b"#!/bin/sh\nexec python -m zed\n" * 9},
    "data with the name of a library": {"zed/data.so": Random(3).randbytes(9000)},
    "data of some size": {"zed/model": Random(4).randbytes(90_000)},
    "a library of FreeBSD": {"zed/libzed.so": elf("x86_64", abi=9)},
    "for 32 bits alone": {"zed/libzed.so": elf("i386")},
    "another machine": {"zed/libzed.so": elf("riscv64")},
    "data of tests": {"zed/tests/libzed.so": X86, "docs/bin/tool": X86},
    "a header alone": {"zed/libzed.so": X86[:20]},
    "many for x86, then ARM": {
        **{f"zed/lib{n}.so": elf("x86_64", size=20_000) for n in range(90)},
        "zed/zlib-arm64.so": elf("aarch64", size=20_000),
    },
}


@pytest.mark.parametrize("kind", FINE)
def test_a_wheel_without_files_for_x86_alone_stays_pure(tmp_path: Path, kind: str) -> None:
    row = row_of(tmp_path, FINE[kind], executable=["zed/bin/run"])
    assert (row.state, row.cause, row.native) == (PURE, "", False), row.detail


def test_a_package_that_works_without_them_stays_green_and_says_what_does_not(
    tmp_path: Path,
) -> None:
    with serve({"debugpy": release("debugpy", "1.0", "py3-none-any")}) as index:
        content = zipped(
            {
                "debugpy/attach_linux_amd64.so": X86,
                "debugpy-1.0.dist-info/METADATA": metadata("debugpy", "1.0"),
            }
        )
        index.files["debugpy-1.0-py3-none-any.whl"] = content
        matrix = matrix_of(tmp_path, "debugpy", index.url)
    row = matrix["debugpy"]
    assert (row.state, row.cause, row.native, row.remedy) == (PURE, "x86-inside", False, None)
    assert "for x86-64 alone it holds debugpy/attach_linux_amd64.so" in row.detail
    assert "without it there is no attaching to a running process by its id (https:" in row.detail
    assert matrix.ready


def test_of_a_native_wheel_the_directory_counts_and_no_member(tmp_path: Path) -> None:
    tag = "py3-none-manylinux_2_17_aarch64"
    with serve({"zed": release("zed", "1.0", tag)}) as index:
        index.files[f"zed-1.0-{tag}.whl"] = wheel({"zed/libzed.so": elf("x86_64", size=200_000)})
        row = matrix_of(tmp_path, "zed", index.url)["zed"]
        parts = [
            headers["Range"]
            for path, headers in index.requests
            if path.endswith("aarch64.whl") and "Range" in headers
        ]
    assert (row.state, len(parts)) == (WHEEL, 1)
    assert row.unpacked > 200_000


@pytest.mark.parametrize(
    ("good", "first"),
    [
        ({"1.3", "1.4", "1.5"}, "1.3"),
        ({"1.5"}, "1.5"),
        ({"1.1", "1.2", "1.3", "1.4", "1.5"}, "1.1"),
    ],
)
def test_the_fix_is_the_first_later_release_with_files_for_arm(
    tmp_path: Path, good: set[str], first: str
) -> None:
    versions = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]
    wheels = {
        v: wheel({"zed/bin/tool": X86, **({"zed/bin/tool-arm64": ARM} if v in good else {})}, v)
        for v in versions
    }
    with index_with(wheels) as index:
        row = matrix_of(tmp_path, "zed==1.0", index.url)["zed"]
    assert row.remedy is not None
    assert row.remedy.version == first
    assert row.remedy.text == (
        f"zed {first} has a usable wheel: change zed==1.0 (requirements.txt:1)"
    )


def test_a_later_release_with_a_wheel_for_arm_or_without_programs_is_a_fix(tmp_path: Path) -> None:
    later = release("zed", "2.0", "py3-none-manylinux_2_17_aarch64")
    projects = {"zed": joined(release("zed", "1.0", "py3-none-any"), later)}
    with serve(projects) as index:
        index.files["zed-1.0-py3-none-any.whl"] = wheel({"zed/lib.so": X86})
        row = matrix_of(tmp_path, "zed==1.0", index.url)["zed"]
    assert row.remedy is not None
    assert (row.remedy.version, row.remedy.major) == ("2.0", True)
    with index_with({"1.0": wheel({"zed/lib.so": X86}), "1.1": wheel({}, "1.1")}) as index:
        row = matrix_of(tmp_path, "zed<1.1", index.url)["zed"]
    assert row.remedy is not None
    assert row.remedy.version == "1.1"


def test_what_leads_to_it_says_so(tmp_path: Path) -> None:
    projects = {
        "zed": release("zed", "1.0", "py3-none-any"),
        "user": release("user", "1.0", "py3-none-any", requires=["zed"]),
    }
    with serve(projects) as index:
        index.files["zed-1.0-py3-none-any.whl"] = wheel({"zed/lib.so": X86})
        matrix = matrix_of(tmp_path, "user", index.url)
    assert matrix["user"].blocked_by == ("zed",)


def padded(files: Files) -> Files:
    """Before *files* what makes parts of a wheel worth fetching."""
    return {"zed/data.txt": Random(5).randbytes(2**20), **files}


def test_only_parts_of_a_wheel_are_fetched_and_once(tmp_path: Path) -> None:
    content = wheel(padded({"zed/bin/tool": X86, "zed/x.txt": Random(6).randbytes(90_000)}))
    name = "zed-1.0-py3-none-any.whl"
    with index_with({"1.0": content}) as index:
        first = matrix_of(tmp_path, "zed==1.0", index.url)
        of_file = [h for path, h in index.requests if path.endswith(name)]
        assert first["zed"].state == BLOCKER
        assert [h["Range"].partition("-")[0] for h in of_file[:1]] == ["bytes="]
        assert len(of_file) == 2, of_file
        assert matrix_of(tmp_path, "zed==1.0", index.url)["zed"] == first["zed"]
        assert matrix_of(tmp_path, "zed==1.0", index.url, offline=True)["zed"] == first["zed"]
        assert len(index.asked(name)) == len(of_file) + len(index.asked(f"{name}.metadata"))


def test_offline_says_what_was_not_looked_into(tmp_path: Path) -> None:
    with index_with({"1.0": wheel({"zed/lib.so": X86})}) as index:
        matrix_of(tmp_path, "zed==1.0", index.url, contents=False)
        matrix = matrix_of(tmp_path, "zed==1.0", index.url, offline=True)
    assert matrix["zed"].state == PURE
    (note,) = matrix.notes
    assert matrix.unread_wheels == ("zed-1.0-py3-none-any.whl",)
    assert note.startswith("1 wheel for any platform not looked into for programs: http://")
    assert note.endswith("is not in the cache, and --offline was given")


def test_without_contents_nothing_is_read_of_wheels(tmp_path: Path) -> None:
    with index_with({"1.0": wheel({"zed/lib.so": X86})}) as index:
        matrix = matrix_of(tmp_path, "zed==1.0", index.url, contents=False)
        assert index.asked(".whl") == index.asked(".whl.metadata")
    assert (matrix["zed"].state, matrix.notes) == (PURE, ())


def test_without_ranges_a_small_wheel_is_fetched_and_a_large_one_is_said_not_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = wheel({"zed/lib.so": X86})
    with index_with({"1.0": content}, ranges=False) as index:
        assert matrix_of(tmp_path, "zed==1.0", index.url)["zed"].state == BLOCKER
    monkeypatch.setattr("pytest_arm64.index.remote_metadata._WHOLE_WHEEL", len(content))
    with index_with({"1.0": wheel(padded({"zed/lib.so": X86}))}, ranges=False) as index:
        matrix = matrix_of(tmp_path, "zed==1.0", index.url)
    assert matrix["zed"].state == PURE
    assert "is too large to be fetched as a whole" in matrix.notes[0]


def test_wheels_in_a_folder_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/zed-1.0-py3-none-any.whl").write_bytes(wheel({"zed/lib.so": X86}))
    with serve({}) as index:
        links = {"find-links": str(tmp_path / "wheels")}
        assert matrix_of(tmp_path, "zed", index.url, settings=links)["zed"].state == BLOCKER


def lock_of(url: str, digest: str) -> Mapping[str, str]:
    return {
        "pyproject.toml": "[project]\nname = 'app'\nversion = '1'\ndependencies = ['zed']\n",
        "pylock.toml": "lock-version = '1.0'\ncreated-by = 'test'\n[[packages]]\nname = 'zed'\n"
        "version = '1.0'\n[[packages.wheels]]\nname = 'zed-1.0-py3-none-any.whl'\n"
        f"url = '{url}'\nhashes = {{sha256 = '{digest}'}}\n",
    }


def test_wheels_of_a_lock_are_looked_into(tmp_path: Path) -> None:
    name = "zed-1.0-py3-none-any.whl"
    wheels = {"1.0": wheel({"zed/lib.so": X86}), "1.1": wheel({}, "1.1")}
    with index_with(wheels) as index:
        url = f"{index.url.removesuffix('simple')}files/zed/{name}"
        files = lock_of(url, index.digest("zed", name))
        matrix = matrix_of_folder(tmp_path, files, index.url, path="pylock.toml")
    row = matrix["zed"]
    assert (row.state, row.cause) == (BLOCKER, "x86-inside")
    assert row.remedy is not None
    assert row.remedy.version == "1.1"


def test_wheels_of_a_lock_without_addresses_are_looked_up_in_the_index(tmp_path: Path) -> None:
    with index_with({"1.0": wheel({"zed/lib.so": X86})}) as index:
        name = "zed-1.0-py3-none-any.whl"
        files = {
            "pyproject.toml": "[project]\nname = 'app'\nversion = '1'\ndependencies = ['zed']\n"
            "[tool.poetry]\npackage-mode = false\n",
            "poetry.lock": "[[package]]\nname = 'zed'\nversion = '1.0'\noptional = false\n"
            "python-versions = '*'\ngroups = ['main']\n"
            f"files = [{{file = '{name}', hash = 'sha256:{index.digest('zed', name)}'}}]\n"
            "[metadata]\nlock-version = '2.1'\npython-versions = '*'\ncontent-hash = 'x'\n",
        }
        matrix = matrix_of_folder(tmp_path, files, index.url, path="poetry.lock")
        assert matrix["zed"].state == BLOCKER
    assert matrix.unread_wheels == ()


def test_what_only_tests_need_is_shown_and_fails_nothing(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "other\n",
        "requirements-test.txt": "zed\n",
    }
    projects = {
        "zed": release("zed", "1.0", "py3-none-any"),
        "other": release("other", "1.0", "py3-none-any"),
    }
    with serve(projects) as index:
        index.files["zed-1.0-py3-none-any.whl"] = wheel({"zed/lib.so": X86})
        matrix = matrix_of_folder(tmp_path, files, index.url)
    assert (matrix["zed"].state, matrix["zed"].scope) == (BLOCKER, TEST)
    assert matrix.ready


def test_names_in_a_wheel_reach_the_row_cut_and_printable(tmp_path: Path) -> None:
    row = row_of(tmp_path, {f"zed/{'x' * 300}/\x1b[31m\n.so": X86, "../../etc/lib.so": X86})
    assert row.state == BLOCKER
    assert row.detail.isprintable()
    assert len(row.detail) < 500


# -- hostile archives --


def with_end(content: bytes, **fields: int) -> bytes:
    """*content* with other values in the record at its end."""
    place = content.rindex(b"PK\x05\x06")
    names = ["disk", "start_disk", "here", "entries", "size", "offset", "comment"]
    values = dict(zip(names, struct.unpack_from("<HHHHLLH", content, place + 4), strict=True))
    values |= fields
    return content[: place + 4] + struct.pack("<HHHHLLH", *values.values()) + content[place + 22 :]


def zip64(content: bytes, size: int, offset: int) -> bytes:
    """*content* whose end says that a larger record before it counts."""
    place = content.rindex(b"PK\x05\x06")
    large = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, place, 1)
    whole = content[:place] + large + locator + content[place:]
    return with_end(whole, entries=0xFFFF, size=0xFFFFFFFF, offset=0xFFFFFFFF)


def many_entries(count: int) -> bytes:
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", *[20] * 4, *[0] * 4, *[0] * 3, *[0] * 7)
    size = len(entry) * count
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, size, 0, 0)
    return entry * count + end


PLAIN = wheel({"zed/lib.so": X86})
HOSTILE = {
    "nothing": b"",
    "no archive": b"x" * 1000,
    "cut": PLAIN[:-30],
    "a directory beyond its end": with_end(PLAIN, size=2**31),
    "a directory before its start": with_end(PLAIN, offset=2**31),
    "zip64, huge": zip64(PLAIN, 2**62, 0),
    "zip64, nowhere": zip64(PLAIN, 100, 2**62),
    "a million entries": many_entries(10**6),
    "more entries than it may have": many_entries(110_000),
    "a directory that is too large": many_entries(200_000) + bytes(100),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("ranges", [True, False])
def test_a_hostile_directory_is_a_note_and_no_error(
    tmp_path: Path, kind: str, ranges: bool
) -> None:
    with index_with({"1.0": PLAIN}, ranges=ranges) as index:
        index.answers["/files/zed/zed-1.0-py3-none-any.whl.metadata"] = (
            200,
            {},
            metadata("zed", "1.0"),
        )
        index.files["zed-1.0-py3-none-any.whl"] = HOSTILE[kind]
        matrix = matrix_of(tmp_path, "zed==1.0", index.url)
    assert (matrix["zed"].state, matrix.ready) == (PURE, True)
    assert matrix.notes[0].startswith("1 wheel for any platform not looked into for programs: ")


def test_a_bomb_is_not_unpacked() -> None:
    inner = zipped({f"lib{n}.so": bytes(2**20) for n in range(20)})
    bomb = zipped({f"a{n}.jar": inner for n in range(20)})
    for content in (inner, bomb, zipped({"a.jar": bomb, "b.jar": inner, "c.jar": inner})):
        assert x86_members(io.BytesIO(content)) == ()


def test_a_member_without_a_name_hides_nothing() -> None:
    content = zipped({"x": bytes(99), "zed/lib.so": X86})
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"PK\x01\x02"))
    nameless = bytearray(content)
    nameless[place + 46] = 0  # cut at the first NUL
    assert x86_members(io.BytesIO(bytes(nameless))) == ("zed/lib.so",)


def test_a_method_that_asks_for_memory_first_is_not_used() -> None:
    content = zipped({"zed/lib.so": X86}, method=zipfile.ZIP_LZMA)
    assert x86_members(io.BytesIO(content)) == ()


def test_no_more_is_fetched_of_a_wheel_than_may_be(tmp_path: Path) -> None:
    files = {f"zed/lib{n}.so": elf("riscv64", size=40_000) for n in range(400)}
    with index_with({"1.0": wheel(files)}) as index:
        assert matrix_of(tmp_path, "zed==1.0", index.url)["zed"].state == PURE
        parts = [h["Range"] for _, h in index.requests if "Range" in h]
    assert len(parts) <= 1 + 2 + wheel_rules._MOST_READ


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 200),
)
def test_any_bytes_give_an_answer_or_an_archive_error(
    changes: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(SEED)
    for place, value in changes:
        content[-1 - place % len(content)] = value
    with suppress(ArchiveError):
        names = x86_members(io.BytesIO(bytes(content[: len(content) - cut])))
        assert all(name.isprintable() for name in names)


SEED = zipped(
    {
        "zed/bin/tool": X86[:200],
        "zed/lib.a": static(X86[:200]),
        "zed/a.jar": zipped({"lib.so": X86[:200]}),
    }
)


@pytest.mark.parametrize("machine", NUMBERS)
def test_twenty_bytes_say_the_machine_of_a_linux_file(machine: str) -> None:
    assert elf_machine(elf(machine)[:20]) == machine
    assert elf_machine(elf(machine)[:19]) == ""
    assert elf_machine(elf(machine, abi=9)) == ""


def test_a_row_that_installs_in_vain_is_a_blocker_with_a_file() -> None:
    row = Row("zed", "1.0", BLOCKER, file="zed-1.0-py3-none-any.whl")
    assert row.installs_in_vain
    assert not replace(row, file="").installs_in_vain
    assert not replace(row, state=PURE).installs_in_vain


def test_the_json_has_the_cause(tmp_path: Path) -> None:
    with index_with({"1.0": PLAIN}) as index:
        matrix = matrix_of(tmp_path, "zed==1.0", index.url)
    assert WheelMatrix.from_json(matrix.to_json()).packages == matrix.packages
