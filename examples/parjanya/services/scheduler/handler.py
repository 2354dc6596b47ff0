"""AWS Lambda entry point: every two minutes, what waits goes to the queue of the workers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from scheduler import Photograph, affordable, hand_out


@cache
def client(service: str) -> Any:
    """The client of *service*, made once for all calls of one process."""
    return boto3.client(service)


def handler(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """Hand out what waits in the table ``TABLE`` for no more than ``BUDGET``, to ``QUEUE_URL``."""
    budget = int(os.environ["BUDGET"])
    waiting = list(_waiting(os.environ["TABLE"]))
    refused = hand_out(client("sqs"), os.environ["QUEUE_URL"], waiting, budget)
    sent = len(list(affordable(waiting, budget))) - len(refused)
    answer = {"tick": event["time"], "waiting": len(waiting), "sent": sent, "refused": refused}
    sys.stdout.write(json.dumps(answer) + "\n")
    return answer


def _waiting(table: str) -> Iterator[Photograph]:
    for page in client("dynamodb").get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            since, cost = float(item["waiting_since"]["N"]), int(item["cost"]["N"])
            yield Photograph(item["key"]["S"], since, cost)
