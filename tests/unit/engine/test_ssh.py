"""The way to an engine behind ssh, with a program in place of ssh that forwards on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.engine.endpoint import open_engine
from pytest_arm64.engine.ssh import _Remote, forwarded
from pytest_arm64.errors import EngineError
from unit.engine.test_endpoint import answers, refused
from unit.support import attempt, is_plain_text, played_engine

# Links the local path to the remote one and lives as ssh does: until its standard input ends.
FORWARDS = """#!/bin/sh
echo "$@" > "$SSH_LOG"
while [ $# -gt 0 ]; do case $1 in -L) pair=$2; shift ;; esac; shift; done
ln -s "${pair#*:}" "${pair%%:*}"
exec cat
"""
REFUSES = "#!/bin/sh\necho 'me@host: Permission denied (publickey).' >&2\nexit 255\n"


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program that is found as ``ssh``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(FORWARDS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("SSH_LOG", str(tmp_path / "arguments"))
    return program


class TestForwarded:
    def test_engine_behind_it(self, ssh: Path, tmp_path: Path) -> None:
        with played_engine(tmp_path / "s.sock", answers()) as played:
            url = f"ssh://me@testhost:2222{played.path}"
            with open_engine({"DOCKER_HOST": url}) as found:
                assert found.version == "27.3.1"
            assert played.seen("GET")
        arguments = (tmp_path / "arguments").read_text().split()
        assert arguments[-3:] == ["--", "testhost", "cat"]
        assert arguments[arguments.index("-p") + 1] == "2222"
        assert arguments[arguments.index("-l") + 1] == "me"
        assert "BatchMode=yes" in arguments

    def test_nothing_of_it_is_left(self, ssh: Path) -> None:
        with forwarded("ssh://testhost") as way:
            folder = Path(way.socket).parent
            assert folder.is_dir()
        assert not folder.exists()

    def test_it_ends_with_a_host_that_is_killed(self, ssh: Path, tmp_path: Path) -> None:
        code = (
            "import os, sys, time\n"
            "from pytest_arm64.engine.ssh import forwarded\n"
            f"with forwarded('ssh://testhost{tmp_path}/none.sock') as way:\n"
            "    print(way.socket, flush=True)\n"
            "    time.sleep(60)\n"
        )
        ssh.write_text(FORWARDS.replace("exec cat", 'cat; touch "$SSH_LOG.over"'))
        host = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert host.stdout is not None
        assert host.stdout.readline().strip().endswith("engine.sock")
        host.kill()
        host.communicate()
        over = tmp_path / "arguments.over"
        deadline = time.monotonic() + 10
        while not over.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert over.exists()

    def test_refused(self, ssh: Path) -> None:
        ssh.write_text(REFUSES)
        error = refused({"DOCKER_HOST": "ssh://me@host:22"})
        assert (
            "ssh did not get through to ssh://me@host:22: me@host: Permission denied" in error.what
        )
        assert error.next_step.endswith("ssh -p 22 me@host docker version")

    def test_no_engine_behind_it(self, ssh: Path, tmp_path: Path) -> None:
        error = refused({"DOCKER_HOST": f"ssh://host{tmp_path}/absent.sock"})
        assert "no container engine answers at ssh://host" in error.what
        assert "on that machine" in error.next_step

    def test_no_ssh(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "no program ssh" in refused({"DOCKER_HOST": "ssh://host"}).what


@pytest.mark.parametrize(
    "url",
    [
        "ssh://",
        "ssh://-oProxyCommand=x",
        "ssh://-l@host",
        "ssh://host:port",
        "ssh://a b",
        "ssh://host;x",
        "ssh://host/a:b",
        "ssh://host?x",
        "ssh://$(x)@host",
    ],
)
def test_not_an_address(url: str) -> None:
    with pytest.raises(EngineError, match="it is not ssh://"):
        _Remote.of(url)


@given(st.text(max_size=24))
def test_no_address_becomes_an_option(text: str) -> None:
    found = attempt(EngineError, lambda: _Remote.of(f"ssh://{text}"))
    if isinstance(found, EngineError):
        assert is_plain_text(found)
        return
    command = found.command("/tmp/x")
    assert command[-3] == "--"
    if found.user:
        assert not command[command.index("-l") + 1].startswith("-")
