"""The function as Lambda calls it, with an event of S3; the bucket is a server of this test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest
from test_exif import photograph

BUCKET = "photographs"


class _Objects(BaseHTTPRequestHandler):
    objects: dict[str, bytes]

    def do_GET(self) -> None:
        content = self.objects.get(unquote(self.path.partition("?")[0]))
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """What is in the bucket, by path; the function finds it where it looks for S3."""
    stored: dict[str, bytes] = {}
    kind = type("Objects", (_Objects,), {"objects": stored})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield stored
        server.shutdown()
        thread.join()


def uploaded(*keys: str) -> dict[str, Any]:
    """The event of S3 for objects with *keys*, which it encodes."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-west-1",
                "eventTime": "2024-05-17T06:31:00.000Z",
                "eventName": "ObjectCreated:Put",
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "bucket": {"name": BUCKET, "arn": f"arn:aws:s3:::{BUCKET}"},
                    "object": {"key": key, "size": 1024, "sequencer": "0055AED6DCD90281E5"},
                },
            }
            for key in keys
        ]
    }


def test_the_facts_of_uploaded_photographs_cold_and_warm(
    arm64_lambda: Any, objects: dict[str, bytes]
) -> None:
    objects[f"/{BUCKET}/2024/dawn & dusk.jpg"] = photograph()
    objects[f"/{BUCKET}/notes.txt"] = b"no photograph"
    first = arm64_lambda.invoke(uploaded("2024/dawn+%26+dusk.jpg", "notes.txt"))
    assert first.error is None, first.error
    nothing = {"taken": None, "camera": None, "latitude": None, "longitude": None}
    assert first.payload["photographs"] == [
        {
            "key": "2024/dawn & dusk.jpg",
            "taken": "2024-05-17T06:30:00",
            "camera": "Fuji X-T5",
            "latitude": 46.51,
            "longitude": -8.0,
        },
        {"key": "notes.txt", **nothing},
    ]
    assert first.cold
    assert first.log.endswith('{"photographs": 2}\n')

    second = arm64_lambda.invoke(uploaded("notes.txt"))
    assert (second.payload["photographs"], second.cold) == (
        [{"key": "notes.txt", **nothing}],
        False,
    )

    missing = arm64_lambda.invoke(uploaded("gone.jpg"))
    assert missing.error["errorType"] in ("NoSuchKey", "ClientError")
    assert not missing.cold
