"""How much faster the plan installer makes an environment than pip inside the emulated container.

Both sides use the same index, image and core, and both find the venv and a modern pip in place: of
pip only its two `install` commands are timed. Of the plan everything is timed: resolving, fetching,
unpacking, byte-code, and putting the files into a container. *cold* has empty caches, *warm* those
of the round before. *found again* is what a second run pays, for which nothing has changed: its
environment is there, and is looked for.

    eval "$(scripts/engine env)"
    python benchmarks/environment.py [--rounds 3] [--tree numpy,pillow]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_arm64.config.cell import Cell, ImageFacts
from pytest_arm64.config.settings import Settings
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.emulation import qemu_environment
from pytest_arm64.engine.endpoint import Engine, open_engine
from pytest_arm64.environment import plan_installer
from pytest_arm64.environment.build import make_environment
from pytest_arm64.environment.builder_container import Host
from pytest_arm64.environment.pip_container import Request, builder_container
from pytest_arm64.environment.provision import builder, provisioned
from pytest_arm64.environment.tree import PYTHON, TESTS, TarEntry, tar_of
from pytest_arm64.index.pip_config import PipConfig, host_pip_config
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.progress import NoProgress
from pytest_arm64.setup.doctor import settings_here

TREES = ("numpy,pillow", "scikit-learn,opencv-python-headless,pandas")
RUNNER = ("pytest",)


@contextmanager
def empty_cache() -> Iterator[None]:
    """A cache folder of its own."""
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["XDG_CACHE_HOME"]
            else:
                os.environ["XDG_CACHE_HOME"] = before


def planned(host: Host, image: str, request: Request) -> float:
    """Seconds for the plan, down to the files in a container of *image*."""
    with Container(host.engine, Plan(image=image, platform=host.cell.platform)) as container:
        began = time.perf_counter()
        made = plan_installer.install(host, request, NoProgress(), offline=False, refresh=False)
        with made.files:
            container.put(made.at, made.files)
        return time.perf_counter() - began


def found_again(host: Host, settings: Settings, folder: Path, config: PipConfig) -> float:
    """Seconds until an environment that is there already is known to be."""
    for _ in range(2):
        began = time.perf_counter()
        made = make_environment(host.engine, host.cell, settings, folder, NoProgress(), config)
        seconds = time.perf_counter() - began
    assert made.reused
    return seconds


def started(host: Host, image: str) -> float:
    """Seconds that a container takes to start and run one program."""
    began = time.perf_counter()
    with Container(host.engine, Plan(image=image, platform=host.cell.platform)) as container:
        container.run(["true"], environment=qemu_environment(host.cell, host.engine))
        return time.perf_counter() - began


def inside(engine: Engine, cell: Cell, ran: ImageFacts, host: Host, request: Request) -> float:
    """Seconds for pip's own two commands in the container."""
    variables = qemu_environment(cell, engine)
    pip = [PYTHON, "-m", "pip", "install", "-q", "--progress-bar", "off"]
    (requirements,) = request.manifest.deploy.files
    with builder_container(engine, cell, ran, host.builder(), request, network=True) as container:
        container.put("/", tar_of({str(requirements): TarEntry(requirements.read_bytes())}))
        began = time.perf_counter()
        for arguments in (["-r", str(requirements)], ["--prefix", TESTS, *RUNNER]):
            finished = container.run([*pip, *arguments], environment=variables)
            if finished.code:
                raise SystemExit(finished.text)
        return time.perf_counter() - began


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tree", nargs="*", default=TREES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, open_engine() as engine:
        for tree in options.tree:
            folder = Path(name, tree.replace(",", "-"))
            folder.mkdir()
            (folder / "requirements.txt").write_text(tree.replace(",", "\n") + "\n")
            settings = settings_here(folder)
            image = settings.image.replace("{arch}", "arm64") or settings.target.reference
            cell = Cell(settings.target, "arm64", settings.core, image)
            base, ran = provisioned(engine, cell, NoProgress())
            with_compiler = builder(engine, cell, base, ran, NoProgress())
            host = Host(engine, cell, ran, lambda made=with_compiler: made)  # type: ignore[misc]
            request = Request(read_manifest(settings, folder), RUNNER, host_pip_config())
            cold, warm, again, pip, start = [], [], [], [], []
            for _ in range(options.rounds):
                with empty_cache():
                    cold.append(planned(host, base.id, request))
                    warm.append(planned(host, base.id, request))
                again.append(found_again(host, settings, folder, request.config))
                start.append(started(host, base.id))
                pip.append(inside(engine, cell, ran, host, request))
            print(f"{tree} + pytest, on {engine.machine}, core {ran.core}")
            print(f"  a container  {min(start):6.2f} s   to start and run `true`")
            print(f"  pip inside  {min(pip):7.2f} s")
            print(f"  plan, cold  {min(cold):7.2f} s   {min(pip) / min(cold):6.1f} times faster")
            print(f"  plan, warm  {min(warm):7.2f} s   {min(pip) / min(warm):6.1f} times faster")
            print(f"  found again {min(again):7.2f} s   {min(again) / min(start):6.2f} of a start")


if __name__ == "__main__":
    main()
