"""The relay: everything arrives, in few pieces and without delay, and the end is the session's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

START = "import os, signal, sys, time\nfrom pytest_arm64.inside.relay import go_on_behind_a_relay\n"
RELAYED = START + "go_on_behind_a_relay()\n"


def started(then: str, *, before: str = RELAYED) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", before + then],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_both_outputs_and_the_exit_code_are_those_of_the_session(code: int) -> None:
    with started(f"os.write(1, b'out'); os.write(2, b'err'); sys.exit({code})") as process:
        assert process.communicate(timeout=30) == (b"out", b"err")
    assert process.returncode == code


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM", "SIGINT"])
def test_a_death_is_told_as_a_shell_tells_it_and_nothing_is_lost(name: str) -> None:
    number = int(getattr(signal, name))
    dying = f"signal.signal({number}, signal.SIG_DFL)\n" * (name in ("SIGTERM", "SIGINT"))
    dying += "os.write(1, b'x' * 65536); os.write(2, b'last words')\n"
    dying += f"os.kill(os.getpid(), {number})"
    with started(dying) as process:
        out, err = process.communicate(timeout=30)
    assert (len(out), err) == (65536, b"last words")
    assert process.returncode == 128 + number


def test_what_is_quickly_written_comes_in_few_pieces() -> None:
    pieces = []
    with started("for _ in range(200): os.write(1, b'x'); time.sleep(0.001)") as process:
        assert process.stdout is not None
        while piece := os.read(process.stdout.fileno(), 65536):
            pieces.append(len(piece))
    assert sum(pieces) == 200
    assert len(pieces) < 100


def test_what_is_written_after_a_silence_comes_at_once() -> None:
    then = "time.sleep(0.3); os.write(1, repr(time.time()).encode()); time.sleep(600)"
    with started(then) as process:
        assert process.stdout is not None
        written = float(os.read(process.stdout.fileno(), 100))
        came = time.time()
        os.killpg(process.pid, signal.SIGKILL)
    assert came - written < 5  # it does not wait for the session's end


def test_much_output_is_not_slowed_down() -> None:
    began = time.monotonic()
    with started("sys.stdout.buffer.write(b'x' * 50_000_000)") as process:
        out, _ = process.communicate(timeout=60)
    assert len(out) == 50_000_000
    assert time.monotonic() - began < 0.03 * 50_000_000 / 65536 / 2  # of a nap a pipe


def test_what_a_session_leaves_behind_does_not_keep_it() -> None:
    began = time.monotonic()
    leaving = "os.write(1, b'seen'); os.fork() or time.sleep(60)"
    with started(leaving) as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 100) == b"seen"
        assert process.wait(30) == 0
        os.killpg(process.pid, signal.SIGKILL)
    assert time.monotonic() - began < 30


def test_signals_to_the_group_are_for_the_session() -> None:
    catching = (
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(7)); os.write(1, b'ready')\n"
        "time.sleep(60)"
    )
    with started(catching) as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 100) == b"ready"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 7


def test_a_session_whose_reader_is_gone_ends() -> None:
    with started("while True: os.write(1, b'x' * 1000); time.sleep(0.01)") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        os.read(process.stdout.fileno(), 100)
        process.stdout.close()
        assert process.wait(30) == 1
        assert b"BrokenPipeError" not in process.stderr.read()
