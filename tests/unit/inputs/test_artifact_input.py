"""What is deployed already, read from its installed metadata."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.config.artifact import Artifact, configured_artifact, read_artifact_name
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.services import read_services
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.errors import ArtifactError, SettingsError
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.artifact import installed_file, parse_distribution
from pytest_arm64.inputs.configured import configured_service
from pytest_arm64.inputs.service import artifact_service
from unit.binary.elves import AARCH64, X86_64, elf
from unit.index.served import joined, release, serve

pytestmark = pytest.mark.usefixtures("index_alone")

LAMBDA = shipped_targets()["lambda-python3.12"]
OURS = "cp312-cp312-manylinux_2_17_aarch64"
THEIRS = "cp312-cp312-manylinux_2_17_x86_64"


def installed(
    site: Path,
    name: str,
    version: str,
    *tags: str,
    requires: Sequence[str] = (),
    files: Sequence[str] = (),
    content: bytes = b"",
) -> None:
    """As an installer leaves it; without tags it has no ``WHEEL``."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    lines += [f"Requires-Dist: {text}" for text in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n\nA text.\n", "utf-8")
    if tags:
        told = "".join(f"Tag: {tag}\n" for tag in tags)
        (info / "WHEEL").write_text(f"Wheel-Version: 1.0\n{told}", "utf-8")
    for file in files:
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_bytes(content)
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files), "utf-8")


def matrix(folder: Path, url: str = "", kind: str = "dir") -> WheelMatrix:
    artifact = Artifact(kind, str(folder), f"{kind}:build")
    service = artifact_service(artifact, {})
    settings = {"index-url": url} if url else {"no-index": "true"}
    with Auditor({}, config=PipConfig(settings, {}, ())) as auditor:
        return auditor.matrix(service, LAMBDA)


def test_rows_come_from_what_is_installed_and_no_index_is_asked(tmp_path: Path) -> None:
    site = tmp_path / "python"
    installed(site, "Numberer", "2.1.0", OURS, OURS.replace("_2_17_", "_2_28_"))
    installed(site, "plain", "1.0", "py3-none-any", requires=["numberer>=2"])
    found = matrix(tmp_path)
    assert {(r.name, r.version, r.state) for r in found.deployed} == {
        ("numberer", "2.1.0", "wheel"),
        ("plain", "1.0", "pure"),
    }
    assert found["numberer"].path == ("dir:build", "plain 1.0", "numberer 2.1.0")
    assert found["numberer"].glibc == "2.17"
    assert found.ready
    assert found.exit_code == 0


def test_a_zip_says_the_same_as_the_folder_that_it_was_made_of(tmp_path: Path) -> None:
    site = tmp_path / "folder"
    installed(site, "native", "1.0", OURS)
    archive = tmp_path / "fn.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(site.rglob("*")):
            opened.write(path, path.relative_to(site).as_posix())
    assert [r.state for r in matrix(archive, kind="zip").deployed] == ["wheel"]


def test_what_is_there_for_x86_is_judged_by_what_it_can_be_made_of_again(tmp_path: Path) -> None:
    for name in ("ready", "late", "never"):
        installed(tmp_path / "it", name, "1.0", THEIRS)
    index = {
        "ready": release("ready", "1.0", OURS, THEIRS),
        "late": joined(release("late", "1.0", THEIRS), release("late", "2.0", OURS, THEIRS)),
        "never": release("never", "1.0", THEIRS),
    }
    with serve(index) as played:
        found = matrix(tmp_path / "it", played.url)
    assert {r.name: r.state for r in found.deployed} == {
        "ready": "wheel",
        "late": "blocker",
        "never": "blocker",
    }
    remedy = found["late"].remedy
    assert remedy is not None
    assert remedy.version == "2.0"
    assert any("holds 3 packages for another machine or Python" in note for note in found.notes)


@pytest.mark.parametrize("tags", [("cp312-cp312-linux_aarch64",), ()])
def test_what_was_compiled_on_the_way_is_source(tmp_path: Path, tags: tuple[str, ...]) -> None:
    site = tmp_path / "it"
    installed(site, "homemade", "1.0", *tags, files=["homemade/_c.so"], content=elf())
    with serve({"homemade": release("homemade", "1.0", sdist=True)}) as played:
        found = matrix(site, played.url)
    assert found["homemade"].state == "source"
    assert found["homemade"].cause == "source-everywhere"


def test_lambda_brings_its_own_sdk(tmp_path: Path) -> None:
    requires = ["boto3>=1", "nowhere", 'tomli; python_version<"3.11"', 'x; extra == "all"']
    installed(tmp_path / "it", "worker", "1.0", "py3-none-any", requires=requires)
    found = matrix(tmp_path / "it")
    assert found.ready
    assert sorted(found.notes) == [
        "worker 1.0 asks for boto3, which is provided by the image of lambda-python3.12",
        "worker 1.0 asks for nowhere, which is not in it",
    ]


def test_damaged_metadata_and_a_second_release_are_told(tmp_path: Path) -> None:
    installed(tmp_path / "a", "twice", "1.0", "py3-none-any")
    installed(tmp_path / "b", "twice", "2.0", "py3-none-any")
    installed(tmp_path / "b", "bad", "not a version", "py3-none-any")
    installed(tmp_path / "c", "esc\x1b[31m", "1.0", "py3-none-any")
    found = matrix(tmp_path)
    assert [(r.name, r.version) for r in found.deployed] == [("twice", "1.0")]
    assert len([n for n in found.notes if "its metadata cannot be read" in n]) == 2
    assert any("as 1.0 (/a) and as 2.0 (/b)" in n for n in found.notes)


def test_a_file_for_x86_without_a_tag_counts_by_its_machine(tmp_path: Path) -> None:
    site = tmp_path / "it"
    installed(site, "bare", "1.0", files=["bare.so"], content=elf(machine=X86_64))
    with serve({"bare": release("bare", "1.0", OURS)}) as played:
        assert matrix(site, played.url)["bare"].state == "wheel"


def test_what_a_package_carries_in_itself_is_not_installed(tmp_path: Path) -> None:
    site = tmp_path / "it"
    carried = "outer/_vendor/inner-1.0.dist-info/METADATA"
    installed(site / "outer" / "_vendor", "inner", "1.0", "py3-none-any")
    text = (site / carried).read_bytes()
    own = ["outer-2.0.dist-info/METADATA", carried]
    installed(site, "outer", "2.0", "py3-none-any")
    (site / "outer-2.0.dist-info" / "RECORD").write_text("".join(f"{f},,\n" for f in own), "utf-8")
    assert (site / carried).read_bytes() == text
    assert [row.name for row in matrix(site).deployed] == ["outer"]


def test_cycles_and_hostile_names_end_in_a_matrix(tmp_path: Path) -> None:
    installed(tmp_path / "it", "a", "1", "py3-none-any", requires=["b"])
    installed(tmp_path / "it", "b", "1", "py3-none-any", requires=["a", "((((", "c @ git+x"])
    installed(tmp_path / "it", "d", "1", "../../x-none-any", "p-q")
    assert {r.name for r in matrix(tmp_path / "it").deployed} == {"a", "b", "d"}


def test_a_broken_zip_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "fn.zip").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(ArtifactError, match=r"fn\.zip cannot be read"):
        matrix(tmp_path / "fn.zip", kind="zip")


def test_names_of_artifacts(tmp_path: Path) -> None:
    (tmp_path / "fn.zip").touch()
    found = read_artifact_name("zip:fn.zip", tmp_path)
    assert found == Artifact("zip", str(tmp_path / "fn.zip"), "zip:fn.zip")
    image = configured_artifact("image:host:5000/shop/api:1", tmp_path)
    assert image == Artifact("image", "host:5000/shop/api:1", "image:host:5000/shop/api:1")
    assert read_artifact_name("requirements.txt", tmp_path) is None
    assert configured_artifact("", tmp_path) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("zip:none.zip", "is not a file"),
        ("dir:none", "is not a folder"),
        ("image:", "names nothing"),
        ("build/", "does not say what it is"),
        ("tar:x", "does not say what it is"),
    ],
)
def test_names_that_name_nothing(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        configured_artifact(text, tmp_path)


def test_a_service_is_read_from_its_artifact(tmp_path: Path) -> None:
    installed(tmp_path / "build", "plain", "1.0", "py3-none-any")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest-arm64.service.api]\nartifact = "dir:build"\n', "utf-8"
    )
    files = read_project_files(tmp_path)
    (configured,) = read_services(files)
    service = configured_service(configured, files, {})
    assert service.name == "api"
    assert service.lock is not None
    assert set(service.lock.releases) == {"plain"}


def test_a_service_whose_artifact_is_missing_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest-arm64.service.api]\nartifact = "zip:fn.zip"\n', "utf-8"
    )
    with pytest.raises(SettingsError, match=r"pyproject\.toml:2: .*is not a file"):
        read_services(read_project_files(tmp_path))


LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(["Name: a", "Version: 1", "Requires-Dist: b>1", "Tag: py3-none-any"]),
        st.from_regex(r"(Name|Version|Requires-Dist|Tag): .{0,30}", fullmatch=True),
    ),
    max_size=8,
).map("\n".join)


@given(metadata=LINES, wheel=LINES)
def test_whatever_metadata_say_what_is_read_of_them_is_sound(metadata: str, wheel: str) -> None:
    found = parse_distribution("/site", metadata, wheel)
    if found is None:
        return
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,100}", found.name)
    Version(found.version)
    assert all(tag.count("-") == 2 and tag.isprintable() for tag in found.tags)
    file = installed_file(found)
    assert file is None or file.name.isprintable()


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        ({"x86_64-deps/libx.so": X86_64}, "x86_64-deps/libx.so"),
        ({"bin/linux64/tool": X86_64, "bin/linux64/other": X86_64}, "bin/linux64/other"),
        ({"demo/linux64/tool": X86_64}, "demo/linux64/tool"),
        ({"bin/linux64/tool": X86_64, "bin/linux-arm64/tool": AARCH64}, ""),
        ({"bin/tool": AARCH64}, ""),
    ],
)
def test_files_for_another_machine_are_never_ready(
    tmp_path: Path, files: dict[str, int], shown: str
) -> None:
    """Also where no package tells of them, or one that says that it is for any machine."""
    names = [name for name in files if name.startswith("demo/")]
    installed(tmp_path, "demo", "1.0", "py3-none-any", files=names)
    for name, machine in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(elf(machine=machine))
    found = matrix(tmp_path)
    assert found.complete == (not shown)
    assert shown in " ".join(found.problems)
    assert len(found.problems) == bool(shown)
