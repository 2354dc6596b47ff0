"""The configured index, for tests that ask it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_arm64.index.fetch import Deadline
from pytest_arm64.index.index import Index, Sources
from pytest_arm64.index.pip_config import host_pip_config


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    index = Index(Sources.of_host(host_pip_config()), Deadline(3600))
    yield index
    index.close()
