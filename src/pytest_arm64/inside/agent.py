"""Runs one pytest session in a cell and sends what happens; its task comes on standard input.

The task is JSON, ``frames.TaskFile``, behind a line with its length in bytes: the other end of
standard input stays open. It is kept at the path that is given, for the fixtures and for workers.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from .frames import PROTOCOL_VERSION, Exited, Hello, TaskFile
from .relay import go_on_behind_a_relay
from .sender import take_standard_output


def main(task_path: str) -> int:
    """Run the task that comes, which is kept at *task_path*; pytest's exit status."""
    text = _read_task()
    go_on_behind_a_relay()
    sender = take_standard_output()
    Path(task_path).write_bytes(text)
    task: TaskFile = json.loads(text)
    os.chdir(task["cwd"])
    _arrange_path(module=task["module"])
    os.environ["PYTEST_ARM64_FACTS"] = json.dumps(task["facts"])
    os.environ["PYTEST_ARM64_TASK"] = task_path  # its records: too much for a variable
    import pytest

    from . import plugin
    from .mirror import Mirror

    sender.mark_with(task["nonce"])
    sender.send(Hello(PROTOCOL_VERSION, os.getpid(), os.getppid(), pytest.__version__))
    folder = os.path.dirname(pytest.__file__ if task["module"] else sys.executable)
    name = "__main__.py" if task["module"] else "pytest"
    sys.argv[:] = [os.path.join(folder, name), *task["args"]]
    mirror = Mirror(sender, task, task_path + ".collecting")
    # Objects, not ``-p``: the arguments stay those that the user typed.
    code = int(pytest.main(list(task["args"]), plugins=[mirror, plugin]))
    sys.stderr = sys.__stderr__
    sys.stdout.flush()
    sys.stderr.flush()  # type: ignore[union-attr]  # a TextIO, which a new process has
    sender.send(Exited(code, mirror.missing_variables()))
    return code


def _read_task() -> bytes:
    """The task; from now on standard input is empty, as that of a command without one."""
    with os.fdopen(os.dup(0), "rb") as stream:
        text = stream.read(int(stream.readline()))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return text


def _arrange_path(*, module: bool) -> None:
    """As pytest's own start would have it; this package stays importable, last of all."""
    ours = sys.path.pop(0)
    sys.path.insert(0, os.getcwd() if module else os.path.dirname(sys.executable))
    sys.path.append(ours)
