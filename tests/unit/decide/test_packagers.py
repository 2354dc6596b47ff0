"""What packagers take from an index, compared with an installer on the target."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.config._toml import loads
from pytest_arm64.config.artifact import read_artifact_name
from pytest_arm64.config.targets import Target, shipped_targets
from pytest_arm64.contents.packager_view import KINDS, PACKAGERS, PackagerView
from pytest_arm64.decide.packagers import packager_view
from pytest_arm64.errors import SettingsError
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.service import artifact_service, read_service
from pytest_arm64.report.matrix_output import markdown, summary
from pytest_arm64.report.sarif import sarif
from unit.index.served import Played, Project, all_recorded, joined, release, sdist, serve
from unit.support import write

pytestmark = pytest.mark.usefixtures("index_alone")

ZIP = shipped_targets()["lambda-zip-python3.12"]
OLD = shipped_targets()["lambda-zip-python3.11"]


def packed(
    folder: Path,
    index: Played,
    requirements: str,
    *names: str,
    target: Target = ZIP,
    file: str = "requirements.txt",
) -> WheelMatrix:
    """The matrix of *requirements* with the views of the packagers *names*."""
    write(folder, {file: requirements})
    environ = {"NETRC": str(folder / "no-netrc")}
    service = read_service(folder / file, environ)
    with Auditor(environ, config=PipConfig({"index-url": index.url}, {}, ())) as auditor:
        matrix = auditor.matrix(service, target)
        views = tuple(packager_view(n, service, target, matrix, auditor) for n in names)
    return replace(matrix, packagers=views)


def view_of(
    folder: Path,
    projects: Mapping[str, Project],
    requirements: str,
    name: str,
    *,
    target: Target = ZIP,
    files: Mapping[str, bytes] | None = None,
) -> PackagerView:
    with serve(projects) as index:
        index.files.update(files or {})
        return packed(folder, index, requirements, name, target=target).packagers[0]


def found(view: PackagerView) -> list[tuple[str, str]]:
    return [(finding.kind, finding.name) for finding in view.findings]


def test_every_packager_says_which_version_was_read_where_and_when() -> None:
    text = resources.files("pytest_arm64.resources").joinpath("packagers.toml").read_text("utf-8")
    data = loads(text)
    assert tuple(data) == PACKAGERS
    for entry in data.values():
        assert re.fullmatch(r"[a-z-]+ \d+\.\d+(\.\d+)?", entry["tool"])
        assert isinstance(entry["date"], date)
        assert entry["source"].startswith("https://")
        assert set(entry["fix"]) == {"listed", "compiled", "pure", "markers", "release"}


@pytest.mark.parametrize("name", PACKAGERS)
def test_what_has_wheels_everywhere_is_packed_by_every_tool(tmp_path: Path, name: str) -> None:
    view = view_of(tmp_path, all_recorded(), "requests\nnumpy==1.26.4\n", name)
    assert (view.works, view.problems) == (True, ())
    assert {r.how for r in view.releases} == {"wheel"}
    assert {kind for kind, _ in found(view)} <= {"packager-wheel"}


def test_sam_does_not_build_what_it_downloaded_as_a_wheel_for_x86(tmp_path: Path) -> None:
    view = view_of(tmp_path, all_recorded(), "psutil==5.9.8\n", "sam")
    assert found(view) == [("packager-fails", "psutil")]
    (finding,) = view.findings
    assert "sam build --use-container compiles it" in finding.fix
    assert finding.place == "requirements.txt:1"


def test_in_a_container_sam_compiles_as_an_installer_on_the_target_does(tmp_path: Path) -> None:
    view = view_of(tmp_path, all_recorded(), "psutil==5.9.8\n", "sam-container")
    assert [(r.name, r.how) for r in view.releases] == [("psutil", "built")]
    assert view.findings == ()


def test_pex_packs_what_it_compiled_for_the_host(tmp_path: Path) -> None:
    view = view_of(tmp_path, all_recorded(), "psutil==5.9.8\n", "pex")
    assert found(view) == [("packager-x86", "psutil")]
    assert not view.works


@pytest.mark.parametrize("name", ["uv", "pip-platform"])
def test_other_tools_refuse_what_has_to_be_compiled(tmp_path: Path, name: str) -> None:
    view = view_of(tmp_path, all_recorded(), "psutil==5.9.8\n", name)
    assert found(view) == [("packager-fails", "psutil")]
    assert "build its wheel on ARM64" in view.findings[0].fix


@pytest.mark.parametrize(
    ("glibc", "failing"),
    [
        (17, set()),
        (28, {"uv", "pip-platform", "pex"}),
        (34, {"uv", "pip-platform", "pex"}),
        # aws-lambda-builders lists 2_17, 2_28 and 2_34 alone.
        (24, {"sam", "uv", "pip-platform", "pex"}),
        (27, {"sam", "uv", "pip-platform", "pex"}),
        (31, {"sam", "uv", "pip-platform", "pex"}),
    ],
)
def test_each_tool_takes_the_tags_on_its_list_alone(
    tmp_path: Path, glibc: int, failing: set[str]
) -> None:
    legacy = ".manylinux2014" if glibc == 17 else ""
    tags = [
        f"cp312-cp312-manylinux_2_{glibc}_aarch64{legacy and legacy + '_aarch64'}",
        "cp312-cp312-manylinux_2_17_x86_64",
    ]
    with serve({"zed": release("zed", "1.0", *tags)}) as index:
        matrix = packed(tmp_path, index, "zed==1.0\n", *PACKAGERS)
    assert matrix["zed"].state == "wheel"
    assert {view.packager for view in matrix.packagers if not view.works} == failing
    assert matrix.ready == (not failing)
    for view in matrix.packagers:
        assert found(view) == [("packager-fails", "zed")] * (view.packager in failing)
    if failing:
        fixes = {view.packager: view.findings[0].fix for view in matrix.packagers if view.findings}
        uv_names = {24: 28, 27: 28, 28: 28, 31: 31, 34: 34}[glibc]
        assert fixes["uv"] == f"--python-platform aarch64-manylinux_2_{uv_names}"
        assert f"--platform manylinux_2_{glibc}_aarch64" in fixes["pip-platform"]
        assert "--complete-platform" in fixes["pex"]


def test_a_tag_without_its_old_name_is_not_taken_by_tools_that_name_the_old_one(
    tmp_path: Path,
) -> None:
    tags = ["cp312-cp312-manylinux_2_17_aarch64", "cp312-cp312-manylinux_2_17_x86_64"]
    with serve({"zed": release("zed", "1.0", *tags)}) as index:
        matrix = packed(tmp_path, index, "zed==1.0\n", *PACKAGERS)
    failing = {view.packager for view in matrix.packagers if not view.works}
    assert failing == {"pip-platform", "pex"}


def test_on_an_older_runtime_sam_takes_fewer_tags(tmp_path: Path) -> None:
    tags = ["cp311-cp311-manylinux_2_26_aarch64", "cp311-cp311-manylinux_2_17_x86_64"]
    projects = {"zed": release("zed", "1.0", *tags)}
    assert found(view_of(tmp_path, projects, "zed\n", "sam", target=OLD)) == [
        ("packager-fails", "zed")
    ]
    assert view_of(tmp_path, projects, "zed\n", "sam-container", target=OLD).findings == ()


def test_sam_prefers_the_tags_at_the_head_of_its_list(tmp_path: Path) -> None:
    tags = ["cp312-cp312-manylinux_2_17_aarch64", "cp312-cp312-manylinux_2_28_aarch64"]
    view = view_of(tmp_path, {"zed": release("zed", "1.0", *tags, sdist=True)}, "zed\n", "sam")
    assert view.releases[0].file == f"zed-1.0-{tags[0]}.whl"
    assert found(view) == [("packager-wheel", "zed")]
    assert view.works


PLAIN = {"setup.py": b"from setuptools import setup\nsetup(name='zed')\n", "zed.py": b"x = 1\n"}
OPTIONAL_PART = {
    "setup.py": b"""\
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

class Optional(build_ext):
    def run(self):
        try:
            super().run()
        except Exception:
            pass

setup(name="zed", ext_modules=[Extension("fast", ["fast.c"], optional=True)])
""",
    "fast.c": b"int x;\n",
    "zed.py": b"x = 1\n",
}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            PLAIN,
            {"sam": "built", "sam-container": "built", "uv": "built", "pex": "built"}
            | {"pip-platform": "refused"},
        ),
        (
            OPTIONAL_PART,
            {"sam": "slow", "sam-container": "built", "uv": "refused", "pex": "x86"}
            | {"pip-platform": "refused"},
        ),
    ],
)
def test_what_becomes_of_a_source_distribution_depends_on_what_is_in_it(
    tmp_path: Path, content: Mapping[str, bytes], expected: Mapping[str, str]
) -> None:
    with serve({"zed": release("zed", "1.0", sdist=True)}) as index:
        index.files["zed-1.0.tar.gz"] = sdist("zed", "1.0", files=content)
        matrix = packed(tmp_path, index, "zed==1.0\n", *PACKAGERS)
    assert {view.packager: view.releases[0].how for view in matrix.packagers} == expected
    fixes = [f.fix for view in matrix.packagers for f in view.findings]
    if content is PLAIN:
        assert fixes == [
            "build its wheel once (pip wheel --no-deps zed==1.0), and add --find-links"
        ]


def test_tools_that_evaluate_markers_on_the_host_miss_what_arm_needs(tmp_path: Path) -> None:
    arm, x86 = "cp312-cp312-manylinux2014_aarch64", "cp312-cp312-manylinux2014_x86_64"
    projects = {
        "zed": release("zed", "1.0", "py3-none-any"),
        "neon": release("neon", "1.0", arm),
        "mkl": release("mkl", "1.0", x86),
        "note": release("note", "1.0", "py3-none-any"),
    }
    requirements = (
        "zed\nneon; platform_machine == 'aarch64'\nmkl; platform_machine == 'x86_64'\n"
        "note; platform_machine == 'x86_64'\n"
    )
    with serve(projects) as index:
        matrix = packed(tmp_path, index, requirements, *PACKAGERS)
    expected = [
        ("packager-fails", "mkl"),
        ("packager-lacks", "neon"),
        ("packager-adds", "note"),
    ]
    for view in matrix.packagers:
        assert found(view) == (expected if view.packager in ("sam", "pip-platform") else [])


def test_a_tool_that_chooses_for_another_list_takes_another_release(tmp_path: Path) -> None:
    x86 = "cp312-cp312-manylinux2014_x86_64"
    projects = {
        "zed": joined(
            release("zed", "2.0", "cp312-cp312-manylinux_2_28_aarch64", x86),
            release("zed", "1.0", "cp312-cp312-manylinux2014_aarch64", x86),
        ),
        # Of the newest there is a wheel for x86 alone.
        "app": joined(
            release("app", "2.0", x86),
            release("app", "1.0", "cp312-cp312-manylinux2014_aarch64", x86),
        ),
    }
    with serve(projects) as index:
        matrix = packed(tmp_path, index, "zed\napp\n", *PACKAGERS)
    assert (matrix["zed"].version, matrix["app"].version) == ("2.0", "1.0")
    by_name = {view.packager: found(view) for view in matrix.packagers}
    assert by_name["sam"] == [("packager-fails", "app")]
    assert by_name["sam-container"] == []
    for name in ("uv", "pip-platform", "pex"):
        assert by_name[name] == [("packager-release", "zed")]
    fails = matrix.packagers[0].findings[0]
    assert (fails.version, fails.fix) == ("2.0", "pin app==1.0, or use sam build --use-container")


def test_a_blocker_is_no_fault_of_the_packager(tmp_path: Path) -> None:
    with serve({"zed": release("zed", "1.0", "cp312-cp312-manylinux2014_x86_64")}) as index:
        matrix = packed(tmp_path, index, "zed==1.0\n", *PACKAGERS)
    assert matrix["zed"].state == "blocker"
    assert [view.findings for view in matrix.packagers] == [()] * len(PACKAGERS)


def test_a_python_that_a_tool_does_not_know_leaves_it_open(tmp_path: Path) -> None:
    new = replace(ZIP, python="3.15")
    with serve({"zed": release("zed", "1.0", "py3-none-any")}) as index:
        matrix = packed(tmp_path, index, "zed==1.0\n", "sam", "uv", target=new)
    sam, uv = matrix.packagers
    assert sam.problems == ("aws-lambda-builders 1.68.0 has no rules for Python 3.15",)
    assert (uv.problems, uv.works) == ((), True)
    assert (matrix.complete, matrix.exit_code) == (False, 3)


def test_a_lock_is_packed_as_it_stands(tmp_path: Path) -> None:
    tag = "cp312-cp312-manylinux_2_28_aarch64"
    hashes = '{sha256 = "' + "a" * 64 + '"}'
    wheels = ", ".join(
        f'{{url = "https://e.example/zed-1.0-{name}.whl", hashes = {hashes}}}'
        for name in (tag, "cp312-cp312-manylinux2014_x86_64")
    )
    lock = (
        'lock-version = "1.0"\ncreated-by = "hand"\n[[packages]]\nname = "zed"\n'
        f'version = "1.0"\nwheels = [{wheels}]\n'
    )
    with serve({}) as index:
        matrix = packed(tmp_path, index, lock, "sam", "pip-platform", file="pylock.toml")
    sam, pip = matrix.packagers
    assert [(r.how, r.file) for r in sam.releases] == [("wheel", f"zed-1.0-{tag}.whl")]
    assert found(pip) == [("packager-fails", "zed")]


def test_an_artifact_is_packaged_already(tmp_path: Path) -> None:
    info = "Metadata-Version: 2.1\nName: zed\nVersion: 1.0\n"
    write(tmp_path, {"built/zed-1.0.dist-info/METADATA": info, "built/zed.py": ""})
    artifact = read_artifact_name("dir:built", tmp_path)
    assert artifact is not None
    service = artifact_service(artifact, {})
    with Auditor({}, config=PipConfig({}, {}, ())) as auditor:
        matrix = auditor.matrix(service, ZIP)
        with pytest.raises(SettingsError, match="is built already"):
            packager_view("sam", service, ZIP, matrix, auditor)


def test_every_form_shows_what_a_packager_takes(tmp_path: Path) -> None:
    tags = ["cp312-cp312-manylinux_2_31_aarch64", "cp312-cp312-manylinux_2_17_x86_64"]
    with serve({"zed": release("zed", "1.0", *tags)}) as index:
        matrix = packed(tmp_path, index, "zed==1.0\n", "sam", "sam-container")
    lines = "\n".join(summary(matrix))
    assert "sam (aws-lambda-builders 1.68.0 of 2026-10-26): it ends with an error" in lines
    assert "packager-fails: zed 1.0: zed-1.0-cp312-cp312-manylinux_2_31_aarch64.whl has" in lines
    assert "it packs 1 package, as an installer on the target" in lines
    assert lines.endswith("Not ready.")
    assert "| zed 1.0 | packager-fails |" in markdown([matrix])
    (result,) = sarif([matrix], ())["runs"][0]["results"]  # type: ignore[index] # JSON
    assert (result["ruleId"], result["level"]) == ("arm64/packager-fails", "error")
    assert WheelMatrix.from_json(matrix.to_json()).packagers == matrix.packagers


def test_the_rules_of_findings_are_explained_in_sarif() -> None:
    run: dict[str, Any] = sarif([], ())["runs"][0]  # type: ignore[index] # JSON
    assert {f"arm64/{kind}" for kind in KINDS} <= {r["id"] for r in run["tool"]["driver"]["rules"]}
