"""What packages weigh, and what the limits of a target say of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import Row, WeightFinding, WheelMatrix
from pytest_arm64.audit.weight import binary_size, heaviest, weight_findings
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.contents.wheel_listing import listing
from pytest_arm64.index.archives import ArchiveError
from pytest_arm64.report.matrix_output import explanation, markdown, summary
from pytest_arm64.report.sarif import sarif
from unit.index.served import Played, Project, matrix_of, metadata, release, serve

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
TARGETS = shipped_targets()
MIB = 2**20


def wheel(name: str, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", metadata(name, "1.0"))
    return buffer.getvalue()


@contextmanager
def index_with(wheels: Mapping[str, bytes], **how: object) -> Iterator[Played]:
    """An index with these wheels, by file name."""
    projects: dict[str, Project] = {}
    for file in wheels:
        name, _, tag = file.removesuffix(".whl").split("-", 2)
        known = projects.setdefault(name, Project(requires={"1.0": []}))
        known.files += release(name, "1.0", tag).files
    with serve(projects, **how) as index:
        index.files.update(wheels)
        yield index


def unpacked(content: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return sum(len(archive.read(name)) for name in archive.namelist())


def row(name: str, size: int, *path: str) -> Row:
    return Row(name, "1.0", "wheel", path or ("requirements.txt:1",), unpacked=size, size=size // 3)


def findings(target: str, *rows: Row) -> tuple[WeightFinding, ...]:
    return weight_findings(WheelMatrix("shop", target, rows), TARGETS[target])


def test_a_matrix_says_what_its_packages_weigh_here_and_on_x86(tmp_path: Path) -> None:
    arm = wheel("zed", {"zed/fast.so": b"a" * 70_000})
    x86 = wheel("zed", {"zed/fast.so": b"x" * 90_000})
    pure = wheel("app", {"app/__init__.py": b"pass\n" * 100})
    wheels = {
        f"zed-1.0-{ARM}.whl": arm,
        f"zed-1.0-{X86}.whl": x86,
        "app-1.0-py3-none-any.whl": pure,
    }
    with index_with(wheels) as index:
        matrix = matrix_of(tmp_path, "zed==1.0\napp==1.0\n", index.url)
    zed, app = matrix["zed"], matrix["app"]
    assert (zed.size, zed.unpacked) == (len(arm), unpacked(arm))
    assert (zed.x86_size, zed.x86_unpacked) == (len(x86), unpacked(x86))
    assert (app.unpacked, app.x86_unpacked) == (unpacked(pure), unpacked(pure))
    assert matrix.weight is not None
    assert matrix.weight.unpacked == unpacked(arm) + unpacked(pure)
    assert matrix.weight.x86_unpacked == unpacked(x86) + unpacked(pure)
    assert matrix.weight.unweighed == ()
    assert any(line.startswith("Weight: ") for line in summary(matrix))
    assert "| zed 1.0 |" in markdown([matrix])


def test_what_has_no_wheel_here_counts_on_neither_side(tmp_path: Path) -> None:
    here, there = wheel("app", {"app.py": b"pass"}), wheel("zed", {"zed/a.so": b"x" * 90_000})
    with index_with({"app-1.0-py3-none-any.whl": here, f"zed-1.0-{X86}.whl": there}) as index:
        weight = matrix_of(tmp_path, "zed==1.0\napp==1.0\n", index.url).weight
    assert weight is not None
    assert weight.unweighed == ("zed",)
    assert (weight.unpacked, weight.x86_unpacked) == (unpacked(here), unpacked(here))


def test_weight_is_read_once_and_then_comes_from_the_cache(tmp_path: Path) -> None:
    with index_with({f"zed-1.0-{ARM}.whl": wheel("zed", {"zed/a.so": b"a" * 9000})}) as index:
        first = matrix_of(tmp_path, "zed==1.0\n", index.url)
        asked = len(index.asked(f"{ARM}.whl"))
        again = matrix_of(tmp_path, "zed==1.0\n", index.url)
        assert len(index.asked(f"{ARM}.whl")) == asked
    assert again.weight == first.weight
    assert first.weight is not None


def test_without_contents_nothing_is_weighed(tmp_path: Path) -> None:
    with index_with({f"zed-1.0-{ARM}.whl": wheel("zed", {"zed/a.so": b"a"})}) as index:
        matrix = matrix_of(tmp_path, "zed==1.0\n", index.url, contents=False)
        assert index.asked(f"{ARM}.whl") == [f"/files/zed/zed-1.0-{ARM}.whl.metadata"]
    assert matrix.weight is None
    assert not any(line.startswith("Weight") for line in summary(matrix))
    assert "largest packages" not in markdown([matrix])


@pytest.mark.parametrize("broken", [b"", b"PK", b"no archive" * 900])
def test_a_wheel_that_cannot_be_read_has_no_weight_and_keeps_its_state(
    tmp_path: Path, broken: bytes
) -> None:
    wheels = {f"zed-1.0-{ARM}.whl": broken, f"app-1.0-{ARM}.whl": wheel("app", {"app/a.so": b"a"})}
    with index_with(wheels) as index:
        index.answers[f"/files/zed/zed-1.0-{ARM}.whl.metadata"] = 200, {}, metadata("zed", "1.0")
        matrix = matrix_of(tmp_path, "zed==1.0\napp==1.0\n", index.url)
    assert (matrix["zed"].state, matrix["zed"].unpacked) == ("wheel", 0)
    assert (matrix.ready, matrix.notes) == (True, ())
    assert matrix.weight is not None
    assert matrix.weight.unweighed == ("zed",)
    assert any(line.endswith("without zed") for line in summary(matrix))


def test_a_function_that_is_larger_than_lambda_takes_is_not_ready() -> None:
    (finding,) = findings("lambda-zip-python3.12", row("zed", 200 * MIB), row("app", 60 * MIB))
    assert (finding.kind, finding.grave) == ("too-large", True)
    assert "unpack to 260 MiB, and Lambda takes 250 MiB" in finding.text
    assert "the largest: zed 200 MiB, app 60 MiB" in finding.text
    assert "deploy a container image" in finding.fix
    matrix = WheelMatrix("shop", "lambda-zip-python3.12", (row("zed", 1),), findings=(finding,))
    assert (matrix.complete, matrix.ready, matrix.exit_code) == (True, False, 1)
    assert WheelMatrix.from_json(matrix.to_json()) == matrix
    assert any("too-large" in line for line in summary(matrix))


@pytest.mark.parametrize(
    ("target", "size", "kinds"),
    [
        ("lambda-zip-python3.12", 250 * MIB, []),
        ("lambda-zip-python3.12", 250 * MIB + 1, ["too-large"]),
        ("lambda-zip-python3.11", 251 * MIB, ["too-large"]),
        ("lambda-python3.12", 251 * MIB, []),
        ("lambda-python3.12", 10241 * MIB, ["too-large"]),
        ("al2023-python3.12", 99_999 * MIB, []),
    ],
)
def test_the_limit_is_that_of_the_target(target: str, size: int, kinds: list[str]) -> None:
    assert [finding.kind for finding in findings(target, row("zed", size))] == kinds


def test_packages_for_accelerators_are_named_with_the_build_for_the_cpu() -> None:
    rows = [
        row("torch", 90 * MIB),
        row("nvidia-cudnn-cu13", 80 * MIB, "requirements.txt:1", "torch 2.15.0", "nvidia 1.0"),
        row("triton", 50 * MIB, "requirements.txt:1", "torch 2.15.0", "triton 3.9.0"),
        row("cuda-bindings", 20 * MIB, "requirements.txt:1", "torch 2.15.0", "cuda-bindings 13"),
    ]
    (finding,) = findings("lambda-python3.12", *rows)
    assert (finding.kind, finding.grave) == ("accelerators", False)
    assert finding.text.startswith("150 MiB of the packages")
    assert "nvidia-cudnn-cu13 80 MiB, triton 50 MiB, cuda-bindings 20 MiB" in finding.text
    assert finding.fix.count("https://download.pytorch.org/whl/cpu") == 1
    assert findings("al2023-python3.12", *rows) == ()


@pytest.mark.parametrize(
    ("name", "fix"),
    [("onnxruntime-gpu", "onnxruntime instead"), ("faiss-gpu-cu12", "faiss-cpu instead")],
)
def test_a_package_that_is_such_a_build_itself_has_another(name: str, fix: str) -> None:
    (finding,) = findings("lambda-python3.12", row(name, 200 * MIB))
    assert fix in finding.fix


@pytest.mark.parametrize("name", ["nvidia-ml-py", "zed", "my-cuda", "tritonclient"])
def test_what_is_small_or_only_sounds_so_is_no_finding(name: str) -> None:
    size = MIB if name.startswith("nvidia") else 90 * MIB
    assert findings("lambda-python3.12", row(name, size)) == ()


def test_findings_are_results_in_sarif_with_their_fix() -> None:
    finding = WeightFinding("too-large", "it is large", "make it small", grave=True)
    matrix = WheelMatrix("shop", "t", (row("zed", 1),), findings=(finding,), manifest="r.txt")
    data: Any = sarif([matrix])
    (run,) = data["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("arm64/too-large", "error")
    assert result["message"]["text"] == "it is large. make it small [shop on t]"
    assert "arm64/too-large" in {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_modules_that_the_wheel_for_arm_lacks_are_named(tmp_path: Path) -> None:
    arm = {
        "zed/a.cpython-312-aarch64-linux-gnu.so": b"a",
        "zed/only_here.abi3.so": b"a",
        "zed.libs/libomp-0123abcd.so.5.0.1": b"a",
        "zed.libs/libblas-89abcdef-0123abcd.so": b"a",
        "zed/_neon.so": b"a",
    }
    x86 = {
        "zed/a.cpython-312-x86_64-linux-gnu.so": b"a",
        "zed-1.0.data/platlib/zed/fast.cpython-312-x86_64-linux-gnu.so": b"a",
        "zed/_avx2.cpython-312-x86_64-linux-gnu.so": b"a",
        "zed/libown.so": b"a",
    }
    wheels = {f"zed-1.0-{ARM}.whl": wheel("zed", arm), f"zed-1.0-{X86}.whl": wheel("zed", x86)}
    with index_with(wheels) as index:
        matrix = matrix_of(tmp_path, "zed==1.0\n", index.url)
    zed = matrix["zed"]
    assert (zed.modules_missing, zed.modules_added) == (("zed/fast",), ("zed/only_here",))
    assert zed.bundled == ("libblas", "libomp 5.0.1")
    lines = explanation(zed)
    assert "the wheel for x86_64 has an extension module that this one lacks: zed/fast" in lines
    assert "libraries in it: libblas, libomp 5.0.1" in lines
    assert matrix.ready


def test_the_same_modules_on_both_sides_are_no_difference(tmp_path: Path) -> None:
    wheels = {
        f"zed-1.0-{tag}.whl": wheel("zed", {f"zed/a.cpython-312-{machine}-linux-gnu.so": b"a"})
        for tag, machine in ((ARM, "aarch64"), (X86, "x86_64"))
    }
    with index_with(wheels) as index:
        zed = matrix_of(tmp_path, "zed==1.0\n", index.url)["zed"]
    assert (zed.modules_missing, zed.modules_added) == ((), ())


@given(st.lists(st.text(max_size=300), max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_name_in_a_directory_does_harm(names: list[str]) -> None:
    opened = zipfile.ZipFile(io.BytesIO(), "w")
    for name in names:
        info = zipfile.ZipInfo("x")
        info.filename, info.file_size = name, 2**64 - 1
        opened.filelist.append(info)
    listed = listing(opened)
    opened.filelist.clear()
    assert 0 <= listed.unpacked <= 2**50
    assert all(name.isprintable() and len(name) <= 300 for name in listed.modules)


def test_more_names_than_are_worth_comparing_are_refused() -> None:
    opened = zipfile.ZipFile(io.BytesIO(), "w")
    opened.filelist += [zipfile.ZipInfo(f"zed/a{number}.so") for number in range(4_001)]
    with pytest.raises(ArchiveError, match="too many compiled files"):
        listing(opened)
    opened.filelist.clear()


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.0 KiB"),
        (1536, "1.5 KiB"),
        (99 * 1024, "99 KiB"),
        (5 * MIB + MIB // 2, "5.5 MiB"),
        (250 * MIB, "250 MiB"),
        (3 * 2**30, "3.0 GiB"),
    ],
)
def test_bytes_are_shown_as_a_person_reads_them(size: int, text: str) -> None:
    assert binary_size(size) == text


def test_the_ten_largest_come_first_and_what_is_unknown_is_left_out() -> None:
    rows = [row(f"zed{number:02}", number * 1000) for number in range(14)]
    rows.append(replace(row("unknown", 9), unpacked=0))
    assert [r.name for r in heaviest(rows)] == [f"zed{number:02}" for number in range(13, 3, -1)]
