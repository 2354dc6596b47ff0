"""What tests call: ``arm64_lambda.invoke(event)``."""

from __future__ import annotations

import json
import os
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ..bound_stdlib import originals
from ..ran import Ran
from .api import (
    CallAnswered,
    CallAwaited,
    CallFailed,
    CallTooLarge,
    Event,
    Invocation,
    ProcessEnded,
)
from .client import client_here
from .process import FunctionProcess
from .record import FunctionRecord
from .result import (
    MOST_REQUEST,
    OK,
    TOO_LARGE,
    LambdaError,
    LambdaResult,
    exited,
    timed_out,
    too_large_request,
    too_large_response,
)

INIT_SECONDS = 10.0
"""What the start of a process may take. After that, or after an error, it is started once more, in
the time of the call (AWS, "Understanding the Lambda execution environment lifecycle", read
2026-11-30)."""
EMULATED_TIME_FACTOR = 10
"""How much more time a function has under emulation, whose time says nothing."""
_NO_HANDLER = (
    "no handler is configured\n"
    '  next step: set handler = "module.function" in [tool.pytest-arm64] or in the table of the '
    "service"
)
_ACCOUNT = "arn:aws:lambda:us-east-1:012345678912:function:"
"""Region and account as AWS's Runtime Interface Emulator has them."""


class ArmLambda:
    """One function, in a process of its own that stays warm between calls."""

    def __init__(
        self,
        function: FunctionRecord,
        where: Ran,
        show: Callable[[str], None] = lambda _: None,
    ) -> None:
        """*show* gets the log of each call."""
        self._function = function
        self._where = where
        self._show = show
        self._client = client_here()
        self._process: FunctionProcess | None = None
        self._others: list[ArmLambda] = []

    @property
    def handler(self) -> str:
        """``module.function``; empty where nothing is configured."""
        return self._function["handler"]

    @property
    def timeout(self) -> float:
        """Seconds that one call may take, as they are configured."""
        return self._function["timeout"]

    def function(
        self,
        handler: str = "",
        *,
        timeout: float = 0.0,
        environment: Mapping[str, str] | None = None,
    ) -> ArmLambda:
        """Another function of the same code, which ends with this one.

        Args:
            handler: ``module.function``; this one's where it is left out.
            timeout: seconds that one call may take; this one's where it is left out.
            environment: variables that this function has beyond those of the test.
        """
        record = self._function.copy()
        record["handler"] = handler or self.handler
        record["timeout"] = timeout or self.timeout
        record["environment"] = {**record["environment"], **(environment or {})}
        other = ArmLambda(record, self._where, self._show)
        self._others.append(other)
        return other

    def invoke(self, event: Any) -> LambdaResult:
        """Call the function with *event*, which JSON can express.

        An error of the function is a part of the result, never raised. Without a handler, or
        without its folder, the test fails.

        Raises:
            TypeError: *event* is not made of JSON's types.
        """
        problem = self._problem()
        if problem:
            pytest.fail(f"arm64_lambda: {problem}", pytrace=False)
        payload = json.dumps(event).encode()
        if len(payload) > MOST_REQUEST:
            return self._too_large()
        result = self._called(payload)
        self._show(result.log)
        return result

    def restart(self) -> None:
        """End the process: the next call is cold."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def close(self) -> None:
        """End the process, and those of the functions that came of this one."""
        for other in self._others:
            other.close()
        self.restart()

    def _problem(self) -> str:
        """Why the function cannot be called at all; empty where it can."""
        if not self.handler:
            return _NO_HANDLER
        root = self._function["root"]
        return "" if os.path.isdir(root) else f"the folder of the function is missing here: {root}"

    def _called(self, payload: bytes) -> LambdaResult:
        request_id = str(uuid.uuid4())
        cold = self._process is None or not self._process.alive
        happened: Event | None = CallAwaited()
        init_ms, log = None, ""
        if cold:
            began = originals.monotonic()
            happened = self._begin(began + self._seconds(INIT_SECONDS))
            init_ms = _since(began) if isinstance(happened, CallAwaited) else None
        began = originals.monotonic()
        deadline = began + self._seconds(self.timeout)
        if not isinstance(happened, CallAwaited):
            log = self._running.take_log()
            happened = self._begin(deadline)
        process = self._running
        if isinstance(happened, CallAwaited):
            process.invoke(self._invocation(request_id, payload, deadline))
            happened = process.next_event(deadline)
        duration_ms = _since(began)
        goes_on = process.settle(happened, deadline)
        log += process.take_log()
        if not goes_on:
            self.restart()
        answer, error = _outcome(happened, request_id, self.timeout)
        return LambdaResult(
            payload=answer,
            error=error,
            status=OK,
            cold=cold,
            init_ms=init_ms,
            duration_ms=duration_ms,
            emulated=self._where.emulated,
            log=log,
            client=self._client.name,
            request_id=request_id,
        )

    @property
    def _running(self) -> FunctionProcess:
        assert self._process is not None
        return self._process

    def _begin(self, deadline: float) -> Event | None:
        """Start a process; what happens first to it, None where that takes too long."""
        self.restart()
        self._process = FunctionProcess(self._function, self._client)
        return self._process.next_event(deadline)

    def _invocation(self, request_id: str, payload: bytes, deadline: float) -> Invocation:
        left = deadline - originals.monotonic()
        name = self._function["defaults"].get("AWS_LAMBDA_FUNCTION_NAME", "function")
        root = f"{int(originals.time()):08x}-{secrets.token_hex(12)}"
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((originals.time() + left) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": _ACCOUNT + name,
            "Lambda-Runtime-Trace-Id": f"Root=1-{root};Parent={secrets.token_hex(8)};Sampled=0",
        }
        return Invocation(request_id, headers, payload)

    def _too_large(self) -> LambdaResult:
        return LambdaResult(
            payload=None,
            error=too_large_request(),
            status=TOO_LARGE,
            cold=False,
            init_ms=None,
            duration_ms=0.0,
            emulated=self._where.emulated,
            log="",
            client=self._client.name,
            request_id="",
        )

    def _seconds(self, configured: float) -> float:
        return configured * (EMULATED_TIME_FACTOR if self._where.emulated else 1)


def _since(began: float) -> float:
    return (originals.monotonic() - began) * 1000


def _outcome(
    event: Event | None, request_id: str, timeout: float
) -> tuple[Any, LambdaError | None]:
    """What the function returned, or the error in its place."""
    if isinstance(event, CallAnswered):
        return _value(event.payload), None
    if isinstance(event, CallFailed):
        return None, _reported(event.error)
    if isinstance(event, CallTooLarge):
        return None, too_large_response(event.size)
    if isinstance(event, ProcessEnded):
        return None, exited(request_id, event.code)
    return None, timed_out(request_id, timeout)


def _value(payload: bytes) -> Any:
    """*payload* from JSON; as text where it is something else."""
    text = payload.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _reported(error: bytes) -> LambdaError:
    """An error as the client reports it; one without a name is as Lambda shows it."""
    said = _value(error)
    shape: LambdaError = {"errorType": "Unknown", "errorMessage": ""}
    return {**shape, **said} if isinstance(said, dict) else shape
