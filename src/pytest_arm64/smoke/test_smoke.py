"""One test for each deployed package that has a check."""

from __future__ import annotations

import pytest

from . import arrays, crypto, data, learning, media, system, texts, web  # noqa: F401  (they add)
from .case import Smoke, deployed_packages, deployed_smokes

SMOKES = deployed_smokes(deployed_packages())


if SMOKES:  # without a package there is no test, and not one that is skipped

    @pytest.mark.parametrize("smoke", [s for _, s in SMOKES], ids=[name for name, _ in SMOKES])
    def test_smoke(smoke: Smoke) -> None:
        smoke.run()
