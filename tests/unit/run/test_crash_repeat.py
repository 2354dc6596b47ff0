"""When a crash is repeated on another core, on which, and what is made of the outcome."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_arm64.engine.emulation import QEMU_MODELS
from pytest_arm64.errors import ProtocolError
from pytest_arm64.inside.ran import Ran
from pytest_arm64.mirror.task import End
from pytest_arm64.run.crash_repeat import doubtful, second_core, second_try
from pytest_arm64.run.unseen_session import Outcome

ARM, X86 = (SimpleNamespace(cell=SimpleNamespace(architecture=a)) for a in ("arm64", "amd64"))


@pytest.mark.parametrize("core", QEMU_MODELS)
def test_the_other_core_is_another_model(core: str) -> None:
    assert QEMU_MODELS[second_core(core)] != QEMU_MODELS[core]


@pytest.mark.parametrize(
    ("planned", "emulated", "code", "expected"),
    [
        (ARM, True, 139, True),
        (ARM, True, -6, True),
        (ARM, True, 135, False),
        (ARM, True, 1, False),
        (ARM, True, None, False),
        (ARM, False, 139, False),
        (ARM, None, 139, False),
        (X86, True, 139, False),
    ],
)
def test_only_crashes_under_emulation_are_doubtful(
    planned: Any, emulated: bool | None, code: int | None, expected: bool
) -> None:
    place: Any = SimpleNamespace(ran=Ran("aarch64", emulated=emulated))
    assert doubtful(place, planned, End(code)) is expected


@pytest.mark.parametrize(
    ("outcome", "problems", "expected"),
    [
        (Outcome("t", "passed"), (), "passed"),
        (Outcome("t", "skipped"), (), "passed"),
        (Outcome("t", "failed"), (), "failed"),
        (Outcome("t", "failed", died=True), (), "died"),
        (Outcome("t", "failed", died=True), ("it died after its session",), "died"),
        (Outcome("t", "passed"), ("the connection was cut",), ""),
        (None, (), ""),
    ],
)
def test_what_is_made_of_the_outcome(
    outcome: Outcome | None, problems: tuple[str, ...], expected: str
) -> None:
    variables: dict[str, str] = {}

    def run(only: list[str], environment: dict[str, str]) -> Any:
        variables.update(environment)
        return SimpleNamespace(tests={"t": outcome} if outcome else {}, problems=problems)

    cell: Any = SimpleNamespace(
        planned=SimpleNamespace(cell=SimpleNamespace(core="graviton2")), run=run
    )
    tried = second_try(cell, ["t"])
    assert (tried.core, tried.outcome) == ("graviton3", expected)
    assert variables == {"QEMU_CPU": "neoverse-v1"}
    assert ("MAYBE THE EMULATOR" in str(tried)) is (expected == "passed")
    assert tried.properties == [("arm64_second_try", f"graviton3: {expected or 'unknown'}")]


def test_what_cannot_be_understood_decides_nothing() -> None:
    def run(*_: object) -> None:
        raise ProtocolError("no frame")

    cell: Any = SimpleNamespace(
        planned=SimpleNamespace(cell=SimpleNamespace(core="graviton4")), run=run
    )
    assert "did not come to its end" in str(second_try(cell, ["t"]))
