"""Damages files of every kind that strangers may write, and has the product read them.

Each kind has seeds, which are whole, and a reader. A reader refuses a damaged file with one of its
own errors. It fails with any other, with more than SECONDS of a processor for one file, with more
than MEMORY bytes in all, and where it opens a file outside of its folder for writing.
``scripts/fuzz`` runs it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import io
import json
import os
import random
import re
import signal
import sys
import tarfile
import tempfile
import types
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

SECONDS = 5
MEMORY = 500 << 20
NUMBERS = (b"0", b"-1", b"2147483648", b"18446744073709551616", b"1e999", b"9" * 5000)
WORDS = (
    *(b"null", b"true", b"[]", b"{}", b'""', b"NaN", b"\xff\xfe", b"\\ud800", b"\0", b"../../x"),
    *(
        b"/etc/passwd",
        b"\n",
        b"[" * 2000,
        b"{" * 2000,
        b'{"":' * 2000,
        b" " * 9000,
        b"%s",
        b"\x1b[2J",
    ),
)
_NUMBER = re.compile(rb"-?\d+")
_STRING = re.compile(rb'"[^"\n]{0,200}"')


class HangError(Exception):
    """A reader took more than SECONDS of a processor."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """Files of one format."""

    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[bytes, Path], object]
    """Reads one file, which it may first write into the given folder."""
    refusals: Callable[[], tuple[type[Exception], ...]]
    """What it raises of a file that it refuses."""
    parts: Callable[[bytes, random.Random], bytes] | None = None
    """Damages what is packed inside, and packs it again."""


@dataclasses.dataclass(frozen=True)
class Failure:
    """A damaged file of which the reader did not say that it is damaged."""

    number: int
    data: bytes
    problem: str


def damaged(seed: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """*seed* with one to sixteen changes, mostly near its beginning."""
    data = bytearray(seed)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        reach = min(len(data), chance.choice([64, 600, len(data) or 1]))
        place = chance.randrange(reach) if reach else 0
        change = chance.randrange(8)
        if change == 0:
            data[place : place + 1] = bytes([chance.randrange(256)])
        elif change == 1:
            data[place : place + 8] = chance.choice([b"\xff" * 8, bytes(8), b"\x01" + bytes(7)])
        elif change == 2:
            data[place:place] = chance.choice(WORDS)
        elif change == 3:
            del data[place : place + chance.choice([1, 4, 200])]
        elif change == 4:
            _replace(data, _NUMBER, chance.choice(NUMBERS), chance)
        elif change == 5:
            _replace(data, _STRING, chance.choice(WORDS), chance)
        elif change == 6:
            end = place + chance.choice([8, 80, 800])
            data[place:place] = bytes(data[place:end])
        else:
            other = chance.choice(others)
            start = chance.randrange(len(other) or 1)
            data[place : place + 40] = other[start : start + 40]
    if chance.random() < 0.1:
        del data[chance.randrange(len(data) or 1) :]
    return bytes(data)


def _replace(data: bytearray, pattern: re.Pattern[bytes], by: bytes, chance: random.Random) -> None:
    matches = list(pattern.finditer(data[:20_000]))
    if matches:
        start, end = chance.choice(matches).span()
        data[start:end] = by


def fuzz(
    kind: str, mutations: int, folder: Path, *, seed: int = 0, first: int = 0
) -> Iterator[Failure | None]:
    """Read *mutations* damaged files, the first one with the number *first*; a value for each.

    Args:
        kind: a key of KINDS.
        mutations: how many.
        folder: an empty folder for files that are read by path.
        seed: of the random numbers; one seed and number are always the same file.
        first: number of the first file.
    """
    how = KINDS[kind]
    seeds = how.seeds()
    refusals = how.refusals()
    for whole in seeds:
        how.read(whole, folder)
    with _watched(folder) as writes, _limited():
        for number in range(first, first + mutations):
            chance = random.Random(f"{seed}-{kind}-{number}")
            data = chance.choice(seeds)
            if how.parts is not None and chance.random() < 0.6:
                data = how.parts(data, chance)
            else:
                data = damaged(data, chance, seeds)
            problem = _problem(how, data, folder, refusals)
            if writes:
                problem = f"wrote {writes.pop()}"
            yield Failure(number, data, problem) if problem else None


def _problem(how: Kind, data: bytes, folder: Path, refusals: tuple[type[Exception], ...]) -> str:
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        how.read(data, folder)
    except refusals:
        return ""
    except HangError:
        return f"took more than {SECONDS} s"
    except Exception as error:  # noqa: BLE001  # which ones there are is the question
        return f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


@contextmanager
def _limited() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, late)
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, before)


_WATCHED: list[tuple[str, list[str]]] = []


@contextmanager
def _watched(folder: Path) -> Iterator[list[str]]:
    """The files outside of *folder* that are opened for writing, while it lasts."""
    if not any(hook is _on_open for hook in _HOOKS):
        _HOOKS.append(_on_open)
        sys.addaudithook(_on_open)
    writes: list[str] = []
    _WATCHED.append((str(folder), writes))
    try:
        yield writes
    finally:
        _WATCHED.pop()


_HOOKS: list[Callable[[str, tuple[object, ...]], None]] = []


def _on_open(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not _WATCHED:
        return
    path, _, flags = arguments
    folder, writes = _WATCHED[-1]
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
        name = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
        allowed = (folder, tempfile.gettempdir(), "/dev/")
        if name and not str(Path.cwd() / name).startswith(allowed):
            writes.append(name)


def memory_peak() -> int:
    """Bytes of memory that this process has held at most."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


# --- the kinds -----------------------------------------------------------------------------------


def _elf_seeds() -> list[bytes]:
    from unit.binary.elves import elf

    made = elf(
        soname="liba.so",
        needed=["libc.so.6"],
        needs={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.38"]},
        symbols={"strlcpy": "GLIBC_2.38"},
        defines=["A_1"],
    )
    return [made, Path(sys.executable).resolve().read_bytes()[:200_000]]


def _read_elf(data: bytes, folder: Path) -> None:
    from pytest_arm64.binary.elf import read_elf
    from pytest_arm64.binary.second_reader import read_again

    read_elf(data)
    read_again(data, frozenset({("libc.so.6", "GLIBC_2.38")}))


def _elf_refusals() -> tuple[type[Exception], ...]:
    from pytest_arm64.binary.elf import ElfError

    return (ElfError,)


def _wheel_seeds() -> list[bytes]:
    from unit.environment.test_wheels import wheel

    with tempfile.TemporaryDirectory() as name:
        files: dict[str, str | bytes] = {
            "demo/__init__.py": "VALUE = 1\n",
            "demo-1.0.data/scripts/demo": "#!python\nprint()\n",
            "demo-1.0.dist-info/entry_points.txt": "[console_scripts]\ndemo = demo:main\n",
            "demo/native.so": _elf_seeds()[0],
        }
        return [wheel(Path(name), files).read_bytes()]


def _read_wheel(data: bytes, folder: Path) -> None:
    from pytest_arm64 import cache
    from pytest_arm64.binary.scan import scan_path
    from pytest_arm64.binary.system import declared_system
    from pytest_arm64.contents.wheel_rules import x86_members
    from pytest_arm64.environment.bytecode import Compiler
    from pytest_arm64.environment.tree import ENV
    from pytest_arm64.environment.wheel_layer import layer_of
    from pytest_arm64.index.archives import ArchiveError
    from unit.support import AL2023, PYTHON

    path = folder / "demo-1.0-py3-none-any.whl"
    path.write_bytes(data)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    assert str(cache.cache_folder()).startswith(str(folder))
    scan_path(path, declared_system(AL2023), AL2023)
    with path.open("rb") as stream, contextlib.suppress(ArchiveError):
        x86_members(stream)
    layer = layer_of(path, "", ENV, PYTHON, Compiler())
    layer.path.unlink()


def _arm64_errors() -> tuple[type[Exception], ...]:
    from pytest_arm64.errors import Arm64Error

    return (Arm64Error,)


def _within_zip(data: bytes, chance: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in _with_damage(members, chance).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _within_tar(data: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.4:  # the tar itself; behind gzip's checksum no damage would arrive
        return gzip.compress(damaged(gzip.decompress(data), chance, [data]), 1)
    members = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for info in archive:
            content = archive.extractfile(info)
            members[info.name] = content.read() if content else b""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, content_ in _with_damage(members, chance).items():
            info = tarfile.TarInfo(name)
            info.size = len(content_)
            archive.addfile(info, io.BytesIO(content_))
    return buffer.getvalue()


def _with_damage(members: Mapping[str, bytes], chance: random.Random) -> dict[str, bytes]:
    """*members* with one damaged, as content or as a name."""
    result = dict(members)
    name = chance.choice(sorted(result))
    if chance.random() < 0.3:
        content = result.pop(name)
        broken = damaged(name.encode(), chance, [b"../x/", b"a" * 300])
        name = broken.replace(b"\0", b"").decode("utf-8", "replace")[:500] or "x"
        result[name] = content
    else:
        result[name] = damaged(result[name], chance, sorted(members.values()))
    return result


def _sdist_seeds() -> list[bytes]:
    from unit.index.served import sdist

    files = {
        "setup.py": b"from setuptools import setup\nsetup(name='demo', install_requires=['a'])\n",
        "setup.cfg": b"[options]\ninstall_requires =\n    b<2\n",
        "pyproject.toml": b'[build-system]\nrequires = ["setuptools"]\n[project]\nname = "demo"\n',
        "demo/speedups.c": b"int x;\n",
    }
    return [
        sdist("demo", "1.0", ["a>=1; python_version < '4'"], files=files),
        sdist("demo", "1.0", ["a"], edition="2.1"),
    ]


def _read_sdist(data: bytes, folder: Path) -> None:
    from contextlib import nullcontext
    from types import SimpleNamespace

    from pytest_arm64 import cache
    from pytest_arm64.contents.sdists import SdistReader
    from pytest_arm64.index.archives import ArchiveError, sdist_member_from_tar
    from pytest_arm64.index.metadata import parse_metadata
    from pytest_arm64.index.simple import SDIST, IndexFile

    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    assert str(cache.cache_folder()).startswith(str(folder))
    file = IndexFile("demo-1.0.tar.gz", "https://h/demo-1.0.tar.gz", SDIST, "1.0")
    reply = SimpleNamespace(status=200)
    fetcher = SimpleNamespace(open=lambda url: nullcontext((reply, io.BytesIO(data))))
    SdistReader(cast(Any, SimpleNamespace(fetcher=fetcher))).contents("demo", file)
    try:
        content = sdist_member_from_tar(io.BytesIO(data), file.name, "demo")
    except ArchiveError:
        return
    parse_metadata(content, "demo", file)


def _sdist_refusals() -> tuple[type[Exception], ...]:
    from pytest_arm64.index.archives import ArchiveError
    from pytest_arm64.index.metadata import MetadataError

    return (ArchiveError, MetadataError)


def _page_seeds() -> list[bytes]:
    files = [
        {
            "filename": f"demo-{version}-{tag}.whl",
            "url": f"../../files/demo-{version}-{tag}.whl#sha256={'0' * 64}",
            "hashes": {"sha256": "a" * 64},
            "requires-python": ">=3.8",
            "yanked": False,
            "core-metadata": {"sha256": "b" * 64},
            "size": 1000,
        }
        for version in ("1.0", "2.0rc1")
        for tag in ("py3-none-any", "cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64")
    ]
    page = json.dumps({"meta": {"api-version": "1.1"}, "name": "demo", "files": files}).encode()
    links = "".join(
        f'<a href="{file["url"]}" data-requires-python="&gt;=3.8" data-yanked="bad">'
        f"{file['filename']}</a><br>\n"
        for file in files
    )
    return [page, f"<!DOCTYPE html><html><body>\n{links}</body></html>".encode()]


def _read_page(data: bytes, folder: Path) -> None:
    from pytest_arm64.index.simple import parse_page

    kind = "text/html" if b"<a" in data else "application/vnd.pypi.simple.v1+json"
    parse_page("demo", data, kind, "https://h/simple/demo/")


def _page_refusals() -> tuple[type[Exception], ...]:
    from pytest_arm64.index.simple import PageError

    return (PageError,)


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
_LOCKS = {b"created-by": "pylock.toml", b"python-versions": "poetry.lock", b"": "uv.lock"}
_MANIFEST = """[project]
name = "shop"
version = "1"
dependencies = ["zed"]
[tool.poetry.dependencies]
zed = ">=1"
"""


def _lock_seeds() -> list[bytes]:
    return [_UV.encode(), _PYLOCK.encode(), _POETRY.encode()]


def _read_lock(data: bytes, folder: Path) -> None:
    from pytest_arm64.inputs.service import read_service

    name = next(name for mark, name in _LOCKS.items() if mark in data)
    place = folder / name.partition(".")[0]
    (place / "near").mkdir(parents=True, exist_ok=True)
    (place / "pyproject.toml").write_text(_MANIFEST)
    (place / name).write_bytes(data)
    read_service(place / name, {}, root=place)


def _golden_seeds() -> list[bytes]:
    import numpy as np

    from pytest_arm64.inside.golden.store import Golden, StoredValue, encode
    from pytest_arm64.inside.golden.values import stored

    values: dict[str, object] = {
        "array": np.arange(12.0).reshape(3, 4),
        "tree": {"a": [1, 2.5, None, "x"], "b": (True, b"raw")},
    }
    recorded = {name: StoredValue(stored(value), {"": 0.5}) for name, value in values.items()}
    files = encode(Golden("test_it", recorded, {}), "key")
    return [_joined(files[".json"], files[".npz"])]


def _joined(text: bytes, packed: bytes) -> bytes:
    """The two files of a golden as one: damage comes to either."""
    return len(text).to_bytes(4, "big") + text + packed


def _separated(data: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(data[:4], "big")
    return data[4 : 4 + length], data[4 + length :]


def _golden_parts(data: bytes, chance: random.Random) -> bytes:
    text, packed = _separated(data)
    if chance.random() < 0.6:
        text = damaged(text, chance, [text])
    else:
        packed = _within_zip(packed, chance)
    return _joined(text, packed)


def _read_golden(data: bytes, folder: Path) -> None:
    from pytest_arm64.inside.golden.leaves import compare
    from pytest_arm64.inside.golden.policy import Policy
    from pytest_arm64.inside.golden.store import PROVENANCE, encode, read
    from pytest_arm64.inside.golden.values import stored

    text, packed = _separated(data)
    (folder / "test_it.json").write_bytes(text)
    (folder / "test_it.npz").write_bytes(packed)
    (folder / PROVENANCE).write_text('{"format": 1, "runs": {"key": {"cpu": "some"}}}')
    golden = read(folder, "test_it")
    if golden is not None:
        for kept in golden.values.values():
            compare("v", kept.value, stored([1, 2.5]), Policy())
        encode(golden, "key")


def _frame_seeds() -> list[bytes]:
    from pytest_arm64.inside.frames import Frame

    lines = [json.dumps([0, [f.__name__, *_fields(f)]]).encode() + b"\n" for f in get_args(Frame)]
    return [*lines, b"".join(lines), b"text \0arm64-nonce-1\0 more\n"]


def _fields(record: type) -> list[object]:
    """A value for each field of *record*, as its annotation wants it."""
    return [_sample(hint) for hint in get_type_hints(record).values()]


def _sample(hint: object) -> object:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _sample(arguments[0])
    if origin is list:
        return [_sample(arguments[0])]
    if origin is dict:
        return {"a": _sample(arguments[1])}
    if origin is tuple:
        return [_sample(argument) for argument in arguments]
    if isinstance(hint, type) and issubclass(hint, tuple):
        return _fields(hint)
    return {str: "a", int: 1, float: 1.5, bool: True}.get(cast(type, hint))


def _read_frame(data: bytes, folder: Path) -> None:
    from pytest_arm64.mirror.frames import Ordered

    ordered = Ordered("nonce")
    protocol = b"\0arm64-" not in data
    middle = len(data) // 2
    for part in (data[:middle], data[middle:]):
        list(ordered.feed(part, protocol=protocol))
    list(ordered.rest())


def _frame_refusals() -> tuple[type[Exception], ...]:
    from pytest_arm64.errors import ProtocolError

    return (ProtocolError,)


def _report_seeds() -> list[bytes]:
    from unit.report.made_reports import ordinary, shown

    return [json.dumps(report.to_json()).encode() for report in (ordinary(), shown())]


def _read_report(data: bytes, folder: Path) -> None:
    from pytest_arm64.report.document import read_report
    from pytest_arm64.report.markdown import report_markdown
    from pytest_arm64.report.merge import merge
    from pytest_arm64.report.page import html_page

    path = folder / "report.json"
    path.write_bytes(data)
    report = read_report(path)
    report_markdown(report)
    html_page(report)
    merge([report, report], report.made_at)


KINDS = {
    "elf": Kind(_elf_seeds, _read_elf, _elf_refusals),
    "wheel": Kind(_wheel_seeds, _read_wheel, _arm64_errors, _within_zip),
    "sdist": Kind(_sdist_seeds, _read_sdist, _sdist_refusals, _within_tar),
    "page": Kind(_page_seeds, _read_page, _page_refusals),
    "lock": Kind(_lock_seeds, _read_lock, _arm64_errors),
    "golden": Kind(_golden_seeds, _read_golden, _arm64_errors, _golden_parts),
    "frame": Kind(_frame_seeds, _read_frame, _frame_refusals),
    "report": Kind(_report_seeds, _read_report, _arm64_errors),
}
