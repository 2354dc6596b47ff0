"""The function as Lambda calls it: events of SQS, cold and warm, and Lambda's own errors."""

import base64
import json
from typing import Any

import photos
import pytest


@pytest.fixture
def function(arm64_lambda: Any) -> Any:
    """This service's, in whichever folder pytest was started."""
    return arm64_lambda.function("handler.handler", timeout=30)


def queued(*bodies: str) -> dict[str, Any]:
    """The event of SQS for messages with *bodies*."""
    return {
        "Records": [
            {
                "messageId": f"059f36b4-87a3-44ab-83d2-6619{number:08}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:uploads",
                "awsRegion": "eu-west-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def message(data: bytes, name: str) -> str:
    return json.dumps({"name": name, "image": base64.b64encode(data).decode()})


def test_messages_of_a_queue_cold_and_warm(function: Any) -> None:
    coffee = message(photos.jpeg(photos.load("coffee.png")), "coffee.jpg")
    first = function.invoke(queued(coffee, "{}", "not JSON", message(b"GIF89a", "broken.gif")))
    assert first.error is None, first.error
    assert [verdict["status"] for verdict in first.payload["verdicts"]] == [
        "accepted",
        "unreadable",
    ]
    failed = [failure["itemIdentifier"][-1] for failure in first.payload["batchItemFailures"]]
    assert failed == ["1", "2"]
    assert first.cold
    assert first.log.splitlines()[0] == (
        '{"name": "coffee.jpg", "status": "accepted", "reasons": []}'
    )

    second = function.invoke(queued(coffee))
    assert second.payload["verdicts"] == first.payload["verdicts"][:1]
    assert not second.cold


def test_a_library_that_is_not_deployed_is_an_error_of_the_start(arm64_lambda: Any) -> None:
    result = arm64_lambda.function("tests/before.handler", timeout=30).invoke({})
    assert result.error["errorType"] == "Runtime.ImportModuleError"
    assert result.error["errorMessage"] == (
        "Unable to import module 'tests/before': No module named 'rawpy'"
    )


def test_a_time_out_ends_the_process_and_the_next_call_is_cold(arm64_lambda: Any) -> None:
    late = arm64_lambda.function("tests/faults.late", timeout=0.1)
    for _ in range(2):
        result = late.invoke({})
        assert result.error["errorType"] == "Sandbox.Timedout"
        assert result.error["errorMessage"] == (
            f"RequestId: {result.request_id} Error: Task timed out after 0.10 seconds"
        )
        assert result.cold


def test_seven_megabytes_are_too_many_both_ways(arm64_lambda: Any) -> None:
    long = arm64_lambda.function("tests/faults.long", timeout=30)
    answer = long.invoke(7_000_000)
    assert answer.error == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size (7000002 bytes) exceeded maximum allowed payload "
        "size (6291556 bytes).",
    }
    event = long.invoke("x" * 7_000_000)
    assert event.error["errorType"] == "RequestEntityTooLargeException"
    assert (event.status, event.cold) == (413, False)
