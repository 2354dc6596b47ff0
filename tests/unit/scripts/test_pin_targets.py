"""`scripts/pin-targets`: only digests change, and no wrong answer is written down."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from docker.errors import APIError, NotFound
from requests.exceptions import ReadTimeout

from pytest_arm64.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SCRIPT = Path(__file__).parents[3] / "scripts" / "pin-targets"
OLD, NEW, OTHER = ("sha256:" + letter * 64 for letter in "abc")
TEXT = f"""\
# A comment with digest = "{OLD}" in it.
[recipes.none]

[bases.one]   # the first
image = "one:1"
digest = "{OLD}"   # moves
pythons = ["3.12"]

[bases.tagged]
image = "tagged:{{python}}"

[bases.two]
digest = '{OTHER}'
image = "two:2"
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("pin_targets", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up.
    sys.modules[loader.name] = module
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = keep
    return module


class Engine:
    """Answers as the engine's distribution endpoint does."""

    def __init__(self, **digests: str) -> None:
        self.digests = digests
        self.asked: list[str] = []

    def __call__(self, image: str) -> Mapping[str, Any]:
        self.asked.append(image)
        return {
            "Descriptor": {"digest": self.digests[image.partition(":")[0]]},
            "Platforms": [
                {"os": "linux", "architecture": "amd64"},
                {"os": "linux", "architecture": "arm64"},
            ],
        }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "targets.toml"
    path.write_bytes(TEXT.encode())
    return path


def test_only_the_digest_of_the_base_that_moved_changes(script: ModuleType, file: Path) -> None:
    engine = Engine(one=NEW, two=OTHER)
    assert script.main(["--write", "--file", str(file)], engine) == 0
    expected = TEXT.replace(f'digest = "{OLD}"   # moves', f'digest = "{NEW}"   # moves')
    assert file.read_text() == expected
    assert engine.asked == ["one:1", "two:2"]


def test_line_ends_and_quotes_stay(script: ModuleType, file: Path) -> None:
    file.write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert script.main(["--write", "--file", str(file)], Engine(one=OLD, two=NEW)) == 0
    assert file.read_bytes() == TEXT.replace(OTHER, NEW).replace("\n", "\r\n").encode()


def test_without_write_a_diff_is_shown_and_nothing_is_written(
    script: ModuleType, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--file", str(file)], Engine(one=NEW, two=OTHER)) == 0
    out = capsys.readouterr().out
    assert f'-digest = "{OLD}"   # moves\n+digest = "{NEW}"   # moves\n' in out
    assert file.read_text() == TEXT


@pytest.mark.parametrize(("digest", "code"), [(OLD, 0), (NEW, 1)])
def test_check_tells_by_its_exit_code(
    script: ModuleType, file: Path, digest: str, code: int
) -> None:
    assert script.main(["--check", "--file", str(file)], Engine(one=digest, two=OTHER)) == code
    assert file.read_text() == TEXT


def test_what_has_not_moved_is_said(
    script: ModuleType, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--file", str(file)], Engine(one=OLD, two=OTHER)) == 0
    assert capsys.readouterr().out == "2 pinned, none moved\n"


@pytest.mark.parametrize(
    "digest", ["", "sha256:short", "sha512:" + "a" * 128, f'{NEW}"\n[bases.evil]', NEW + "\n"]
)
def test_an_answer_without_a_usable_digest_is_never_written(
    script: ModuleType, file: Path, capsys: pytest.CaptureFixture[str], digest: str
) -> None:
    assert script.main(["--write", "--file", str(file)], Engine(one=digest, two=OTHER)) == 2
    assert "next step" in capsys.readouterr().err
    assert file.read_text() == TEXT


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"Descriptor": None},
        {"Descriptor": {"digest": NEW}},
        {"Descriptor": {"digest": NEW}, "Platforms": None},
        {"Descriptor": {"digest": NEW}, "Platforms": [{"os": "linux", "architecture": "amd64"}]},
        {"Descriptor": {"digest": NEW}, "Platforms": [{"os": "windows", "architecture": "arm64"}]},
    ],
)
def test_an_image_without_the_platform_is_refused(
    script: ModuleType, file: Path, answer: Mapping[str, Any]
) -> None:
    assert script.main(["--write", "--file", str(file)], lambda _: answer) == 2
    assert file.read_text() == TEXT


def test_a_failure_at_the_second_image_leaves_the_first_as_it_was(
    script: ModuleType, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Engine(one=NEW)

    def ask(image: str) -> Mapping[str, Any]:
        if image == "two:2":
            raise script.PinError("no route", "look for one")
        return engine(image)

    assert script.main(["--write", "--file", str(file)], ask) == 2
    assert capsys.readouterr().err == "pin-targets: no route\n  next step: look for one\n"
    assert file.read_text() == TEXT


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('image = "one:1"', 'image = "one:{python}"'),
        lambda text: text.replace("[bases.one]", "[bases . one]"),
        lambda text: text + '[bases]\nthree = { image = "three:3", digest = "x" }\n',
        lambda text: text.replace("[bases.", "[other."),
        lambda text: text + "not toml",
    ],
)
def test_a_file_that_cannot_be_rewritten_safely_is_left_alone(
    script: ModuleType, file: Path, change: Callable[[str], str]
) -> None:
    changed = change(TEXT)
    file.write_text(changed)
    engine = Engine(one=NEW, two=OTHER, three=NEW)
    assert script.main(["--write", "--file", str(file)], engine) == 2
    assert file.read_text() == changed


def test_a_line_that_looks_like_a_pin_inside_a_string_is_not_one(
    script: ModuleType, file: Path
) -> None:
    changed = TEXT + f'note = """\ndigest = "{OLD}"\n"""\n'
    file.write_text(changed)
    assert script.main(["--write", "--file", str(file)], Engine(one=OLD, two=NEW)) == 2
    assert file.read_text() == changed


def test_a_file_that_is_not_there_is_named(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--file", str(tmp_path / "none.toml")], Engine()) == 2
    assert "none.toml" in capsys.readouterr().err


def test_the_shipped_targets_can_be_rewritten(script: ModuleType) -> None:
    text = script.TARGETS.read_text("utf-8")
    pins = script.read_pins(text)
    assert pins
    assert script.rewritten(text, pins) == text
    moved = [script.Pin(pin.base, pin.image, NEW) for pin in pins]
    assert script.rewritten(text, moved).count(NEW) == len(pins)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Lets the engine, or the registry behind it, fail with an exception."""

    def fail(error: Exception) -> None:
        class Api:
            def inspect_distribution(self, image: str) -> Mapping[str, Any]:
                raise error

        @contextmanager
        def opened() -> Iterator[SimpleNamespace]:
            if isinstance(error, EngineError):
                raise error
            yield SimpleNamespace(client=SimpleNamespace(api=Api()))

        monkeypatch.setattr("pytest_arm64.engine.endpoint.open_engine", opened)

    return fail


@pytest.mark.parametrize(
    "failure",
    [
        (EngineError("no engine answers", next_step="start one"), "no engine answers"),
        (APIError("", explanation="no such host"), "one:1: no such host"),
        (NotFound("", explanation="manifest unknown"), "one:1: manifest unknown"),
        (ReadTimeout("timed out"), "one:1: timed out"),
        (ConnectionResetError("reset by peer"), "one:1: reset by peer"),
    ],
)
def test_a_failure_of_the_engine_is_told_with_a_next_step(
    script: ModuleType,
    file: Path,
    registry: Callable[[Exception], None],
    capsys: pytest.CaptureFixture[str],
    failure: tuple[Exception, str],
) -> None:
    error, told = failure
    registry(error)
    assert script.main(["--write", "--file", str(file)]) == 2
    message = capsys.readouterr().err
    assert told in message
    assert "next step: " in message
    assert file.read_text() == TEXT
