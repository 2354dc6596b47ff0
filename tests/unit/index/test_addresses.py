"""No password and no token of an address is shown, whoever wrote the text around it."""

from __future__ import annotations

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.index.addresses import masked, public, scrubbed, shown

WORDS = st.text("abcXYZ019-._~!$&*+,;=:@%", min_size=1, max_size=8)
SCHEMES = st.sampled_from(["http", "https", "git+https", "git+ssh", "ftp", "svn+http"])
AROUND = st.text("abc \t'\"<>()[]:;,.\n", max_size=12)
SECRET = "PASSWORD"


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """An address with the secret in its user, its password, its query, or in several of them."""
    quoted = urllib.parse.quote(draw(WORDS), safe="")
    user = draw(st.sampled_from([f"{SECRET}@", f"u:{SECRET}@", f"{SECRET}:{quoted}@"]))
    query = draw(st.sampled_from(["", f"?token={SECRET}", f"?a={quoted}&sig={SECRET}"]))
    fragment = draw(st.sampled_from(["", "#egg=x", f"#token={SECRET}"]))
    port = draw(st.sampled_from(["", ":8443"]))
    return f"{draw(SCHEMES)}://{user}index.example{port}/a/{quoted}.whl{query}{fragment}"


@given(addresses())
def test_an_address_is_shown_without_its_secrets(address: str) -> None:
    for text in (shown(address), public(address)):
        assert SECRET not in text
        assert "index.example" in text


@given(AROUND, st.lists(addresses(), min_size=1, max_size=3), AROUND)
def test_what_a_program_says_is_shown_without_the_secrets_in_it(
    before: str, between: list[str], after: str
) -> None:
    said = f"{before} '{chr(39).join(between)}' {after}"
    assert SECRET not in scrubbed(said)
    assert SECRET not in masked(said.replace("\n", " "))


@pytest.mark.parametrize("text", ["", "no address", "a:b@c", "//x?y", "http:", "1 == 2 ? 3 : 4"])
def test_a_text_without_an_address_stays(text: str) -> None:
    assert scrubbed(text) == masked(text) == text
