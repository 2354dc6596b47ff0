"""Hostile repositories whose settings ask for the host: refused, and nothing of it is shown."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unit.support import write

SECRET = "c4n4ry-" + "5f1d" * 4


def snapshot(folder: Path) -> dict[str, tuple[int, object]]:
    """Everything below *folder*: its mode, and its content."""
    found: dict[str, tuple[int, object]] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = path.read_bytes() if stat.S_ISREG(mode) else None
        found[str(path)] = (mode, str(path.readlink()) if stat.S_ISLNK(mode) else content)
    return found


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A home folder and another project, which nothing may change."""
    home = tmp_path / "home"
    names = (".ssh/id", ".bashrc", ".profile", ".gitconfig", ".local/share/pytest-arm64/x")
    write(home, {name: f"{SECRET} {name}\n" for name in names})
    write(home, {".cache/pytest-arm64/built/other.whl": f"{SECRET}\n", ".gitconfig": ""})
    write(tmp_path / "other", {"conftest.py": "", ".git/config": "", "src/shop.py": "pass\n"})
    return tmp_path


def run(folder: Path, host: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in *folder* with the home folder of *host*, and with a secret variable."""
    pip = Path.home() / ".config/pip/pip.conf"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_") or "ARM64" in k}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--arm64", "-rA", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={
            **({"PIP_CONFIG_FILE": str(pip)} if pip.is_file() else {}),
            "XDG_CACHE_HOME": str(Path.home() / ".cache"),
            **kept,
            "HOME": str(host / "home"),
            "SHOP_TOKEN": SECRET,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


TABLE = "[tool.pytest-arm64]\n"
REFUSED = {
    "takes a secret variable": TABLE + 'env = ["SHOP_TOKEN"]\n',
    "takes it for a service": (
        TABLE + 'service.api = { requirements = "requirements.txt", env = ["SHOP_TOKEN"] }\n'
    ),
    "joins the host's network": TABLE + 'network = "host"\n',
    "joins a container's network": TABLE + 'network = "container:database"\n',
    "chooses an image": TABLE + 'artifact = "image:evil:1"\n',
    "deploys the host's keys": TABLE + 'artifact = "dir:../home/.ssh"\n',
    "deploys them through a link": TABLE + 'artifact = "dir:link"\n',
    "redefines a target": (
        TABLE + 'targets."al2023-python3.12" = { image = "evil:1", python = "3.12" }\n'
        'target = "al2023-python3.12"\n'
    ),
    "brings a target": (
        TABLE + 'targets.mine = { image = "evil:1", python = "3.12" }\ntarget = "mine"\n'
    ),
    "installs the host's key": TABLE + 'requirements = "../home/.ssh/id"\n',
    "installs it through a link": TABLE + 'requirements = "link/id"\n',
    "chooses an image in addopts": '[tool.pytest.ini_options]\naddopts = "--arm64-image=evil:1"\n',
    "hides it": '[tool.pytest.ini_options]\naddopts = "--arm64-image=evil:1 -o addopts="\n',
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_it_is_refused_and_tells_nothing(
    project: Callable[..., Path], host: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.delenv("PYTEST_ARM64_IMAGE", raising=False)
    folder = project(test_it="def test_it(): pass\n")
    write(folder, {"pyproject.toml": text, ".git/HEAD": "ref: refs/heads/main\n"})
    (folder / "link").symlink_to(host / "home/.ssh")
    before = snapshot(host)
    done = run(folder, host)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "next step: " in done.stdout + done.stderr
    assert snapshot(host) == before
