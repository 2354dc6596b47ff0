"""Hands photographs out to the workers: the oldest first, in batches, no more than may cost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

BATCH = 10
"""What SQS takes in one request."""


@dataclass(frozen=True)
class Photograph:
    """One that waits; ``cost`` is what its inference will cost, in millionths of a dollar."""

    key: str
    waiting_since: float
    cost: int


def affordable(waiting: Iterable[Photograph], budget: int) -> Iterator[Photograph]:
    """The oldest first, until the next one would cost more than is left of *budget*.

    Nothing younger overtakes: a dear photograph would else wait for ever.
    """
    for photograph in sorted(waiting, key=lambda p: (p.waiting_since, p.key)):
        if photograph.cost > budget:
            return
        budget -= photograph.cost
        yield photograph


def batches(photographs: Iterable[Photograph]) -> Iterator[list[Photograph]]:
    """As many as one request takes, in their order."""
    batch: list[Photograph] = []
    for photograph in photographs:
        batch.append(photograph)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def hand_out(sqs: Any, queue: str, waiting: Iterable[Photograph], budget: int) -> list[str]:
    """Send what is affordable to *queue*; the keys of those that the queue refused."""
    refused = []
    for batch in batches(affordable(waiting, budget)):
        entries = [
            {"Id": str(number), "MessageBody": json.dumps({"key": photograph.key})}
            for number, photograph in enumerate(batch)
        ]
        answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        refused += [batch[int(failure["Id"])].key for failure in answer.get("Failed", [])]
    return refused
