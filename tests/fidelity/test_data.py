"""Warnings, properties and attributes: what travels with reports."""

from __future__ import annotations

import pytest

from .conftest import MakeCase

WARNINGS = {
    "lib.py": "class Own(UserWarning): pass\nclass Deep(Own, DeprecationWarning): pass",
    "test_it.py": """
        import pytest, warnings
        from lib import Own, Deep
        warnings.warn("at import")
        class Demanding(UserWarning):
            def __init__(self, a, b): super().__init__(a); self.b = b
            def __str__(self): return f"{self.args[0]} and {self.b}"
        @pytest.mark.parametrize("category", [UserWarning, Own, Deep, FutureWarning, ResourceWarning,
            BytesWarning, pytest.PytestWarning, pytest.PytestUnraisableExceptionWarning])
        def test_category(category): warnings.warn("of\\nmany ünï kinds", category)
        def test_demanding(): warnings.warn(Demanding(1, 2))
        def test_object(): warnings.warn(UserWarning({"a": 1}, 2))
        def test_elsewhere(): warnings.warn_explicit("far away", Own, "no/such/file.py", 12)
        def test_twice():
            for _ in range(2): warnings.warn("again")
        @pytest.mark.filterwarnings("ignore")
        def test_ignored(): warnings.warn("never seen")
        @pytest.mark.filterwarnings("error")
        def test_error(): warnings.warn("raised", Own)
        @pytest.mark.unheard_of
        def test_mark(): pass
        def test_unraisable():
            class Odd:
                def __del__(self): raise ValueError("in del")
            Odd()
        def test_thread():
            import threading
            thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
        def test_returns(): return 1
    """,
    "conftest.py": """
        import warnings
        def pytest_configure(config):
            config.issue_config_time_warning(UserWarning("at configuration"), stacklevel=1)
        def pytest_collection_modifyitems(): warnings.warn("in collection")
        def pytest_sessionfinish(): warnings.warn("at the end")
    """,
}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "-W error::UserWarning -W ignore:at.configuration",
        "-W ignore",
        "-W error -k category -W ignore:at.configuration",
        "-p no:warnings",
        "-W no::such::thing",
        "-W error::lib.Own -k category",
        "--disable-warnings -q",
    ],
)
def test_warnings(project: MakeCase, line: str) -> None:
    case = project(WARNINGS, environment={"PYTEST_ARM64_TARGET": "al2023-python3.12"})
    case.check(["-p", "no:threadexception", "-p", "no:unraisableexception", *line.split()])


RECORDS = """
    import pytest, datetime, pathlib
    VALUES = [1, 1.5, None, True, "ünï <&> \\x00\\x1b", b"bytes", (1, 2), {"a": [1]}, {1, },
              float("nan"), 2**80, pathlib.Path("x"), datetime.date(2020, 1, 1), object, "\\ud800"]
    @pytest.mark.parametrize("n", range(len(VALUES)))
    def test_value(record_property, n): record_property("value", VALUES[n])
    def test_key(record_property): record_property(("odd", 1), "key"); record_property(3, 4)
    def test_suite(record_testsuite_property): record_testsuite_property("built by", "ünï <&>")
    def test_attribute(record_xml_attribute): record_xml_attribute("classname", "my.own")
    def test_assertions(record_xml_attribute):
        record_xml_attribute("assertions", 3); record_xml_attribute("name", "renamed"); assert 0
    def test_user_properties(request): request.node.user_properties.append(("direct", 1))
    def test_in_teardown(request, record_property):
        request.addfinalizer(lambda: record_property("late", "value"))
"""


@pytest.mark.parametrize("family", ["xunit1", "xunit2", "legacy"])
def test_recorded_properties(project: MakeCase, family: str) -> None:
    project(RECORDS).check(["-W", "ignore", "-o", f"junit_family={family}"])


def test_report_with_odd_attributes(project: MakeCase) -> None:
    files = {
        "conftest.py": """
            import pytest
            @pytest.hookimpl(hookwrapper=True)
            def pytest_runtest_makereport(item, call):
                outcome = yield
                report = outcome.get_result()
                report.odd = object(); report.cycle = report; report.also = {(1, 2): {3}}
                report.sections.append(("Own section", "ünï\\n<text>"))
                if report.failed: report.longrepr = "plainly: " + str(call.excinfo.value)
        """,
        "test_it.py": "def test_a(): pass\ndef test_b(): raise ValueError('broken')",
    }
    result = project(files).mirrored(["-rA"])
    assert result.code == 1
    assert "1 failed, 1 passed" in result.text
    assert "plainly: broken" in result.text
    assert "Own section" in result.text
