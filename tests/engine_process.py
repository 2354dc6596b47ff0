"""A dockerd of a test's own, which can be stopped, killed, and have its disk filled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60.0
DISK_MIB = 1500


class EngineProcess:
    """One dockerd after the other on the same disk.

    Network and mounts are a namespace of its own, so that no other engine's bridge is touched and
    that the disk, which is in memory, goes with the process that holds the namespace.
    """

    def __init__(self, folder: Path, holder: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._holder = holder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"unix://{self._folder / 's'}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        folder = self._folder
        # Left by one that was killed; any process of such a number would be taken for it.
        for name in ("pid", "exec/containerd/containerd.pid"):
            (folder / name).unlink(missing_ok=True)
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._inside(),
                    "dockerd",
                    f"--config-file={folder / 'daemon.json'}",
                    f"--host={self.address}",
                    f"--data-root={folder / 'data'}",
                    f"--exec-root={folder / 'exec'}",
                    f"--pidfile={folder / 'pid'}",
                    "--iptables=false",
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
            time.sleep(0.1)

    def end(self, number: signal.Signals) -> None:
        """Send it *number*, and wait until it has ended."""
        assert self._process is not None
        # nsenter becomes dockerd: it is the same process.
        self._process.send_signal(number)
        self._process.wait(START_SECONDS)

    def fill(self, left_kib: int) -> None:
        """Fill its disk until *left_kib* are free."""
        data = f"{self._folder}/data"
        script = f"free=$(df -Pk {data} | awk 'END {{ print $4 }}'); fallocate -l"
        self._run("sh", "-c", f'{script} "$((free - {left_kib}))KiB" {data}/filler')

    def empty(self) -> None:
        """Give back what :meth:`fill` took."""
        self._run("rm", f"{self._folder}/data/filler")

    def _run(self, *command: str) -> None:
        subprocess.run([*self._inside(), *command], check=True)

    def _inside(self) -> list[str]:
        return ["nsenter", f"--target={self._holder.pid}", "--net", "--mount", "--"]

    def _answers(self) -> bool:
        asked = subprocess.run(
            ["docker", "version"],
            env={**os.environ, "DOCKER_HOST": self.address},
            check=False,
            capture_output=True,
        )
        return asked.returncode == 0


@contextmanager
def engine_process(folder: Path) -> Iterator[EngineProcess]:
    """A dockerd without images in *folder*, whose path must be short enough for a socket."""
    for name in ("data", "exec"):
        (folder / name).mkdir()
    (folder / "daemon.json").write_text("{}\n")
    script = (
        f"mount --make-rprivate / && mount -t tmpfs -o size={DISK_MIB}m none {folder / 'data'}"
        " && ip link set lo up && echo ready && exec sleep infinity"
    )
    holder = subprocess.Popen(
        ["unshare", "--net", "--mount", "sh", "-c", script], stdout=subprocess.PIPE
    )
    engine = EngineProcess(folder, holder)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        engine.start()
        yield engine
        engine.end(signal.SIGTERM)
    finally:
        holder.kill()
        holder.communicate()


def copy_image(reference: str, of: str, to: str) -> None:
    """Give the engine at *to* the image *reference* of the one at *of*."""
    with subprocess.Popen(
        ["docker", "save", reference],
        stdout=subprocess.PIPE,
        env={**os.environ, "DOCKER_HOST": of},
    ) as saved:
        subprocess.run(
            ["docker", "load", "-q"],
            stdin=saved.stdout,
            check=True,
            env={**os.environ, "DOCKER_HOST": to},
        )
    assert saved.returncode == 0
