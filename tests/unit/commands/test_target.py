"""`pytest-arm64 target`: what is known of a target, and facts from its image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_arm64.cli import main
from pytest_arm64.config.targets import shipped_targets
from unit.binary.elves import elf, write
from unit.binary.roots import config, docker_archive, tar

ROOT = tar(
    {
        "lib64/libc.so.6": elf(soname="libc.so.6", defines=["GLIBC_2.17", "GLIBC_2.31"]),
        "etc/os-release": b'ID=mine\nVERSION_ID="1"\nPRETTY_NAME="Mine 1"\n',
        "var/lib/dpkg/status": b"Package: libc6\nStatus: install ok installed\nVersion: 2.31-1\n",
    }
)
SETTINGS = """
[tool.pytest-arm64]
target = "mine"

[tool.pytest-arm64.targets.mine]
image = "mine:1"
python = "3.12"
facts = "{facts}"
"""


@pytest.fixture(autouse=True)
def _in_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PYTEST_ARM64_IMAGE", "PYTEST_ARM64_TARGET"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "repository"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("name", sorted(shipped_targets()))
def test_every_shipped_target_is_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["target", "show", name]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{name}: {shipped_targets()[name].os}, Python 3.")
    read = shipped_targets()[name].facts.read
    assert f"read on {read or 'an unknown day'}" in out
    assert (" ago)" in out) == (read is not None)
    assert "source: " in out
    assert "GLIBC_2." in out


def test_what_ended_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["target", "show", "lambda-python3.10"]) == 0
    assert "supported until 2026-10-31 (ended)" in capsys.readouterr().out


def test_what_became_newer_with_another_release_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["target", "show", "al2023-python3.12"]) == 0
    out = capsys.readouterr().out
    assert "current from AL2023 ≥ 2023.7.20250331 on, " in out
    assert ", OPENSSL from AL2023 ≥ 2023.11.20260413 on\n" in out
    assert main(["target", "show", "lambda-python3.12", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["read"] == ""
    assert document["since_of"] == {"OPENSSL": "a base image with AL2023 ≥ 2023.11.20260413"}


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["target", "show", "lambda-zip-python3.12", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["name"], found["package"]) == (1, "lambda-zip-python3.12", "zip")
    assert found["limits"]["unpacked-bytes"] == 250 * 2**20
    assert "libgomp.so.1" in found["lacks"]
    assert found["read"] == "2026-11-30"


def test_the_projects_own_target_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["target", "show"]) == 0
    assert capsys.readouterr().out.startswith("al2023-python3.12: ")


def test_an_unknown_target_is_answered_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["target", "show", "lambda-python3.9"]) == 2
    assert "lambda-python3.12" in capsys.readouterr().err


@pytest.mark.parametrize("saved", [False, True])
def test_learned_facts_answer_for_a_target_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, saved: bool
) -> None:
    source = tmp_path / "root.tar"
    if saved:
        docker_archive(source, [ROOT], config())
    else:
        source.write_bytes(ROOT)
    assert main(["target", "learn", str(source), "--output", "facts.json"]) == 0
    assert "wrote facts.json: Mine 1, 1 libraries" in capsys.readouterr().out
    Path("pyproject.toml").write_text(SETTINGS.format(facts="facts.json"), "utf-8")
    assert main(["target", "show"]) == 0
    out = capsys.readouterr().out
    assert "facts: Mine 1, read from root.tar on " in out
    assert "(0 days ago)" in out
    assert "libraries: 1; packages: 1" in out
    needs = {"libc.so.6": ["GLIBC_2.31"]}
    too_new = {"libc.so.6": ["GLIBC_2.32"]}
    folder = write(tmp_path / "site", {"a.so": elf(needed=["libc.so.6"], needs=needs)})
    assert main(["abi", str(folder), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["against"].startswith("facts of root.tar, read ")
    write(folder, {"a.so": elf(needed=["libc.so.6", "libz.so.1"], needs=too_new)})
    assert main(["abi", str(folder), "--format", "json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {f["version"] or f["library"] for f in findings} == {"GLIBC_2.32", "libz.so.1"}


@pytest.mark.parametrize("place", ["/etc/passwd", "../outside.json"])
def test_facts_outside_of_the_repository_are_refused(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pyproject.toml").write_text(SETTINGS.format(facts=place), "utf-8")
    assert main(["target", "show"]) == 2
    assert "outside the repository" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "word"), [(None, "No such file"), ("{}", "format"), ("x", "not JSON")]
)
def test_facts_that_cannot_be_read_name_the_next_step(
    content: str | None, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pyproject.toml").write_text(SETTINGS.format(facts="facts.json"), "utf-8")
    if content is not None:
        Path("facts.json").write_text(content, "utf-8")
    assert main(["abi", "."]) == 2
    err = capsys.readouterr().err
    assert word in err
    assert "pytest-arm64 target learn" in err


@pytest.mark.parametrize(
    ("content", "output", "word"),
    [
        (b"no tar", "facts.json", "cannot be read"),
        (tar({"a": b""}), "facts.json", "no shared library for aarch64"),
        (ROOT, ".", "is a folder"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_words(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    output: str,
    word: str,
) -> None:
    source = tmp_path / "root.tar"
    source.write_bytes(content)
    assert main(["target", "learn", str(source), "--output", output]) == 2
    err = capsys.readouterr().err
    assert word in err
    assert "Traceback" not in err
    assert not Path("facts.json").exists()


def test_declared_facts_are_compared_with_those_of_an_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = shipped_targets()["al2023-python3.12"].facts
    libraries = {f"lib64/{name}": elf(soname=name) for name in facts.has}
    libraries["lib64/libc.so.6"] = elf(defines=["GLIBC_2.17", "GLIBC_2.34", "GLIBC_PRIVATE"])
    system = {"etc/os-release": b"ID=amzn\nVERSION_ID=2023\n"}
    source = tmp_path / "root.tar"

    def compared(changes: dict[str, bytes]) -> tuple[int, list[str]]:
        source.write_bytes(tar({**libraries, **system, **changes}))
        assert main(["target", "learn", str(source), "--output", "facts.json"]) == 0
        capsys.readouterr()
        code = main(["target", "compare", "al2023-python3.12", "facts.json"])
        return code, capsys.readouterr().out.splitlines()

    assert compared({}) == (0, ["no difference"])
    changes = {
        "etc/os-release": b"ID=amzn\nVERSION_ID=2027\n",
        "lib64/libc.so.6": elf(defines=["GLIBC_2.41"]),
        "lib64/libgomp.so.1": b"no library",
        "lib64/libGL.so.1": elf(),
        "lib64/libz.so.1": elf(defines=["ZLIB_1.2.9", "ZLIB_1.2.12"]),
    }
    assert compared(changes) == (
        1,
        [
            "system: amzn 2023 is declared, the image is amzn 2027",
            "glibc: 2.34 is declared, the image has 2.41",
            "libgomp.so.1 is declared to be there, and is not in the image",
            "libGL.so.1 is declared to be missing, and is in the image",
            "GLIBC: 2.34 is declared, the image has 2.41",
            "ZLIB: 1.2.9 is declared, the image has 1.2.12",
        ],
    )
