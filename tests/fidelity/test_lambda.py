"""The fixture ``arm64_lambda``: a mirrored session calls functions as a plain pytest does."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from documented import DOCS, examples
from fidelity.harness import Case, MakeCase

_BLOCKS = re.compile(r"^```(?:toml|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SETTINGS, APP, *_ = _BLOCKS.findall((DOCS / "lambda.md").read_text("utf-8"))


def test_the_documented_functions_are_called_in_both(project: MakeCase) -> None:
    ((name, suite),) = examples("lambda.md")
    case = project({name: suite, "app.py": APP, "pyproject.toml": SETTINGS, ".git/HEAD": ""})
    assert case.check().code == 0


FAILING = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        [tool.pytest-arm64]
        handler = "app.handler"
        """,
    "app.py": """
        import os
        print("loaded")
        def handler(event, context):
            print("called with", event, os.path.basename(os.getcwd()))
            return event
        """,
    "sub/test_it.py": """
        import pytest
        @pytest.fixture
        def result(arm64_lambda):
            return arm64_lambda.invoke("in a fixture")
        def test_fails(result, arm64_lambda):
            assert arm64_lambda.invoke("in the test").payload == result.payload
        """,
    ".git/HEAD": "",
}


def test_a_failing_test_shows_the_log_of_its_calls(project: MakeCase) -> None:
    case = project(FAILING)
    for result in (case.native(["-k", "fails"]), case.mirrored(["-k", "fails"])):
        assert result.code == 1
        assert result.text.count("Captured function log call") == 2
        assert "loaded\ncalled with in a fixture project\n" in result.text


def test_without_a_handler_the_test_fails_with_the_key_to_set(project: MakeCase) -> None:
    case = project({**FAILING, "pyproject.toml": "[tool.pytest.ini_options]\n"})
    result = case.check(["-k", "fails"])
    assert "arm64_lambda: no handler is configured" in result.text
    assert 'set handler = "module.function" in [tool.pytest-arm64]' in result.text
    assert "arm_lambda.py" not in result.text


SERVICES = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        [tool.pytest-arm64.service.api]
        requirements = "api/requirements.txt"
        handler = "app.handler"
        memory = "1GB"
        [tool.pytest-arm64.service.worker]
        requirements = "worker/requirements.txt"
        handler = "src/app.other"
        lambda-timeout = 7.5
        """,
    **{
        f"{name}/{file}": text
        for name in ("api", "worker")
        for file, text in {
            "requirements.txt": "",
            "app.py": f"def handler(event, context): return '{name}'\n",
            "src/app.py": "def other(event, context): return 'other'\n",
        }.items()
    },
    "api/tests/test_api.py": """
        def test_api(arm64_lambda):
            assert (arm64_lambda.invoke(0).payload, arm64_lambda.timeout) == ("api", 3.0)
        """,
    "worker/tests/test_worker.py": """
        def test_worker(arm64_lambda):
            assert (arm64_lambda.invoke(0).payload, arm64_lambda.timeout) == ("other", 7.5)
        """,
    ".git/HEAD": "",
}


def test_each_service_has_its_own_function(project: MakeCase) -> None:
    case = project(SERVICES)
    assert case.native([]).code == 0
    assert case.mirrored(["-p", "services_place"]).code == 0


def test_marked_tests_call_it_where_they_run(tmp_path: Path) -> None:
    suite = """
        import os, pytest
        def call(arm64_lambda):
            assert arm64_lambda.invoke({"name": "x"}).payload["calls"] == 1
        def test_here(arm64_lambda):
            call(arm64_lambda)
            assert "PYTEST_ARM64_FACTS" not in os.environ
        @pytest.mark.arm64
        def test_there(arm64_lambda):
            call(arm64_lambda)
            assert "PYTEST_ARM64_FACTS" in os.environ
        """
    files = {"test_it.py": suite, "app.py": APP, "pyproject.toml": SETTINGS, ".git/HEAD": ""}
    result = Case(tmp_path / "case", files).marked([])
    assert result.code == 0, result.text
    cases = ElementTree.parse(tmp_path / "case" / "junit.xml").iter("testcase")
    assert sorted(str(case.get("name")) for case in cases) == ["test_here", "test_there"]
