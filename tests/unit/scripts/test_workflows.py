"""The workflows: actions by commit, least permissions, and every option that was given."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[3]
OURS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SHOWN = [*OURS, ROOT / "examples/ci/github.yml"]
ACTION = ROOT / "action.yml"
FOR_OTHERS = ("readiness.yml", "record-goldens.yml")


@pytest.mark.parametrize("path", [*SHOWN, ACTION], ids=lambda path: path.name)
def test_every_action_is_named_by_its_commit(path: Path) -> None:
    uses = re.findall(r"uses: (.+)", path.read_text("utf-8"))
    actions = [name for name in uses if not name.startswith("OWNER/")]
    assert actions
    for action in actions:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action)


def test_one_action_has_one_commit() -> None:
    texts = "".join(path.read_text("utf-8") for path in (*SHOWN, ACTION))
    pins = dict(re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", texts))
    assert {*re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", texts)} == {*pins.items()}


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.name)
def test_a_job_reads_the_repository_and_keeps_no_token(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.search(r"^permissions:\n  contents: read\n\n", text, re.MULTILINE)
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
    assert "pull_request_target" not in text


def script(path: Path, variable: str) -> str:
    """The commands of the step that has *variable*."""
    text = path.read_text("utf-8")
    step = text[text.index(f" {variable}: ${{{{") :]
    block = re.search(r"run: \|\n((?: {8}.*\n)+)", step)
    assert block is not None
    return dedent(block[1])


def arguments(script: str, program: str, folder: Path, **variables: str) -> list[list[str]]:
    """Run *script* as GitHub does; what each call of *program* got."""
    notes = folder / "notes"
    note = f"#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done >>'{notes}'\necho >>'{notes}'\n"
    (folder / program).write_text(note)
    (folder / program).chmod(0o755)
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "RUNNER_TEMP": "/t", **variables},
        cwd=folder,
        check=True,
    )
    return [line.split("\0")[:-1] for line in notes.read_text().splitlines()]


GIVEN = {
    "": [],
    "-x": ["-x"],
    "--arm64-compare -x": ["--arm64-compare", "-x"],
    "--arm64-compare\n--arm64-gate all\n": ["--arm64-compare", "--arm64-gate", "all"],
    "\n\n  -x\n\n  -v  ": ["-x", "-v"],
    "-k \"a or b\"\n-m 'not slow'": ["-k", "a or b", "-m", "not slow"],
    "-k $(touch evil) ; touch evil `touch evil`": [
        *("-k", "$(touch", "evil)", ";", "touch", "evil", "`touch", "evil`"),
    ],
    "*": ["*"],
}


@pytest.mark.parametrize(("given", "words"), GIVEN.items())
@pytest.mark.parametrize("name", FOR_OTHERS)
def test_every_option_reaches_pytest(
    tmp_path: Path, name: str, given: str, words: list[str]
) -> None:
    commands = script(ROOT / ".github/workflows" / name, "OPTIONS")
    (call,) = arguments(
        *(commands, "pytest", tmp_path), OPTIONS=given, TARGET="t", HOW="emulated", SHARDS="[1]"
    )
    assert call[len(call) - len(words) :] == words
    assert call[0] == "--arm64"
    assert "" not in call
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", FOR_OTHERS)
def test_every_package_reaches_pip(tmp_path: Path, name: str) -> None:
    commands = script(ROOT / ".github/workflows" / name, "INSTALL")
    (call,) = arguments(commands, "python", tmp_path, INSTALL="pytest\n'a b'\n./vendor/x\n")
    assert call[-3:] == ["pytest", "a b", "./vendor/x"]


def test_an_option_with_an_open_quote_ends_the_job(tmp_path: Path) -> None:
    commands = script(ROOT / ".github/workflows/readiness.yml", "OPTIONS")
    with pytest.raises(subprocess.CalledProcessError):
        arguments(commands, "pytest", tmp_path, OPTIONS='-k "a', HOW="native", SHARDS="[1]")


@pytest.mark.parametrize(("given", "words"), GIVEN.items())
@pytest.mark.parametrize(
    ("run", "program", "first"),
    [
        ("audit", "pytest-arm64", ["audit", "--report", "out", "--target", "t"]),
        ("emulated", "pytest", ["--arm64", "--arm64-report=out", "--arm64-target", "t"]),
        ("native", "pytest", ["--arm64", "--arm64-report=out", "--arm64-require-native"]),
    ],
)
def test_the_action_passes_target_and_options(
    tmp_path: Path, given: str, words: list[str], run: str, program: str, first: list[str]
) -> None:
    variables = {"RUN": run, "TARGET": "t", "REPORT": "out", "OPTIONS": given}
    (call,) = arguments(script(ACTION, "RUN"), program, tmp_path, **variables)
    assert call[: len(first)] == first
    assert call[len(call) - len(words) :] == words
    assert not (tmp_path / "evil").exists()


def test_the_action_refuses_another_way_to_run(tmp_path: Path) -> None:
    variables = {"RUN": "quick", "TARGET": "", "REPORT": "out", "OPTIONS": ""}
    with pytest.raises(subprocess.CalledProcessError):
        arguments(script(ACTION, "RUN"), "pytest", tmp_path, **variables)


@pytest.mark.parametrize(
    ("earlier", "method"), [("17\n", "PATCH"), ("", "POST")], ids=["second run", "first run"]
)
def test_the_action_updates_its_own_comment(tmp_path: Path, earlier: str, method: str) -> None:
    notes = tmp_path / "calls"
    # The first call lists comments, the second one writes.
    gh = (
        f'#!/bin/sh\necho "$@" >>{notes}\ncase "$*" in *--paginate*) printf \'{earlier}\' ;; esac\n'
    )
    for name, text in {"gh": gh, "pytest-arm64": "#!/bin/sh\necho report\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script(ACTION, "GH_TOKEN")],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path),
            "REPORT": "out",
            "REPOSITORY": "a/b",
            "NUMBER": "3",
        },
        check=True,
    )
    _, written = notes.read_text().splitlines()
    assert f"--method {method}" in written
    assert ("repos/a/b/issues/comments/17" in written) is bool(earlier)
    body = tmp_path / "pytest-arm64-comment.md"
    assert f"body=@{body}" in written
    assert body.read_text() == "<!-- pytest-arm64 -->\nreport\n"
