"""Tests that replace or close what the session inside needs: their outcomes are as natively."""

from __future__ import annotations

import pytest

from fidelity.harness import Case, MakeCase

FAKED = """
    import os, pytest, warnings
    def test_a(fs): pass
    def test_b(fs):
        fs.create_file("/data/x", contents="1")
        warnings.warn("in a faked file system")
        assert open("/data/x").read() == "1"
    def test_c(fs): print("seen"); assert not os.path.exists("/data/x"), "made"; assert 0
    @pytest.mark.xfail
    def test_d(fs): assert 0
"""
WHOLE = """
    import pytest
    @pytest.fixture(scope="module", autouse=True)
    def everywhere(fs_module): yield fs_module
    def test_a(): pass
    def test_b(): assert 0
    @pytest.mark.xfail(reason="known")
    def test_c(): assert 0
    def test_d(): import warnings; warnings.warn("careful")
"""


@pytest.mark.parametrize("code", [FAKED, WHOLE], ids=["a test", "a module"])
@pytest.mark.parametrize("line", ["", "-s -v"])
def test_pyfakefs(project: MakeCase, code: str, line: str) -> None:
    project(code, plugins=("fakefs",)).check(line.split())


BROKEN = """
    import pytest
    def broken(*_, **__): raise RuntimeError("replaced")
    def test_before(): pass
    def test_patches():
        import {module} as module
        {patch}
    def test_after(): pass
    def test_fails(): assert 0
    @pytest.mark.xfail(reason="known")
    def test_expected(): assert 0
    def test_warns(): import warnings; warnings.warn("careful")
"""
PATCHES = {
    "os.write": ("os", "module.write = broken"),
    "os.getpid": ("os", "module.getpid = lambda: 1"),
    "os.getppid": ("os", "module.getppid = broken"),
    "json.JSONEncoder.encode": ("json", "module.JSONEncoder.encode = broken"),
    "json.encoder": ("json.encoder", "module.c_make_encoder = broken"),
    "json.loads": ("json", "module.loads = module.load = broken"),
    "time": ("time", "module.sleep = module.monotonic = broken"),
    "select": ("select", "module.poll = broken"),
    "builtins.open": ("builtins", "module.open = broken"),
    "io.open": ("io", "module.open = broken"),
    "faulthandler": ("faulthandler", "module.cancel_dump_traceback_later = broken"),
    "sys.__stdout__": ("sys", "module.__stdout__ = broken"),
    "os.fsencode": ("os", "module.fsencode = module.fsdecode = broken"),
}
# It writes files at the end, and breaks natively too.
LINE = ("-p", "no:cacheprovider", "-p", "no:faulthandler")


def same(case: Case, *line: str) -> None:
    """Compare with an ordinary run in an environment without this plugin."""
    native, mirrored = case.native([*line, "-p", "no:arm64"]), case.mirrored(line)
    assert (mirrored.code, mirrored.summary()) == (native.code, native.summary())
    assert native.code == 1


@pytest.mark.parametrize("name", PATCHES)
def test_what_a_test_replaces_for_good(project: MakeCase, name: str) -> None:
    module, patch = PATCHES[name]
    same(project(BROKEN.format(module=module, patch=patch), junit=False), *LINE)


RESTORED = """
    import sys
    from unittest import mock
    def test_cleared():
        with mock.patch.dict(sys.modules, clear=True): pass
    def test_put_back():
        before = dict(sys.modules); sys.modules.clear(); sys.modules.update(before)
    def test_replaced(monkeypatch):
        for name in ("os", "json", "time", "select", "io"):
            monkeypatch.setitem(sys.modules, name, None)
    def test_fails(): assert 0
"""


def test_cleared_modules(project: MakeCase) -> None:
    """For a while only: without its modules pytest itself does not get to the next test."""
    same(project(RESTORED, junit=False), *LINE)


CLOSED = """
    import os
    def test_close(): os.closerange(3, 4096)
    def test_after(): pass
    def test_fails(): assert 0
"""


@pytest.mark.parametrize("more", ["", "--arm64-timeout=30"])
def test_descriptors_up_to_4095_are_closed(project: MakeCase, more: str) -> None:
    case = project(CLOSED, junit=False)
    line = ["-s", "-p", "no:faulthandler"]
    native, mirrored = case.native(line), case.mirrored([*line, *more.split()])
    assert mirrored.code == native.code == 1
    assert mirrored.summary() == native.summary()


def test_a_test_that_closes_every_descriptor_fails_alone(project: MakeCase) -> None:
    code = CLOSED.replace("os.closerange(3, 4096)", "os.closerange(3, 2**31 - 1)")
    result = project(code, junit=False).mirrored(["-s", "-p", "no:faulthandler"])
    assert result.code == 1
    assert "2 failed, 1 passed" in result.text
    assert "a test closed the descriptor by which its outcome is reported" in result.text


ODD = """
    import pytest
    class Unshowable:
        def __repr__(self): raise RuntimeError("never")
    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport():
        outcome = yield
        circle = []
        circle.append(circle)
        outcome.get_result().circle = circle
        outcome.get_result().unshowable = [Unshowable()]
"""


def test_reports_with_attributes_that_json_does_not_have(project: MakeCase) -> None:
    files = {"conftest.py": ODD, "test_it.py": "def test_a(): pass\ndef test_b(): assert 0"}
    project(files).check(["-v"])
