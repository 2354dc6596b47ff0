"""Runs one pytest session in a cell and sends what happens; started with the path of its task.

The task is a JSON file: ``args`` for pytest, ``cwd``, ``module`` (whether the user ran
``python -m pytest``, which puts the working directory on ``sys.path``), ``finished`` (node ids
with counts that another process has already run), ``marker`` (a file of the host's that must be
seen), ``facts`` (what the fixtures tell).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from .sender import PROTOCOL, take_standard_output

MOUNT_NOT_SEEN = 97
"""Exit code: the marker file that the host wrote is not there."""


def main(task_path: str) -> int:
    """Run the task; pytest's exit status."""
    sender = take_standard_output()
    task = json.loads(Path(task_path).read_text("utf-8"))
    marker = task.get("marker")
    if marker and not os.path.exists(marker):
        return MOUNT_NOT_SEEN
    os.chdir(task["cwd"])
    _arrange_path(module=task["module"])
    os.environ["PYTEST_ARM64_FACTS"] = json.dumps(task["facts"])
    import pytest

    from .mirror import Mirror

    sender.send("hello", PROTOCOL, os.getpid(), pytest.__version__)
    plugin = f"{__package__}.plugin"
    arguments = ["-p", "no:arm64", "-p", plugin, *task["args"]]
    sys.argv[:] = ["pytest", *task["args"]]
    code = int(pytest.main(arguments, plugins=[Mirror(sender, task["finished"])]))
    sys.stdout.flush()
    sys.stderr.flush()
    sender.send("exit", code)
    return code


def _arrange_path(*, module: bool) -> None:
    """As pytest's own start would have it; this package stays importable, last of all."""
    ours = sys.path.pop(0)
    sys.path.insert(0, os.getcwd() if module else os.path.dirname(sys.executable))
    sys.path.append(ours)
