"""Compiled files against a system: every finding, and none where there is nothing to find."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_arm64.binary.confirm import confirmed
from pytest_arm64.binary.filetree import FileTree, folder_tree
from pytest_arm64.binary.judge import judge
from pytest_arm64.binary.record import AbiFinding, AbiRecord
from pytest_arm64.binary.system import System, declared_system, looked_up_system
from pytest_arm64.config.targets import find_target
from unit.binary.elves import X86_64, elf, write

LIBC = elf(soname="libc.so.6", defines=["GLIBC_2.17", "GLIBC_2.34"])
IMAGE = {
    "etc/ld.so.conf": b"include /etc/ld.so.conf.d/*.conf\n",
    "etc/ld.so.conf.d/own.conf": b"# ours\n/opt/own\n",
    "usr/lib64/libc.so.6": LIBC,
    "usr/lib64/libm.so.6": elf(defines=["GLIBC_2.29"]),
    "opt/own/libown.so.1": elf(),
    "usr/lib/libx86.so.1": elf(machine=X86_64),
    "usr/lib/hidden/libhidden.so.1": elf(),
}
SITE = "/opt/pytest-arm64/env/lib/python3.12/site-packages"


def system(tmp_path: Path, library_path: str = "") -> System:
    tree = folder_tree(write(tmp_path / "image", IMAGE), "/")
    tree = FileTree(tree.files, {**tree.links, "/lib64": "usr/lib64"}, tree.texts)
    return looked_up_system(
        tree, name="image x", machine="aarch64", page_size=4096, library_path=library_path
    )


def record(
    tmp_path: Path,
    files: Mapping[str, bytes],
    against: System | None = None,
    *,
    recipe: str = "dnf",
) -> AbiRecord:
    against = against or system(tmp_path)
    folder = write(tmp_path / "site", files)
    judged = judge("site", folder_tree(folder, SITE), SITE, against, recipe)
    return confirmed(
        judged, SITE, against.pages, lambda use, only: folder_tree(folder, SITE, use, only)
    )


def only(found: AbiRecord) -> AbiFinding:
    (finding,) = found.findings
    return finding


def test_what_loads_has_no_finding(tmp_path: Path) -> None:
    content = elf(
        needed=["libc.so.6", "libm.so.6", "libown.so.1", "libmine.so"],
        needs={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.34"], "libm.so.6": ["GLIBC_2.29"]},
        runpath="$ORIGIN/../a.libs",
    )
    found = record(tmp_path, {"a/ext.so": content, "a.libs/libmine.so": elf()})
    assert found.findings == ()
    assert found.exit_code == 0
    ext = next(file for file in found.files if file.path == "a/ext.so")
    assert ext.needed == {
        "libc.so.6": "/usr/lib64/libc.so.6",
        "libm.so.6": "/usr/lib64/libm.so.6",
        "libown.so.1": "/opt/own/libown.so.1",
        "libmine.so": "a.libs/libmine.so",
    }
    assert ext.versions == ("GLIBC_2.34",)


def test_a_version_that_is_too_new_is_named_with_its_symbols(tmp_path: Path) -> None:
    content = elf(
        needed=["libc.so.6"],
        needs={"libc.so.6": ["GLIBC_2.38"]},
        symbols={"strlcpy": "GLIBC_2.38"},
    )
    finding = only(record(tmp_path, {"a/ext.so": content}))
    assert (finding.kind, finding.path, finding.grave) == ("abi-mismatch", "a/ext.so", True)
    assert (finding.library, finding.version) == ("libc.so.6", "GLIBC_2.38")
    assert finding.symbols == ("strlcpy",)
    assert "2.38" in finding.remedy


def test_a_weak_need_is_none(tmp_path: Path) -> None:
    content = elf(needed=["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.38"]}, weak=["GLIBC_2.38"])
    assert record(tmp_path, {"a/ext.so": content}).findings == ()


@pytest.mark.parametrize(
    ("recipe", "word"),
    [
        ("dnf", "dnf install -y mesa-libGL"),
        ("apt", "apt-get install -y libgl1"),
        ("lambda-dnf", "RUN dnf install -y mesa-libGL"),
        ("lambda-yum", "/opt/lib"),
        ("lambda-zip", "in a layer"),
        ("none", "in the image that is deployed"),
    ],
)
def test_a_missing_library_has_its_package(tmp_path: Path, recipe: str, word: str) -> None:
    files = {"a/ext.so": elf(needed=["libGL.so.1"])}
    finding = only(record(tmp_path, files, recipe=recipe))
    assert (finding.kind, finding.library, finding.grave) == (
        "missing-system-library",
        "libGL.so.1",
        True,
    )
    assert word in finding.remedy


@pytest.mark.parametrize(
    ("library", "successor"),
    [("libssl.so.1.1", "libssl.so.3"), ("libcrypto.so.10", "OpenSSL 3"), ("libffi.so.6", "so.8")],
)
@pytest.mark.parametrize("recipe", ["dnf", "apt", "lambda-dnf", "lambda-zip", "none"])
def test_a_library_that_no_system_has_any_more_is_not_to_be_installed(
    tmp_path: Path, recipe: str, library: str, successor: str
) -> None:
    finding = only(record(tmp_path, {"a/ext.so": elf(needed=[library])}, recipe=recipe))
    assert finding.kind == "missing-system-library"
    assert "install" not in finding.remedy
    assert successor in finding.remedy


@pytest.mark.parametrize("library", ["libodd.so.7", "libicudata.so.50", "libpython2.7.so.1.0"])
def test_a_library_that_no_table_has_is_looked_up_not_installed(
    tmp_path: Path, library: str
) -> None:
    """The target may have no package with it: its own tool says so."""
    finding = only(record(tmp_path, {"a/ext.so": elf(needed=[library])}))
    assert f"PACKAGE (which one: dnf provides '{library}()(64bit)')" in finding.remedy


def test_folders_that_the_loader_does_not_search_do_not_count(tmp_path: Path) -> None:
    found = record(tmp_path, {"a/ext.so": elf(needed=["libhidden.so.1"])})
    assert only(found).kind == "missing-system-library"
    with_path = system(tmp_path, "relative:/usr/lib/hidden")
    files = {"a/ext.so": elf(needed=["libhidden.so.1"])}
    assert record(tmp_path, files, with_path).findings == ()


def test_a_library_for_another_machine_is_no_library(tmp_path: Path) -> None:
    finding = only(record(tmp_path, {"a/ext.so": elf(needed=["libx86.so.1"])}))
    assert finding.kind == "missing-system-library"


def test_rpath_counts_before_and_not_beside_runpath(tmp_path: Path) -> None:
    libs = {"own/libmine.so": elf()}
    files = {"a/ext.so": elf(needed=["libmine.so"], rpath="${ORIGIN}/../own"), **libs}
    assert record(tmp_path, files).findings == ()
    files["a/ext.so"] = elf(needed=["libmine.so"], rpath="$ORIGIN/../own", runpath="/nowhere")
    assert only(record(tmp_path, files)).kind == "load-order"


def test_a_library_of_another_package_is_a_matter_of_order(tmp_path: Path) -> None:
    files = {"b/ext.so": elf(needed=["libc10.so"]), "torch/lib/libc10.so": elf(soname="libc10.so")}
    found = record(tmp_path, files)
    finding = only(found)
    assert (finding.kind, finding.grave) == ("load-order", False)
    assert "torch/lib/libc10.so" in finding.text
    assert found.exit_code == 0


class TestOrderWithinAWheel:
    """What loads a library loads its own needs first, and passes its RPATH on."""

    LIBRARY = elf(soname="liba.so", needed=["libb.so"])
    OTHER = elf(soname="libb.so", needed=["libc2.so"])
    LAST = elf(soname="libc2.so")

    def test_needs_of_the_loader_come_first(self, tmp_path: Path) -> None:
        ext = elf(needed=["liba.so", "libb.so", "libc2.so"], runpath="$ORIGIN/../a.libs")
        libraries = {"liba.so": self.LIBRARY, "libb.so": self.OTHER, "libc2.so": self.LAST}
        files = {"a/ext.so": ext, **{f"a.libs/{name}": d for name, d in libraries.items()}}
        found = record(tmp_path, files)
        assert found.findings == ()
        places = {file.path: file.needed for file in found.files}
        assert places["a.libs/liba.so"] == {"libb.so": "a.libs/libb.so"}

    def test_an_rpath_is_passed_on_and_a_runpath_is_not(self, tmp_path: Path) -> None:
        libraries = {"a.libs/liba.so": self.LIBRARY, "a.libs/libb.so": self.OTHER}
        libraries["a.libs/libc2.so"] = self.LAST
        ext = elf(needed=["liba.so"], rpath="$ORIGIN/../a.libs")
        assert record(tmp_path, {"a/ext.so": ext, **libraries}).findings == ()
        ext = elf(needed=["liba.so"], runpath="$ORIGIN/../a.libs")
        found = record(tmp_path / "run", {"a/ext.so": ext, **libraries})
        assert [f.kind for f in found.findings] == ["load-order", "load-order"]

    def test_a_library_that_nothing_loads_is_still_a_matter_of_order(self, tmp_path: Path) -> None:
        files = {"a.libs/liba.so": self.LIBRARY, "a.libs/libb.so": elf(soname="libb.so")}
        assert only(record(tmp_path, files)).kind == "load-order"


class TestOtherMachines:
    def test_an_x86_extension_in_a_pure_wheel(self, tmp_path: Path) -> None:
        files = {
            "a/ext.cpython-312-x86_64-linux-gnu.so": elf(machine=X86_64),
            "a-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
            "a-1.0.dist-info/RECORD": b"a/ext.cpython-312-x86_64-linux-gnu.so,,\n",
        }
        found = record(tmp_path, files)
        assert [(f.kind, f.grave, f.package) for f in found.findings] == [
            ("native-in-pure-wheel", False, "a-1.0"),
            ("wrong-architecture", True, "a-1.0"),
        ]
        assert found.exit_code == 1

    def test_a_debuggers_helper_is_no_harm(self, tmp_path: Path) -> None:
        path = "debugpy/_vendored/pydevd/pydevd_attach_to_process/attach_linux_amd64.so"
        finding = only(record(tmp_path, {path: elf(machine=X86_64)}))
        assert (finding.kind, finding.grave) == ("wrong-architecture", False)

    @pytest.mark.parametrize(
        "path",
        [
            "acme/linux64/tool",
            "acme/platforms/linux/x86_64/libacme.so",
            "x86_64-deps/libacme.so",
            "acme/libacme-amd64.so",
            "acme/attach_linux_amd64.so",
            "pulp/solverdir/cbc/linux/64/cbc",
        ],
    )
    def test_a_name_excuses_nothing_where_there_is_no_other_build(
        self, tmp_path: Path, path: str
    ) -> None:
        found = record(tmp_path, {path: elf(machine=X86_64)})
        assert only(found).grave
        assert found.exit_code == 1

    @pytest.mark.parametrize(
        ("other", "own"),
        [
            ("acme/linux64/tool", "acme/linux-aarch64/tool"),
            ("acme/linux64/extra/only_here.so", "acme/linux_arm64/tool"),
            ("acme/platforms/linux/x86_64/liba.so", "acme/platforms/linux/aarch64/libb.so"),
            ("x86_64-deps/liba.so", "aarch64-deps/liba.so"),
            ("acme/liba-amd64.so", "acme/liba-arm64.so"),
            ("pulp/solverdir/cbc/linux/i64/cbc", "pulp/solverdir/cbc/linux/arm64/cbc"),
            ("a/x.cpython-312-x86_64-linux-gnu.so", "a/x.cpython-312-aarch64-linux-gnu.so"),
            ("acme/linux/tool", "acme/linux-arm64/tool"),
            ("acme/bin/tool", "acme/bin/tool_aarch64"),
        ],
    )
    def test_a_build_beside_one_for_this_machine_is_no_harm(
        self, tmp_path: Path, other: str, own: str
    ) -> None:
        found = record(tmp_path, {other: elf(machine=X86_64), own: elf()})
        assert [(f.path, f.kind, f.grave) for f in found.findings] == [
            (other, "wrong-architecture", False)
        ]
        assert found.exit_code == 0

    @pytest.mark.parametrize("name", ["linux-arm", "armv7l", "linux-armhf"])
    def test_a_32_bit_build_beside_a_64_bit_one_is_no_harm(self, tmp_path: Path, name: str) -> None:
        small = elf(machine=40)
        assert record(tmp_path, {f"a/{name}/t": small, "a/aarch64/t": elf()}).exit_code == 0
        assert record(tmp_path / "alone", {f"a/{name}/t": small}).exit_code == 1

    def test_another_tool_of_the_artifact_is_no_twin(self, tmp_path: Path) -> None:
        files = {"a/x86_64/tool": elf(machine=X86_64), "b/aarch64/tool": elf(), "a/tool": elf()}
        found = record(tmp_path, files)
        assert [(f.path, f.grave) for f in found.grave] == [("a/x86_64/tool", True)]

    def test_an_object_file_is_nobodys_business(self, tmp_path: Path) -> None:
        assert record(tmp_path, {"a/crt.o": elf(machine=X86_64, kind=1)}).findings == ()


def test_pages_stacks_programs_and_openmp(tmp_path: Path) -> None:
    files = {
        "a/pages.so": elf(align=1024),
        "b/stack.so": elf(stack_flags=7),
        "bin/tool": elf(kind=2),
        "c.libs/libgomp-1a2b.so.1": elf(soname="libgomp-1a2b.so.1"),
        "d.libs/libgomp-3c4d.so.1": elf(soname="libgomp-3c4d.so.1"),
    }
    found = record(tmp_path, files)
    assert {(f.path, f.kind, f.grave) for f in found.findings} == {
        ("a/pages.so", "page-size", True),
        ("b/stack.so", "executable-stack", False),
        ("bin/tool", "bundled-executable", False),
        ("c.libs/libgomp-1a2b.so.1", "duplicate-openmp", False),
        ("d.libs/libgomp-3c4d.so.1", "duplicate-openmp", False),
    }


def test_a_damaged_file_is_a_finding(tmp_path: Path) -> None:
    finding = only(record(tmp_path, {"a/ext.so": b"\x7fELF"}))
    assert (finding.kind, finding.grave) == ("unreadable", True)


class TestDeclared:
    AL2023 = declared_system(find_target("al2023-python3.12", {}))
    AL2 = declared_system(find_target("lambda-python3.11", {}))

    @pytest.mark.parametrize(
        ("version", "kinds"),
        [
            ("GLIBC_2.34", []),
            ("GLIBC_2.35", ["abi-mismatch"]),
            ("GLIBC_ABI_DT_RELR", ["abi-mismatch"]),
            ("GLIBC_PRIVATE", ["not-evaluated"]),
        ],
    )
    def test_versions(self, tmp_path: Path, version: str, kinds: list[str]) -> None:
        content = elf(needed=["libc.so.6"], needs={"libc.so.6": [version]})
        found = record(tmp_path, {"a/ext.so": content}, self.AL2023)
        assert [finding.kind for finding in found.findings] == kinds
        assert found.exit_code == {"[]": 0, "['not-evaluated']": 3}.get(str(kinds), 1)

    def test_the_compilers_own_library(self, tmp_path: Path) -> None:
        def kinds(version: str, against: System) -> list[str]:
            content = elf(needed=["libstdc++.so.6"], needs={"libstdc++.so.6": [version]})
            return [f.kind for f in record(tmp_path, {"a.so": content}, against).findings]

        assert kinds("GLIBCXX_3.4.29", self.AL2023) == []
        assert kinds("GLIBCXX_3.4.33", self.AL2023) == ["newer-release"]
        assert kinds("GLIBCXX_3.4.34", self.AL2023) == ["abi-mismatch"]
        assert kinds("GLIBCXX_3.4.29", self.AL2) == ["abi-mismatch"]
        assert kinds("CXXABI_1.3.13", self.AL2023) == []
        assert kinds("CXXABI_1.3.13", self.AL2) == ["abi-mismatch"]

    def test_nothing_is_assumed_of_what_was_not_declared(self, tmp_path: Path) -> None:
        files = {"a.so": elf(needed=["libodd.so.1", "libGL.so.1", "libz.so.1"])}
        found = record(tmp_path, files, self.AL2023)
        assert [(f.kind, f.library) for f in found.findings] == [
            ("not-evaluated", "libodd.so.1"),
            ("missing-system-library", "libGL.so.1"),
        ]
        assert not found.complete


def test_records_and_systems_survive_json(tmp_path: Path) -> None:
    against = system(tmp_path)
    files = {"a.so": elf(needed=["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.38"]})}
    found = record(tmp_path, files, against)
    assert AbiRecord.from_json(json.loads(json.dumps(found.to_json()))) == found
    again = System.from_json(json.loads(json.dumps(against.to_json())))
    assert record(tmp_path, files, again) == found


@pytest.mark.parametrize("data", [{}, {"format": 1}, {"format": 2}, {"files": 3}])
def test_damaged_records_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="ABI record"):
        AbiRecord.from_json(data)
    with pytest.raises(ValueError, match="record of libraries has no name"):
        System.from_json(data)


def test_a_cycle_of_included_configuration_ends(tmp_path: Path) -> None:
    files = {
        "etc/ld.so.conf": b"include ld.so.conf.d/a.conf\n",
        "etc/ld.so.conf.d/a.conf": b"include /etc/ld.so.conf\n/opt/a\n",
        "opt/a/liba.so": elf(),
    }
    tree = folder_tree(write(tmp_path / "image", files), "/")
    found = looked_up_system(tree, name="", machine="aarch64", page_size=4096, library_path="")
    assert found.find("liba.so") is not None


def test_musl_has_folders_of_its_own(tmp_path: Path) -> None:
    files = {"lib/ld-musl-aarch64.so.1": elf(), "usr/local/lib/liba.so": elf()}
    tree = folder_tree(write(tmp_path / "image", files), "/")
    found = looked_up_system(tree, name="", machine="aarch64", page_size=4096, library_path="")
    assert found.find("liba.so") is not None


def test_many_copies_of_openmp_are_not_listed_with_each_other(tmp_path: Path) -> None:
    files = {f"{number}/libgomp.so.1": elf() for number in range(30)}
    found = record(tmp_path, files)
    assert len(found.findings) == 30
    assert max(len(finding.text) for finding in found.findings) < 200


def test_a_file_has_a_limited_number_of_findings(tmp_path: Path) -> None:
    needed = [f"lib{number}.so" for number in range(500)]
    found = record(tmp_path, {"a.so": elf(needed=needed)})
    assert 0 < len(found.findings) < 100
    assert found.exit_code == 1


HOSTILE = """
import re, sys
from pathlib import Path
from pytest_arm64.binary.scan import scan_path
from pytest_arm64.binary.system import declared_system
from pytest_arm64.config.targets import find_target
from pytest_arm64.errors import ArtifactError

target = find_target("al2023-python3.12", {})
try:
    record = scan_path(Path(sys.argv[1]), declared_system(target), target)
    print(len(record.files), "files", record.loadable)
except ArtifactError as error:
    print(error)
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
MEGABYTES = 200
"""What a hostile wheel may take; Python and this package take 60 of it."""


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (elf(needed=["x" * 4000] * 900, needs={"y" * 4000: ["z" * 4000] * 3000}), 12),
        (elf(needs={"libc.so.6": [f"GLIBC_2.{'9' * 200}{n}" for n in range(250)]}), 40),
        (elf(defines=["v" * 900] * 4000), 8),
        (elf(needed=[f"l{n}" for n in range(1000)], runpath=":".join(["/a"] * 1300)), 8),
    ],
    ids=["long names", "many versions", "definitions", "paths"],
)
def test_a_hostile_wheel_takes_little_memory(tmp_path: Path, content: bytes, count: int) -> None:
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(count):
            archive.writestr(f"demo/{number}.so", content)
    command = [sys.executable, "-c", HOSTILE, str(wheel)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert int(finished.stdout.split()[-1]) < MEGABYTES, finished.stdout
