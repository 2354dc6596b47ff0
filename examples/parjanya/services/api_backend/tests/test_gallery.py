"""The lookup, on a real server: misses nothing, invents nothing, scans nothing."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from gallery import THRESHOLD, Gallery, Near

ZERO = {"phash": "0" * 16, "dhash": "0" * 16}


def hashes(phash: int, dhash: int) -> dict[str, str]:
    return {"phash": f"{phash:016x}", "dhash": f"{dhash:016x}"}


def flipped(value: int, bits: int, random: Random) -> int:
    for bit in random.sample(range(64), bits):
        value ^= 1 << bit
    return value


@pytest.fixture
def asked(dynamodb: Any) -> Counter[str]:
    """Counts requests by operation."""
    found: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        found[model.name] += 1

    dynamodb.meta.events.register("before-call.dynamodb", count, unique_id="count")
    yield found
    dynamodb.meta.events.unregister("before-call.dynamodb", unique_id="count")


def test_the_lookup_equals_a_comparison_with_everything(
    gallery: Gallery, asked: Counter[str]
) -> None:
    random = Random(714)
    centre = random.getrandbits(64), random.getrandbits(64)
    stored = {
        f"{p}-{d}": (flipped(centre[0], p, random), flipped(centre[1], d, random))
        for p in (0, 3, 4, 7, 8, 9)
        for d in (0, 8, 9)
    }
    for name, values in stored.items():
        gallery.store(name, hashes(*values))
    asked.clear()
    found = gallery.near("new", hashes(*centre))
    expected = sorted(
        Near(p, d, f"{p}-{d}")
        for p in (0, 3, 4, 7, 8, 9)
        for d in (0, 8, 9)
        if max(p, d) <= THRESHOLD
    )
    assert found == expected
    assert len(expected) == 10
    assert asked == {"Query": 4 * (1 + 8 + 28)}


def test_a_photograph_is_eight_items_and_moves_when_it_is_stored_again(
    gallery: Gallery, dynamodb: Any
) -> None:
    gallery.store("a", ZERO)
    gallery.store("a", hashes((1 << 64) - 1, 0))
    items = dynamodb.scan(TableName=gallery.table)["Items"]
    records = sorted(item["record"]["S"] for item in items)
    assert records == [f"{kind}#{n}" for kind in ("dhash", "phash") for n in range(4)]
    assert {item["phash"]["S"] for item in items} == {"f" * 16}
    on_shelves = {item["shelf"]["S"] for item in items if item["record"]["S"] == "phash#2"}
    assert on_shelves == {"phash#2#ff"}
