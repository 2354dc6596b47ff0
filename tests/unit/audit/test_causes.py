"""Causes and fixes of real releases: at least fifteen of each cause, from recorded index pages.

The right answers, in ``advice.toml``, were worked out from the pages by ``packaging``'s tags and
specifiers alone. Pages are those of ``trees.json.xz`` and ``advice.json.xz``, which
``scripts/record-advice`` renews.
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
from pytest_arm64.config._toml import loads
from unit.index.served import Played, Project, joined, matrix_of, matrix_of_folder, serve, wheel
from unit.index.served import release as release_of

DATA = Path(__file__).parents[2] / "data"
AL311, AL312 = "al2023-python3.11", "al2023-python3.12"
ANY = "py3-none-any"
LAMBDA310 = "lambda-python3.10"
TABLE = loads((DATA / "advice.toml").read_text("utf-8"))
# Cause: pin, target, state, and the release with a usable wheel to go to.
ROWS: dict[str, list[tuple[str, str, str, str]]] = {
    cause: [(row["pin"], row["target"], row["state"], row["release"]) for row in rows]
    for cause, rows in TABLE["causes"].items()
}
BOTH: list[str] = TABLE["both"]
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
        assert "remove --no-binary" in row.remedy.text
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
