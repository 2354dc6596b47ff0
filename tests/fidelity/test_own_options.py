"""Our own options where projects keep them: in addopts, in PYTEST_ADDOPTS, typed."""

from __future__ import annotations

import json

import pytest

from fidelity.harness import TIMEOUT, Case, MakeCase
from pytest_arm64.inside.options import OPTIONS, Kind

TEST = "def test_one(): pass\n"
CONFIGURED = """
    [tool.pytest-arm64.service.api]
    requirements = "none.txt"
    tests = "."
"""
VALUES = {
    "--arm64-target": "al2023-python3.12",
    "--arm64-image": "example.com/image:{arch}",
    "--arm64-requirements": "none.txt",
    "--arm64-service": "api",
    "--arm64-cpu": "graviton3",
    "--arm64-gate": "report",
    "--arm64-report": "out",
    "--arm64-installer": "pip",
    "--arm64-build-timeout": "900",
    "--arm64-cross": "auto",
    "--arm64-timeout": "60",
    "--arm64-memory": "2GB",
    "--arm64-shm-size": "128MB",
}
# What turns a run into another: tried by tests of their own.
MODES = ("--arm64", "--arm64-marked", "--arm64-compare", "--arm64-record", "--arm64-try")
ADDED = [option for option in OPTIONS if option.name not in MODES]
# A file of the repository does not choose these by itself: tests/fidelity/test_trust.py.
NOT_IN_FILES = ("--arm64-image", "--arm64-build-network")


def all_words(*, joined: bool, leave_out: tuple[str, ...] = ()) -> list[str]:
    """Every option of ours, with a value where it takes one."""
    given = []
    for option in ADDED:
        if option.name in leave_out:
            continue
        value = VALUES.get(option.name, "")
        assert bool(value) == (option.kind is not Kind.FLAG)
        words = [f"{option.name}={value}"] if joined else [option.name, value]
        given += words if value else [option.name]
    return given


def configured(addopts: str) -> dict[str, str]:
    """A project with one service and *addopts* as TOML."""
    ini = f"\n    [tool.pytest.ini_options]\n    addopts = {addopts}\n"
    return {"pyproject.toml": CONFIGURED + ini, "none.txt": "", "test_it.py": TEST}


def passes(case: Case) -> None:
    result = case.mirrored([])
    assert result.code == 0, result.text
    assert "1 passed" in result.text


@pytest.mark.parametrize("joined", [True, False], ids=["equals", "space"])
def test_all_options_are_accepted_in_a_list_of_addopts(project: MakeCase, joined: bool) -> None:
    words = all_words(joined=joined, leave_out=NOT_IN_FILES)
    passes(project(configured(json.dumps(words))))


def test_all_options_are_accepted_in_a_string_of_addopts(project: MakeCase) -> None:
    words = all_words(joined=False, leave_out=NOT_IN_FILES)
    passes(project(configured(json.dumps(" ".join(words)))))


@pytest.mark.parametrize("joined", [True, False], ids=["equals", "space"])
def test_all_options_are_accepted_in_the_variable(project: MakeCase, joined: bool) -> None:
    environment = {"PYTEST_ADDOPTS": " ".join(all_words(joined=joined))}
    passes(project(configured('""'), environment=environment))


def refused(case: Case, *arguments: str, mode: str = "--arm64") -> str:
    """What is printed by a run that ends with a usage error, before anything is built."""
    case.write()
    ours = [mode] if mode else []
    process = case.start([*arguments, "-p", "refusing_place"], *ours)
    out, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 4, out
    assert "Traceback" not in out
    assert "would have been built" not in out
    return out


@pytest.mark.parametrize("mode", ["--arm64", "--arm64-marked", ""])
def test_a_misspelt_option_is_refused_at_once_with_the_nearest(
    project: MakeCase, mode: str
) -> None:
    out = refused(project(TEST), "--arm64-targt", "lambda-python3.13", mode=mode)
    assert "--arm64-targt" in out
    assert "--arm64-target" in out


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("--arm64-cpu=graviton9", "unknown core 'graviton9': choose among graviton2"),
        ("--arm64-target=al2023-python3.1x", "al2023-python3.1x"),
        ("--arm64-timeout=soon", "soon is not a number of seconds above 0"),
        ("--arm64-gate=everything", "invalid choice: 'everything'"),
        ("--arm64-service=ap", "did you mean 'api'?"),
        ("--arm64-requirements=absent.txt", "absent.txt is not a file"),
        ("--arm64-report=test_it.py/out", "the folder cannot be written to: Not a directory"),
    ],
)
def test_values_are_checked_before_anything_is_built(
    project: MakeCase, word: str, said: str
) -> None:
    assert said in refused(project(configured('""')), word)


@pytest.mark.parametrize("words", ["missing.py", "test_it.py sub/missing.py::test_x[1]", "../gone"])
def test_a_path_that_does_not_exist_is_refused_before_anything_is_built(
    project: MakeCase, words: str
) -> None:
    out = refused(project(TEST), *words.split())
    assert f"file or directory not found: {words.rpartition(' ')[2]}" in out


OWN_ROOT = "[tool.pytest.ini_options]\n"
SERVICES = OWN_ROOT + '[tool.pytest-arm64]\nservices = ["api", "web"]\n'
TWO_SERVICES = {
    "pyproject.toml": SERVICES,
    "api/pyproject.toml": OWN_ROOT,
    "api/test_api.py": TEST,
    "web/test_web.py": TEST,
    "web/requirements.txt": "",
}


@pytest.mark.parametrize("mode", ["--arm64", "--arm64-marked"])
@pytest.mark.parametrize(
    ("words", "cwd"),
    [
        (["--arm64-service", "api"], "."),
        (["--arm64-service=web", "--arm64-report", "../temporary"], "."),
        (["--arm64-requirements", "../web/requirements.txt"], "api"),
    ],
)
def test_a_value_that_changes_the_root_of_pytest_is_refused(
    project: MakeCase, mode: str, words: list[str], cwd: str
) -> None:
    out = refused(project(TWO_SERVICES, cwd=cwd), *words, mode=mode)
    assert f"next step: write {words[-2]}={words[-1]}\n" in out


@pytest.mark.parametrize(
    "words",
    [
        ["--arm64-service", "web"],
        ["--arm64-service=api"],
        ["--arm64-service", "web", "--arm64-report", "api"],
        ["web", "--arm64-report", "out"],
        ["web", "--arm64-report", "../temporary"],
    ],
)
def test_a_value_that_is_a_folder_and_changes_no_root_is_obeyed(
    project: MakeCase, words: list[str]
) -> None:
    case = project(TWO_SERVICES)
    case.write()
    (case.project / "out").mkdir()
    out, _ = case.start(words, "--arm64").communicate(timeout=TIMEOUT)
    assert "rootdir: " + str(case.project) + "\n" in out
    assert "1 passed" in out


@pytest.mark.parametrize("mode", ["--arm64", "--arm64-marked", ""])
def test_a_value_in_addopts_changes_no_root(project: MakeCase, mode: str) -> None:
    addopts = OWN_ROOT + 'addopts = ["--arm64-service", "api"]\n'
    case = project({**TWO_SERVICES, "pyproject.toml": SERVICES.replace(OWN_ROOT, addopts)})
    case.write()
    out, _ = case.start([], *([mode] if mode else [])).communicate(timeout=TIMEOUT)
    assert "rootdir: " + str(case.project) + "\n" in out
    assert "stands after a space" not in out


def test_a_value_of_an_option_of_a_conftest_is_no_path(project: MakeCase) -> None:
    conftest = 'def pytest_addoption(parser):\n    parser.addoption("--mine", nargs=2)\n'
    case = project({"conftest.py": conftest, "test_it.py": TEST})
    case.check(["--mine", "one", "two"])
    assert "not found: absent" in refused(case, "absent", "--mine", "one", "two")


@pytest.mark.parametrize("word", ["--arm64-cpu=graviton3", "--arm64-keep", "--arm64-compare"])
def test_an_option_that_is_typed_needs_its_mode(project: MakeCase, word: str) -> None:
    name = word.partition("=")[0]
    assert f"leave out {name}" in refused(project(TEST), word, mode="")


def test_an_option_in_addopts_waits_for_its_mode(project: MakeCase) -> None:
    words = [word for word in all_words(joined=True) if word != "--arm64-require-native"]
    words += ["--arm64-compare", "--arm64-record", "--arm64-try=none==1"]
    case = project(configured(json.dumps(words)))
    result = case.native([])
    assert result.code == 0, result.text
    assert "1 passed" in result.text
    assert not any(name.startswith("out") for name in result.files)


def test_a_demand_in_addopts_is_refused_without_its_mode(project: MakeCase) -> None:
    case = project(configured('["--arm64-require-native"]'))
    assert "--arm64-require-native has no effect without --arm64" in refused(case, mode="")


def test_marked_tests_that_must_run_natively_must_be_there(project: MakeCase) -> None:
    out = refused(project(TEST), "--arm64-require-native", mode="--arm64-marked")
    assert "no selected test is marked arm64" in out
