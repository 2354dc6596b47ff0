"""Runs one pytest session in a cell and sends what happens; started with the path of its task.

The task is a JSON file: ``frames.TaskFile``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from .built_modules import find_built_modules
from .frames import PROTOCOL_VERSION, Exited, Hello, TaskFile
from .relay import go_on_behind_a_relay
from .sender import take_standard_output


def main(task_path: str) -> int:
    """Run the task; pytest's exit status."""
    go_on_behind_a_relay()
    sender = take_standard_output()
    task: TaskFile = json.loads(Path(task_path).read_text("utf-8"))
    os.chdir(task["cwd"])
    _arrange_path(module=task["module"])
    os.environ["PYTEST_ARM64_FACTS"] = json.dumps(task["facts"])
    os.environ["PYTEST_ARM64_TASK"] = task_path  # its records: too much for a variable
    find_built_modules(sys.path)
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


def _arrange_path(*, module: bool) -> None:
    """As pytest's own start would have it; this package stays importable, last of all."""
    ours = sys.path.pop(0)
    sys.path.insert(0, os.getcwd() if module else os.path.dirname(sys.executable))
    sys.path.append(ours)
