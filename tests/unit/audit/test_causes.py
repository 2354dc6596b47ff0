"""Causes and fixes of real releases: at least fifteen of each cause, from recorded index pages.

The right answers were worked out from the pages by ``packaging``'s tags and specifiers alone. Pages
are those of ``trees.json.xz`` and ``advice.json.xz`` (reduced, recorded on 2026-11-30).
"""

from __future__ import annotations

import json
import lzma
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from pytest_arm64.audit.matrix import BLOCKER, SOURCE, UNKNOWN, WHEEL, WheelMatrix
from unit.index.served import Played, Project, joined, matrix_of, matrix_of_folder, serve, wheel
from unit.index.served import release as release_of

DATA = Path(__file__).parents[2] / "data"
AL311, AL312, AL313, AL314 = (f"al2023-python3.{minor}" for minor in (11, 12, 13, 14))
ANY = "py3-none-any"
LAMBDA310, LAMBDA311 = "lambda-python3.10", "lambda-python3.11"
# Cause: pin, target, state, and the release with a usable wheel to go to.
ROWS: dict[str, list[tuple[str, str, str, str]]] = {
    "pin-predates-wheel": [
        ("argon2-cffi==21.1.0", AL312, SOURCE, "21.2.0"),
        ("coverage==5.5", LAMBDA310, SOURCE, "6.0"),
        ("lz4==4.4.3", AL312, SOURCE, "4.4.4"),
        ("nvidia-cublas-cu12==12.3.2.9", AL312, BLOCKER, "12.3.4.1"),
        ("nvidia-cuda-nvrtc-cu12==12.3.103", AL312, BLOCKER, "12.3.107"),
        ("nvidia-cudnn-cu12==9.1.0.70", AL312, BLOCKER, "9.1.0.70.post1"),
        ("nvidia-cufft-cu12==11.0.11.19", AL312, BLOCKER, "11.0.12.1"),
        ("nvidia-nvjitlink-cu12==12.3.52", AL312, BLOCKER, "12.3.101"),
        ("nvidia-nvtx-cu12==12.3.52", AL312, BLOCKER, "12.3.101"),
        ("onnxruntime-gpu==1.28.0", AL312, BLOCKER, "1.29.0"),
        ("psutil==5.9.8", AL312, SOURCE, "6.0.0"),
        ("pyodbc==4.0.35", AL311, SOURCE, "4.0.39"),
        ("regex==2025.7.29", AL312, BLOCKER, "2025.7.31"),
        ("safetensors==0.2.3", LAMBDA310, SOURCE, "0.2.4"),
        ("tiktoken==0.3.0", AL311, SOURCE, "0.3.1"),
        ("triton==3.4.0", AL312, BLOCKER, "3.5.0"),
        ("vtk==9.4.2", AL312, BLOCKER, "9.5.0"),
        ("zope-interface==8.1", AL312, SOURCE, "8.1.1"),
    ],
    "newer-glibc": [
        ("duckdb==1.4.1", LAMBDA310, SOURCE, "1.4.2"),
        ("lxml==4.9.3", LAMBDA310, SOURCE, "4.9.4"),
        ("nvidia-cublas-cu12==12.9.3.13", LAMBDA310, BLOCKER, "12.6.3.3"),
        ("nvidia-cublas==13.8.2.12", LAMBDA310, BLOCKER, "13.10.0.20"),
        ("nvidia-cusolver-cu12==11.7.5.82", LAMBDA310, BLOCKER, "11.7.1.2"),
        ("nvidia-nccl-cu12==2.32.3", LAMBDA310, BLOCKER, "2.31.2"),
        ("open3d==0.20.0", AL312, BLOCKER, ""),
        ("psycopg-binary==3.3.9", LAMBDA310, BLOCKER, "3.2.13"),
        ("pyside6-essentials==6.12.0", AL312, BLOCKER, "6.8.0.2"),
        ("tflite-runtime==2.14.0", LAMBDA310, BLOCKER, "2.13.0"),
        ("triton==3.8.0", LAMBDA310, BLOCKER, ""),
        ("vtk==9.7.2", LAMBDA310, BLOCKER, ""),
        ("triton==3.4.0", LAMBDA310, BLOCKER, ""),
        ("vtk==9.4.2", LAMBDA310, BLOCKER, ""),
        ("open3d==0.19.0", AL312, BLOCKER, ""),
        ("mediapipe==0.10.35", LAMBDA310, BLOCKER, "0.10.18"),
        ("onnxruntime-gpu==1.28.0", LAMBDA311, BLOCKER, ""),
    ],
    "wrong-python": [
        ("cffi==1.15.1", AL312, SOURCE, "1.16.0"),
        ("coverage==7.2.6", AL312, SOURCE, "7.2.7"),
        ("pybase64==1.2.3", AL312, SOURCE, "1.3.0"),
        ("regex==2023.8.8", AL312, SOURCE, "2023.10.3"),
        ("tornado==6.6.1", LAMBDA310, BLOCKER, "6.5.10"),
        ("triton==3.9.0", LAMBDA310, BLOCKER, ""),
        ("watchfiles==0.14.1", AL312, SOURCE, "0.15.0"),
        ("zope-interface==6.0", AL312, SOURCE, "6.1"),
        ("duckdb==0.9.2", AL312, SOURCE, "0.10.0"),
        ("httpcore2==0.0.0", AL312, BLOCKER, "2.0.0"),
        ("safetensors==0.3.3", AL312, SOURCE, "0.4.0"),
        ("uvloop==0.17.0", AL312, SOURCE, "0.18.0"),
        ("brotli==1.0.7", AL312, SOURCE, "1.1.0"),
        ("lz4==4.2.0", AL312, SOURCE, "4.3.3"),
        ("markupsafe==1.1.1", AL312, SOURCE, "2.1.3"),
        ("onnxruntime-gpu==1.16.3", AL312, BLOCKER, "1.29.0"),
        ("pyarrow==0.9.0", AL312, SOURCE, "14.0.0"),
        ("pyside2==5.15.2.1", AL312, BLOCKER, ""),
        ("scipy==1.7.1", AL312, BLOCKER, "1.11.2"),
        ("watchdog==0.10.7", AL312, BLOCKER, "1.0.1"),
    ],
    "not-linux": [
        ("daal4py==2023.0.2", AL312, BLOCKER, ""),
        ("daal==2023.0.2", AL312, BLOCKER, ""),
        ("decord==0.2.0", AL312, BLOCKER, ""),
        ("dpcpp-cpp-rt==2023.2.2", AL312, BLOCKER, ""),
        ("intel-cmplr-lic-rt==2023.2.2", AL312, BLOCKER, ""),
        ("intel-opencl-rt==2023.2.2", AL312, BLOCKER, ""),
        ("intel-openmp==2023.2.2", AL312, BLOCKER, ""),
        ("mkl-include==2023.2.2", AL312, BLOCKER, ""),
        ("mkl==2023.2.2", AL312, BLOCKER, ""),
        ("nvidia-cudnn-cu11==8.9.5.29", AL312, BLOCKER, ""),
        ("open3d==0.16.1", AL312, BLOCKER, ""),
        ("pyodbc==4.0.0", AL312, BLOCKER, "5.0.0"),
        ("pyqt5-qt5==5.15.13", AL312, BLOCKER, ""),
        ("tbb==2021.5.2", AL312, BLOCKER, ""),
        ("tflite-runtime==2.5.0", AL312, BLOCKER, ""),
        ("vtk==9.0.0", AL312, BLOCKER, "9.5.0"),
    ],
    "source-everywhere": [
        ("contourpy==0.0.3", AL312, SOURCE, "1.1.1"),
        ("grpcio==1.40.0", AL312, SOURCE, "1.59.0"),
        ("markupsafe==2.0.0", AL312, SOURCE, "2.1.3"),
        ("nvidia-cublas-cu11==0.0.1", AL312, SOURCE, "11.11.3.6"),
        ("pybase64==1.1.4", AL312, SOURCE, "1.3.0"),
        ("pyodbc==4.0.32", AL312, SOURCE, "5.0.0"),
        ("pyyaml==5.4.1", AL312, SOURCE, "6.0.1"),
        ("scipy==1.6.1", AL312, SOURCE, "1.11.2"),
        ("tornado==6.1", AL312, SOURCE, "6.2"),
        ("uvloop==0.15.3", AL312, SOURCE, "0.18.0"),
        ("beautifulsoup4==4.3.2", AL312, SOURCE, "4.4.0"),
        ("colorama==0.3.4", AL312, SOURCE, "0.3.5"),
        ("httpcore==0.4.0", AL312, SOURCE, "0.5.0"),
        ("importlib-metadata==0.0", AL312, SOURCE, "0.1"),
        ("pandas==1.3.2", AL312, SOURCE, "2.1.1"),
        ("pyjwt==0.2.1", AL312, SOURCE, "0.2.3"),
        ("requests==1.2.3", AL312, SOURCE, "2.0.0"),
        ("xgboost==0.71", AL312, SOURCE, "1.2.1"),
    ],
    "not-published": [
        ("bpy==5.2.3", AL313, BLOCKER, ""),
        ("bpy==5.3.0", AL313, BLOCKER, ""),
        ("decord==0.5.2", AL312, BLOCKER, ""),
        ("decord==0.6.0", AL312, BLOCKER, ""),
        ("faiss-gpu==1.15.0", AL312, BLOCKER, ""),
        ("faiss-gpu==1.15.1", AL312, BLOCKER, ""),
        ("ibm-db==3.2.9", AL312, SOURCE, ""),
        ("ibm-db==3.3.0", AL312, SOURCE, ""),
        ("nvidia-cudnn-cu11==9.10.1.4", AL312, BLOCKER, ""),
        ("nvidia-cudnn-cu11==9.10.2.21", AL312, BLOCKER, ""),
        ("onnxruntime-gpu==1.23.0", LAMBDA310, BLOCKER, ""),
        ("onnxruntime-gpu==1.23.2", LAMBDA310, BLOCKER, ""),
        ("onnxruntime-openvino==1.23.0", AL312, BLOCKER, ""),
        ("onnxruntime-openvino==1.24.1", AL312, BLOCKER, ""),
        ("pyqt5-qt5==5.15.18", AL312, BLOCKER, ""),
        ("pyqt5-qt5==5.15.19", AL312, BLOCKER, ""),
        ("pyside2==5.13.1", AL312, BLOCKER, ""),
        ("pyside2==5.13.2", AL312, BLOCKER, ""),
        ("tensorflow-addons==0.22.0", AL311, BLOCKER, ""),
        ("tensorflow-addons==0.23.0", AL311, BLOCKER, ""),
    ],
    "x86-only": [
        ("daal4py==2024.7.0", AL312, BLOCKER, ""),
        ("daal==2026.2.0", AL312, BLOCKER, ""),
        ("dpcpp-cpp-rt==2026.2.0", AL312, BLOCKER, ""),
        ("intel-cmplr-lib-rt==2026.2.0", AL312, BLOCKER, ""),
        ("intel-extension-for-pytorch==2.8.0", AL312, BLOCKER, ""),
        ("intel-opencl-rt==2026.2.0", AL312, BLOCKER, ""),
        ("intel-sycl-rt==2026.2.0", AL312, BLOCKER, ""),
        ("intel-tensorflow==2.14.0", AL311, BLOCKER, ""),
        ("mkl-fft==2.3.2", AL312, BLOCKER, ""),
        ("mkl-random==1.5.0", AL312, BLOCKER, ""),
        ("mkl-service==2.8.0", AL312, BLOCKER, ""),
        ("mkl==2026.2.0", AL312, BLOCKER, ""),
        ("onemkl-sycl-blas==2026.2.0", AL312, BLOCKER, ""),
        ("onemkl-sycl-lapack==2026.2.0", AL312, BLOCKER, ""),
        ("tbb==2023.2.0", AL312, BLOCKER, ""),
        ("tcmlib==1.6.0", AL312, BLOCKER, ""),
    ],
}
# Releases with wheels for both machines and with sources, and not the newest.
BOTH = (
    "aiohttp==3.14.2",
    "ast-serialize==0.13.0",
    "bcrypt==4.3.0",
    "cffi==2.1.0",
    "grpcio-tools==1.85.0",
    "httptools==0.8.0",
    "kiwisolver==1.5.0",
    "librt==0.15.0",
    "markupsafe==3.0.3",
    "ormsgpack==1.13.0",
    "playwright==1.65.1",
    "pyarrow==26.0.0",
    "pybase64==1.5.0",
    "ruff==0.17.5",
    "scipy==1.18.0",
    "zstandard==0.24.0",
)
PINS = [(cause, *row) for cause, rows in ROWS.items() for row in rows]
Matrices = dict[tuple[str, str], WheelMatrix]


def pages() -> dict[str, Project]:
    projects: dict[str, Project] = {}
    for name in ("trees", "advice"):
        data = json.loads(lzma.decompress((DATA / f"{name}.json.xz").read_bytes()))
        for project, rows in data["projects"].items():
            projects[project] = Project([(row[0], row[1], bool(row[2])) for row in rows])
    return projects


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch, serve(pages()) as played:
        patch.setattr("pytest_arm64.cache.cache_folder", lambda: folder)
        patch.setenv("no_proxy", "*")
        yield played


@pytest.fixture(scope="module")
def matrices(tmp_path_factory: pytest.TempPathFactory, index: Played) -> Matrices:
    """One for each cause and target, of all its pins."""
    groups: dict[tuple[str, str], list[str]] = {}
    for cause, pin, target, _, _ in PINS:
        if pin not in groups.setdefault((cause, target), []):
            groups[cause, target].append(pin)
    found: Matrices = {}
    for (_, target), pins in groups.items():
        # Two releases of one project do not go into one matrix.
        for rank in range(2):
            chosen = [p for i, p in enumerate(pins) if _rank(pins, i) == rank]
            folder = tmp_path_factory.mktemp("service")
            if chosen:
                matrix = matrix_of(folder, "\n".join(chosen), index.url, target=target)
                found |= {(pin, target): matrix for pin in chosen}
    return found


def _rank(pins: list[str], position: int) -> int:
    names = [pin.partition("==")[0] for pin in pins[: position + 1]]
    return names[:-1].count(names[-1])


def test_each_cause_has_at_least_fifteen_rows() -> None:
    assert min(Counter(cause for cause, *_ in PINS).values()) >= 15
    assert len(BOTH) >= 15


@pytest.mark.parametrize(("cause", "pin", "target", "state", "release"), PINS)
def test_a_real_release_has_its_cause_and_fix(
    matrices: Matrices, cause: str, pin: str, target: str, state: str, release: str
) -> None:
    name, _, version = pin.partition("==")
    row = matrices[pin, target][name]
    assert (row.version, row.state, row.cause) == (version, state, cause), row.detail
    assert row.remedy is not None
    assert row.remedy.version == release
    assert row.remedy.moves == ((f"{name}=={release}",) if release else ())
    assert row.remedy.text


UV_LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0"
source = {{ virtual = "." }}
dependencies = [{needs}]
{packages}"""


def locked(index: Played, folder: Path, wanted: str) -> WheelMatrix:
    """The matrix of a lock with the releases of BOTH, and their wheels for *wanted*."""
    needs, packages = [], []
    for pin in BOTH:
        name, _, version = pin.partition("==")
        files = [f for f in _files(index, name, version) if wanted in f]
        listed = ", ".join(
            f'{{ url = "{index.url}/{f}", hash = "sha256:{"0" * 64}" }}' for f in files
        )
        needs.append(f'{{ name = "{name}" }}')
        packages.append(
            f'\n[[package]]\nname = "{name}"\nversion = "{version}"\n'
            f'source = {{ registry = "{index.url}" }}\nwheels = [{listed}]\n'
        )
    names = ", ".join(f'"{pin.partition("==")[0]}"' for pin in BOTH)
    project = f'[project]\nname = "app"\nversion = "0"\ndependencies = [{names}]\n'
    lock = UV_LOCK.format(needs=", ".join(needs), packages="".join(packages))
    files_ = {"pyproject.toml": project, "uv.lock": lock}
    return matrix_of_folder(folder, files_, index.url, target=AL312)


def _files(index: Played, name: str, version: str) -> list[str]:
    stem = name.replace("-", "_")
    return [f for f, _, _ in index.projects[name].files if f.startswith(f"{stem}-{version}-")]


def test_locks_for_x86_of_real_releases(index: Played, tmp_path: Path, caches: Path) -> None:
    matrix = locked(index, tmp_path, "x86_64")
    for pin in BOTH:
        row = matrix[pin.partition("==")[0]]
        assert (row.state, row.cause) == (BLOCKER, "lock-for-x86"), pin
        assert row.remedy is not None
        assert "aarch64" in row.remedy.file
        assert row.remedy.version == row.version


def test_no_binary_of_real_releases(index: Played, tmp_path: Path, caches: Path) -> None:
    matrix = matrix_of(tmp_path, "--no-binary :all:\n" + "\n".join(BOTH), index.url, target=AL312)
    for pin in BOTH:
        row = matrix[pin.partition("==")[0]]
        assert (row.state, row.cause) == (SOURCE, "no-binary"), pin
        assert row.remedy is not None
        assert "take --no-binary away" in row.remedy.text
        assert row.remedy.moves == ()


def test_hashes_of_x86_wheels_of_real_releases(index: Played, tmp_path: Path, caches: Path) -> None:
    lines = []
    for pin in BOTH:
        name, _, version = pin.partition("==")
        for number, (file, _, _) in enumerate(index.projects[name].files):
            if f"-{version}" in file:
                index.files[file] = wheel(name, version, padding=number)
        x86 = next(f for f in _files(index, name, version) if "x86_64" in f)
        lines.append(f"{pin} --hash=sha256:{index.digest(name, x86)}")
    matrix = matrix_of(tmp_path, "\n".join(lines), index.url, target=AL312)
    for pin in BOTH:
        row = matrix[pin.partition("==")[0]]
        assert (row.state, row.cause) == (BLOCKER, "no-hash-for-arm"), (pin, row.detail)
        assert row.remedy is not None
        assert f"--hash=sha256:{index.digest(row.name, row.remedy.file)}" in row.remedy.text
        assert row.remedy.moves == ()


def test_real_releases_that_another_package_holds(
    index: Played, tmp_path: Path, caches: Path
) -> None:
    """The packages are real, what holds them is not: its second release lets each of them go."""
    rows = [row for row in ROWS["pin-predates-wheel"] if row[1] == AL312]
    rows += [row for row in ROWS["pin-predates-wheel"] if row[1] != AL312][: 15 - len(rows)]
    projects = dict(index.projects)
    for pin, _, _, release in rows:
        name = pin.partition("==")[0]
        projects[f"holds-{name}"] = joined(
            release_of(f"holds-{name}", "1.0", ANY, requires=[pin]),
            release_of(f"holds-{name}", "2.0", ANY, requires=[f"{name}>={release}"]),
        )
    with serve(projects) as held:
        for target in {row[1] for row in rows}:
            chosen = [row for row in rows if row[1] == target]
            text = "\n".join(f"holds-{pin.partition('==')[0]}==1.0" for pin, *_ in chosen)
            matrix = matrix_of(tmp_path, text, held.url, target=target)
            for pin, _, state, release in chosen:
                name = pin.partition("==")[0]
                row = matrix[name]
                assert (row.state, row.cause) == (state, "transitive"), pin
                assert row.remedy is not None
                assert row.remedy.version == release
                assert row.remedy.moves == (f"holds-{name}==2.0",)


# The requirements of torch 2.1.2 and of xgboost on NVIDIA's libraries, as their metadata have them.
ON_LINUX_X86 = 'platform_system == "Linux" and platform_machine == "x86_64"'
CUDA_OF_TORCH = (
    "nvidia-cuda-nvrtc-cu12==12.1.105",
    "nvidia-cuda-runtime-cu12==12.1.105",
    "nvidia-cuda-cupti-cu12==12.1.105",
    "nvidia-cudnn-cu12==8.9.2.26",
    "nvidia-cublas-cu12==12.1.3.1",
    "nvidia-cufft-cu12==11.0.2.54",
    "nvidia-curand-cu12==10.3.2.106",
    "nvidia-cusolver-cu12==11.4.5.107",
    "nvidia-cusparse-cu12==12.1.0.106",
    "nvidia-nccl-cu12==2.18.1",
    "nvidia-nvtx-cu12==12.1.105",
    "triton==2.1.0",
)


@pytest.mark.parametrize("target", [AL311, LAMBDA310])
def test_a_torch_that_was_frozen_on_x86(
    index: Played, tmp_path: Path, caches: Path, target: str
) -> None:
    torch = index.projects["torch"]
    needs = [f"{pin} ; {ON_LINUX_X86}" for pin in CUDA_OF_TORCH]
    projects = {**index.projects, "torch": Project(torch.files, {"2.1.2": needs})}
    solver = projects["nvidia-cusolver-cu12"]
    link = {"11.4.5.107": ["nvidia-nvjitlink-cu12", "nvidia-cublas-cu12"]}
    projects["nvidia-cusolver-cu12"] = Project(solver.files, link)
    pins = ("torch==2.1.2", *CUDA_OF_TORCH, "nvidia-nvjitlink-cu12==12.3.52")
    with serve(projects) as frozen:
        matrix = matrix_of(tmp_path, "\n".join(pins), frozen.url, target=target)
    assert matrix["torch"].state == WHEEL
    for pin in pins[1:]:
        row = matrix[pin.partition("==")[0]]
        assert (row.state, row.cause) == (BLOCKER, "x86-pin"), pin
        assert row.remedy is not None
        assert row.remedy.marker == 'platform_machine == "x86_64"'
        assert (row.remedy.version, row.remedy.moves) == ("", ())


def test_real_releases_that_do_not_exist(index: Played, tmp_path: Path, caches: Path) -> None:
    """The next release after the newest one, which the fix names."""
    pins = {}
    for pin in BOTH:
        name = pin.partition("==")[0]
        files = (file for file, _, _ in index.projects[name].files)
        newest = max(version for version in map(_version, files) if version is not None)
        pins[name] = (f"{name}=={newest.major + 1}.0", str(newest))
    matrix = matrix_of(tmp_path, "\n".join(p for p, _ in pins.values()), index.url, target=AL312)
    for name, (pin, release) in pins.items():
        row = matrix[name]
        assert (row.state, row.cause) == (UNKNOWN, "missing-release"), pin
        assert pin in row.detail
        assert row.remedy is not None
        assert row.remedy.version == release


def _version(file: str) -> Version | None:
    try:
        version = parse_wheel_filename(file)[1]
    except InvalidWheelFilename:
        return None
    return None if version.is_prerelease or version.local else version
