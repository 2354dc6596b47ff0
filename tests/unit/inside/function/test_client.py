"""AWS's client of the Runtime API is used where it is complete, else our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.inside.function.arm_lambda import ArmLambda
from pytest_arm64.inside.function.client import RuntimeClient, client_here
from pytest_arm64.inside.function.record import FunctionRecord
from pytest_arm64.inside.ran import Ran

# Posts what it was started with in place of a function's answers.
MAIN = """
import json, os, sys, http.client
def main(arguments):
    path = "/2018-06-01/runtime/invocation/"
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request("GET", path + "next")
    answer = connection.getresponse()
    answer.read()
    said = json.dumps({"arguments": arguments, "path": sys.path}).encode()
    path += answer.headers["Lambda-Runtime-Aws-Request-Id"]
    connection.request("POST", path + "/response", said)
    connection.getresponse().read()
"""


def site(folder: Path, version: str = "4.2.2", *, native: bool = True) -> str:
    """A folder with something in the form of AWS's client."""
    package = folder / "awslambdaric"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f'__version__ = "{version}"\n', "utf-8")
    (package / "__main__.py").write_text(MAIN, "utf-8")
    if native:
        (folder / "runtime_client.py").touch()
    return str(folder)


def test_awss_client_has_its_version(tmp_path: Path) -> None:
    folder = site(tmp_path / "site")
    assert client_here([str(tmp_path), folder]) == RuntimeClient("awslambdaric 4.2.2", folder)


def test_the_first_on_the_path_counts(tmp_path: Path) -> None:
    first, second = site(tmp_path / "a", "3.0.0"), site(tmp_path / "b")
    assert client_here([first, second]).name == "awslambdaric 3.0.0"


@pytest.mark.parametrize("complete", [True, False])
def test_without_its_compiled_half_ours_is_used(complete: bool, tmp_path: Path) -> None:
    folders = [str(tmp_path)]
    if not complete:
        folders.append(site(tmp_path / "site", native=False))
    assert client_here(folders) == RuntimeClient("pytest-arm64")


def test_it_is_started_from_packages_of_the_tests_that_the_function_does_not_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = site(tmp_path / "tests/site")
    monkeypatch.syspath_prepend(folder)
    record: FunctionRecord = {
        "handler": "app.handler",
        "root": str(tmp_path),
        "timeout": 20.0,
        "defaults": {},
        "environment": {"PYTHONPATH": folder},
        "hidden": [str(tmp_path / "tests")],
    }
    function = ArmLambda(record, Ran())
    try:
        result = function.invoke({})
    finally:
        function.close()
    assert result.client == "awslambdaric 4.2.2"
    assert result.payload["arguments"] == ["awslambdaric", "app.handler"]
    assert result.payload["path"][0] == str(tmp_path)
    assert folder not in result.payload["path"]
