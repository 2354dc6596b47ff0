"""What becomes of an upload, with the table real and the validator's answers given."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from gallery import Gallery
from upload import upload

ONE = {"phash": "0123456789abcdef", "dhash": "fedcba9876543210"}
# Three bits of one and two of the other away.
ALIKE = {"phash": "0123456789abcde8", "dhash": "fedcba9876543213"}


def judged(answer: Mapping[str, Any]) -> Any:
    def judge(event: Mapping[str, Any]) -> Mapping[str, Any]:
        assert base64.b64decode(event["image"]) == b"pixels"
        return {"name": event["name"], **answer}

    return judge


def test_the_first_is_stored_and_a_copy_of_it_is_named(gallery: Gallery) -> None:
    first = upload(gallery, judged({"status": "accepted", "hashes": ONE}), "one.jpg", b"pixels")
    assert first == {"name": "one.jpg", "status": "stored"}
    again = upload(gallery, judged({"status": "accepted", "hashes": ALIKE}), "two.jpg", b"pixels")
    assert again == {
        "name": "two.jpg",
        "status": "duplicate",
        "duplicates": [{"phash_distance": 3, "dhash_distance": 2, "name": "one.jpg"}],
    }


@pytest.mark.parametrize("status", ["rejected", "unreadable"])
def test_what_is_not_accepted_reaches_no_table(status: str) -> None:
    nowhere: Any = None
    found = upload(Gallery(nowhere, ""), judged({"status": status}), "bad.jpg", b"pixels")
    assert found == {"name": "bad.jpg", "status": status, "reasons": []}
