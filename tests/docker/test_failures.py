"""What goes wrong on ARM64, provoked for real: each has its class, its file and its remedy."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from docker_cases import RunPytest
from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.config.cell import Cell, ImageFacts
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import find_target
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.emulation import qemu_environment
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.engine.images import Base
from pytest_arm64.environment.build_environment import BuildEnvironments
from pytest_arm64.environment.bytecode import compiler_for
from pytest_arm64.environment.failures import Tools, classify
from pytest_arm64.environment.pip_container import (
    BUILD,
    Request,
    bring_local_files,
    build_user,
    builder_container,
)
from pytest_arm64.environment.pip_installer import run_pip
from pytest_arm64.environment.plan import PlanRequest
from pytest_arm64.environment.planned_scope import PlannedPackage
from pytest_arm64.environment.provision import builder, provisioned
from pytest_arm64.environment.source_builds import Source, build, lay_source
from pytest_arm64.environment.tree import PYTHON, TarEntry, tar_of
from pytest_arm64.errors import InstallError
from pytest_arm64.index.pip_config import host_pip_config
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.inputs.requirements import RequirementSet
from pytest_arm64.progress import NoProgress
from unit.binary.elves import X86_64, elf

MODULE = """
#include <Python.h>
%(before)s
static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "%(name)s", 0, -1, 0};
PyMODINIT_FUNC PyInit_%(name)s(void) { %(inside)s; return PyModule_Create(&d); }
"""
# A module by name: what it does, and how it is linked. The first two need versions of libraries
# that only their stand-ins at link time have; the third a library that is nowhere.
MODULES = {
    "newglibc": ("extern int newer(void);", "newer()", "glibc/libc.so.6"),
    "newcxx": ("extern int newest(void);", "newest()", "cxx/libstdc++.so.6"),
    "nogl": ("extern int gl(void);", "gl()", "gl/libGL.so.1"),
    "openmp": ("extern int omp_get_num_threads(void);", "omp_get_num_threads()", "-lgomp"),
    "illegal": ("", '__asm__(".inst 0x00000000")', ""),
}
COMPILE = """
set -e
cd /tmp
stub() {  # folder, soname, version, function
  mkdir -p $1; echo "int $4(void) { return 1; }" >$1/s.c; echo "$3 { $4; };" >$1/v.map
  gcc -shared -fPIC -nostdlib -Wl,-soname,$2 -Wl,--version-script=$1/v.map -o $1/$2 $1/s.c
}
stub glibc libc.so.6 GLIBC_2.99 newer
stub cxx libstdc++.so.6 GLIBCXX_3.4.99 newest
stub gl libGL.so.1 GL_1 gl
mkdir out
include=$(%(python)s -c 'import sysconfig; print(sysconfig.get_path("include"))')
%(commands)s
"""


@pytest.fixture(scope="module")
def cell() -> Cell:
    target = find_target("al2023-python3.12", {})
    image = os.environ.get("PYTEST_ARM64_IMAGE", "").replace("{arch}", "arm64")
    return Cell(target, "arm64", "graviton2", image or target.reference)


@pytest.fixture(scope="module")
def bases(engine: Engine, cell: Cell) -> tuple[Base, Base, ImageFacts]:
    """The runtime image, its builder, and what was found in it."""
    base, ran = provisioned(engine, cell, NoProgress())
    return base, builder(engine, cell, base, ran, NoProgress()), ran


@pytest.fixture(scope="module")
def links(
    engine: Engine,
    cell: Cell,
    bases: tuple[Base, Base, ImageFacts],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A folder of wheels that install everywhere and load nowhere."""
    _, with_compiler, ran = bases
    plan = Plan(image=with_compiler.id, platform=cell.platform)
    with Container(engine, plan) as container:
        commands = []
        for name, (before, inside, link) in MODULES.items():
            values = {"name": name, "before": before, "inside": inside}
            container.put("/tmp", tar_of({f"{name}.c": TarEntry((MODULE % values).encode())}))
            commands.append(f"gcc -shared -fPIC -I$include -o out/{name}.so {name}.c {link}")
        values = {"python": ran.python.executable, "commands": "\n".join(commands)}
        finished = container.run(
            ["sh", "-c", COMPILE % values], environment=qemu_environment(cell, engine)
        )
        assert finished.code == 0, finished.text
        compiled = {name: container.read(f"/tmp/out/{name}.so") for name in MODULES}
    folder = tmp_path_factory.mktemp("links")
    for name, content in compiled.items():
        wheel(folder, name, "py3-none-linux_aarch64", {f"{name}.so": content})
    wheel(folder, "foreign", "py3-none-any", {"foreign.abi3.so": elf(machine=X86_64)})
    return folder


def wheel(folder: Path, name: str, tag: str, files: Mapping[str, bytes]) -> None:
    info = f"arm64_{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"arm64_{name}-1.0-{tag}.whl", "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        metadata = f"Metadata-Version: 2.1\nName: arm64-{name}\nVersion: 1.0\n"
        archive.writestr(f"{info}/METADATA", metadata)
        pure = "true" if tag.endswith("-any") else "false"
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\nTag: {tag}\n"
        )
        names = [*files, f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"]
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in names))


SUITE = """
import importlib
import pytest

def findings(record, name):
    return {f["kind"]: f for f in record["findings"] if f["package"] == f"arm64_{name}-1.0"}

def load(record, module):
    (found,) = [load for load in record["loads"] if load["module"] == module]
    return found

@pytest.mark.parametrize(("name", "kind", "detail", "remedy", "text"), [
    ("newglibc", "abi-mismatch", ["GLIBC_2.99", "newer"], "older glibc", "GLIBC_2.99"),
    ("newcxx", "abi-mismatch", ["GLIBCXX_3.4.99", "newest"], "libstdc++", "GLIBCXX_3.4.99"),
    ("nogl", "missing-system-library", ["libGL.so.1"], "at run time", "libGL.so.1"),
    ("openmp", "missing-system-library", ["libgomp.so.1"], "at run time", "libgomp.so.1"),
])
def test_record_and_loader_agree(arm64_abi, name, kind, detail, remedy, text):
    finding = findings(arm64_abi, name)[kind]
    assert finding["grave"] and remedy in finding["remedy"]
    said = [finding["library"], finding["version"], *finding["symbols"]]
    assert set(detail) <= set(said)
    loaded = load(arm64_abi, name)
    assert (loaded["outcome"], loaded["kind"]) == ("failed", kind)
    assert text in loaded["text"]
    with pytest.raises(ImportError, match=text):
        importlib.import_module(name)

def test_a_file_for_x86_in_a_pure_wheel(arm64_abi):
    assert set(findings(arm64_abi, "foreign")) == {"native-in-pure-wheel", "wrong-architecture"}
    assert load(arm64_abi, "foreign")["kind"] == "wrong-architecture"

def test_what_kills_the_process_is_named_and_the_others_were_tried(arm64_abi):
    died = load(arm64_abi, "illegal")
    assert died["outcome"] == "died" and "SIGILL" in died["text"]
    assert len(arm64_abi["loads"]) == 6
    assert arm64_abi["loadable"] is False
"""


def test_what_cannot_be_loaded_is_told_before_a_test_fails(
    run_pytest: RunPytest, project: Callable[..., Path], links: Path, tmp_path: Path
) -> None:
    names = [*MODULES, "foreign"]
    shutil.copytree(links, tmp_path / "project/links")
    text = "--find-links links\n" + "".join(f"arm64-{name}==1.0\n" for name in names)
    result = run_pytest(project(text, test_it=SUITE), "--arm64")
    assert result.code == 0, result.out
    assert "CANNOT BE LOADED" in result.out
    assert "missing-system-library: env/" in result.out
    assert "import illegal: runtime-difference: its process died: killed by SIGILL" in result.out


def test_a_build_that_fails_is_evidence_in_the_report(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path
) -> None:
    links = tmp_path / "project/links"
    links.mkdir(parents=True)
    source(links, "header", "#include <lber.h>", "")
    folder = project(f"--find-links {links}\narm64-header==1.0\n", test_it="def test(): pass\n")
    result = run_pytest(folder, "--arm64", "--arm64-report", "out")
    assert result.code == 4, result.out
    assert "arm64-header 1.0 could not be built (missing-system-library" in result.out
    data = json.loads((folder / "out" / "report.json").read_text("utf-8"))
    (service,) = data["services"]
    (build,) = service["builds"]
    assert (build["package"], build["version"]) == ("arm64-header", "1.0")
    assert build["succeeded"] is False
    assert build["cause"] == "missing-system-library"
    assert "lber.h" in build["text"]
    assert build["where"]["machine"] == "aarch64"
    told = service["verdict"]["answers"][1]["text"]
    assert re.match(r"arm64-header:? did not build", told)
    assert "(missing-system-library)" in told


# What stands in the C file and what it is linked with; class, shown detail and remedy.
EVERY_TIME = {
    "header": ("#include <lber.h>", "", "missing-system-library", "lber.h", "libldap2-dev"),
    "rusty": ("", "", "compiler", "Rust", "cargo"),
}
ON_REQUEST = {
    "linked": ("", "libraries=['pq']", "missing-system-library", "-lpq", "libpq-dev"),
    "plain": ("", "", "compiler", "gcc", 'system-packages = { build = ["gcc"] }'),
}
SOURCES = EVERY_TIME | (ON_REQUEST if os.environ.get("PYTEST_ARM64_EXTENDED") else {})
RUST = """
[build-system]
requires = ["maturin>=1.7,<2"]
build-backend = "maturin"
[project]
name = "arm64-rusty"
version = "1.0"
"""


def source(folder: Path, name: str, before: str, link: str) -> Source:
    values = {"name": name, "before": before, "inside": ""}
    more = f", {link}" if link else ""
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: arm64-{name}\nVersion: 1.0\n",
        "setup.py": "from setuptools import Extension, setup\n"
        f"setup(name='arm64-{name}', version='1.0',\n"
        f"      ext_modules=[Extension('{name}', ['x.c']{more})])\n",
        "x.c": MODULE % values,
    }
    if name == "rusty":
        cargo = '[package]\nname = "arm64-rusty"\nversion = "1.0.0"\nedition = "2021"\n'
        files = {"PKG-INFO": files["PKG-INFO"], "pyproject.toml": RUST, "Cargo.toml": cargo}
    path = folder / f"arm64_{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in files.items():
            info = tarfile.TarInfo(f"arm64_{name}-1.0/{member}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return Source(PlannedPackage(f"arm64-{name}", "1.0", "deploy", "source", path.name), path)


@pytest.fixture(scope="module")
def failing_build(
    engine: Engine,
    cell: Cell,
    bases: tuple[Base, Base, ImageFacts],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Source, Base], InstallError]:
    """Builds with requirements laid beside the sources; gives the error."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "requirements.txt").write_text("")
    *_, ran = bases
    manifest = read_manifest(Settings(root=folder, target=cell.target), folder)
    config = host_pip_config()
    request = Request(manifest, (), config)
    plan_request = PlanRequest(manifest, (), config, cell, ran)
    user = build_user(engine)

    def fail(wanted: Source, image: Base) -> InstallError:
        with (
            Auditor(config=config) as auditor,
            builder_container(engine, cell, ran, image, request, network=False) as container,
        ):
            fetcher = auditor.index(RequirementSet("", ())).fetcher
            environments = BuildEnvironments(
                plan_request, auditor, fetcher, compiler_for(ran.python), built=lambda _: folder
            )
            manifest_of_build = RUST if "rusty" in wanted.label else "[build-system]\n"
            project = folder / wanted.package.name  # of its own: TOML files are read once
            project.mkdir(exist_ok=True)
            (project / "pyproject.toml").write_text(manifest_of_build)
            environment = environments.for_folders([project])
            laid = environment.put(container, f"{BUILD}/bench", user)
            variables = laid | qemu_environment(cell, engine)
            pip = [PYTHON, "-m", "pip", "wheel", "--no-deps", *environment.options]
            file, tools = lay_source(container, wanted, f"{BUILD}/x", user), Tools("apt", "3.11")
            with pytest.raises(InstallError) as caught:
                build(container, pip, wanted, file, f"{BUILD}/x", variables, tools, user)
            return caught.value

    return fail


@pytest.mark.parametrize("name", SOURCES)
def test_what_a_build_lacks(
    failing_build: Callable[[Source, Base], InstallError],
    bases: tuple[Base, Base, ImageFacts],
    tmp_path: Path,
    name: str,
) -> None:
    before, link, kind, shown, remedy = SOURCES[name]
    # The bare runtime image stands for a builder without a compiler.
    image = bases[0] if name == "plain" else bases[1]
    error = failing_build(source(tmp_path, name, before, link), image)
    assert f"could not be built ({kind})" in error.what
    assert shown in error.what
    assert remedy in error.next_step
    assert "at build time" in error.next_step
    assert len(error.log) > len(str(error)) / 2


def test_what_keeps_pip_from_installing(
    engine: Engine, cell: Cell, bases: tuple[Base, Base, ImageFacts], tmp_path: Path
) -> None:
    """A file that is another than its hash says; an index that nobody can reach."""
    wheel(tmp_path, "plain", "py3-none-any", {"plain.py": b""})
    text = f"--find-links {tmp_path}\n--no-index\narm64-plain==1.0 --hash=sha256:{'0' * 64}\n"
    (tmp_path / "requirements.txt").write_text(text, "utf-8")
    *_, image, ran = bases
    manifest = read_manifest(Settings(root=tmp_path, target=cell.target), tmp_path)
    request = Request(manifest, (), host_pip_config())
    nowhere = ["--index-url", "http://127.0.0.1:9/simple", "--retries", "1", "arm64-plain"]
    hashed = ["-r", str(tmp_path / "requirements.txt")]
    with (
        builder_container(engine, cell, ran, image, request, network=True) as container,
        NoProgress().step("") as step,
    ):
        bring_local_files(container, request)
        for arguments, kind, remedy in (
            (hashed, "hash", "lock again for all platforms"),
            (nowhere, "network", "check the network"),
        ):
            with pytest.raises(InstallError) as caught:
                run_pip(
                    container, tmp_path, qemu_environment(cell, engine), "deploy", arguments, step
                )
            assert f", {kind})" in caught.value.what
            assert remedy in caught.value.next_step


def test_a_full_disk_has_a_class(
    engine: Engine, cell: Cell, bases: tuple[Base, Base, ImageFacts]
) -> None:
    plan = Plan(image=bases[0].id, platform=cell.platform, tmpfs={"/small": "size=64k"})
    with Container(engine, plan) as container:
        finished = container.run(["sh", "-c", "head -c 1000000 /dev/zero >/small/file"])
    assert finished.code != 0
    assert classify(finished.text, Tools("apt"))[0].kind == "disk-full"
