"""The picture in the documentation is one of the page as it is."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path

from PIL import Image

SCRIPT = Path(__file__).parents[2] / "scripts" / "picture"


def test_the_picture_in_the_documentation_is_of_this_page() -> None:
    loader = importlib.machinery.SourceFileLoader("picture", str(SCRIPT))
    spec = importlib.util.spec_from_loader("picture", loader)
    assert spec is not None
    script = importlib.util.module_from_spec(spec)
    loader.exec_module(script)
    with Image.open(script.PICTURE) as picture:
        assert picture.size == (script.WIDTH, script.HEIGHT)
        assert picture.info[script.KEY] == script.looks(), (
            "the page has changed: scripts/demo, then scripts/picture build/parjanya/after"
        )
