"""A plugin: as ``local_place``, with the facts that are in ``PLACED_FACTS``; named by ``-p``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from local_place import _local  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    facts = json.loads(os.environ["PLACED_FACTS"])
    return _placed({**facts, "core": planned.cell.core})


@contextmanager
def _placed(facts: dict[str, Any]) -> Iterator[Place]:
    from pytest_arm64.inside.ran import Ran

    with _local({}) as place:
        yield replace(place, ran=Ran.of_facts(facts))
