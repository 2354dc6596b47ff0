"""The gallery's table in DynamoDB: keeps photographs by their hashes and finds near-duplicates.

A photograph is eight items: each of its two 64-bit hashes in four chunks of 16 bits. An index has
the chunks' upper bytes as partitions, its *shelves*, and the lower bytes as sort keys.

Nothing within a distance of 8 is missed and the table is never scanned: 8 bits over four chunks
leave some chunk with 2 or fewer. Those 2 are spread over its two bytes, so that the other hash
stands on the same shelf, on one of 8 shelves that differ by a bit, or at the very same place of one
of 28 shelves that differ by two: 37 queries a chunk, where 137 exact keys would have to be asked.
What they bring is a candidate until all 64 bits of both hashes have been compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

THRESHOLD = 8
HASHES = ("phash", "dhash")
INDEX = "by-shelf"
_BYTE = 8


@dataclass(frozen=True, order=True)
class Near:
    """A stored photograph that both hashes find near; the nearest sorts first."""

    phash_distance: int
    dhash_distance: int
    name: str


class Gallery:
    """One table, through a client of boto3."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self.table = table

    def create(self) -> None:
        """Make the table and its index."""
        keys = ("photograph", "record", "shelf", "place")
        self._dynamodb.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
            KeySchema=_schema("photograph", "record"),
            GlobalSecondaryIndexes=[
                {
                    "IndexName": INDEX,
                    "KeySchema": _schema("shelf", "place"),
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )

    def store(self, name: str, hashes: Mapping[str, str]) -> None:
        """Keep *name* under its *hashes*, 16 hex digits each; one that is there already moves."""
        left = {self.table: [{"PutRequest": {"Item": i}} for i in _items(name, hashes)]}
        while left:
            left = self._dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]

    def near(self, name: str, hashes: Mapping[str, str]) -> list[Near]:
        """The other photographs within the threshold by both hashes.

        Looking up one of them is enough, since both must agree.
        """
        found = set()
        for item in self._candidates("phash", hashes["phash"]):
            distances = [_distance(hashes[kind], item[kind]["S"]) for kind in HASHES]
            if max(distances) <= THRESHOLD and item["photograph"]["S"] != name:
                found.add(Near(*distances, item["photograph"]["S"]))
        return sorted(found)

    def _candidates(self, kind: str, value: str) -> Iterator[Mapping[str, Any]]:
        for position in range(4):
            chunk = value[4 * position : 4 * position + 4]
            upper, lower = int(chunk[:2], 16), chunk[2:]
            for bits in range(3):
                for flipped in combinations(range(_BYTE), bits):
                    shelf = _shelf(kind, position, upper ^ sum(1 << bit for bit in flipped))
                    yield from self._on(shelf, lower if bits == 2 else None)

    def _on(self, shelf: str, place: str | None) -> Iterator[Mapping[str, Any]]:
        condition, values = "shelf = :shelf", {":shelf": {"S": shelf}}
        if place is not None:
            condition += " AND place = :place"
            values[":place"] = {"S": place}
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=INDEX,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
        for page in pages:
            yield from page["Items"]


def _schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def _items(name: str, hashes: Mapping[str, str]) -> Iterator[dict[str, dict[str, str]]]:
    whole = {kind: {"S": hashes[kind]} for kind in HASHES}
    for kind in HASHES:
        for position in range(4):
            chunk = hashes[kind][4 * position : 4 * position + 4]
            yield {
                "photograph": {"S": name},
                "record": {"S": f"{kind}#{position}"},
                "shelf": {"S": _shelf(kind, position, int(chunk[:2], 16))},
                "place": {"S": chunk[2:]},
                **whole,
            }


def _shelf(kind: str, position: int, upper: int) -> str:
    return f"{kind}#{position}#{upper:02x}"


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
