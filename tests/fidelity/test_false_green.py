"""Ways to a green that is not: none makes a service "ready", and none passes a gate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fidelity.harness import Case

READY = "ready, pending a native run"
TWO = "def test_a(): pass\ndef test_b(): pass\n"
BAD = "def test_a(): pass\ndef test_bad(): assert 0\n"
LEAVES = "import os\nos._exit(0)\n"
STOPS = "import pytest\npytest.exit('enough', returncode=0)\n"

Files = Mapping[str, str]


def suite(text: str) -> Files:
    return {"tests/test_it.py": text}


def conftest(text: str, suite: str = TWO) -> Files:
    return {"tests/test_it.py": suite, "tests/conftest.py": text}


def in_hook(name: str, text: str, suite: str = TWO) -> Files:
    head = "import os, sys, pytest, platform\n"
    return conftest(f"{head}def {name}:\n    {text}\n", suite)


def wrapper(text: str, suite: str = BAD) -> Files:
    return conftest(
        "import pytest\n@pytest.hookimpl(hookwrapper=True)\n"
        "def pytest_runtest_makereport(item, call):\n"
        f"    report = (yield).get_result()\n    {text}\n",
        suite,
    )


def options(addopts: str, suite: str = TWO, **more: str) -> Files:
    return {"tests/test_it.py": suite, "pytest.ini": f"[pytest]\naddopts = {addopts}\n", **more}


EXITS: Mapping[str, Files] = {
    "a test calls os._exit(0)": suite("import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\n"),
    "the only test calls os._exit(0)": suite("import os\ndef test_a(): os._exit(0)\n"),
    "conftest calls os._exit(0)": conftest(LEAVES),
    "a test file calls os._exit(0)": suite(LEAVES + TWO),
    "a teardown calls os._exit(0)": suite(
        "import os, pytest\n@pytest.fixture\ndef f():\n    yield\n    os._exit(0)\n"
        "def test_a(f): pass\ndef test_b(): pass\n"
    ),
    "a session fixture calls os._exit(0) at the end": suite(
        "import os, pytest\n@pytest.fixture(scope='session')\n"
        "def f():\n    yield\n    os._exit(0)\n"
        "def test_a(f): pass\n"
    ),
    "atexit calls os._exit(0) after a failure": suite(
        "import atexit, os\natexit.register(os._exit, 0)\n" + BAD
    ),
    "pytest_sessionfinish calls os._exit(0)": in_hook("pytest_sessionfinish()", "os._exit(0)", BAD),
    "pytest_sessionfinish calls os._exit(0) on green": in_hook(
        "pytest_sessionfinish()", "os._exit(0)"
    ),
    "pytest_runtestloop calls os._exit(0)": in_hook("pytest_runtestloop()", "os._exit(0)"),
    "pytest_collection_finish calls os._exit(0)": in_hook(
        "pytest_collection_finish()", "os._exit(0)"
    ),
    "conftest calls sys.exit(0)": conftest("import sys\nsys.exit(0)\n"),
    "a test file calls sys.exit(0)": suite("import sys\nsys.exit(0)\n"),
    "a test calls sys.exit(0)": suite(
        "import sys\ndef test_a(): pass\ndef test_b(): sys.exit(0)\n"
    ),
    "a hook calls sys.exit(0)": in_hook("pytest_collection_modifyitems()", "sys.exit(0)"),
    "pytest.exit(0) in a test": suite(
        "import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('x', 0)\n"
    ),
    "pytest.exit(0) in a fixture": suite(
        "import pytest\n@pytest.fixture\ndef f(): pytest.exit('x', 0)\n"
        "def test_a(): pass\ndef test_b(f): pass\n"
    ),
    "pytest.exit(0) in a teardown": suite(
        "import pytest\n@pytest.fixture\ndef f():\n    yield\n    pytest.exit('x', 0)\n"
        "def test_a(f): pass\ndef test_b(): pass\n"
    ),
    "pytest.exit(0) in conftest": conftest(STOPS),
    "pytest.exit(0) in a test file": suite(STOPS + TWO),
    "pytest.exit(0) after the collection": in_hook(
        "pytest_collection_finish()", "pytest.exit('x', 0)"
    ),
    "pytest.exit(0) in pytest_runtest_logreport": in_hook(
        "pytest_runtest_logreport(report)", "pytest.exit('x', 0)"
    ),
    "session.shouldstop": suite(
        "def test_a(request): request.session.shouldstop = 'x'\n" + TWO[-20:]
    ),
    "SIGKILL in a test": suite(
        "import os\ndef test_a(): pass\ndef test_b(): os.kill(os.getpid(), 9)\n"
    ),
    "SIGTERM in a test": suite(
        "import os\ndef test_a(): pass\ndef test_b(): os.kill(os.getpid(), 15)\n"
    ),
}
REPORTS: Mapping[str, Files] = {
    "makereport turns a failure into a pass": wrapper("report.outcome = 'passed'"),
    "makereport turns a failure into a skip": wrapper(
        "if report.failed: report.outcome, report.longrepr = 'skipped', ('f', 1, 'no')", BAD
    ),
    "makereport turns a failure into an xfail": wrapper(
        "if report.failed: report.outcome, report.wasxfail = 'skipped', 'known'"
    ),
    "logreport turns a failure into a pass": conftest(
        "import pytest\n@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_logreport(report): report.outcome = 'passed'\n",
        BAD,
    ),
    "sessionfinish sets exitstatus = 0": in_hook(
        "pytest_sessionfinish(session)", "session.exitstatus = 0", BAD
    ),
    "sessionfinish forgets the failures": in_hook(
        "pytest_sessionfinish(session)", "session.testsfailed = session.exitstatus = 0", BAD
    ),
    "a hook runs no test": in_hook("pytest_runtest_protocol()", "return True"),
    "a hook runs no test and says that it did": in_hook(
        "pytest_runtest_protocol(item, nextitem)",
        "item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location); "
        "item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location); "
        "return True",
    ),
    "a hook runs no loop": in_hook("pytest_runtestloop()", "return True"),
    "a hook drops all items": in_hook("pytest_collection_modifyitems(items)", "items.clear()"),
    "a hook deselects all items": in_hook(
        "pytest_collection_modifyitems(config, items)",
        "config.hook.pytest_deselected(items=items[:]); items.clear()",
    ),
    "a hook marks all as skipped": in_hook(
        "pytest_collection_modifyitems(items)",
        "[item.add_marker(pytest.mark.skip) for item in items]",
    ),
    "a hook marks all as xfail": in_hook(
        "pytest_collection_modifyitems(items)",
        "[item.add_marker(pytest.mark.xfail) for item in items]",
        "def test_bad(): assert 0\n",
    ),
}
SUITES: Mapping[str, Files] = {
    "no test in the file": suite("x = 1\n"),
    "an empty file": suite(""),
    "only a class without tests": suite("class TestA: pass\n"),
    "a module is skipped": suite("import pytest\npytest.skip('no', allow_module_level=True)\n"),
    "importorskip of the only module": suite(
        "import pytest\npytest.importorskip('nosuch')\n" + TWO
    ),
    "all tests are skipped": suite("import pytest\npytestmark = pytest.mark.skip\n" + TWO),
    "all tests are skipped if this is Linux": suite(
        "import sys, pytest\npytestmark = pytest.mark.skipif(sys.platform == 'linux', reason='x')\n"
        + TWO
    ),
    "all tests skip themselves": suite("import pytest\ndef test_a(): pytest.skip('no')\n"),
    "all tests are expected to fail and do": suite(
        "import pytest\n@pytest.mark.xfail\ndef test_a(): assert 0\n"
    ),
    "all tests are expected to fail and pass": suite(
        "import pytest\n@pytest.mark.xfail\ndef test_a(): pass\n"
    ),
    "a strict xfail passes": suite(
        "import pytest\ndef test_b(): pass\n@pytest.mark.xfail(strict=True)\ndef test_a(): pass\n"
    ),
    "all tests are not to be run": suite(
        "import pytest\n@pytest.mark.xfail(run=False)\ndef test_a(): assert 0\n"
    ),
    "a file cannot be imported": {**suite(TWO), "tests/test_b.py": "import nosuch\n"},
    "collect_ignore has the only file": conftest("collect_ignore = ['test_it.py']\n"),
    "collect_ignore_glob has all files": conftest("collect_ignore_glob = ['*']\n"),
    "pytest_ignore_collect ignores all": in_hook(
        "pytest_ignore_collect(collection_path)", "return collection_path.suffix == '.py' or None"
    ),
    "a fixture is missing": suite("def test_a(): pass\ndef test_b(nosuch): pass\n"),
    "a teardown fails": suite(
        "import pytest\n@pytest.fixture\ndef f():\n    yield\n    assert 0\ndef test_a(f): pass\n"
    ),
}
ON_ARM = "platform.machine() not in ('riscv64', 's390x')"
OF_THE_MACHINE: Mapping[str, Files] = {
    "skipif asks for the machine": suite(
        "import platform, pytest\ndef test_a(): pass\n"
        f"@pytest.mark.skipif({ON_ARM}, reason='no')\ndef test_b(): assert 0\n"
    ),
    "a condition in quotes asks for the machine": suite(
        "import pytest\ndef test_a(): pass\n"
        "@pytest.mark.skipif('platform.machine() != \"z\"', reason='no')\n"
        "def test_b(): assert 0\n"
    ),
    "a constant of the module asks for the machine": suite(
        f"import platform, pytest\nHERE = {ON_ARM}\nother = pytest.mark.skipif(HERE, reason='no')\n"
        "def test_a(): pass\n@other\ndef test_b(): assert 0\n"
    ),
    "the reason of a skip names the machine": suite(
        "import pytest\ndef test_a(): pass\n"
        "@pytest.mark.skip(reason='broken on aarch64')\ndef test_b(): assert 0\n"
    ),
    "pytestmark of a class asks for the machine": suite(
        "import platform, pytest\ndef test_a(): pass\n"
        f"class TestIt:\n    pytestmark = [pytest.mark.skipif({ON_ARM}, reason='no')]\n"
        "    def test_b(self): assert 0\n"
    ),
    "a test asks for the machine and skips": suite(
        "import platform, pytest\ndef test_a(): pass\ndef test_b():\n"
        f"    if {ON_ARM}:\n        pytest.skip('no')\n    assert 0\n"
    ),
    "a fixture asks for the machine and skips": conftest(
        "import platform, pytest\n@pytest.fixture(autouse=True)\ndef f(request):\n"
        f"    if {ON_ARM} and 'bad' in request.node.name: pytest.skip('no')\n",
        BAD,
    ),
    "unittest.skipIf asks for the machine": suite(
        "import platform, unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n"
        f"    @unittest.skipIf({ON_ARM}, 'no')\n    def test_b(self): assert 0\n"
    ),
    "a file is skipped for the machine": {
        **suite(TWO),
        "tests/test_b.py": f"import platform, pytest\nif {ON_ARM}:\n"
        "    pytest.skip('no', allow_module_level=True)\ndef test_c(): assert 0\n",
    },
    "xfail asks for the machine": suite(
        "import platform, pytest\ndef test_a(): pass\n"
        f"@pytest.mark.xfail({ON_ARM}, reason='no')\ndef test_b(): assert 0\n"
    ),
    "pytest.xfail names the machine": suite(
        "import pytest\ndef test_a(): pass\ndef test_b(): pytest.xfail('arm64 rounds otherwise')\n"
    ),
    "collect_ignore depends on the machine": {
        **conftest(f"import platform\nif {ON_ARM}:\n    collect_ignore = ['test_b.py']\n"),
        "tests/test_b.py": BAD,
    },
    "collect_ignore grows on the machine": {
        **conftest(
            "import platform\ncollect_ignore_glob = []\n"
            f"if {ON_ARM}:\n    collect_ignore_glob += ['test_b*']\n"
        ),
        "tests/test_b.py": BAD,
    },
    "pytest_ignore_collect asks for the machine": {
        **in_hook(
            "pytest_ignore_collect(collection_path)",
            f"return ({ON_ARM} and collection_path.name == 'test_b.py') or None",
        ),
        "tests/test_b.py": BAD,
    },
    "a hook deselects on the machine": in_hook(
        "pytest_collection_modifyitems(config, items)",
        f"if {ON_ARM}: config.hook.pytest_deselected(items=[items.pop()])",
        BAD,
    ),
    "a hook drops a test on the machine": in_hook(
        "pytest_collection_modifyitems(items)", f"if {ON_ARM}: items.pop()", BAD
    ),
    "a worker deselects on the machine": {
        **options("-n1"),
        **in_hook(
            "pytest_collection_modifyitems(config, items)",
            f"if {ON_ARM}: config.hook.pytest_deselected(items=[items.pop()])",
            BAD,
        ),
    },
    "a test on a worker is skipped for the machine": options(
        "-n1",
        "import pytest\ndef test_a(): pass\n"
        "@pytest.mark.skip(reason='x86-64 only')\ndef test_b(): assert 0\n",
    ),
}
CALLS: Mapping[str, Files] = {
    "pytest_pyfunc_call calls nothing": in_hook("pytest_pyfunc_call()", "return True", BAD),
    "pytest_pyfunc_call leaves one out": in_hook(
        "pytest_pyfunc_call(pyfuncitem)", "return pyfuncitem.name == 'test_bad' or None", BAD
    ),
    "pytest_pyfunc_call of a worker calls nothing": {
        **options("-n1"),
        **in_hook("pytest_pyfunc_call()", "return True", BAD),
    },
    "a wrapper of pytest_pyfunc_call hides the error": conftest(
        "import pytest\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_pyfunc_call():\n"
        "    (yield).force_result(True)\n",
        BAD,
    ),
    "the innermost wrapper hides the error": conftest(
        "import pytest\n@pytest.hookimpl(hookwrapper=True, trylast=True)\n"
        "def pytest_pyfunc_call():\n    (yield).force_result(True)\n",
        BAD,
    ),
    "a wrapper of pytest_runtest_call hides the error": conftest(
        "import pytest\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_call():\n"
        "    (yield).force_result(None)\n",
        BAD,
    ),
    "makereport forgets the error": conftest(
        "import pytest\n@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_makereport(call): call.excinfo = None\n",
        BAD,
    ),
    "makereport returns another report": in_hook(
        "pytest_runtest_makereport(item, call)",
        "return pytest.TestReport(item.nodeid, item.location, {}, 'passed', None, call.when)",
        BAD,
    ),
    "the outermost wrapper returns another report": conftest(
        "import pytest\n@pytest.hookimpl(hookwrapper=True, tryfirst=True)\n"
        "def pytest_runtest_makereport(item, call):\n    (yield).force_result(\n"
        "        pytest.TestReport(item.nodeid, item.location, {}, 'passed', None, call.when))\n",
        BAD,
    ),
    "item.runtest is replaced": in_hook(
        "pytest_collection_modifyitems(items)",
        "[setattr(item, 'runtest', lambda: None) for item in items]",
        BAD,
    ),
    "item.obj is replaced": in_hook(
        "pytest_collection_modifyitems(items)",
        "[setattr(item, 'obj', lambda: None) for item in items]",
        BAD,
    ),
    "Function.runtest is replaced": in_hook(
        "pytest_configure()", "pytest.Function.runtest = lambda self: None", BAD
    ),
    "a hook runs no test and reports that all passed": conftest(
        "import pytest\ndef pytest_runtest_protocol(item):\n"
        "    say, at = item.ihook, item.location\n"
        "    say.pytest_runtest_logstart(nodeid=item.nodeid, location=at)\n"
        "    for when in ('setup', 'call', 'teardown'):\n"
        "        report = pytest.TestReport(item.nodeid, at, {}, 'passed', None, when)\n"
        "        say.pytest_runtest_logreport(report=report)\n"
        "    say.pytest_runtest_logfinish(nodeid=item.nodeid, location=at)\n"
        "    return True\n",
        BAD,
    ),
    "pytest_report_teststatus calls a failure passed": in_hook(
        "pytest_report_teststatus()", "return 'passed', '.', 'PASSED'", BAD
    ),
    "pytest_unconfigure calls os._exit(0)": in_hook("pytest_unconfigure()", "os._exit(0)", BAD),
    "a hook selects with -k": in_hook(
        "pytest_configure(config)", "config.option.keyword = 'nothing'", BAD
    ),
    "a hook asks for the collection only": in_hook(
        "pytest_configure(config)", "config.option.collectonly = True"
    ),
}
CONFIGURED: Mapping[str, Files] = {
    "addopts has --collect-only": options("--collect-only"),
    "addopts has --setup-only": options("--setup-only"),
    "addopts has --setup-plan": options("--setup-plan"),
    "addopts has -x": options("-x", "def test_bad(): assert 0\n" + TWO),
    "addopts has --maxfail": options("--maxfail=1", "def test_bad(): assert 0\n" + TWO),
    "addopts deselects all with -k": options("-k nothing"),
    "addopts deselects all with -m": options("-m nothing"),
    "addopts deselects all with --deselect": options("--deselect WAY/tests/test_it.py"),
    "addopts ignores all": options("--ignore-glob=*.py"),
    "addopts has --help": options("--help"),
    "addopts has --fixtures": options("--fixtures"),
    "addopts has an unknown option": options("--of-no-plugin"),
    "addopts has --continue-on-collection-errors": options(
        "--continue-on-collection-errors", TWO, **{"tests/test_b.py": "import nosuch\n"}
    ),
    "python_files match nothing": {
        **suite(TWO),
        "pytest.ini": "[pytest]\npython_files = no_*.py\n",
    },
    "python_functions match nothing": {
        **suite(TWO),
        "pytest.ini": "[pytest]\npython_functions = no_*\n",
    },
    "a worker of pytest-xdist dies": options(
        "-n1", "import os\ndef test_a(): pass\ndef test_b(): os.kill(os.getpid(), 9)\n"
    ),
    "the only worker leaves with 0": options(
        "-n1", "import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\n"
    ),
    "a hook on a worker turns a failure into a pass": {
        **options("-n1"),
        **wrapper("report.outcome = 'passed'"),
    },
    "workers cannot collect": options("-n1", TWO, **{"tests/test_b.py": "import nosuch\n"}),
}
CONTROLS: Mapping[str, Files] = {
    "all pass": suite(TWO),
    "one is skipped": suite(TWO + "import pytest\n@pytest.mark.skip\ndef test_c(): pass\n"),
    "one is expected to fail": suite(
        TWO + "import pytest\n@pytest.mark.xfail\ndef test_c(): assert 0\n"
    ),
    "a strict xfail fails": suite(
        TWO + "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_c(): assert 0\n"
    ),
    "pytest.raises": suite(
        "import pytest\ndef test_a():\n    with pytest.raises(SystemExit): raise SystemExit(0)\n"
    ),
    "a child process leaves": suite(
        "import subprocess, sys\ndef test_a(): "
        "assert subprocess.run([sys.executable, '-c', 'import os; os._exit(3)']).returncode == 3\n"
    ),
    "parameters": suite(
        "import pytest\n@pytest.mark.parametrize('x', [1, 2])\ndef test_a(x): pass\n"
    ),
    "unittest": suite("import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n"),
    "a hook reads reports": wrapper("report.sections.append(('x', 'y'))", TWO),
    "a hook orders tests": in_hook("pytest_collection_modifyitems(items)", "items.reverse()"),
    "atexit does something": suite("import atexit\natexit.register(print, 'bye')\n" + TWO),
    "workers": options("-n1"),
    "a skip for another reason": suite(
        TWO + "import platform, pytest\n@pytest.mark.skip(reason='no network')\n"
        "@pytest.mark.skipif(platform.machine() == 'riscv64', reason='not on RISC-V')\n"
        "@pytest.mark.parametrize('machine', ['aarch64', 'x86_64'])\n"
        "def test_c(machine): pass\n"
    ),
    "a skip of another system": suite(
        TWO + "import sys, platform, pytest\n@pytest.mark.skipif(sys.platform != 'win32' "
        "or platform.release() == '', reason='Windows on ARM64 only')\ndef test_c(): pass\n"
    ),
    "a hook calls the function itself": in_hook(
        "pytest_pyfunc_call(pyfuncitem)", "pyfuncitem.obj(); return True"
    ),
    "a hook wraps the function": in_hook(
        "pytest_collection_modifyitems(items)",
        "[setattr(item, 'obj', (lambda f: lambda: f())(item.obj)) for item in items]",
    ),
    "a hook wraps runtest": in_hook(
        "pytest_collection_modifyitems(items)",
        "[setattr(item, 'runtest', (lambda f: lambda: f())(item.runtest)) for item in items]",
    ),
    "a hook runs tests in threads": in_hook(
        "pytest_pyfunc_call(pyfuncitem)",
        "import threading; t = threading.Thread(target=pyfuncitem.obj); t.start(); t.join(); "
        "return True",
    ),
    "a hook runs coroutines": in_hook(
        "pytest_pyfunc_call(pyfuncitem)",
        "import asyncio; asyncio.run(pyfuncitem.obj()); return True",
        "async def test_a(): pass\n",
    ),
    "a hook ignores files": {
        **in_hook(
            "pytest_ignore_collect(collection_path)", "return 'old' in collection_path.name or None"
        ),
        "tests/test_old.py": BAD,
    },
    "collect_ignore": {
        **conftest("collect_ignore = ['setup.py', 'test_old.py']\n"),
        "tests/test_old.py": BAD,
    },
    "a hook deselects a slow test": in_hook(
        "pytest_collection_modifyitems(config, items)",
        "slow = [i for i in items if 'bad' in i.name]; config.hook.pytest_deselected(items=slow); "
        "items[:] = [i for i in items if i not in slow]",
        BAD,
    ),
}


def project(ways: Mapping[str, Files]) -> tuple[dict[str, str], dict[str, str]]:
    """The files of a project with a service for each of *ways*, and what each name stands for."""
    names = {f"way{number:02}": what for number, what in enumerate(ways)}
    tables = [
        f'[tool.pytest-arm64.service.{n}]\nrequirements = "{n}/r.txt"\ntests = "{n}/tests"\n'
        for n in names
    ]
    files = {"pyproject.toml": "[tool.pytest.ini_options]\n" + "".join(tables), ".git/HEAD": ""}
    for name, what in names.items():
        own = {"pytest.ini": "[pytest]\n", "r.txt": "quick==2.0\n", **ways[what]}
        files |= {f"{name}/{path}": text.replace("WAY", name) for path, text in own.items()}
    return files, names


def verdicts(case: Case) -> dict[str, Any]:
    data = json.loads((case.project / "out" / "report.json").read_text("utf-8"))
    return {service["name"]: service["verdict"] for service in data["services"]}


def run(case: Case, *arguments: str) -> tuple[int, str]:
    case.write()
    started = case.start([*arguments, "-p", "many_place", "--arm64-report", "out"], "--arm64")
    out, _ = started.communicate(timeout=550)
    return started.returncode, out


@pytest.mark.parametrize(
    "ways",
    [EXITS, REPORTS, CALLS, SUITES, OF_THE_MACHINE, CONFIGURED],
    ids=["exits", "reports", "calls", "suites", "of the machine", "configured"],
)
def test_no_way_makes_a_service_ready_or_passes_a_gate(
    ways: Mapping[str, Files], tmp_path: Path
) -> None:
    files, names = project(ways)
    case = Case(tmp_path / "case", files)
    code, out = run(case, "--arm64-gate", "all", "-v")
    judged = verdicts(case)
    green = [what for name, what in names.items() if judged[name]["verdict"] != "undecided"]
    assert (green, code != 0) == ([], True), out
    if code == 1:  # a session that ended otherwise fails the run before any verdict
        gates = [f"arm64::{name}::decision:verdict FAILED" for name in names]
        assert [gate for gate in gates if gate not in out] == [], out


def test_what_a_hook_drops_without_a_word_leaves_a_part(tmp_path: Path) -> None:
    files, names = project(
        {
            "one is dropped": in_hook("pytest_collection_modifyitems(items)", "items.pop()", BAD),
            "all but one are": in_hook(
                "pytest_collection_modifyitems(items)", "items[1:] = []", BAD + "def test_c(): pass"
            ),
            "a worker drops one": {
                **options("-n1"),
                **in_hook("pytest_collection_modifyitems(items)", "items.pop()", BAD),
            },
            "none is": suite(TWO),
        }
    )
    _, out = run(case := Case(tmp_path / "case", files))
    judged = [verdicts(case)[name] for name in names]
    assert [verdict["grade"] for verdict in judged] == ["predicted"] * 3 + ["emulated"], out
    assert "a hook left 1 test out" in judged[0]["reasons"][-1]
    assert "a hook left 2 tests out" in judged[1]["reasons"][-1]
    assert "a hook left 1 test out" in judged[2]["reasons"][-1]


def test_what_the_project_leaves_out_everywhere_is_counted(tmp_path: Path) -> None:
    names = ("a hook ignores files", "collect_ignore", "a hook deselects a slow test")
    ways = {name: CONTROLS[name] for name in names}
    ways["importorskip"] = {
        **suite(TWO),
        "tests/test_b.py": "import pytest\npytest.importorskip('nosuch')\ndef test_c(): pass\n",
    }
    files, ids = project(ways)
    _, out = run(case := Case(tmp_path / "case", files))
    judged = verdicts(case)
    assert [judged[name]["tests"]["text"].partition("passed, ")[2] for name in ids] == [
        "1 file ignored by way00/tests/conftest.py",
        "2 files ignored by way01/tests/conftest.py",
        "1 test deselected by way02/tests/conftest.py",
        "1 file skipped",
    ], out


def test_what_x86_skips_as_well_is_no_finding(tmp_path: Path) -> None:
    both = "import os, platform, pytest\ndef test_a(): pass\n"
    files, names = project(
        {
            "skipped on both": suite(
                f"{both}@pytest.mark.skip(reason='not on x86_64 or aarch64')\n"
                "def test_b(): assert 0\n"
            ),
            "a file is skipped on both": {
                **suite(both),
                "tests/test_b.py": "import pytest\n"
                "pytest.skip('needs AVX-512', allow_module_level=True)\n",
            },
            "ignored on both": {
                **conftest(f"import platform\nif {ON_ARM}: collect_ignore = ['test_b.py']\n"),
                "tests/test_b.py": BAD,
            },
            "skipped on ARM64": suite(
                f"{both}@pytest.mark.skipif(os.environ['MACHINE'] == 'aarch64', reason='no')\n"
                "def test_b(): assert 0\n"
            ),
        }
    )
    code, out = run(case := Case(tmp_path / "case", files), "--arm64-compare")
    judged = [verdicts(case)[name]["verdict"] for name in names]
    assert (judged, code) == ([READY, READY, READY, "undecided"], 1), out


def test_suites_that_pass_are_ready(tmp_path: Path) -> None:
    files, names = project(CONTROLS)
    case = Case(tmp_path / "case", files)
    code, out = run(case, "--arm64-gate", "all")
    judged = verdicts(case)
    red = [what for name, what in names.items() if judged[name]["verdict"] != READY]
    assert (red, code) == ([], 0), out
