"""The wheel matrix as it is written."""

from __future__ import annotations

import json

import pytest

from pytest_arm64.audit.matrix import Row
from pytest_arm64.index.addresses import public
from pytest_arm64.records import encode

TOKENS = (
    "https://user:secret@example.invalid/a-1.0.whl",
    "https://example.invalid/a-1.0.whl?X-Amz-Signature=secret",
    "https://example.invalid/a-1.0.whl#token=secret",
    "https://user:secret@example.invalid/a.tar.gz?sig=secret#subdirectory=b&token=secret",
)


@pytest.mark.parametrize("url", TOKENS)
def test_no_credential_of_an_address_is_written(url: str) -> None:
    written = json.dumps(encode(Row("a", "1.0", "wheel", url=url)))
    assert "secret" not in written
    assert "https://example.invalid/a" in written


@pytest.mark.parametrize(
    "place",
    [
        "",
        "/home/user/a?b#c",
        "https://example.invalid/a-1.0.whl",
        "git+https://example.invalid/a@main#subdirectory=b",
    ],
)
def test_what_holds_no_credential_is_written_as_it_is(place: str) -> None:
    assert public(place) == place
