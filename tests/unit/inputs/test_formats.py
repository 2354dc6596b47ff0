"""``--no-binary`` and ``--only-binary`` mean what they mean to pip."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pip._internal.models.format_control import FormatControl

from pytest_arm64.audit.matrix import BLOCKER, SOURCE, WHEEL
from pytest_arm64.inputs.formats import Formats
from unit.index.served import matrix_of, release, serve

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
NAMES = st.sampled_from([":all:", ":none:", "one", "Two", "one,two"])


@given(st.lists(st.tuples(st.booleans(), NAMES), max_size=6))
def test_options_in_any_order_decide_as_pip_would(options: list[tuple[bool, str]]) -> None:
    ours, pips = Formats(), FormatControl()
    for only, value in options:
        if only:
            ours = ours.wheels_only(value)
            pips.handle_mutual_excludes(value, pips.only_binary, pips.no_binary)
        else:
            ours = ours.without_wheels(value)
            pips.handle_mutual_excludes(value, pips.no_binary, pips.only_binary)
    for name in ("one", "two", "three"):
        allowed = pips.get_allowed_formats(name)
        excluded = {"sdist": "source", "wheel": "binary", "": ""}[ours.excluded(name)]
        assert allowed == {"source", "binary"} - {excluded}


@pytest.mark.parametrize(
    ("text", "settings", "state", "cause"),
    [
        ("zed", {}, WHEEL, ""),
        ("--no-binary zed\nzed", {}, SOURCE, "no-binary"),
        ("zed", {"no-binary": ":all:"}, SOURCE, "no-binary"),
        ("--only-binary zed\nzed", {"no-binary": ":all:"}, WHEEL, ""),
        ("raw", {}, SOURCE, "source-everywhere"),
        ("raw", {"only-binary": "raw"}, BLOCKER, "source-everywhere"),
    ],
)
def test_what_is_asked_for_is_followed(
    tmp_path: Path, text: str, settings: dict[str, str], state: str, cause: str
) -> None:
    projects = {
        "zed": release("zed", "1.0", ARM, sdist=True),
        "raw": release("raw", "1.0", sdist=True),
        "setuptools": release("setuptools", "80.0", "py3-none-any", sdist=True),
    }
    with serve(projects) as index:
        matrix = matrix_of(tmp_path, text, index.url, settings=settings)
    (row,) = matrix.deployed
    assert (row.state, row.cause) == (state, cause)
