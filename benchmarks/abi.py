"""How long the scan of compiled files takes, beside `auditwheel show` and one `readelf -V -d`.

All three look at the same wheels, in turn; agreement with readelf is checked on every need.

    pip install auditwheel; python benchmarks/abi.py [--files 2000] [--rounds 3] [--wheels FOLDER]
"""

from __future__ import annotations

import argparse
import importlib.util
import mmap
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pytest_arm64.binary.elf import MAGIC, Elf, read_elf
from pytest_arm64.binary.scan import scan_path
from pytest_arm64.binary.system import declared_system
from pytest_arm64.config.targets import find_target

PROJECTS = (
    *("numpy", "scipy", "pandas", "scikit-learn", "pillow", "opencv-python-headless", "lxml"),
    *("grpcio", "cryptography", "pyyaml", "matplotlib", "pyarrow", "aiohttp", "sqlalchemy"),
    *("scikit-image", "h5py", "statsmodels", "shapely", "numba", "msgpack", "psutil"),
)
PYTHONS = ("3.11", "3.12", "3.13", "3.10", "3.14")
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17")


def fetch(folder: Path, python: str) -> None:
    """aarch64 wheels of all projects for one Python; what has none is left out."""
    tags = [word for tag in PLATFORMS for word in ("--platform", f"{tag}_aarch64")]
    for project in PROJECTS:
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--only-binary", ":all:", "--python-version", python, "-d", str(folder)),
                *("--platform", "manylinux2014_aarch64", *tags, project),
            ],
            check=False,
            capture_output=True,
        )


def unpack(wheels: list[Path], folder: Path) -> Iterator[Path]:
    """The compiled files of *wheels*."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for member, info in enumerate(archive.infolist()):
                with archive.open(info) as stream:
                    if stream.read(4) != MAGIC:
                        continue
                path = folder / f"{wheel.stem}-{member}.so"
                path.write_bytes(archive.read(info))
                yield path


def read_all(paths: list[Path]) -> dict[Path, Elf]:
    """Ours, on unpacked files, as readelf has them."""
    found = {}
    for path in paths:
        with (
            path.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            found[path] = read_elf(data)
    return found


def readelf(paths: list[Path]) -> str:
    """What readelf says of all of them, in one process."""
    return subprocess.run(
        ["readelf", "-V", "-d", "-W", *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout


def disagreements(found: dict[Path, Elf], told: str) -> int:
    """Files whose needs are not those that readelf tells."""
    wrong = 0
    sections = re.split(r"(?m)^File: .*$", told)[1:]
    for (_, elf), text in zip(found.items(), sections, strict=True):
        needs, library = [], ""
        for line in text.splitlines():
            if "  File: " in line and "Version:" in line:
                library = line.split("File: ")[1].split()[0]
            name = re.search(r"^ +(?:0x)?[0-9a-f]+: +Name: (\S+)  Flags: .*Version: \d+", line)
            if name and library:
                needs.append((library, name[1]))
        same = re.findall(r"\(NEEDED\).*\[(.*)\]", text) == list(elf.needed)
        wrong += not same or needs != [(need.library, need.version) for need in elf.needs]
    return wrong


def timed(call: object) -> float:
    """Seconds that *call* takes."""
    began = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - began


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wheels", type=Path, help="where wheels are, or are fetched to")
    options = parser.parse_args()
    target = find_target("al2023-python3.12", {})
    system = declared_system(target)
    with tempfile.TemporaryDirectory() as name:
        folder = options.wheels or Path(name, "wheels")
        files = Path(name, "files")
        files.mkdir()
        paths: list[Path] = []
        wheels: list[Path] = []
        there = options.wheels is not None and len(list(folder.glob("*.whl"))) > len(PROJECTS)
        for python in PYTHONS:
            if not there:
                fetch(folder, python)
            new = [wheel for wheel in sorted(folder.glob("*.whl")) if wheel not in wheels]
            wheels += new
            paths += unpack(new, files)
            if len(paths) >= options.files:
                break
        size = sum(path.stat().st_size for path in paths) >> 20
        print(f"{len(paths)} compiled files of {len(wheels)} wheels, {size} MiB")
        print(f"disagreements with readelf: {disagreements(read_all(paths), readelf(paths))}")
        if importlib.util.find_spec("auditwheel") is None:
            raise SystemExit("auditwheel is not installed here, and its failures are not its speed")
        show = [sys.executable, "-m", "auditwheel", "show"]
        sides = {
            "read": lambda: read_all(paths),
            "readelf": lambda: readelf(paths),
            "abi": lambda: [scan_path(wheel, system, target) for wheel in wheels],
            "auditwheel": lambda: [
                subprocess.run([*show, str(w)], capture_output=True, check=False) for w in wheels
            ],
        }
        best = dict.fromkeys(sides, float("inf"))
        for _ in range(options.rounds):
            for side, call in sides.items():
                best[side] = min(best[side], timed(call))
        for side, seconds in best.items():
            print(f"{side:12} {seconds:7.2f} s")
        print(f"auditwheel / abi     {best['auditwheel'] / best['abi']:6.1f}")
        print(f"read / readelf       {best['read'] / best['readelf']:6.2f}")


if __name__ == "__main__":
    main()
