"""How the agent gets its task: from a standard input that stays open."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pytest_arm64.inside.ran import Ran
from pytest_arm64.mirror.task import Task

READ = """
import json, sys
from pytest_arm64.inside.agent import _read_task
task = json.loads(_read_task())
print(json.dumps([task["args"], sys.stdin.read()]))
"""


@pytest.mark.parametrize(
    "argument", ["", "-k", "a\nb", "ünï", "x" * 3_000_000], ids=["empty", "k", "line", "ü", "long"]
)
def test_the_task_is_read_while_the_input_stays_open(argument: str) -> None:
    sent = Task(args=(argument,), cwd="/", module=False, ran=Ran()).sent()
    with subprocess.Popen(
        [sys.executable, "-c", READ], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(sent + b"not the task's")
        process.stdin.flush()
        said = process.stdout.read()
    assert json.loads(said) == [[argument], ""]
