"""The process of a function: AWS's client of the Runtime API where there is one, else this one.

A script. Its one argument is a JSON object: ``client``, the folder of awslambdaric or an empty
text; ``handler``; ``root``, the folder of the code; and ``hidden``, folders whose packages the
function does not see. Texts of errors and the form of the log are those that
Lambda's own client gives (aws/aws-lambda-python-runtime-interface-client 4.2.2, read 2026-11-30).
"""

from __future__ import annotations

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

_RUNTIME = "/2018-06-01/runtime/"
_Handler = Callable[[Any, "_Context"], object]


class _FaultError(Exception):
    """An error that Lambda has a name for; *trace* is what it shows of the code."""

    def __init__(self, kind: str, message: str, trace: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.trace = list(trace)


class _Context:
    """What a handler gets as its second argument (AWS, "Using the Lambda context object to retrieve
    Python function information", read 2026-11-30).
    """

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = None
        self.client_context = None
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the call is ended."""
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message: object) -> None:
        """Print *message* as it is."""
        sys.stdout.write(str(message))


class _WithRequest(logging.Filter):
    """Gives every record the id of the call."""

    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


class _Client:
    """Fetches calls one by one, and posts what becomes of them."""

    def __init__(self, address: str) -> None:
        self._address = address

    def request(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body of the answer."""
        connection = http.client.HTTPConnection(self._address)
        try:
            connection.request(method, _RUNTIME + path, body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def serve(self, name: str) -> None:
        """Load the handler *name* and call it for ever."""
        requests = _begin_to_log()
        try:
            handler = loaded(name)
        except Exception as error:  # noqa: BLE001  (whatever the module raises is reported)
            self._report("init/error", error, "")
            sys.exit(1)
        while True:
            _, headers, event = self.request("GET", "invocation/next")
            requests.request_id = request_id = headers["Lambda-Runtime-Aws-Request-Id"]
            os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
            self._call(handler, event, headers, f"invocation/{request_id}/")

    def _call(
        self, handler: _Handler, event: bytes, headers: http.client.HTTPMessage, path: str
    ) -> None:
        try:
            context = _Context(headers)
            result = answer(handler(json.loads(event), context))
        except Exception as error:  # noqa: BLE001  (whatever the handler raises is reported)
            self._report(f"{path}error", error, headers["Lambda-Runtime-Aws-Request-Id"])
            return
        status, _, said = self.request("POST", f"{path}response", result)
        if status != 202:
            print(f"Failed to post the response: {status} {said!r}", flush=True)
            sys.exit(1)

    def _report(self, path: str, error: Exception, request_id: str) -> None:
        kind = error.kind if isinstance(error, _FaultError) else type(error).__name__
        trace = error.trace if isinstance(error, _FaultError) else list(_own_frames(error))
        lines = [f"[ERROR] {kind}: {error}", "Traceback (most recent call last):", *trace]
        print("\n".join(line.rstrip("\n") for line in lines), flush=True)
        said = {
            "errorMessage": str(error),
            "errorType": kind,
            "requestId": request_id,
            "stackTrace": trace,
        }
        self.request("POST", path, json.dumps(said).encode())


def loaded(name: str) -> _Handler:
    """The function that *name* names, ``module.function``.

    Raises:
        _FaultError: it does not exist, or its module cannot be imported.
        Exception: what the module itself raises.
    """
    module_name, dot, function = name.rpartition(".")
    if not dot:
        what = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        raise _FaultError("Runtime.MalformedHandlerName", what)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        what = f"Unable to import module '{module_name}': {error}"
        raise _FaultError("Runtime.ImportModuleError", what) from error
    except SyntaxError as error:
        what = f"Syntax error in module '{module_name}': {error}"
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise _FaultError("Runtime.UserCodeSyntaxError", what, trace) from error
    try:
        handler: _Handler = getattr(module, function)
    except AttributeError:
        what = f"Handler '{function}' missing on module '{module_name}'"
        raise _FaultError("Runtime.HandlerNotFound", what) from None
    return handler


def answer(value: object) -> bytes:
    """*value* as JSON.

    Raises:
        _FaultError: it is not made of JSON's types.
    """
    if isinstance(value, bytes):
        return value
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_number)
        return text.encode()
    except (TypeError, ValueError) as error:
        raise _FaultError("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _number(value: object) -> int | float:
    """A decimal number, as DynamoDB's client gives it, as one of JSON's."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _own_frames(error: Exception) -> Iterator[str]:
    """The lines of a traceback as Lambda shows them, less those of this file."""
    frames = traceback.extract_tb(error.__traceback__)
    yield from traceback.format_list(
        [(f.filename, f.lineno or 0, f.name, f.line) for f in frames if f.filename != __file__]
    )


def _begin_to_log() -> _WithRequest:
    """A handler of the root logger that writes as Lambda's does."""
    handler = logging.StreamHandler(sys.stdout)
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    requests = _WithRequest()
    handler.addFilter(requests)
    logging.getLogger().addHandler(handler)
    return requests


def arranged(path: Iterable[str], root: str, hidden: Iterable[str]) -> list[str]:
    """The import *path* in Lambda's order: the code and what is deployed with it, layers, what the
    runtime brings, the standard library.

    ``/var/runtime`` comes through ``PYTHONPATH`` there, before the standard library (AWS, "Using
    Lambda environment variables", read 2026-11-30).
    """
    library = os.path.dirname(os.__file__)
    archive = os.path.join(os.path.dirname(library), "python{}{}.zip".format(*sys.version_info))
    standard = [library, os.path.join(library, "lib-dynload"), archive]
    apart = tuple(f"{folder}/" for folder in hidden)
    packages = [p for p in path if p not in (root, *standard) and not f"{p}/".startswith(apart)]
    minor = "python{}.{}".format(*sys.version_info)
    provided = [f"/opt/python/lib/{minor}/site-packages", "/opt/python", _runtime_folder()]
    provided = [p for p in provided if os.path.isdir(p) and p not in packages]
    return [root, *packages, *provided, *(p for p in path if p in standard)]


def _runtime_folder() -> str:
    return os.environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")


def main(task: dict[str, Any]) -> None:
    """Serve calls of the function that *task* describes until the process is ended."""
    path = sys.path[1:]  # less the folder of this script
    sys.path[:] = [*path, task["client"]] if task["client"] else path
    # Before the packages of the tests are hidden: it may be one of them.
    client = importlib.import_module("awslambdaric.__main__") if task["client"] else None
    sys.path[:] = arranged(path, task["root"], task["hidden"])
    if client is not None:
        client.main(["awslambdaric", task["handler"]])
    else:
        _Client(os.environ["AWS_LAMBDA_RUNTIME_API"]).serve(task["handler"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
