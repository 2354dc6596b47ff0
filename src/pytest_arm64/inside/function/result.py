"""What one call of a function gave, and the shapes in which Lambda reports its errors."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from typing import Any, TypedDict

MOST_RESPONSE = 6 * 2**20 + 100
"""Bytes of a response: ``MaxPayloadSize`` of AWS's Runtime Interface Emulator (read 2026-11-30)."""
MOST_REQUEST = 6 * 2**20
"""Bytes of an event: the limit in the message of ``too_large_request``."""
OK, TOO_LARGE = 200, 413


class LambdaError(TypedDict, total=False):
    """An error as Lambda answers it, in AWS's own names.

    ``stackTrace`` is there where Python code of the function has raised, ``requestId`` where the
    client of the Runtime API reports it.
    """

    errorType: str
    errorMessage: str
    requestId: str
    stackTrace: list[str]


@dataclass(frozen=True)
class LambdaResult:
    """What one call gave; times in milliseconds."""

    payload: Any
    """What the function returned, from JSON; None where there is an error."""
    error: LambdaError | None
    """As Lambda answers it; None where the function returned."""
    status: int
    """HTTP status of Lambda's answer: 413 for an event that is too large, else 200."""
    cold: bool
    """Whether a process was started for this call."""
    init_ms: float | None
    """What the start took; None where it was warm, or where the start failed."""
    duration_ms: float
    """What the call took after that."""
    emulated: bool | None
    """Whether an emulated processor took these times; None outside a cell."""
    log: str
    """What the function printed and logged."""
    client: str
    """Which client of the Runtime API called the function: ``awslambdaric 4.2.2``, or
    ``pytest-arm64``."""
    request_id: str
    """As the function reads it of its context; empty where it was not called."""


def too_large_request() -> LambdaError:
    """Of an event above ``MOST_REQUEST``.

    Source: AWS's Lambda Test Tool, aws/aws-lambda-dotnet ``LambdaRuntimeAPI.cs``, read 2026-11-30.
    """
    return {
        "errorType": "RequestEntityTooLargeException",
        "errorMessage": (
            f"Request must be smaller than {MOST_REQUEST} bytes for the InvokeFunction operation"
        ),
    }


def too_large_response(size: int) -> LambdaError:
    """Of a response of *size* bytes, above ``MOST_RESPONSE``.

    Source: AWS's Runtime Interface Emulator, ``lambda/interop/model.go``, and what AWS's own tests
    expect of Lambda (aws/aws-lambda-dotnet, ``CustomRuntimeTests.cs``), read 2026-11-30.
    """
    return {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": (
            f"Response payload size ({size} bytes) exceeded maximum allowed payload size "
            f"({MOST_RESPONSE} bytes)."
        ),
    }


def timed_out(request_id: str, seconds: float) -> LambdaError:
    """Of a call that took longer than its *seconds*.

    Source: answers of Lambda quoted in seek-oss/aws-codedeploy-hooks and in LocalStack's server,
    which has the form of the emulator's ``lambda/interop/model.go``, read 2026-11-30.
    """
    message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return {"errorType": "Sandbox.Timedout", "errorMessage": message}


def exited(request_id: str, code: int) -> LambdaError:
    """Of a process that ended by itself; *code* as ``subprocess`` gives it.

    Source: AWS's Runtime Interface Emulator, which prints how the operating system says that the
    process ended; answers of Lambda quoted in public threads, read 2026-11-30.
    """
    if code == 0:
        how = "without providing a reason"
    elif code > 0:
        how = f"with error: exit status {code}"
    else:
        how = f"with error: signal: {_in_words(-code)}"
    message = f"RequestId: {request_id} Error: Runtime exited {how}"
    return {"errorType": "Runtime.ExitError", "errorMessage": message}


def _in_words(number: int) -> str:
    """As Go calls the signal, which is Linux's name in small letters."""
    text = signal.strsignal(number) if sys.platform != "win32" else None
    return (text or f"signal {number}").lower()
