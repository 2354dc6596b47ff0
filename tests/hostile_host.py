"""A host that hostile repositories meet: canaries that nothing may read, change or ask."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hostile import PIPE, target_of
from pytest_arm64.inside.golden.store import Golden, StoredValue, encode
from pytest_arm64.inside.golden.values import stored
from unit.support import write

SECRET = "c4n4ry-" + "5f1d" * 4
_HOME = (".ssh/id", ".bashrc", ".profile", ".local/share/pytest-arm64/trusted/x.json")
_GOLDEN = encode(Golden("test_it", {"0": StoredValue(stored(1.0, "0-"))}), "key")[".json"]


@dataclass(frozen=True)
class Host:
    """A home folder, another project and a repository in one *folder*."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def repository(self) -> Path:
        return self.folder / "project"

    @property
    def engine(self) -> Path:
        return self.folder / "engine.sock"

    def fill(self) -> None:
        """Write the canaries."""
        write(self.home, {name: f"{SECRET} {name}\n" for name in _HOME})
        write(
            self.home,
            {
                ".gitconfig": "",
                ".config/x.toml": "",
                ".config/empty.json": '{"format": 1, "packages": []}\n',
                ".config/pytest-arm64/config.toml": "",
                ".cache/pytest-arm64/built/other.whl": f"{SECRET}\n",
            },
        )
        write(
            self.folder / "other",
            {
                "conftest.py": "",
                "pyproject.toml": f'[project]\nname = "other"\nversion = "{SECRET}"\n',
                ".git/config": "",
                "arm64_golden/test_shop/test_it.json": _GOLDEN,
                "arm64_golden/test_shop/provenance.json": '{"format": 1, "runs": {"key": {}}}',
            },
        )

    def put(self, files: Mapping[str, str]) -> None:
        """Write *files* into the repository; links and pipes as ``hostile`` has them."""
        write(self.repository, {".git/HEAD": "ref: refs/heads/main\n"})
        for name, content in files.items():
            path = self.repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            target = target_of(content)
            if target is not None:
                path.symlink_to(target.replace("{host}", str(self.folder)))
            elif content == PIPE:
                os.mkfifo(path)
            else:
                path.write_text(content.replace("{host}", str(self.folder)), "utf-8")

    def canaries(self) -> dict[str, tuple[int, object]]:
        """All that must be as it was: mode and content by path."""
        own_cache = self.home / ".cache"  # what a command caches is its own matter
        everything = snapshot(self.folder, without=(self.repository, own_cache))
        return everything | snapshot(own_cache / "pytest-arm64/built")

    def run(
        self, *command: str, environ: Mapping[str, str] | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run *command* of this environment in the repository, as the user of this host."""
        program, *arguments = command
        return subprocess.run(
            [Path(sys.executable).parent / program, *arguments],
            cwd=self.repository,
            env={
                "PATH": os.pathsep.join(("bin", ".", os.environ["PATH"])),
                "HOME": str(self.home),
                "SHOP_TOKEN": SECRET,
                "DOCKER_HOST": f"unix://{self.engine}",
                "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
                "PIP_CONFIG_FILE": os.devnull,
                **(environ or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
            check=False,
            timeout=timeout,
        )

    @contextmanager
    def watched_engine(self) -> Iterator[list[object]]:
        """A socket in place of the engine's, and those who have connected to it."""
        asked: list[object] = []
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(os.path.relpath(self.engine))  # a socket's path may not be long
            listening.listen()

            def accept() -> None:
                while True:
                    try:
                        connection, address = listening.accept()
                    except OSError:
                        return
                    asked.append(address)
                    connection.close()

            thread = threading.Thread(target=accept)
            thread.start()
            try:
                yield asked
            finally:
                listening.shutdown(socket.SHUT_RDWR)
                thread.join()
                self.engine.unlink()


def snapshot(folder: Path, without: tuple[Path, ...] = ()) -> dict[str, tuple[int, object]]:
    """Everything below *folder*: its mode, and its content."""
    entries: dict[str, tuple[int, object]] = {}
    for path in sorted(folder.rglob("*")):
        if any(path == other or other in path.parents for other in without):
            continue
        mode = path.lstat().st_mode
        content = path.read_bytes() if stat.S_ISREG(mode) else None
        entries[str(path)] = (mode, str(path.readlink()) if stat.S_ISLNK(mode) else content)
    return entries
