"""What package indexes serve: pages, distributions, and what is in these."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from .harness import Kind
from .packed import within_tar, within_zip
from .refusals import arm64_errors


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
    from pytest_arm64.binary.elf import ElfError, read_elf
    from pytest_arm64.binary.second_reader import read_again

    try:
        read_elf(data)
    except ElfError as error:
        if not str(error).startswith(("it ", "its ", "a ")):  # it goes on behind the file's name
            raise ValueError(str(error)) from error
        raise
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
    scan_path(path, declared_system(AL2023), AL2023)
    with path.open("rb") as stream, contextlib.suppress(ArchiveError):
        x86_members(stream)
    layer = layer_of(path, "", ENV, PYTHON, Compiler())
    layer.path.unlink()


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

    from pytest_arm64.contents.sdists import SdistReader
    from pytest_arm64.index.archives import ArchiveError, sdist_member_from_tar
    from pytest_arm64.index.metadata import parse_metadata
    from pytest_arm64.index.simple import SDIST, IndexFile

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


def _metadata_seeds() -> list[bytes]:
    return [
        b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nRequires-Python: >=3.8\n"
        b"Requires-Dist: zed[more]>=1,<2; python_version < '4' and extra == 'all'\n"
        b"Requires-Dist: near @ https://h/near-1.0.tar.gz\nProvides-Extra: all\n"
        b"Dynamic: License\n\ntext \xc3\xa4\n"
    ]


def _read_metadata(data: bytes, folder: Path) -> None:
    from pytest_arm64.index.metadata import parse_metadata
    from pytest_arm64.index.simple import SDIST, WHEEL, IndexFile

    wheel = IndexFile("demo-1.0-py3-none-any.whl", "https://h/w", WHEEL, "1.0")
    sdist = IndexFile("demo-1.0.tar.gz", "https://h/s", SDIST, "1.0")
    parse_metadata(data, "demo", sdist)
    parse_metadata(data, "demo", wheel)


def _metadata_refusals() -> tuple[type[Exception], ...]:
    from pytest_arm64.index.metadata import MetadataError

    return (MetadataError,)


RELEASES: Mapping[str, Kind] = {
    "elf": Kind(_elf_seeds, _read_elf, _elf_refusals),
    "wheel": Kind(_wheel_seeds, _read_wheel, arm64_errors, within_zip),
    "sdist": Kind(_sdist_seeds, _read_sdist, _sdist_refusals, within_tar),
    "page": Kind(_page_seeds, _read_page, _page_refusals),
    "metadata": Kind(_metadata_seeds, _read_metadata, _metadata_refusals),
}
