"""How much faster source distributions are built with a cross compiler (``--arm64-cross auto``).

Both sides build the same sources in turn, in builders of the same image and core, with the same
build requirements, which are laid beside them before the clock starts. Then their files are
compared: which are the same, byte by byte, and which compiled ones define or need other symbols.

    eval "$(scripts/engine env)"
    python benchmarks/cross.py [--rounds 1] [NAME==VERSION …]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TypeVar
from unittest import mock

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from pytest_arm64.config.cell import Cell
from pytest_arm64.engine.endpoint import open_engine
from pytest_arm64.environment import plan_installer
from pytest_arm64.environment.builder_container import Host
from pytest_arm64.environment.cross import cross_builder
from pytest_arm64.environment.pip_container import Request
from pytest_arm64.environment.provision import builder, provisioned
from pytest_arm64.environment.tree import ENV
from pytest_arm64.index.pip_config import host_pip_config
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.progress import NoProgress
from pytest_arm64.setup.doctor import settings_here

PACKAGES = ("msgpack==1.1.2", "regex==2025.9.18", "pyyaml==6.0.3", "lz4==4.4.4", "contourpy==1.3.3")


T = TypeVar("T")


def _same(made: T, *_: object) -> T:
    return made


@contextmanager
def empty_cache() -> Iterator[None]:
    """A cache folder of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, XDG_CACHE_HOME=folder),
    ):
        yield


def built(host: Host, request: Request) -> tuple[float, dict[str, bytes], str]:
    """Seconds of the builds, files that they give, and what compiled them."""
    made = plan_installer.install(host, request, NoProgress(), offline=False, refresh=False)
    with made.files, tarfile.open(fileobj=made.files) as archive:
        below = ENV.lstrip("/")
        files = {
            member.name: stream.read()
            for member in archive
            if member.name.startswith(below)
            and member.isreg()
            and not member.name.endswith((".pyc", "/RECORD"))
            and (stream := archive.extractfile(member)) is not None
        }
    sources = [package for package in made.packages if package.state == "source"]
    how = ", ".join(sorted({package.cross for package in sources})) or made.not_crossed
    return sum(package.seconds for package in sources), files, how


def symbols(content: bytes) -> set[str]:
    """Dynamic symbols that a compiled file defines or needs, with its machine."""
    elf = ELFFile(BytesIO(content))
    table = elf.get_section_by_name(".dynsym")
    assert isinstance(table, SymbolTableSection)
    names = {
        f"{'needs' if symbol['st_shndx'] == 'SHN_UNDEF' else 'defines'} {symbol.name}"
        for symbol in table.iter_symbols()
    }
    return names | {str(elf["e_machine"])}


def compared(plain: Mapping[str, bytes], cross: Mapping[str, bytes]) -> str:
    """In words, how the files of both sides differ."""
    if set(plain) != set(cross):
        return f"other files: {sorted(set(plain) ^ set(cross))[:3]}"
    compiled = [name for name, content in plain.items() if content.startswith(b"\x7fELF")]
    same = [name for name in plain if plain[name] == cross[name]]
    equal = sum(name in same for name in compiled)
    other = [n for n in compiled if symbols(plain[n]) != symbols(cross[n])]
    return (
        f"{equal} of {len(compiled)} compiled files are the same, byte by byte; "
        f"{len(other)} have other symbols; of {len(plain)} files {len(same)} are the same"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("packages", nargs="*", default=PACKAGES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, open_engine() as engine:
        for package in options.packages:
            folder = Path(name, hashlib.sha256(package.encode()).hexdigest()[:8])
            folder.mkdir()
            only = package.partition("==")[0]
            (folder / "requirements.txt").write_text(f"--no-binary {only}\n{package}\n")
            settings = settings_here(folder)
            image = settings.image.replace("{arch}", "arm64") or settings.target.reference
            cell = Cell(settings.target, "arm64", settings.core, image)
            base, ran = provisioned(engine, cell, NoProgress())
            own = builder(engine, cell, base, ran, NoProgress())
            image = settings.cross_image
            crossed = cross_builder(engine, cell, own, image, NoProgress(), offline=False)
            plain_host = Host(engine, cell, ran, partial(_same, own))
            cross_host = replace(plain_host, cross=partial(_same, crossed))
            request = Request(read_manifest(settings, folder), (), host_pip_config())
            slow, fast = [], []
            for _ in range(options.rounds):
                with empty_cache():
                    seconds, files, how = built(cross_host, request)
                    fast.append(seconds)
                with empty_cache():
                    seconds, plain, _ = built(plain_host, request)
                    slow.append(seconds)
            ratio = min(slow) / min(fast)
            print(f"{package}, core {ran.core}, {how}")
            print(f"  emulated {min(slow):7.1f} s   cross {min(fast):7.1f} s", end="")
            print(f"   {ratio:.1f} times faster")
            print(f"  {compared(plain, files)}", flush=True)


if __name__ == "__main__":
    main()
