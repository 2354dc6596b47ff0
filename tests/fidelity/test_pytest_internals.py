"""Every private part of pytest that is used, tried with the pytest that is installed.

Run it with each version that is supported: ``tox -e pair-py310-pytest70,pair-py311-pytest84``.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import pytest_arm64
from pytest_arm64.inside import pytest_internals as inside
from pytest_arm64.mirror import pytest_internals as host

pytest_plugins = ("pytester",)

Configured = Callable[..., pytest.Config]
SOURCE = Path(pytest_arm64.__file__).parent
PLAIN = "def test_a(): pass\ndef test_b(): assert 0\n"


@pytest.fixture
def configured(pytester: pytest.Pytester) -> Configured:
    """A configuration, as a session with these arguments has it."""

    def make(*args: str) -> pytest.Config:
        return pytester.parseconfigure("-p", "no:arm64", *args)

    return make


@pytest.fixture
def config(configured: Configured) -> pytest.Config:
    return configured()


@pytest.fixture(params=[host, inside], ids=["host", "inside"])
def reporter(request: pytest.FixtureRequest, config: pytest.Config) -> Any:
    return request.param.terminal_reporter(config)


def test_the_reporter(configured: Configured, reporter: Any) -> None:
    assert isinstance(reporter, host.TerminalReporter)
    without = configured("-p", "no:terminal")
    assert host.terminal_reporter(without) is inside.terminal_reporter(without) is None


def test_a_line_of_results_is_ended_once(config: pytest.Config) -> None:
    reporter: Any = host.terminal_reporter(config)
    file = io.StringIO()
    inside.replace_terminal(reporter, file, width=80, markup=False)
    reporter.write("..")  # as a quiet reporter does, which names no file
    host.end_line(reporter)
    host.end_line(reporter)
    assert file.getvalue() == "..\n"


def test_the_file_of_the_reporter(config: pytest.Config) -> None:
    reporter: Any = host.terminal_reporter(config)
    with host.writing_nowhere(reporter):
        reporter.write("unseen")
    file = io.StringIO()
    inside.replace_terminal(reporter, file, width=123, markup=False)
    reporter.write("seen")
    assert host.terminal_file(reporter) is file
    assert file.getvalue() == "seen"
    assert host.terminal_look(reporter)["width"] == 123
    tree = io.StringIO()
    with inside.writing_to(reporter, tree):
        reporter.write("tree")
    assert (tree.getvalue(), file.getvalue()) == ("tree", "seen")


def test_markup(config: pytest.Config) -> None:
    reporter: Any = host.terminal_reporter(config)
    file = io.StringIO()
    inside.replace_terminal(reporter, file, width=80, markup=True)
    reporter.write("red", red=True)
    assert host.terminal_look(reporter)["markup"]
    assert "\x1b[31m" in file.getvalue()


@pytest.mark.parametrize("line", [(), ("--collect-only",)])
def test_the_end_of_a_collection(
    pytester: pytest.Pytester, configured: Configured, line: tuple[str, ...]
) -> None:
    config = configured(*line)
    reporter: Any = host.terminal_reporter(config)
    file = io.StringIO()
    inside.replace_terminal(reporter, file, width=80, markup=False)
    session: Any = pytest.Session.from_config(config)
    reporter._session = session
    session.items = [SimpleNamespace(nodeid="t.py::a", location=("t.py", None, "a"))] * 7
    host.show_collected(reporter, session, 7, "the tree")
    assert inside.count_of_collected(reporter, 0) == 7
    assert ("the tree" in file.getvalue()) == bool(line)
    seen: list[object] = []
    inside.wrap_tree_printer(reporter, lambda _: seen.append)
    reporter.pytest_collection_finish(session)
    assert bool(seen) == bool(line)


def test_numbers_and_paths_of_the_reporter(config: pytest.Config) -> None:
    reporter: Any = inside.terminal_reporter(config)
    assert inside.count_of_collected(reporter, 5) == 0
    assert inside.count_of_collected(None, 5) == 5
    assert inside.paths_shown(reporter) is None
    reporter.showfspath = False
    assert inside.paths_shown(reporter) is False
    assert not host.counts_items(reporter)


def test_times_as_progress(configured: Configured) -> None:
    """Of pytest 8.4 and newer; older ones show no times."""
    config = configured("-o", "console_output_style=times")
    counts = host.counts_items(host.terminal_reporter(config))
    assert counts == (pytest.version_tuple >= (8, 4))


def test_no_folder_of_the_ini_file_is_put_on_the_path(config: pytest.Config) -> None:
    host.forget_python_path(config)
    assert config.getini("pythonpath") == []


def test_an_interrupt_is_remembered(config: pytest.Config) -> None:
    reporter: Any = host.terminal_reporter(config)
    file = io.StringIO()
    inside.replace_terminal(reporter, file, width=80, markup=False)
    host.remember_interrupt(reporter, ("a.py", 3, "KeyboardInterrupt: by hand"), "the traceback")
    reporter._report_keyboardinterrupt()
    assert "a.py:3: KeyboardInterrupt: by hand" in file.getvalue()


def test_a_traceback_is_replaced() -> None:
    with pytest.raises(ValueError, match="here") as caught:
        int("here")
    excrepr = caught.getrepr()
    host.replace_traceback(excrepr, "as it was inside")
    assert "as it was inside" in str(excrepr)
    assert "here" not in str(excrepr)


def test_junit(configured: Configured, tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    config = configured(f"--junitxml={path}")
    (recorder,) = host.junit_recorders(config)
    assert inside.junit_recorder(config) is recorder
    report = pytest.TestReport("t.py::a", ("t.py", 1, "a"), {}, "passed", None, "call")
    assert inside.junit_attributes(recorder, report) is None
    host.add_junit_attributes(recorder, report, {"own": "1"})
    attributes = inside.junit_attributes(recorder, report)
    assert attributes is not None
    assert attributes["own"] == "1"
    recorder.add_global_property("a", "1")
    host.put_properties_first(recorder, [("b", "2"), ("a", "1")])
    assert recorder.global_properties == [("b", "2"), ("a", "1")]
    inside.leave_file_to_host(recorder)
    recorder.pytest_sessionstart()
    recorder.pytest_sessionfinish()
    assert not path.exists()
    assert inside.junit_recorder(configured()) is None


def test_hooks(config: pytest.Config) -> None:
    class Own:
        def pytest_report_header(self) -> str:
            return "own"

    own = Own()
    config.pluginmanager.register(own)
    name = "pytest_report_header"
    assert own in [i.plugin for i in inside.hook_implementations(config, name)]
    assert own in [i.plugin for i in inside.implementations_in(config.pluginmanager, name)]
    assert own in [i.plugin for i in inside.all_hook_implementations(config)]
    packages = {
        i.function.__module__.split(".")[0] for i in inside.hook_implementations(config, name)
    }
    assert inside.PACKAGE in packages
    inside.remove_implementation(config, name, own)
    assert own not in [i.plugin for i in inside.hook_implementations(config, name)]
    other = Own()
    config.pluginmanager.register(other)
    host.remove_implementations(config.pluginmanager, name, [__name__])
    assert other not in [i.plugin for i in inside.hook_implementations(config, name)]


def test_what_captures_descriptors(configured: Configured) -> None:
    captures = {}
    for method in ("fd", "sys", "no"):
        config = configured(f"--capture={method}")
        manager: Any = config.pluginmanager.getplugin("capturemanager")
        manager.resume_global_capture()
        captures[method] = inside.captures_descriptors(config)
        manager.suspend_global_capture()
        assert not inside.captures_descriptors(config)
    assert captures == {"fd": True, "sys": False, "no": False}


def test_a_description_is_rendered(config: pytest.Config) -> None:
    shown = SimpleNamespace(toterminal=lambda writer: writer.line("x" * writer.fullwidth, red=True))
    look: Any = {"width": 10, "markup": True, "tty": False}
    text = inside.rendered(config, shown, io.StringIO(), look)
    assert "x" * 10 in text
    assert "\x1b[31m" in text


XFAILS = """
    import pytest
    @pytest.mark.xfail(reason="known")
    def test_expected(): pass
    @pytest.mark.xfail(raises=ValueError)
    def test_one_kind(): pass
    @pytest.mark.xfail("no such name")
    def test_odd(): pass
    def test_plain(): pass
"""


def test_reasons_of_xfail(pytester: pytest.Pytester) -> None:
    items = pytester.getitems(XFAILS)
    assert [inside.xfail_reason(item) for item in items] == ["known", None, None, None]


def test_workers() -> None:
    node: Any = SimpleNamespace(
        gateway=SimpleNamespace(id="gw3", _io=SimpleNamespace(popen=SimpleNamespace(wait=int))),
        workerinfo={
            "id": "gw3",
            "sysplatform": "linux",
            "executable": "/python",
            "version_info": (3, 12, 1),
        },
    )
    assert inside.worker_line(node).startswith("[gw3] linux -- Python 3.12.1")
    assert inside.worker_line(SimpleNamespace(gateway=None)) == ""
    assert inside.worker_status(node, 5) == 5
    node.gateway._io = None
    assert inside.worker_status(node, 5) is None


def test_a_worker_is_shown_as_pytest_shows_it(config: pytest.Config) -> None:
    report: Any = pytest.TestReport("t.py::a", ("t.py", 1, "a"), {}, "failed", "why", "call")
    report.node = host.Worker(host.Gateway("gw1"), "[gw1] linux")
    file = io.StringIO()
    report.toterminal(host.TerminalWriter(file))
    assert "[gw1] linux" in file.getvalue()
    assert hash(report.node) == hash(report.node)


def test_the_name_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/pytest"])
    parser: Any = SimpleNamespace(prog=None)
    inside.use_pytests_name(parser)
    assert parser.prog in ("pytest", None)


def test_failures_of_a_process_before(configured: Configured, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PLAIN)
    config = configured()
    session = pytest.Session.from_config(config)
    inside.count_failures(config, ["t.py::a", "t.py::b"])
    assert session.testsfailed == 2
    last: Any = config.pluginmanager.getplugin("lfplugin")
    assert {"t.py::a", "t.py::b"} <= set(last.lastfailed)


def test_ini_keys_and_filters(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nunheard_of = 1\nfilterwarnings = ignore\n")
    config = pytester.parseconfig("-p", "no:arm64", "-W", "error")
    parser: Any = config._parser
    host.accept_ini_keys(config, parser)
    assert config.getini("unheard_of") is not None
    host.forget_warning_filters(config)
    assert config.getini("filterwarnings") == []
    assert config.known_args_namespace.pythonwarnings is None


@pytest.mark.parametrize(
    ("text", "selected"), [("one and not two", True), ("two", False), ("one or two", True)]
)
def test_expressions(text: str, selected: bool) -> None:
    assert host.compiled_expression(text)(lambda name, /, **_: name == "one") == selected
    with pytest.raises(ValueError, match="expected"):
        host.compiled_expression(f"{text} and")


def test_a_subtests_values_are_those_that_were_described() -> None:
    """With pytest 9's own and with pytest-subtests: an attribute of a frozen context."""
    context = SimpleNamespace(kwargs={"n": "'1'"})
    report = SimpleNamespace(context=context)
    host.restore_subtest(report, {"_subtest.context": {"msg": None, "kwargs": {"n": "1"}}})
    assert context.kwargs == {"n": "1"}
    host.restore_subtest(SimpleNamespace(), {})


def test_a_category_of_a_warning_has_a_public_name() -> None:
    assert pytest.PytestConfigWarning.__module__ in host.WARNING_MODULES


def test_a_plain_location() -> None:
    assert host.plain_location("a/t.py::C::m") == ("a/t.py", None, "C::m")


def test_there_is_no_other_door() -> None:
    """Types may be named anywhere; what is private is used in these two modules only."""
    doors = {SOURCE / "mirror/pytest_internals.py", SOURCE / "inside/pytest_internals.py"}
    others = sorted(set(SOURCE.rglob("*.py")) - doors)
    assert [str(path) for path in others if list(_private_imports(path))] == []


def _private_imports(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "_pytest":
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] == "_pytest")


def test_every_function_of_both_doors_is_tried_here() -> None:
    text = Path(__file__).read_text("utf-8")
    for name, door in (("host", host), ("inside", inside)):
        functions = [
            f.name
            for f in ast.parse(Path(str(door.__file__)).read_text("utf-8")).body
            if isinstance(f, ast.FunctionDef)
        ]
        assert [
            f for f in functions if f"{name}.{f}" not in text and f != "terminal_reporter"
        ] == []
