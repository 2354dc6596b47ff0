"""A failure names the limit of Lambda that it has met."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_arm64.mirror.deaths import Ground
from pytest_arm64.mirror.lambda_hints import lambda_hints
from pytest_arm64.mirror.missing_variables import name_lacking
from pytest_arm64.mirror.task import End

CASES = {
    "OSError: [Errno 30] Read-only file system: '/repo/model.bin'": "/tmp and nowhere else",
    "mkdir: cannot create directory '/home/x': Read-only file system": "/tmp and nowhere else",
    "PermissionError: [Errno 13] Permission denied: '/repo/x'": 'lambda-code = "copy"',
    "OSError: [Errno 28] No space left on device": 'tmp-size = "2GB"',
    "OSError: [Errno 24] Too many open files: '/dev/null'": "1,024 files open",
    "RuntimeError: can't start new thread": "1,024 processes and threads",
    "BlockingIOError: [Errno 11] Resource temporarily unavailable": "1,024 processes",
    "OSError: [Errno 38] Function not implemented": "Lambda has no /dev/shm",
    "sl = self._semlock = _multiprocessing.SemLock(\nFileNotFoundError: [Errno 2]": "no /dev/shm",
    "failed to parse … in /sys/devices/system/cpu/possible": "Lambda hides /sys/devices/system/cpu",
}


@pytest.mark.parametrize(("failure", "words"), CASES.items())
def test_a_limit_is_named_with_what_to_do(failure: str, words: str) -> None:
    hint, off = lambda_hints(failure)
    assert words in hint
    assert "next step:" in hint
    assert "lambda-limits = false" in off


@pytest.mark.parametrize(
    "failure",
    [
        "assert 1 == 2",
        "FileNotFoundError: [Errno 2] No such file or directory: 'x'",
        "PermissionError: [Errno 13] Permission denied",
        "ConnectionRefusedError: [Errno 111] Connection refused",
    ],
)
def test_another_failure_says_nothing_of_lambda(failure: str) -> None:
    assert list(lambda_hints(failure)) == []


@pytest.mark.parametrize("limited", [True, False])
def test_only_a_container_with_these_limits_names_them(limited: bool) -> None:
    failure = "OSError: [Errno 30] Read-only file system: '/x'"
    report: Any = SimpleNamespace(outcome="failed", longrepr=failure, sections=[])
    name_lacking(report, [], {}, limited=limited)
    assert [title for title, _ in report.sections] == (["lambda"] if limited else [])
    lost = Ground("here", limited=limited).cause(End(-6), "Fatal Python error: Aborted")
    assert ("onnxruntime" in lost) == limited
    assert "onnxruntime" not in Ground("here", limited=limited).cause(End(-11), "")
    cause = Ground("here", limited=limited).cause(End(-6), failure)
    assert ("nowhere else" in cause) == limited
