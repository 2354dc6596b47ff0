"""Calls of a function: results, AWS's shapes of errors, cold and warm processes."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_arm64.inside.function import arm_lambda
from pytest_arm64.inside.function.arm_lambda import ArmLambda
from pytest_arm64.inside.function.client import OWN, RuntimeClient
from pytest_arm64.inside.ran import Ran

APP = """
import decimal, logging, os, subprocess, sys, time

calls = 0

def handler(event, context):
    global calls
    calls += 1
    return {"calls": calls, "event": event, "cwd": os.getcwd(), "first": sys.path[0]}

def context_of(event, context):
    return {
        "id": context.aws_request_id,
        "name": context.function_name,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(),
        "trace": os.environ["_X_AMZN_TRACE_ID"],
        "handler": os.environ["_HANDLER"],
    }

def variables(event, context):
    return dict(os.environ)

def returns(event, context):
    values = {
        "decimal": [decimal.Decimal("1.5"), decimal.Decimal(10**20)],
        "text": "ü\\U0001f600", "bytes": b"raw", "none": None,
        "lone": "\\ud83d", "set": {1}, "nan": float("nan"), "deep": context,
    }
    return values[event]

def raises(event, context):
    deeper(event)

def deeper(event):
    raise KeyError(event)

def sleeps(event, context):
    if event:
        time.sleep(event)
    return os.getpid()

def ends(event, context):
    if event < 0:
        os.kill(os.getpid(), -event)
    sys.exit(event)

def long(event, context):
    return "x" * event

def writes(event, context):
    sys.stdout.write("no end of line")
    if event:
        time.sleep(event)

def size(event, context):
    return len(event)

def logs(event, context):
    print("printed")
    logging.getLogger().warning("warned")
    logging.getLogger("app").info("not shown")
    print("to stderr", file=sys.stderr)

def much(event, context):
    print("x" * event)
    return "done"

def starts(event, context):
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid
"""
Make = Callable[..., ArmLambda]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes functions of a folder with *files*; our own client calls them."""
    monkeypatch.setattr(arm_lambda, "client_here", lambda: RuntimeClient(OWN))
    made = []

    def called(handler: str = "app.handler", *, timeout: float = 20.0, **files: str) -> ArmLambda:
        (tmp_path / "app.py").write_text(APP, "utf-8")
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text, "utf-8")
        made.append(
            ArmLambda(
                {
                    "handler": handler,
                    "root": str(tmp_path),
                    "timeout": timeout,
                    "defaults": {
                        "AWS_LAMBDA_FUNCTION_NAME": "exif",
                        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                    },
                    "environment": {},
                    "hidden": [],
                },
                Ran(),
            )
        )
        return made[-1]

    yield called
    for function in made:
        function.close()


def error_of(function: ArmLambda, event: object) -> tuple[str, str]:
    """Type and message, without the id of the call."""
    result = function.invoke(event)
    assert result.payload is None
    assert result.error is not None
    message = result.error["errorMessage"]
    if result.request_id:
        message = message.replace(result.request_id, "ID")
    return result.error["errorType"], message


def test_the_first_call_is_cold_and_the_next_ones_are_warm(make: Make, tmp_path: Path) -> None:
    function = make()
    first, second = function.invoke({"key": [1, None]}), function.invoke("text")
    assert first.payload == {
        "calls": 1,
        "event": {"key": [1, None]},
        "cwd": str(tmp_path),
        "first": str(tmp_path),
    }
    assert (first.cold, first.error, first.status) == (True, None, 200)
    assert first.init_ms is not None
    assert first.init_ms > 0
    assert (second.cold, second.init_ms) == (False, None)
    assert (second.payload["calls"], second.payload["event"]) == (2, "text")
    assert second.client == "pytest-arm64"
    assert first.request_id != second.request_id


def test_a_restart_makes_the_next_call_cold(make: Make) -> None:
    function = make()
    function.invoke({})
    function.restart()
    again = function.invoke({})
    assert (again.cold, again.payload["calls"]) == (True, 1)


def test_the_context_has_what_lambda_gives_it(make: Make) -> None:
    result = make("app.context_of", timeout=20).invoke(None)
    assert result.payload["id"] == result.request_id
    assert result.payload["name"] == "exif"
    assert result.payload["memory"] == "512"
    assert result.payload["arn"] == "arn:aws:lambda:us-east-1:012345678912:function:exif"
    assert 0 < result.payload["left"] <= 20_000
    assert result.payload["handler"] == "app.context_of"
    pattern = r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0"
    assert re.fullmatch(pattern, result.payload["trace"])


def test_variables_of_the_test_go_before_lambdas_and_those_of_the_session_stay_out(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABLE", "photographs")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
    monkeypatch.setenv("COV_CORE_SOURCE", "x")
    function = make("app.variables")
    seen = function.invoke(None).payload
    assert (seen["TABLE"], seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) == ("photographs", "1024")
    assert not [name for name in seen if name.startswith(("PYTEST_", "COV_"))]
    own = function.function(environment={"TABLE": "other"})
    assert own.invoke(None).payload["TABLE"] == "other"
    assert own.handler == function.handler


@pytest.mark.parametrize(
    ("event", "payload"),
    [("decimal", [1.5, 10**20]), ("text", "ü😀"), ("bytes", "raw"), ("none", None)],
)
def test_what_a_handler_may_return(event: str, payload: object, make: Make) -> None:
    result = make("app.returns").invoke(event)
    assert (result.payload, result.error) == (payload, None)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("set", "Object of type set is not JSON serializable"),
        ("nan", "Out of range float values are not JSON compliant"),
        ("lone", "'utf-8' codec can't encode character"),
        ("deep", "Object of type _Context is not JSON serializable"),
    ],
)
def test_what_it_may_not_return_is_a_marshal_error(event: str, said: str, make: Make) -> None:
    kind, message = error_of(make("app.returns"), event)
    assert kind == "Runtime.MarshalError"
    assert message.startswith(f"Unable to marshal response: {said}")


def test_an_exception_has_its_type_and_the_trace_of_the_code_alone(
    make: Make, tmp_path: Path
) -> None:
    function = make("app.raises")
    result = function.invoke("name")
    line = APP[: APP.index("deeper(event)\n")].count("\n") + 1
    assert result.error == {
        "errorType": "KeyError",
        "errorMessage": "'name'",
        "requestId": result.request_id,
        "stackTrace": [
            f'  File "{tmp_path}/app.py", line {line}, in raises\n    deeper(event)\n',
            f'  File "{tmp_path}/app.py", line {line + 3}, in deeper\n    raise KeyError(event)\n',
        ],
    }
    assert "[ERROR] KeyError: 'name'" in result.log
    assert not function.invoke("again").cold


@pytest.mark.parametrize(
    ("handler", "files", "kind", "message"),
    [
        (
            "broken.handler",
            {"broken": "import nothing_like_it"},
            "Runtime.ImportModuleError",
            "Unable to import module 'broken': No module named 'nothing_like_it'",
        ),
        (
            "missing.handler",
            {},
            "Runtime.ImportModuleError",
            "Unable to import module 'missing': No module named 'missing'",
        ),
        (
            "app.nothing",
            {},
            "Runtime.HandlerNotFound",
            "Handler 'nothing' missing on module 'app'",
        ),
        (
            "broken.handler",
            {"broken": "def"},
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'broken': invalid syntax (broken.py, line 1)",
        ),
        ("broken.handler", {"broken": "1 / 0"}, "ZeroDivisionError", "division by zero"),
        (
            "broken.handler",
            {"broken": "raise SystemExit(3)"},
            "Runtime.ExitError",
            "RequestId: ID Error: Runtime exited with error: exit status 3",
        ),
        (
            "app",
            {},
            "Runtime.MalformedHandlerName",
            "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
        ),
    ],
)
def test_an_error_at_the_start_has_lambdas_own_shape(
    handler: str, files: dict[str, str], kind: str, message: str, make: Make
) -> None:
    function = make(handler, **files)
    assert error_of(function, {}) == (kind, message)
    result = function.invoke({})
    assert (result.cold, result.init_ms, result.status) == (True, None, 200)


def test_a_failed_start_is_tried_once_more_as_lambda_does(make: Make, tmp_path: Path) -> None:
    second = (
        "import os, pathlib\n"
        "noted = pathlib.Path('noted')\n"
        "if not noted.exists():\n"
        "    noted.touch()\n"
        "    raise OSError('first')\n"
        "def handler(event, context):\n"
        "    return 'second'\n"
    )
    result = make("second.handler", second=second).invoke({})
    assert (result.payload, result.cold, result.init_ms) == ("second", True, None)
    assert "OSError: first" in result.log


def test_a_start_that_takes_too_long_has_the_time_of_the_call(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_lambda, "INIT_SECONDS", 0.5)
    slow = "import time\ntime.sleep(1)\ndef handler(event, context):\n    return 'late'\n"
    result = make("slow.handler", slow=slow).invoke({})
    assert (result.payload, result.init_ms) == ("late", None)
    assert result.duration_ms > 1_000
    assert error_of(make("slow.handler", timeout=0.5, slow=slow), {})[0] == "Sandbox.Timedout"


def test_a_call_that_takes_too_long_ends_the_process(make: Make) -> None:
    function = make("app.sleeps")
    first = function.invoke(0).payload
    slow = function.function(timeout=1)
    assert error_of(slow, 30) == (
        "Sandbox.Timedout",
        "RequestId: ID Error: Task timed out after 1.00 seconds",
    )
    again = slow.invoke(0)
    assert again.cold
    assert function.invoke(0).payload == first


def test_the_time_of_an_emulated_function_is_longer(make: Make) -> None:
    function = make("app.sleeps", timeout=0.4)
    function._where = Ran(emulated=True)
    result = function.invoke(1)
    assert (result.error, result.emulated) == (None, True)
    left = function.function("app.context_of").invoke(None).payload["left"]
    assert 400 < left <= 4_000


@pytest.mark.parametrize(
    ("event", "how"),
    [
        (0, "without providing a reason"),
        (3, "with error: exit status 3"),
        (-9, "with error: signal: killed"),
        (-11, "with error: signal: segmentation fault"),
        (-6, "with error: signal: aborted"),
    ],
)
def test_a_process_that_ends_is_an_exit_error(event: int, how: str, make: Make) -> None:
    function = make("app.ends")
    message = f"RequestId: ID Error: Runtime exited {how}"
    assert error_of(function, event) == ("Runtime.ExitError", message)
    assert function.function("app.handler").invoke({}).cold


def test_a_process_that_ends_between_two_calls_is_replaced(make: Make) -> None:
    function = make("app.sleeps")
    pid = function.invoke(0).payload
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while function._running.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    again = function.invoke(0)
    assert again.payload not in (pid, None)
    assert again.cold


MOST = 6_291_556


def test_a_response_may_have_6_mb_and_100_bytes(make: Make) -> None:
    function = make("app.long")
    assert function.invoke(MOST - 2).error is None
    assert error_of(function, MOST - 1) == (
        "Function.ResponseSizeTooLarge",
        f"Response payload size ({MOST + 1} bytes) exceeded maximum allowed payload size "
        f"({MOST} bytes).",
    )
    assert error_of(function, 40_000_000)[0] == "Function.ResponseSizeTooLarge"
    assert function.invoke(1).payload == "x"


def test_an_event_may_have_6_mb(make: Make) -> None:
    function = make("app.size")
    assert function.invoke("x" * (6 * 2**20 - 2)).payload == 6 * 2**20 - 2
    result = function.invoke("x" * (6 * 2**20 - 1))
    assert result.error == {
        "errorType": "RequestEntityTooLargeException",
        "errorMessage": "Request must be smaller than 6291456 bytes for the InvokeFunction "
        "operation",
    }
    assert (result.status, result.request_id, result.log) == (413, "", "")
    assert not function.invoke([]).cold


def test_the_log_is_that_of_one_call_in_lambdas_form(make: Make) -> None:
    shown: list[str] = []
    function = make("app.logs")
    function._show = shown.append
    for _ in range(2):
        result = function.invoke({})
        printed, warned, error, end = result.log.split("\n")
        assert (printed, error, end) == ("printed", "to stderr", "")
        pattern = rf"\[WARNING\]\t\d{{4}}-\d\d-\d\dT[\d:.]+Z\t{result.request_id}\twarned"
        assert re.fullmatch(pattern, warned)
        assert shown.pop() == result.log


@pytest.mark.parametrize("seconds", [0, 30])
def test_output_is_there_without_an_end_of_line_and_after_a_time_out(
    seconds: int, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    assert make("app.writes", timeout=1).invoke(seconds).log == "no end of line"


def test_of_much_output_the_end_is_kept_and_nothing_waits(make: Make) -> None:
    result = make("app.much").invoke(3_000_000)
    assert result.payload == "done"
    assert len(result.log) == 2**20
    assert result.log.endswith("x\n")


def test_everything_that_it_has_started_ends_with_it(make: Make) -> None:
    function = make("app.starts")
    pid = function.invoke({}).payload
    function.close()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/cmdline").exists() and time.monotonic() < deadline:
        if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]:
            break
        time.sleep(0.01)
    else:
        assert not Path(f"/proc/{pid}").exists()


def test_without_a_handler_the_error_says_where_to_set_it(make: Make) -> None:
    with pytest.raises(pytest.fail.Exception, match="no handler is configured") as caught:
        make("").invoke({})
    assert 'handler = "module.function"' in str(caught.value)


def test_a_folder_that_is_missing_is_named(make: Make, tmp_path: Path) -> None:
    function = make()
    function._function["root"] = str(tmp_path / "absent")
    with pytest.raises(pytest.fail.Exception, match=f"is missing here: {tmp_path}/absent"):
        function.invoke({})


def test_an_event_that_json_cannot_express_is_an_error_of_the_test(make: Make) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        make().invoke({1, 2})


def test_a_frozen_clock_stops_no_call(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("time", "monotonic"):
        monkeypatch.setattr(time, name, lambda: 0.0)
    assert error_of(make("app.sleeps", timeout=1), 30)[0] == "Sandbox.Timedout"


def test_descriptors_and_threads_are_given_back(make: Make) -> None:
    def counts() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    function = make()
    function.invoke({})
    function.restart()
    before = counts()
    for _ in range(3):
        function.invoke({})
        function.restart()
    after = counts()
    assert all(now <= then for now, then in zip(after, before, strict=True)), (before, after)
