"""`pytest-arm64 abi` without an engine: table, JSON, exit codes, mistakes."""

from __future__ import annotations

import json
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from pytest_arm64.binary.filetree import folder_tree
from pytest_arm64.binary.system import System, looked_up_system
from pytest_arm64.cli import main
from unit.binary.elves import X86_64, elf, write

TOO_NEW = elf(
    needed=["libc.so.6"],
    needs={"libc.so.6": ["GLIBC_2.38"]},
    symbols={"strlcpy": "GLIBC_2.38"},
)


@pytest.fixture(autouse=True)
def _no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_ARM64_IMAGE", raising=False)
    monkeypatch.delenv("PYTEST_ARM64_TARGET", raising=False)


def wheel(folder: Path, content: bytes, name: str = "a/ext.so") -> str:
    path = folder / "a-1.0-cp312-cp312-linux_aarch64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    return str(path)


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = wheel(tmp_path, TOO_NEW)
    assert main(["abi", path, "--target", "al2023-python3.12", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == 1
    assert found["loadable"] is False
    assert found["against"] == "declared data of al2023-python3.12"
    assert found["looked_up"] is False
    (finding,) = found["findings"]
    assert finding["path"] == "a/ext.so"
    assert finding["symbols"] == ["strlcpy"]
    (file,) = found["files"]
    assert (file["machine"], file["versions"]) == ("aarch64", ["GLIBC_2.38"])


def test_several_paths_are_several_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "folder", {"b.so": elf(needed=["libodd.so"])})
    arguments = ["abi", f"zip:{wheel(tmp_path, elf())}", f"dir:{folder}", "--format", "json"]
    assert main([*arguments, "--target", "al2023-python3.12"]) == 3
    found = json.loads(capsys.readouterr().out)["records"]
    assert [record["loadable"] for record in found] == [True, None]


def test_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["abi", wheel(tmp_path, TOO_NEW), "--target", "al2023-python3.12"]) == 1
    out = capsys.readouterr().out
    assert "abi-mismatch" in out
    assert "for strlcpy" in out
    assert "1 of them cannot be loaded" in out


def test_the_terminal_obeys_no_file_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wheel(tmp_path, elf(machine=X86_64), "a/\x1b]0;owned\x07\x1b[2Jext.so")
    assert main(["abi", path, "--target", "al2023-python3.12"]) == 1
    assert "\x1b]0" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["missing.whl"], "does not exist"),
        ([__file__], "cannot be read"),
        ([".", "--target", "no-such-target"], "no target"),
        ([".", "--target", "al2023-python3.11,al2023-python3.12"], "one target"),
    ],
)
def test_mistakes_are_told_in_words(
    capsys: pytest.CaptureFixture[str], arguments: list[str], word: str
) -> None:
    assert main(["abi", *arguments]) == 2
    err = capsys.readouterr().err
    assert word in err
    assert "Traceback" not in err


def test_lambda_unpacks_where_its_loader_searches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"a/ext.so": elf(needed=["libmine.so"]), "lib/libmine.so": elf()}
    folder = write(tmp_path / "zip", files)
    assert main(["abi", str(folder), "--target", "lambda-python3.12", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"][0]["needed"] == {"libmine.so": "lib/libmine.so"}


@pytest.mark.parametrize(
    ("name", "target", "fits"),
    [
        ("folder", "lambda-zip-python3.12", False),
        ("folder", "lambda-zip-python3.11", False),
        ("folder", "lambda-python3.12", True),  # an image takes 10 GB
        ("function.zip", "lambda-python3.12", False),  # a zip file is deployed as one
        ("folder", "al2023-python3.12", True),
        ("function.zip", "al2023-python3.12", True),
    ],
)
def test_lambda_takes_so_much_of_a_zip_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, target: str, *, fits: bool
) -> None:
    path = tmp_path / name
    if path.suffix:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("ext.so", elf())
            archive.writestr("data.bin", bytes(251 * 2**20))
    else:
        write(path, {"ext.so": elf()})
        with (path / "data.bin").open("wb") as stream:
            stream.truncate(251 * 2**20)
    code = main(["abi", str(path), "--format", "json", "--target", target])
    kinds = [finding["kind"] for finding in json.loads(capsys.readouterr().out)["findings"]]
    assert (code, kinds) == ((0, []) if fits else (1, ["too-large"]))


@pytest.mark.parametrize(
    ("target", "code", "fix"),
    [
        ("al2023-python3.12", 0, ""),
        ("lambda-python3.12", 1, "RUN dnf install -y libgomp"),
        ("lambda-python3.11", 1, "RUN yum install -y libgomp"),
        ("lambda-zip-python3.12", 1, "in a layer"),
        ("lambda-zip-python3.11", 1, "in a layer"),
    ],
)
def test_openmp_is_there_on_amazon_linux_and_missing_on_lambda(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str, code: int, fix: str
) -> None:
    """As lightgbm 4.6.0 needs it."""
    needs = {"libgomp.so.1": ["GOMP_1.0", "GOMP_4.0", "OMP_1.0"]}
    path = wheel(tmp_path, elf(needed=["libgomp.so.1"], needs=needs))
    assert main(["abi", path, "--target", target, "--format", "json"]) == code
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [finding["library"] for finding in findings] == ["libgomp.so.1"] * bool(fix)
    assert all(fix in finding["remedy"] for finding in findings)
    if "zip" in target:
        assert all("install" not in finding["remedy"] for finding in findings)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> System:
    """An image of PYTEST_ARM64_IMAGE with a newer glibc than the target, and without libz."""
    from pytest_arm64.commands import abi

    files = {"lib64/libc.so.6": elf(defines=["GLIBC_2.17", "GLIBC_2.36"])}
    tree = folder_tree(write(tmp_path / "image", files), "/")
    system = looked_up_system(
        tree, name="image stand-in", machine="aarch64", page_size=4096, library_path=""
    )
    monkeypatch.setattr(abi, "open_engine", lambda environ: nullcontext(None))
    monkeypatch.setattr(abi, "_system", lambda engine, reference, target: system)
    monkeypatch.setenv("PYTEST_ARM64_IMAGE", "stand-in:{arch}")
    return system


NEWER = elf(needed=["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.36"]})


@pytest.mark.usefixtures("stand_in")
class TestBesideAnImage:
    def run(
        self, capsys: pytest.CaptureFixture[str], *arguments: str
    ) -> tuple[int, dict[str, Any]]:
        code = main(["abi", *arguments, "--format", "json"])
        return code, json.loads(capsys.readouterr().out)

    def test_the_named_target_answers(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = wheel(tmp_path, NEWER)
        code, found = self.run(capsys, path, "--target", "al2023-python3.12")
        assert code == 1
        assert found["against"] == "declared data of al2023-python3.12"
        assert found["beside"] == "image stand-in"
        (finding,) = found["findings"]
        assert finding["against"] == ["declared data of al2023-python3.12"]

    def test_what_only_the_image_lacks_is_a_note(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = wheel(tmp_path, elf(needed=["libz.so.1"]))
        code, found = self.run(capsys, path, "--target", "al2023-python3.12")
        (finding,) = found["findings"]
        assert (code, finding["grave"], finding["against"]) == (0, False, ["image stand-in"])

    def test_the_table_says_so(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["abi", wheel(tmp_path, NEWER), "--target", "al2023-python3.12"]) == 1
        out = " ".join(capsys.readouterr().out.split())
        assert "Compared with image stand-in" in out

    @pytest.mark.parametrize("arguments", [[], ["--image", "x", "--target", "al2023-python3.12"]])
    def test_else_the_image_answers(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
    ) -> None:
        code, found = self.run(capsys, wheel(tmp_path, NEWER), *arguments)
        assert (code, found["against"], found["beside"]) == (0, "image stand-in", "")


def test_an_artifact_without_compiled_files_has_nothing_to_load(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wheel(tmp_path, b"MZ a program for Windows", "a/tool.exe")
    assert main(["abi", path, "--target", "al2023-python3.12"]) == 0
    out = capsys.readouterr().out
    assert "No compiled files for Linux" in out
    assert "can be loaded" not in out
