"""The function as Lambda calls it on its schedule; table and queue are a server of this test."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class _Aws(BaseHTTPRequestHandler):
    """Two operations, as DynamoDB and SQS speak them: JSON, with a header that names them."""

    items: list[dict[str, Any]]
    sent: list[str]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {
            "DynamoDB_20120810.Scan": self.scan,
            "AmazonSQS.SendMessageBatch": self.send,
        }[self.headers["X-Amz-Target"]](asked)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def scan(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Two items a page."""
        begin = int(asked.get("ExclusiveStartKey", {"key": {"S": "0"}})["key"]["S"])
        items = self.items[begin : begin + 2]
        more = begin + 2 < len(self.items)
        last = {"LastEvaluatedKey": {"key": {"S": str(begin + 2)}}} if more else {}
        return {"Items": items, "Count": len(items), "ScannedCount": len(items), **last}

    def send(self, asked: dict[str, Any]) -> dict[str, Any]:
        entries = asked["Entries"]
        self.sent += [json.loads(entry["MessageBody"])["key"] for entry in entries]
        return {"Successful": [{"Id": entry["Id"], "MessageId": "m"} for entry in entries]}

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Aws]]:
    """The table's items and what was sent; the function finds both where it looks for AWS."""
    kind = type("Aws", (_Aws,), {"items": [], "sent": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        variables = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TABLE": "waiting",
            "QUEUE_URL": f"http://127.0.0.1:{server.server_port}/1/inference",
            "BUDGET": "2500",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield kind
        server.shutdown()
        thread.join()


def tick(time: str) -> dict[str, Any]:
    """The event of a schedule, as EventBridge sends it."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": time,
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/every-two-minutes"],
        "detail": {},
    }


def item(key: str, waiting_since: int, cost: int) -> dict[str, Any]:
    return {
        "key": {"S": key},
        "waiting_since": {"N": str(waiting_since)},
        "cost": {"N": str(cost)},
    }


def test_two_ticks_of_the_schedule_cold_and_warm(arm64_lambda: Any, aws: type[_Aws]) -> None:
    aws.items += [item("young", 3, 900), item("old", 1, 1000), item("middle", 2, 800)]
    first = arm64_lambda.invoke(tick("2024-05-17T06:30:00Z"))
    assert first.error is None, first.error
    # What is young has to wait: 2,500 do not suffice for all three.
    assert aws.sent == ["old", "middle"]
    assert first.payload == {
        "tick": "2024-05-17T06:30:00Z",
        "waiting": 3,
        "sent": 2,
        "refused": [],
    }
    assert first.cold

    del aws.items[1:], aws.sent[:]
    second = arm64_lambda.invoke(tick("2024-05-17T06:32:00Z"))
    assert (second.payload["sent"], aws.sent, second.cold) == (1, ["young"], False)
