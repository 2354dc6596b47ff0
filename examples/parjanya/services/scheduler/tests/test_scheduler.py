"""What is handed out, in which order and at what cost; SQS is botocore's own stub."""

from __future__ import annotations

import json
import random

import boto3
import pytest
from botocore.stub import Stubber
from scheduler import BATCH, Photograph, affordable, batches, hand_out

QUEUE = "https://sqs.eu-west-1.amazonaws.com/1/photographs"


def waiting(*costs: int) -> list[Photograph]:
    return [Photograph(f"p{number}", float(number), cost) for number, cost in enumerate(costs)]


@pytest.mark.parametrize("seed", range(5))
def test_the_oldest_go_first_whatever_their_order(seed: int) -> None:
    queue = waiting(1, 1, 1, 1, 1)
    shuffled = random.Random(seed).sample(queue, k=5)
    assert list(affordable(shuffled, 3)) == queue[:3]


def test_nothing_overtakes_what_is_too_dear() -> None:
    assert [p.key for p in affordable(waiting(2, 9, 1), 5)] == ["p0"]
    assert list(affordable(waiting(0, 0), 0)) == waiting(0, 0)


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 3 * BATCH])
def test_batches_are_full_but_the_last(count: int) -> None:
    found = list(batches(waiting(*[1] * count)))
    assert [p for batch in found for p in batch] == waiting(*[1] * count)
    assert all(len(batch) == BATCH for batch in found[:-1])
    assert all(found)


def test_what_the_queue_refuses_is_told() -> None:
    sqs = boto3.client(
        "sqs", region_name="eu-west-1", aws_access_key_id="-", aws_secret_access_key="-"
    )
    entries = [{"Id": str(n), "MessageBody": json.dumps({"key": f"p{n}"})} for n in range(2)]
    refusal = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
    sent = {"Id": "0", "MessageId": "m", "MD5OfMessageBody": "0" * 32}
    with Stubber(sqs) as stub:
        stub.add_response(
            "send_message_batch",
            {"Successful": [sent], "Failed": [refusal]},
            {"QueueUrl": QUEUE, "Entries": entries},
        )
        assert hand_out(sqs, QUEUE, waiting(1, 1, 1), 2) == ["p1"]
        stub.assert_no_pending_responses()
