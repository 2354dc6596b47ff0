"""What one photograph takes, hashing and look-up included: `arm64_measure` of pytest-arm64.

Measured everywhere, judged on native ARM: a photograph may take 100 ms, and far less than the
512 MB of the function.
"""

from typing import Any

import photos
import pytest

from technical_validator import Catalogue, validate

STORED = 200


@pytest.fixture
def catalogue() -> Catalogue:
    """As many hashes as make a look-up meet something, none of them near a photograph."""
    catalogue = Catalogue()
    for number in range(STORED):
        scattered = number * 0x9E3779B97F4A7C15 % 2**64
        catalogue.add(f"stored-{number}", scattered, scattered ^ 2**64 - 1)
    return catalogue


@pytest.mark.arm64_budget(latency="100ms", memory="64MB")
def test_one_photograph(catalogue: Catalogue, arm64_measure: Any) -> None:
    upload = photos.jpeg(photos.load("coffee.png"))
    found = arm64_measure(validate, "upload", upload, catalogue, rounds=5, warmup=1)
    assert found.result.accepted
    assert found.latency.median > 0
