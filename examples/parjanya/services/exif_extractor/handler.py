"""AWS Lambda entry point: S3 says which photographs are new, and what they say of themselves is
the answer.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import cache
from typing import Any
from urllib.parse import unquote_plus

import boto3
from exif import facts_of


@cache
def s3() -> Any:
    """The client, made once for all calls of one process."""
    return boto3.client("s3")


def handler(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """The facts of each photograph that the *event* names, in its order."""
    photographs = [_photograph(record["s3"]) for record in event["Records"]]
    sys.stdout.write(json.dumps({"photographs": len(photographs)}) + "\n")
    return {"photographs": photographs}


def _photograph(entry: dict[str, Any]) -> dict[str, Any]:
    key = unquote_plus(entry["object"]["key"])  # S3 encodes it as a form does
    stored = s3().get_object(Bucket=entry["bucket"]["name"], Key=key)
    facts = asdict(facts_of(stored["Body"].read()))
    taken = facts["taken"]
    return {"key": key, **facts, "taken": taken.isoformat() if taken else None}
