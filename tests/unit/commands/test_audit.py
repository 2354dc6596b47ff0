"""The command: what it prints, and the code with which it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from pytest_arm64 import cli
from pytest_arm64.audit.matrix import Row, WheelMatrix
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.report.matrix_output import comparison, explanation, markdown, summary
from pytest_arm64.report.python_choice import answers, python_choices
from unit.index.served import Project, joined, release, serve
from unit.support import reads_of, write

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
PROJECTS = {
    "good": release("good", "1.0", ARM),
    "slow": joined(
        release("slow", "1.0", sdist=True, requires=["good"]),
        release("slow", "2.0", ARM, X86, "cp313-cp313-manylinux_2_17_aarch64"),
    ),
    "late": release("late", "1.0", "cp313-cp313-manylinux_2_17_aarch64"),
}


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("PYTEST_ARM64_TARGET", raising=False)


def command(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, projects: dict[str, Project] | None = None
) -> int:
    with serve(projects or PROJECTS) as played:
        config = PipConfig({"index-url": played.url}, {}, ())
        monkeypatch.setattr("pytest_arm64.index.pip_config.host_pip_config", lambda: config)
        return cli.main(["audit", *arguments])


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("text", "code", "verdict"),
    [
        ("good", 0, "Ready"),
        ("slow==1.0", 1, "Not ready"),
        ("late", 1, "Not ready"),
        ("good\nunheard-of", 3, "INCOMPLETE"),
    ],
)
@pytest.mark.parametrize("form", ["table", "markdown", "json", "sarif"])
def test_every_form_tells_the_same_verdict(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    text: str,
    code: int,
    verdict: str,
    form: str,
) -> None:
    write(tmp_path, {"requirements.txt": text})
    assert command(monkeypatch, "--format", form) == code
    output = capsys.readouterr().out
    assert "\x1b" not in output
    if form == "sarif":
        results = json.loads(output)["runs"][0]["results"]
        assert bool(results) is (code != 0)
    elif form == "json":
        document = json.loads(output)
        assert document["complete"] is (code != 3)
        assert document["ready"] is (code == 0)
    else:
        assert verdict in output


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    "arguments", [("nowhere",), ("--target", "al2023-python9.9"), ("--target", ","), ()]
)
def test_a_bad_configuration_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert command(monkeypatch, *arguments) == 2
    assert "pytest-arm64:" in capsys.readouterr().err


@pytest.mark.usefixtures("index")
def test_several_targets_and_services_stand_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"a/requirements.txt": "late\ngood==1.0", "b/requirements.txt": "slow"})
    targets = "al2023-python3.12,al2023-python3.13"
    assert command(monkeypatch, "a", "b", "--target", targets, "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    late = next(package for package in document["packages"] if package["name"] == "late")
    assert late["state"] == "blocker"
    assert late["holds_up"] == [{"service": "a", "target": "al2023-python3.12"}]
    matrices = document["matrices"]
    assert [(m["service"], m["target"][-3:], m["counts"]) for m in matrices] == [
        ("a", ".12", {"blocker": 1, "wheel": 1}),
        ("a", ".13", {"blocker": 1, "wheel": 1}),
        ("b", ".12", {"wheel": 1}),
        ("b", ".13", {"wheel": 1}),
    ]
    assert command(monkeypatch, "a", "--target", targets) == 1
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["a", "al2023-python3.12", "al2023-python3.13"] in lines
    assert ["late", "blocker", "wheel"] in lines
    assert ["good", "wheel", "blocker"] in lines
    assert command(monkeypatch, "a", "b") == 1
    said = capsys.readouterr().out
    assert "late 1.0 (blocker) blocks: a" in said
    assert said.endswith("2 services on al2023-python3.12: 1 ready, 1 not ready\n")
    assert command(monkeypatch, "a", "b", "--target", targets) == 1
    said = capsys.readouterr().out
    assert "2 services on al2023-python3.12: 1 ready, 1 not ready\n" in said
    assert "2 services on al2023-python3.13: 1 ready, 1 not ready\n" in said


@pytest.mark.usefixtures("index")
def test_a_table_says_with_which_python_everything_is_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"a/requirements.txt": "late", "b/requirements.txt": "slow\nlate"})
    schema = json.loads(
        resources.files("pytest_arm64.resources").joinpath("wheel-matrix-1.schema.json").read_text()
    )
    # A wildcard and a repeated option, as they come.
    asked = ("--target", "al2023-python3.1[23]", "--target", "lambda-python3.12")
    assert command(monkeypatch, "a", "b", *asked) == 1
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert ["Python", "al2023", "lambda"] in lines
    assert ["3.12", "late", "late"] in lines
    assert ["3.13", "all", "green", "-"] in lines
    assert "Everything is green on al2023 with Python 3.13." in out
    assert "No Python of these makes everything green on lambda." in out

    assert command(monkeypatch, "a", *asked, "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema)
    found = [(c["platform"], c["python"], c["ready"], c["packages"]) for c in document["pythons"]]
    assert found == [
        ("al2023", "3.12", False, ["late"]),
        ("al2023", "3.13", True, []),
        ("lambda", "3.12", False, ["late"]),
    ]
    assert command(monkeypatch, "a", *asked, "--format", "markdown") == 1
    assert "| 3.13 | all green | - |" in capsys.readouterr().out


@pytest.mark.usefixtures("index")
def test_of_one_python_there_is_no_such_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"requirements.txt": "good"})
    asked = ("--target", "al2023-python3.12,lambda-python3.12")
    assert command(monkeypatch, *asked, "--format", "json") == 0
    assert "pythons" not in json.loads(capsys.readouterr().out)
    assert command(monkeypatch, *asked) == 0
    assert "Python al2023" not in capsys.readouterr().out


def test_a_choice_that_is_not_complete_says_so() -> None:
    targets = [shipped_targets()[f"al2023-python3.1{minor}"] for minor in (1, 2)]
    rows = tuple(Row(f"p{number}", "1", "source") for number in range(6))
    found = python_choices(
        [
            WheelMatrix("s", targets[0].name, rows),
            WheelMatrix("s", targets[1].name, (), problems=("no answer",)),
        ],
        targets,
    )
    assert [str(choice) for choice in found] == ["p0, p1, p2, p3 and 2 more", "incomplete"]
    assert list(answers(found)) == ["No Python of these makes everything green on al2023."]


@pytest.mark.usefixtures("index")
def test_configured_services_are_audited_where_no_path_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (
        '[tool.pytest-arm64]\nservices = ["svc/*"]\n'
        '[tool.pytest-arm64.service.main]\nrequirements = "deploy.txt"\n'
    )
    files = {"deploy.txt": "good", "svc/one/requirements.txt": "good", "svc/two/pyproject.toml": ""}
    write(tmp_path, {"pyproject.toml": table, **files, "svc/two/requirements.txt": "slow"})
    assert command(monkeypatch, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [m["service"] for m in found["matrices"]] == ["main", "svc/one", "svc/two"]
    assert [m["manifest"] for m in found["matrices"]] == [
        "deploy.txt",
        "svc/one/requirements.txt",
        "svc/two/requirements.txt",
    ]
    write(tmp_path, {"pyproject.toml": table.replace("requirements", "requirement")})
    assert command(monkeypatch) == 2
    assert "did you mean 'requirements'?" in capsys.readouterr().err


@pytest.mark.usefixtures("index")
def test_a_pin_is_fixed_and_a_baseline_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"requirements.txt": "slow==1.0\n"})
    for words in (("--fix", "--dry-run"), ("--dry-run",)):
        assert command(monkeypatch, *words) == 1
        shown = capsys.readouterr().err
        assert "+slow==2.0" in shown
        assert "did not write requirements.txt" in shown
        assert "wrote" not in shown
        assert (tmp_path / "requirements.txt").read_text("utf-8") == "slow==1.0\n"
    assert command(monkeypatch, "--fix") == 1
    assert "+slow==2.0" in capsys.readouterr().err
    assert (tmp_path / "requirements.txt").read_text("utf-8") == "slow==2.0\n"
    assert command(monkeypatch, "--fix") == 0
    assert "--fix: no pin has to move, or none can" in capsys.readouterr().err
    assert command(monkeypatch, "--write-baseline") == 0
    kept = json.loads((tmp_path / "arm64-baseline.json").read_text("utf-8"))
    assert [(p["package"], p["state"]) for p in kept["packages"]] == [("slow", "wheel")]


@pytest.mark.usefixtures("index")
def test_the_target_comes_from_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"requirements.txt": "good", ".python-version": "3.13\n"})
    command(monkeypatch, "--format", "json")
    assert json.loads(capsys.readouterr().out)["target"] == "al2023-python3.13"


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    "words",
    [
        ("--target", "al2023-python3.12", "--target", "al2023-python3.13"),
        ("--target=al2023-python3.12", "--target", "al2023-python3.13,al2023-python3.12"),
        ("--target", "al2023-python3.12, al2023-python3.13"),
    ],
)
def test_every_target_that_is_named_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    write(tmp_path, {"requirements.txt": "good"})
    command(monkeypatch, *words, "--format", "json")
    document = json.loads(capsys.readouterr().out)
    targets = [matrix["target"] for matrix in document["matrices"]]
    assert targets == ["al2023-python3.12", "al2023-python3.13"]


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("words", "variable", "targets"),
    [
        ((), "", ["al2023-python3.13", "lambda-python3.12"]),
        (("--target", "debian12-python3.13"), "", ["debian12-python3.13"] * 2),
        ((), "debian12-python3.13", ["debian12-python3.13"] * 2),
    ],
)
def test_a_service_is_audited_for_its_own_target(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    words: tuple[str, ...],
    variable: str,
    targets: list[str],
) -> None:
    table = """
        [tool.pytest-arm64]
        target = "al2023-python3.13"
        [tool.pytest-arm64.service.a]
        requirements = "a/r.txt"
        [tool.pytest-arm64.service.b]
        requirements = "b/r.txt"
        target = "lambda-python3.12"
        """
    monkeypatch.setenv("PYTEST_ARM64_TARGET", variable)
    write(tmp_path, {"pyproject.toml": table, "a/r.txt": "late", "b/r.txt": "late"})
    command(monkeypatch, *words, "--format", "json", "--report", "out")
    document = json.loads(capsys.readouterr().out)
    audited = [(m["target"], m["packages"][0]["state"]) for m in document["matrices"]]
    # There is a wheel for Python 3.13 alone.
    states = {name: "wheel" if name.endswith("3.13") else "blocker" for name in targets}
    assert audited == [(name, states[name]) for name in targets]
    assert "pythons" not in document
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["target"] == ", ".join(dict.fromkeys(targets))
    assert [service["target"] for service in report["services"]] == targets


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ({"services/docs/readme": ""}, 0, "services/docs has no requirements.txt"),
        ({"services/broken/requirements.txt": "]["}, 3, "services/broken/requirements.txt:1"),
        ({"services/broken/pyproject.toml": "]["}, 3, "services/broken/pyproject.toml is not TOML"),
    ],
)
def test_one_path_that_cannot_be_read_does_not_end_the_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    files: dict[str, str],
    code: int,
    said: str,
) -> None:
    write(tmp_path, {"services/api/requirements.txt": "good", **files})
    paths = sorted(f"services/{path.name}" for path in (tmp_path / "services").iterdir())
    assert command(monkeypatch, *paths, "--format", "json") == code
    shown = capsys.readouterr()
    assert json.loads(shown.out)["service"] == "services/api"
    assert "pytest-arm64: not audited: " in shown.err
    assert said in shown.err
    assert command(monkeypatch, *(path for path in paths if path != "services/api")) == 2


@pytest.mark.usefixtures("index")
def test_a_configured_service_that_cannot_be_read_makes_the_audit_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = '[tool.pytest-arm64]\nservices = ["svc/*"]\n'
    write(tmp_path, {"pyproject.toml": table, "svc/a/requirements.txt": "good", "svc/b/x": ""})
    assert command(monkeypatch) == 3
    shown = capsys.readouterr()
    assert "Ready" in shown.out
    assert "not audited: " in shown.err


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("words", [(), (".",), ("{here}",)])
def test_a_project_is_called_by_its_own_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    arguments = [word.format(here=tmp_path) for word in words]
    write(tmp_path, {"requirements.txt": "good"})
    command(monkeypatch, *arguments, "--format", "json")
    assert json.loads(capsys.readouterr().out)["service"] == tmp_path.name
    write(tmp_path, {"pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n"})
    command(monkeypatch, *arguments, "--format", "json")
    assert json.loads(capsys.readouterr().out)["service"] == "shop"


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("configured", [False, True])
def test_an_audit_reads_each_pyproject_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, configured: bool
) -> None:
    table = '[tool.pytest-arm64]\nservices = ["svc/*"]\n' if configured else ""
    project = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["good"]\n'
    folders = ("svc/a", "svc/b") if configured else ()
    write(tmp_path, {"pyproject.toml": project + table})
    write(tmp_path, {f"{folder}/pyproject.toml": project for folder in folders})
    with reads_of("pyproject.toml") as reads:
        assert command(monkeypatch, "--report", "out", "--write-baseline") == 0
    files = [tmp_path / folder / "pyproject.toml" for folder in ("", *folders)]
    assert {path: reads[str(path)] for path in files} == dict.fromkeys(files, 1)


def test_the_comparison_leaves_out_what_is_green_everywhere() -> None:
    one = WheelMatrix("s", "t1", (Row("a", "1", "pure"), Row("b", "1", "source")))
    two = WheelMatrix("s", "t2", (Row("a", "1", "pure"), Row("b", "1", "wheel")))
    assert comparison([one, two]) == [("b", ["source", "wheel"])]


def test_what_packages_write_does_not_reach_the_terminal_raw() -> None:
    row = Row("a", "1", "unknown", detail="\x1b[2J\x07 gone", cause="unreadable")
    matrix = WheelMatrix("s", "t", (row,), problems=("\x1b]0;x\x07",))
    text = "\n".join([*explanation(row), *summary(matrix)])
    assert all(line.isprintable() for line in text.splitlines())
    assert "gone" in text


def test_markdown_cannot_be_broken_out_of() -> None:
    row = Row("a", "1", "unknown", detail="x | y <script> `z`", cause="unreadable")
    text = markdown([WheelMatrix("s|t", "t", (row,))])
    assert "<script>" not in text
    assert "x \\| y" in text


def test_an_ordinary_pytest_run_imports_none_of_it() -> None:
    code = (
        "import sys, pytest_arm64.plugin, pytest_arm64.cli\n"
        "found = {'resolvelib', 'urllib3', 'certifi', 'ssl', 'pytest_arm64.audit.auditor'}\n"
        "print(sorted(found & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing yet\n", "-c limits.txt\n", "--find-links .\n", "-r more.txt\n"]
)
@pytest.mark.parametrize("path", ["requirements.txt", "."])
def test_a_file_that_lists_no_package_is_nothing_to_audit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    path: str,
) -> None:
    write(tmp_path, {"requirements.txt": text, "limits.txt": "zed==1\n", "more.txt": "\n"})
    assert command(monkeypatch, path) == 2
    shown = capsys.readouterr()
    assert "requirements.txt lists no packages: nothing to audit" in shown.err
    assert "Ready" not in shown.out


@pytest.mark.usefixtures("index")
def test_an_artifact_without_metadata_is_nothing_to_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"build/zed/__init__.py": ""})
    assert command(monkeypatch, "dir:build") == 2
    assert "no metadata of packages (*.dist-info): nothing to audit" in capsys.readouterr().err


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": "[project]\nname = 'x'\nversion = '1'\ndependencies = []\n"},
        {"setup.py": "from setuptools import setup\nsetup(name='x')\n"},
        {"requirements.txt": "good; sys_platform == 'win32'\n"},
    ],
)
def test_a_project_that_declares_no_dependencies_has_nothing_in_the_way(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, str],
) -> None:
    write(tmp_path, files)
    assert command(monkeypatch) == 0
    assert "Nothing has to be installed" in capsys.readouterr().out


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("stray", ["README.md", "notes", "main.py", "empty.txt"])
def test_what_lists_nothing_among_several_paths_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stray: str
) -> None:
    strays = {"README.md": "hi", "notes/a.md": "", "main.py": "", "empty.txt": ""}
    write(tmp_path, {**strays, "a/requirements.txt": "good\n", "Pipfile": ""})
    assert command(monkeypatch, stray, "a") == 0
    assert "not audited: " in capsys.readouterr().err
    assert command(monkeypatch, stray, "Pipfile", "a") == 3


X86_ONLY = 'import platform\nif platform.machine() != "x86_64":\n    raise RuntimeError\n'


@pytest.mark.usefixtures("index")
def test_code_that_assumes_x86_is_advice_in_every_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path, {"requirements.txt": "good", "app|x/main.py": X86_ONLY, "old.py": "print 'amd64'"}
    )
    shown = {}
    for form in ("table", "markdown", "json", "sarif"):
        assert command(monkeypatch, "--format", form) == 0
        shown[form] = capsys.readouterr().out
    assert "that assumes x86: 1 place\n" in shown["table"]
    assert "app|x/main.py:2: refuses-arm: " in shown["table"]
    assert "\n  → Add a branch for aarch64" in shown["table"]
    assert "| app\\|x/main.py:2 | refuses-arm | " in shown["markdown"]
    document = json.loads(shown["json"])
    assert (document["ready"], document["format"]) == (True, 1)
    (code,) = document["code"]
    assert [(f["rule"], f["path"], f["line"]) for f in code["findings"]] == [
        ("refuses-arm", "app|x/main.py", 2)
    ]
    (run,) = json.loads(shown["sarif"])["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("arm64/refuses-arm", "note")
    place = result["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "app%7Cx/main.py"},
        "region": {"startLine": 2},
    }
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert "aarch64" in rules["arm64/refuses-arm"]["help"]["text"]
    assert rules["arm64/refuses-arm"]["helpUri"].startswith("https://docs.python.org/")


@pytest.mark.usefixtures("index")
def test_each_file_counts_for_one_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (
        '[tool.pytest-arm64]\nservices = ["svc/*"]\n'
        '[tool.pytest-arm64.service.main]\nrequirements = "deploy.txt"\n'
    )
    files = {"deploy.txt": "good", "svc/one/requirements.txt": "good", "svc/one/a.py": X86_ONLY}
    write(tmp_path, {"pyproject.toml": table, **files, "b.py": X86_ONLY})
    assert command(monkeypatch, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)["code"]
    assert {scan["service"]: [f["path"] for f in scan["findings"]] for scan in found} == {
        "main": ["b.py"],
        "svc/one": ["svc/one/a.py"],
    }


def test_a_rule_is_explained_without_an_audit(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["audit", "--explain", "long-double"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("long-double: numpy's long double")
    assert "dtype=np.longdouble" in out


def test_a_rule_that_does_not_exist_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["audit", "--explain", "longdouble"]) == 2
    assert "no rule 'longdouble' (did you mean 'long-double'?)" in capsys.readouterr().err


POETRY = """\
[[package]]
name = "slow"
version = "{version}"
optional = false
python-versions = ">=3.8"
files = [{files}]

[metadata]
lock-version = "2.1"
python-versions = ">=3.12"
content-hash = "x"
"""
UV = 'version = 1\n[[package]]\nname = "slow"\nversion = "2.0"\n'
WHEEL_FILE = '{file = "slow-2.0-' + ARM + '.whl", hash = "sha256:' + "1" * 64 + '"}'
SDIST_FILE = '{file = "slow-1.0.tar.gz", hash = "sha256:' + "1" * 64 + '"}'
DRIFTING = {
    "pyproject.toml": '[project]\nname = "own"\nversion = "1"\ndependencies = ["slow"]\n'
    "[tool.poetry]\npackage-mode = false\n",
    "poetry.lock": POETRY.format(version="1.0", files=SDIST_FILE),
    "main.lock": POETRY.format(version="2.0", files=WHEEL_FILE),
}


@pytest.mark.usefixtures("index")
def test_a_lock_that_is_worse_than_an_earlier_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, DRIFTING)
    assert command(monkeypatch, "--against", "main.lock") == 1
    output = capsys.readouterr().out
    assert "compared with main.lock" in output
    assert "began-to-compile" in output
    assert "slow 2.0 → 1.0" in output
    assert "Worse than main.lock: 1 began-to-compile." in output
    write(tmp_path, {"poetry.lock": DRIFTING["main.lock"]})
    assert command(monkeypatch, "--against", "main.lock") == 0
    assert "No worse than main.lock." in capsys.readouterr().out


@pytest.mark.usefixtures("index")
def test_what_was_bad_before_fails_nothing_and_an_allowance_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {**DRIFTING, "main.lock": DRIFTING["poetry.lock"]})
    assert command(monkeypatch) == 1
    assert command(monkeypatch, "--against", "main.lock") == 0
    allowed = '[[tool.pytest-arm64.allow-source]]\npackage = "slow"\nreason = "builds in 1 s"\n'
    write(tmp_path, {**DRIFTING, "pyproject.toml": DRIFTING["pyproject.toml"] + allowed})
    assert command(monkeypatch, "--against", "main.lock") == 0


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("form", ["json", "sarif", "markdown"])
def test_every_form_has_what_became_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    write(tmp_path, DRIFTING)
    assert command(monkeypatch, "--against", "main.lock", "--format", form) == 1
    output = capsys.readouterr().out
    if form == "markdown":
        assert "| began-to-compile | slow 2.0 → 1.0 |" in output
        return
    document = json.loads(output)
    if form == "json":
        schema = resources.files("pytest_arm64.resources") / "wheel-matrix-1.schema.json"
        jsonschema.validate(document, json.loads(schema.read_text("utf-8")))
        (drift,) = document["drift"]
        assert [(w["kind"], w["fails"]) for w in drift["worse"]] == [("began-to-compile", True)]
        return
    (result,) = document["runs"][0]["results"]
    assert result["ruleId"] == "arm64/began-to-compile"
    assert result["level"] == "error"
    (location,) = result["locations"]
    assert location["physicalLocation"]["region"]["startLine"]


@pytest.mark.usefixtures("index")
def test_requirement_files_are_compared_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"requirements.txt": "late\ngood\n", "main.txt": "good\nslow==2.0\n"})
    assert command(monkeypatch, "--against", "main.txt") == 1
    assert command(monkeypatch, "main.txt", "--against", "requirements.txt") == 0


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("files", "arguments", "why"),
    [
        (DRIFTING, ["--against", "gone.lock"], "gone.lock does not exist"),
        ({**DRIFTING, "main.lock": UV}, ["--against", "main.lock"], "not an earlier poetry.lock"),
        ({**DRIFTING, "main.lock": "{"}, ["--against", "main.lock"], "main.lock"),
        (
            {"requirements.txt": "good\n", "b.txt": "good\n"},
            ["requirements.txt", "b.txt", "--against", "b.txt"],
            "compares one project, and 2 are audited",
        ),
        (
            {"requirements.txt": "good\n", "poetry.lock": DRIFTING["poetry.lock"]},
            ["requirements.txt", "--against", "poetry.lock"],
            "a lock can only be compared with a lock",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, str],
    arguments: list[str],
    why: str,
) -> None:
    write(tmp_path, {"pyproject.toml": DRIFTING["pyproject.toml"], **files})
    assert command(monkeypatch, *arguments) == 2
    assert why in capsys.readouterr().err
