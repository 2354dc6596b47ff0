"""What local projects compute is asked of their back ends, once, and only where it counts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

import pytest

from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.environment.failures import Tools
from pytest_arm64.environment.local_projects import (
    BuiltMetadata,
    metadata_failure,
    metadata_in_answer,
    parse_built_metadata,
)
from pytest_arm64.environment.plan import PlanRequest, make_plan
from pytest_arm64.environment.planned_scope import InstallPlan, NotPlannableError
from pytest_arm64.errors import InstallError
from pytest_arm64.index.fetch import Fetcher
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.manifest import read_manifest
from unit.index.served import Played, release, serve
from unit.support import CELL, is_plain_text, ran, settings_of, write

PURE = "py3-none-any"
PROJECTS = {name: release(name, "1.0", PURE) for name in ("pure", "tool", "other", "test-tool")}
METADATA = """Metadata-Version: 2.2
Name: Mine
Version: 4.0
Provides-Extra: test
Provides-Extra: empty
Requires-Dist: pure>=1
Requires-Dist: other; sys_platform == "win32"
Requires-Dist: tool; python_version >= "3.8"
Requires-Dist: test-tool; extra == "test"
"""
COMPUTED = "from setuptools import setup\nsetup(name='mine', install_requires=compute())\n"
NAMELESS = "from setuptools import setup\nsetup(**compute())\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    with serve(PROJECTS) as played:
        yield played


class Source:
    """Answers for each back end with the same metadata."""

    def __init__(self, answer: str | None = METADATA) -> None:
        self._answer = answer
        self.asked: list[str] = []

    def __call__(self, _: Auditor, __: Fetcher, folder: Path) -> BuiltMetadata | None:
        self.asked.append(folder.name)
        if self._answer is None:
            return None
        return parse_built_metadata(self._answer.encode(), folder.name)


def plan_of(folder: Path, played: Played, source: Source | None) -> InstallPlan:
    config = PipConfig({"index-url": played.url}, {}, ())
    manifest = read_manifest(settings_of(folder), folder)
    asked = PlanRequest(manifest, (), config, CELL, ran(python_version="3.12.4"))
    with Auditor({}, config=config) as auditor:
        return make_plan(asked, auditor, source)[0]


def names(plan: InstallPlan) -> set[str]:
    return {package.name for package in plan.packages}


@pytest.mark.parametrize("script", [COMPUTED, NAMELESS], ids=["dependencies", "name"])
@pytest.mark.parametrize("compiles", [False, True])
def test_what_a_setup_script_computes_is_asked_once(
    tmp_path: Path, index: Played, script: str, compiles: bool
) -> None:
    folder = write(tmp_path / "mine", {"setup.py": script + "# ext_modules\n" * compiles})
    write(folder, {"requirements-test.txt": "other\n"})
    source = Source()
    plan = plan_of(folder, index, source)
    assert names(plan) == {"pure", "tool", "other"}
    assert (plan.editable, plan.folders) == (((), (folder,)) if compiles else ((folder,), ()))
    assert source.asked == ["mine"]


def test_what_a_project_declares_as_dynamic_is_asked(tmp_path: Path, index: Played) -> None:
    project = '[build-system]\nrequires = []\nbuild-backend = "hatchling.build"\n[project]\n'
    project += 'name = "mine"\ndynamic = ["version", "dependencies", "optional-dependencies"]\n'
    folder = write(tmp_path / "mine", {"pyproject.toml": project})
    write(folder, {"requirements-test.txt": "./[test]\n"})
    assert names(plan_of(folder, index, Source())) == {"pure", "tool", "test-tool"}


def test_of_a_project_in_a_folder_of_the_repository_too(tmp_path: Path, index: Played) -> None:
    folder = write(
        tmp_path / "app",
        {
            "requirements.txt": "-e ./lib\n-e ./plain\n",
            "lib/setup.py": COMPUTED,
            "plain/pyproject.toml": '[project]\nname = "plain"\nversion = "1"\n',
        },
    )
    source = Source()
    assert names(plan_of(folder, index, source)) == {"pure", "tool"}
    assert source.asked == ["lib"]


def test_what_is_not_installed_is_not_asked(tmp_path: Path, index: Played) -> None:
    project = (
        '[project]\nname = "mine"\nversion = "1"\ndependencies = ["pure"]\n'
        '[tool.uv.sources]\nlib = { path = "lib" }\n'
    )
    folder = write(tmp_path / "mine", {"pyproject.toml": project, "lib/setup.py": COMPUTED})
    source = Source()
    assert names(plan_of(folder, index, source)) == {"pure"}
    assert source.asked == []


@pytest.mark.parametrize("script", [COMPUTED, NAMELESS], ids=["dependencies", "name"])
@pytest.mark.parametrize("source", [None, Source(None)], ids=["no engine", "pip may fetch"])
def test_without_an_answer_pip_has_to(
    tmp_path: Path, index: Played, script: str, source: Source | None
) -> None:
    folder = write(tmp_path / "mine", {"setup.py": script})
    with pytest.raises(NotPlannableError, match="after a build"):
        plan_of(folder, index, source)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "Version: 1\n",
        "Name: a\nRequires-Dist: !!\n",
        "Name: a\n" + "Requires-Dist: b\n" * 6000,
        "Name: a\nRequires-Dist: b @ file:///etc/b-1-py3-none-any.whl\n",
        "Name: a\nRequires-Dist: b @ git+FILE:///srv/b\n",
        "Name: a\nRequires-Dist: b @ ../b\n",
    ],
    ids=["nothing", "no name", "no requirement", "too many", "file", "repository", "path"],
)
def test_metadata_that_are_not_valid_are_refused(content: str) -> None:
    with pytest.raises(InstallError, match="of mine wrote is not valid") as caught:
        parse_built_metadata(content.encode(), "mine")
    assert is_plain_text(caught.value)


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (json.dumps(["Name: a"]), b"Name: a"),
        ("[]", b""),
        ("{", b""),
        ("[1]", b""),
        ("[" * 9999, b""),
    ],
)
def test_an_answer_that_is_none_has_no_metadata(answer: str, content: bytes) -> None:
    assert metadata_in_answer(answer.encode()) == content


def test_a_back_end_that_fails_is_named_with_its_reason() -> None:
    log = "Traceback (most recent call last):\nModuleNotFoundError: No module named 'generated'\n"
    error = metadata_failure("mine", log, Tools())
    assert "the dependencies of mine are unknown" in str(error)
    assert "generated" in str(error)
    assert error.log == log
    assert error.next_step


def test_the_program_in_the_builder_gives_the_metadata_of_a_back_end(tmp_path: Path) -> None:
    backend = (
        "import pathlib\n"
        "def prepare_metadata_for_build_wheel(folder, settings=None):\n"
        "    info = pathlib.Path(folder, 'mine-4.0.dist-info'); info.mkdir()\n"
        f"    info.joinpath('METADATA').write_text({METADATA!r})\n"
        "    print('said while it works'); return info.name\n"
    )
    system = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
    folder = write(tmp_path / "mine", {"pyproject.toml": system, "own.py": backend})

    def ask(sources: Sequence[Sequence[str]]) -> subprocess.CompletedProcess[str]:
        program = (resources.files("pytest_arm64.environment") / "ask_backend.py").read_text()
        command = [sys.executable, "-c", program, str(tmp_path / "answer"), json.dumps(sources)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert ask([(str(folder), "", "metadata")]).returncode == 0
    answer = metadata_in_answer((tmp_path / "answer").read_bytes())
    built = parse_built_metadata(answer, "mine")
    assert (built.name, built.version, built.extras) == ("mine", "4.0", ("test", "empty"))
    write(folder, {"own.py": "import generated_by_nobody\n"})
    failed = ask([(str(folder), "", "metadata")])
    assert failed.returncode != 0
    assert "generated_by_nobody" in failed.stderr
