"""Which of a Lambda function's limits a failure has met, and what to do about it."""

from __future__ import annotations

import re

_OFF = "if it does not run on Lambda, set lambda-limits = false in [tool.pytest-arm64]"
# What an error says, and what the limit is.
_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"\[Errno 30\]|Read-only file system|\[Errno 13\] Permission denied: '/",
        "a Lambda function can write to /tmp and nowhere else\n"
        "  next step: write to a folder of tempfile; if only the tests write beside themselves, "
        'set lambda-code = "copy"',
    ),
    (
        r"\[Errno 28\]|No space left on device",
        "no space is left in /tmp: a Lambda function has 512 MB there unless it is configured\n"
        '  next step: remove files in time, or set tmp-size = "2GB" as the function has it',
    ),
    (
        r"\[Errno 24\]|Too many open files",
        "a Lambda function can have 1,024 files open\n  next step: close them earlier",
    ),
    (
        r"can't start new thread|\[Errno 11\] Resource temporarily unavailable",
        "a Lambda function can have 1,024 processes and threads\n  next step: use a pool of fewer",
    ),
    (
        r"\bSemLock\b|\[Errno 38\]|\bsem_open\b|\bshm_open\b|/dev/shm\b",
        "Lambda has no /dev/shm: queues, pools, locks and shared memory of multiprocessing fail\n"
        "  next step: use threads, or Process with Pipe",
    ),
    (
        r"/sys/devices/system/cpu\b",
        "Lambda hides /sys/devices/system/cpu on ARM64: libraries that read it to count processors "
        "fail or give a warning\n"
        "  next step: use a release that does without it (PyTorch from 2.1.2 on does)",
    ),
)


# pytest has the words of a process that aborts, and they are lost with it.
_BY_SIGNAL = {
    "SIGABRT": "some libraries abort if they cannot count processors, as onnxruntime does: "
    "Lambda hides /sys/devices/system/cpu on ARM64\n"
    "  next step: run with lambda-limits = false; if it passes then, this is why",
}


def lambda_hints(failure: str) -> list[str]:
    """For each limit that *failure*, the text of an error, shows: what it is and what to do."""
    hints = [hint for pattern, hint in _HINTS if re.search(pattern, failure)]
    return [*hints, _OFF] if hints else []


def lambda_hints_of_signal(signal: str) -> list[str]:
    """What a process that *signal* has ended may have met; nothing where it does not show."""
    return [_BY_SIGNAL[signal]] if signal in _BY_SIGNAL else []
