"""The public types, as a test suite and a plugin use them; checked by scripts/lint, never run.

A name, a parameter or an attribute that goes away is an error here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_arm64 import hooks
from pytest_arm64.plugin import (
    arm64_abi,
    arm64_golden,
    arm64_install,
    arm64_lambda,
    arm64_matrix,
    arm64_measure,
    arm64_target,
)

if TYPE_CHECKING:
    from pytest_arm64.typing import (
        ArmAbi,
        ArmGolden,
        ArmInstall,
        ArmLambda,
        ArmMatrix,
        ArmMeasure,
        ArmTarget,
        CellResult,
        GoldenMismatchError,
        LambdaError,
        LambdaResult,
        Measurement,
        Memory,
        Place,
        PlannedCell,
        Ran,
        Ratio,
        Settings,
        SilentCell,
        Summary,
        Transport,
    )

FIXTURES = (
    arm64_abi,
    arm64_golden,
    arm64_install,
    arm64_lambda,
    arm64_matrix,
    arm64_measure,
    arm64_target,
)


def test_target(arm64_target: ArmTarget) -> None:
    machine: str = arm64_target["machine"]
    page_size: int = arm64_target["page_size"]
    if arm64_target["emulated"]:
        pytest.skip(f"{machine}, {page_size}, {arm64_target['core']}")


def test_golden(arm64_golden: ArmGolden) -> None:
    verdict: str = arm64_golden.check([1, 2.5], name="scores", rtol=1e-9)
    assert verdict
    arm64_golden.check_call(int, "x")


def explained(error: GoldenMismatchError) -> str:
    return str(error)


@pytest.mark.arm64_budget(latency="100ms", memory="512MB")
def test_measure(arm64_measure: ArmMeasure) -> None:
    found: Measurement = arm64_measure(sum, [1, 2], rounds=21, warmup=3)
    latency: Summary = found.latency
    memory: Memory = found.memory
    ratio: Ratio = arm64_measure.compare(min, max, [1, 2])
    start: Summary = arm64_measure.cold_start("json")
    assert latency.median < start.median
    assert memory.peak < 1_000
    assert not ratio.differs


def test_records(arm64_install: ArmInstall, arm64_abi: ArmAbi, arm64_matrix: ArmMatrix) -> None:
    assert arm64_install["packages"]
    assert not arm64_abi["findings"]
    assert arm64_matrix["numpy"].state == "wheel"
    assert arm64_matrix.complete


def test_function(arm64_lambda: ArmLambda) -> None:
    result: LambdaResult = arm64_lambda.invoke({"key": 1})
    error: LambdaError | None = result.error
    assert error is None or error["errorType"] == "Sandbox.Timedout"
    assert result.cold
    assert result.init_ms is not None
    assert result.duration_ms < 100 or result.emulated
    assert "key" in result.log
    slow = arm64_lambda.function("app.slow", timeout=0.5, environment={"KEY": "value"})
    slow.restart()
    assert result.payload == {"client": result.client, "id": result.request_id}
    assert result.status == 200
    assert (slow.handler, slow.timeout) == ("app.slow", 0.5)


class Plugin:
    """A plugin that implements every hook."""

    @contextmanager
    def opened(self, transport: Transport, ran: Ran) -> Iterator[Place]:
        from pytest_arm64.run.place import Place

        yield Place(transport=transport, header=(), ran=ran, where="here")

    def pytest_arm64_refused(self, config: pytest.Config) -> None:
        hooks.pytest_arm64_refused(config=config)

    def pytest_arm64_place(
        self, config: pytest.Config, settings: Settings, planned: PlannedCell
    ) -> object:
        return hooks.pytest_arm64_place(config=config, settings=settings, planned=planned)

    def pytest_arm64_cell(
        self,
        config: pytest.Config,
        cell: SilentCell,
        result: CellResult,
        others: Sequence[SilentCell],
        mirrored: Transport,
    ) -> None:
        mirrored.give({"shared/name": b"data"})
        cell.give({"shared/name": b"data"})
        hooks.pytest_arm64_cell(
            config=config, cell=cell, result=result, others=others, mirrored=mirrored
        )

    def pytest_arm64_finished(
        self,
        config: pytest.Config,
        mirrored: Transport,
        complete: bool,
        collected: Mapping[str, int],
        again: Callable[[Collection[str]], CellResult],
    ) -> None:
        repeated: CellResult = again(list(collected))
        assert repeated
        hooks.pytest_arm64_finished(
            config=config,
            mirrored=mirrored,
            complete=complete,
            collected=collected,
            again=again,
        )
