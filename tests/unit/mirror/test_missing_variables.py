"""What is said below a failure of the variables that it asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.mirror.missing_variables import name_lacking


def a_report() -> pytest.CollectReport:
    return pytest.CollectReport("t.py", "failed", None, [])


@pytest.mark.parametrize("value", ["yes", "relative", "/nowhere", "x" * 9000, "nul\0"])
def test_names_are_told_and_values_are_not(value: str) -> None:
    report = a_report()
    name_lacking(report, ["TOKEN", "ABSENT"], {"TOKEN": value})
    ((title, text),) = report.sections
    assert title == "test-environment"
    assert text.startswith("set on this machine but not in the container: TOKEN\n")
    assert 'env = ["TOKEN"]' in text
    assert len(text.splitlines()) == 2
    assert "ABSENT" not in text


def test_a_file_of_this_machine_is_not_inside(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    report = a_report()
    name_lacking(report, ["CA", "MODE"], {"CA": str(bundle), "MODE": "x"})
    text = report.sections[0][1]
    assert text.endswith("CA: names a file, which has to lie in the repository then")
    assert str(bundle) not in text


def test_nothing_is_said_where_this_machine_has_none_of_them() -> None:
    report = a_report()
    name_lacking(report, ["ABSENT"], {})
    assert report.sections == []


def failed(text: str) -> pytest.CollectReport:
    return pytest.CollectReport("t.py", "failed", text, [])


@pytest.mark.parametrize(
    ("failure", "word"),
    [
        ("ConnectionRefusedError: [Errno 111] Connection refused", 'network = "host"'),
        ("redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection "
         "refused.", 'network = "host"'),
        ("OperationalError: connection to server at \"127.0.0.1\", port 5432 failed: Connection "
         "refused", 'network = "host"'),
        ("OSError: [Errno 28] No space left on device: '/dev/shm/psm_1'", "--arm64-shm-size"),
        ("RuntimeError: unable to write to file </torch_12_34>: No space left on device (28)",
         "--arm64-shm-size"),
        ("RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error. It is possible "
         "that dataloader's workers are out of shared memory.", "--arm64-shm-size"),
        ("hypothesis.errors.DeadlineExceeded: Test took 812.34ms, which exceeds the deadline of "
         "200.00ms", "deadline=None"),
        ("hypothesis.errors.FlakyFailure: ... which exceeds the deadline of 200.00ms ...",
         "deadline=None"),
    ],
)  # fmt: skip
def test_a_failures_text_may_tell_what_the_container_has_not(failure: str, word: str) -> None:
    report = failed(failure)
    name_lacking(report, [], {})
    assert word in report.sections[0][1]


@pytest.mark.parametrize(
    "failure",
    ["AssertionError: assert 'refused' == 'localhost'", "Connection refused by api.example.invalid",
     "OSError: [Errno 28] No space left on device: '/tmp/x'",
     "the deadline is tomorrow", "x" * 3_000_000],
)  # fmt: skip
def test_nothing_is_guessed(failure: str) -> None:
    report = failed(failure)
    name_lacking(report, [], {})
    assert report.sections == []


@pytest.mark.parametrize("name", ["DOCKER_HOST", "DOCKER_CONTEXT", "TESTCONTAINERS_RYUK_DISABLED"])
def test_an_engine_is_not_passed_on(name: str) -> None:
    report = a_report()
    name_lacking(report, [name, "TOKEN"], {name: "unix:///x", "TOKEN": "y"})
    text = report.sections[0][1]
    assert f"{name}: the container has no engine" in text
    assert 'env = ["TOKEN"]' in text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("E   ModuleNotFoundError: No module named 'packaging'", "packaging"),
        (
            "t.py:1: in <module>\n    import packaging\n"
            "E   ModuleNotFoundError: No module named 'packaging'\n",
            "packaging",
        ),
        # Not installed here either, or nothing that is installed.
        ("E   ModuleNotFoundError: No module named 'no_such_module_anywhere'", ""),
        ("E   ModuleNotFoundError: No module named 'json'", ""),
        ("E   ModuleNotFoundError: No module named 'shop.prices'", ""),
        ("E   assert 'No module named x' == 'y'", ""),
        ("E   ModuleNotFoundError: No module named 'a b'", ""),
    ],
)
def test_a_missing_package_is_named_with_where_packages_of_tests_are_looked_for(
    text: str, named: str
) -> None:
    report = a_report()
    report.longrepr = text
    name_lacking(report, [], {})
    if not named:
        assert report.sections == []
        return
    ((title, hint),) = report.sections
    assert title == "test-environment"
    assert hint.startswith(f"{named} cannot be imported in the container")
    assert "requirements-test.txt" in hint
    assert 'test-requirements = "FILE"' in hint
