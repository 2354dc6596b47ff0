"""What the docker tests share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.engine.leftovers import HOST_LABEL, MAKER_LABEL


@dataclass(frozen=True)
class Result:
    """A finished pytest process."""

    code: int
    out: str

    def lines(self, start: str) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith(start)]


RunPytest = Callable[..., Result]


def outcomes(junitxml: Path) -> dict[tuple[str, str], str]:
    """Outcome of each test of a JUnit file by class and name."""
    found = {}
    for case in ElementTree.parse(junitxml).getroot().iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[case.get("classname", ""), case.get("name", "")] = ",".join(kinds) or "passed"
    return found


def ours(engine: Engine) -> list[str]:
    """Ids of all containers of ours but those of this very session."""
    label = "pytest-arm64.session"
    return [
        str(container["Id"])
        for container in engine.client.api.containers(all=True, filters={"label": label})
        if container["Labels"][label] != engine.session
    ]


def left_by(engine: Engine, pid: int, seconds: float = 15.0) -> list[str]:
    """Ids of containers that the host process *pid* has made and that are there after *seconds*."""
    deadline = time.monotonic() + seconds
    while True:
        found = [
            str(container["Id"])
            for container in engine.client.api.containers(all=True, filters={"label": HOST_LABEL})
            # of one that is kept it is empty
            if container["Labels"][HOST_LABEL].split("/")[1:2] == [str(pid)]
        ]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def nameless_images(engine: Engine) -> set[int]:
    """Ids of the processes that made images of ours without a name."""
    found = engine.client.api.images(filters={"dangling": True, "label": MAKER_LABEL})
    return {int(image["Labels"][MAKER_LABEL].split("/")[1]) for image in found}
