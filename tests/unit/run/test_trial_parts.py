"""What is tried in which part of a run, and what is refused before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.errors import SettingsError
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inside.ran import Ran
from pytest_arm64.mirror.task import NO_TERMINAL, Task
from pytest_arm64.progress import NoProgress
from pytest_arm64.run.cells import planned_cells
from pytest_arm64.run.parts import RunPart
from pytest_arm64.run.trial_parts import TriedParts, tried_parts
from unit.index.served import joined, release, serve
from unit.support import project_of, write

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
PROJECTS = {
    "zed": joined(release("zed", "1.0", X86), release("zed", "2.0", ARM, X86)),
    "good": release("good", "1.0", ARM, X86),
    "stuck": release("stuck", "1.0", X86),
}
SERVICES = """
[tool.pytest-arm64.service.api]
requirements = "api/requirements.txt"
[tool.pytest-arm64.service.web]
requirements = "web/requirements.txt"
[tool.pytest-arm64.service.gpu]
requirements = "gpu/requirements.txt"
boundary = { reason = "CUDA", migratable-when = "never" }
"""
FILES = {
    "api/requirements.txt": "zed==1.0\n",
    "web/requirements.txt": "good\n",
    "gpu/requirements.txt": "zed==1.0\n",
}


def tried(folder: Path, *changes: str, files: dict[str, str] | None = None) -> TriedParts:
    write(folder, files or FILES)
    project = project_of(folder, SERVICES if files is None else "", changes=changes)
    services = project.services.configured or (project.itself,)
    task = Task((), str(folder), False, Ran(), NO_TERMINAL)
    parts = []
    for service in services:
        settings = project.settings_of(service)
        parts.append(RunPart(service, settings, task, planned_cells(settings, service)))
    with serve(PROJECTS) as index:
        config = PipConfig({"index-url": index.url}, {}, ())
        return tried_parts(parts, project, lambda: config, NoProgress())


def shown(parts: TriedParts) -> dict[str, list[str]]:
    return {part.name: list(map(str, part.settings.changes)) for part in parts.parts}


def test_only_services_that_a_change_concerns_are_run(tmp_path: Path) -> None:
    chosen = tried(tmp_path, "zed==2.0")
    assert shown(chosen) == {"api": ["zed==2.0"]}
    assert chosen.lines == (
        "not tried: web: no change concerns it",
        "not tried: gpu: it is declared to stay on x86",
    )
    assert [cell.role.value for cell in chosen.parts[0].cells] == [
        "reference",
        "changed",
        "mirrored",
    ]


def test_fixes_are_those_of_each_service(tmp_path: Path) -> None:
    assert shown(tried(tmp_path, "fixes")) == {"api": ["zed==2.0"]}


@pytest.mark.parametrize(
    ("files", "changes", "why"),
    [
        (None, ["absent==1"], "nothing that is deployed by api, web, gpu asks for absent"),
        (None, ["zed==9"], "api cannot be resolved with it"),
        ({"requirements.txt": "good\n"}, ["fixes"], "the audit proposes no change"),
        ({"requirements.txt": "stuck==1.0\n"}, ["fixes"], "the audit proposes no change"),
        ({"README.md": ""}, ["zed==2.0"], "asks for zed"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_its_reason(
    tmp_path: Path, files: dict[str, str] | None, changes: list[str], why: str
) -> None:
    with pytest.raises(SettingsError, match=why):
        tried(tmp_path, *changes, files=files)


def test_a_change_beside_fixes_counts_before_the_fix(tmp_path: Path) -> None:
    files = {"requirements.txt": "zed==1.0\ngood\n"}
    assert list(shown(tried(tmp_path, "fixes", "zed==2.0,>=2", files=files)).values()) == [
        ["zed==2.0,>=2"]
    ]
