"""Both installers give the same environment, file by file."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_arm64.config.cell import Cell
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import find_target
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.environment import pip_installer, plan_installer
from pytest_arm64.environment.builder_container import Host
from pytest_arm64.environment.pip_container import Request
from pytest_arm64.environment.pip_installer import Installation
from pytest_arm64.environment.provision import builder, provisioned
from pytest_arm64.index.pip_config import host_pip_config
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.progress import NoProgress

# What an installer says of itself and of the command that it was given, and byte-code.
OWN = ("INSTALLER", "REQUESTED", "direct_url.json")

# Three trees in one environment, because starting pip under emulation is what costs: headers in a
# native wheel; launchers and data files; a native package below a pure one.
EVERY_TIME = ("greenlet==3.1.1 jsonschema==4.23.0 pytz==2024.2 jinja2==3.1.4",)
ON_REQUEST = (
    "numpy pillow",
    "pandas",
    "scikit-learn",
    "opencv-python-headless",
    "cryptography",
    "fastapi[standard]",
    "sqlalchemy[asyncio]",
    "ipykernel",
    "black ruff mypy",
    "aiohttp",
    "boto3",
    "django",
    "grpcio protobuf",
    "matplotlib",
    "requests pyyaml lxml",
    "google-cloud-storage",
)
everything = os.environ.get("PYTEST_ARM64_EXTENDED", "")


@pytest.mark.parametrize("tree", EVERY_TIME + (ON_REQUEST if everything else ()))
def test_both_installers_give_the_same_files(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: str
) -> None:
    (tmp_path / "requirements.txt").write_text("\n".join(tree.split()) + "\n")
    target = find_target("al2023-python3.12", {})
    image = os.environ.get("PYTEST_ARM64_IMAGE", "").replace("{arch}", "arm64")
    cell = Cell(target, "arm64", "graviton2", image or target.reference)
    base, ran = provisioned(engine, cell, NoProgress())
    manifest = read_manifest(Settings(root=tmp_path, target=target), tmp_path)
    request = Request(manifest, ("iniconfig==2.0.0",), host_pip_config())
    host = Host(engine, cell, ran, lambda: builder(engine, cell, base, ran, NoProgress()))
    planned = plan_installer.install(host, request, NoProgress(), offline=False, refresh=False)
    with planned.files:
        one = dict(files_of(planned))
    with monkeypatch.context() as cut_off:
        # A network that answers nobody: everything comes from the caches.
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            cut_off.setenv(name, "http://127.0.0.1:9")
        again = plan_installer.install(host, request, NoProgress(), offline=True, refresh=False)
        with again.files:
            assert dict(files_of(again)) == one
    by_pip = pip_installer.install(engine, cell, ran, host.builder(), request, NoProgress())
    with by_pip.files:
        other = dict(files_of(by_pip))
    assert one.keys() == other.keys()
    assert one == other
    shown = {(p.name, p.version, p.state, p.file, p.hash, p.scope) for p in planned.packages}
    assert shown == {(p.name, p.version, p.state, p.file, p.hash, p.scope) for p in by_pip.packages}


def files_of(installation: Installation) -> Iterator[tuple[str, object]]:
    """Mode and content of every file by path; of links, where they lead."""
    with tarfile.open(fileobj=installation.files) as archive:
        for member in archive:
            path = f"{installation.at}/{member.name}".replace("//", "/")
            name = path.rpartition("/")[2]
            if "/__pycache__" in path or (name in OWN and ".dist-info/" in path):
                continue
            if member.issym():
                yield path, member.linkname
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None:
                continue
            content = stream.read()
            runs = bool(member.mode & 0o111)
            if path.endswith(".dist-info/RECORD"):
                yield path, (runs, sorted(rows(content.decode())))
            else:
                yield path, (runs, hashlib.sha256(content).hexdigest())


def rows(record: str) -> Iterator[tuple[str, ...]]:
    for row in csv.reader(io.StringIO(record)):
        if "__pycache__" not in row[0] and row[0].rpartition("/")[2] not in OWN:
            yield tuple(row)
