"""How the container of a Lambda target differs from another's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_arm64.config.lambda_limits import LambdaLimits
from pytest_arm64.config.services import ServiceConfig
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.run.lambda_container import (
    as_function,
    function_environment,
    limits_in_words,
    processors_of,
)

MB = 2**20
LIMITS = LambdaLimits(1024, 1000, 512 * MB)
SERVICE = ServiceConfig("image service", Path("/repo/fn"))


def engine(processors: int) -> Engine:
    nothing: Any = None
    return Engine(nothing, "x86_64", "27", has_init=True, processors=processors)


@pytest.mark.parametrize(
    ("memory", "there", "emulated", "expected"),
    [
        (1769, 4, False, 1.0),
        (3538, 4, False, 2.0),
        (10240, 2, False, 2.0),  # an engine refuses more than it has
        (128, 4, False, 128 / 1769),
        (128, 4, True, 1.0),  # emulated time is not judged
        (3538, 4, True, 2.0),
        (0, 4, False, 0.0),
        (1769, 0, False, 0.0),  # the engine cannot limit them
    ],
)
def test_processors_go_by_memory(memory: int, there: int, emulated: bool, expected: float) -> None:
    limits = replace(LIMITS, memory=memory * MB)
    assert processors_of(limits, engine(there), emulated=emulated) == expected


def test_a_functions_container_can_write_to_its_temporary_folder_alone() -> None:
    before = Plan("image", "linux/arm64", tmpfs={"/tmp": "rw", "/var/tmp": "rw", "/home/me": "rw"})
    plan = as_function(before, LIMITS, 0.5)
    assert plan.tmpfs is not None
    written = {path for path, options in plan.tmpfs.items() if options.startswith("rw")}
    assert written == {"/tmp"}
    assert plan.tmpfs["/tmp"].endswith(f"size={512 * MB}")
    assert (plan.ipc, plan.open_files, plan.processes, plan.processors) == ("none", 1024, 1000, 0.5)
    assert plan.memory_note == ""
    noted = as_function(replace(before, memory_note="out of memory"), LIMITS, 0.5)
    assert "/tmp count" in noted.memory_note


@pytest.mark.parametrize("package", ["", "-zip"])
def test_a_function_has_the_variables_that_the_service_sets(package: str) -> None:
    target = shipped_targets()[f"lambda{package}-python3.13"]
    settings = Settings(Path("/repo"), target, memory=1024 * MB)
    variables = function_environment(settings, SERVICE)
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "image-service"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1024"
    assert variables["LAMBDA_TASK_ROOT"] == "/repo/fn"
    assert variables.get("AWS_EXECUTION_ENV") == ("AWS_Lambda_python3.13" if package else None)
    assert not [name for name in variables if "KEY" in name or "TOKEN" in name]
    assert function_environment(replace(settings, lambda_limits=False), SERVICE) == {}
    assert limits_in_words(replace(settings, lambda_limits=False), engine(2), emulated=False) == ()
