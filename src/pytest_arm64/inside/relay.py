"""The process between a session and its reader: passes on in one piece what a moment brings.

On its way through an engine each write wakes four processes, and quick tests write so often that
these take the processor from them. What is in a pipe stays there when its writer dies.
"""

from __future__ import annotations

import os
import select
import signal
import time

MOMENT = 0.03
"""Seconds for which is gathered what follows a write; nobody sees the difference."""
# What a pipe holds, so that one read takes all that a process left in it.
_CAPACITY = 65536
# How often, in milliseconds, to look whether a child that says nothing still lives: something that
# it started may hold its outputs open.
_LOOK = 500


def go_on_behind_a_relay() -> None:
    """Return in a child process; this one passes its outputs on and ends as the child does."""
    pipes = {1: os.pipe(), 2: os.pipe()}
    child = os.fork()
    if child == 0:
        for output, (reader, writer) in pipes.items():
            os.dup2(writer, output)
            os.close(reader)
            os.close(writer)
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # meant for the tests, where they share a group
    for _, writer in pipes.values():
        os.close(writer)
    code = 1  # where nobody reads any more: the session will notice it too
    try:
        status = _pass_on(child, {reader: output for output, (reader, _) in pipes.items()})
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    finally:
        os._exit(code)


def _pass_on(child: int, outputs: dict[int, int]) -> int:
    """Pass on what is read, by where it goes, until *child* has ended; its wait status."""
    waiting = select.poll()
    for reader in outputs:
        waiting.register(reader, select.POLLIN)
    ended = status = 0
    while outputs and not ended:
        ended, status = os.waitpid(child, os.WNOHANG)
        longest = 0
        for reader, _ in waiting.poll(0 if ended else _LOOK):
            data = os.read(reader, _CAPACITY)
            longest = max(longest, len(data))
            if not data:
                waiting.unregister(reader)
                del outputs[reader]
            while data:
                data = data[os.write(outputs[reader], data) :]
        if not ended and 0 < longest < _CAPACITY // 2:
            time.sleep(MOMENT)
    return status if ended else os.waitpid(child, 0)[1]
