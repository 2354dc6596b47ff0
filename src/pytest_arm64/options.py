"""The command-line options, each with what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest


def add_options(parser: pytest.Parser) -> None:
    """Add the group ``arm64``; no option has an optional value, which would swallow a path."""
    group = parser.getgroup("arm64", "running on ARM64 (Graviton)")
    group.addoption(
        "--arm64",
        action="store_true",
        help="run the tests in an ARM64 container, natively on ARM and emulated elsewhere",
    )
    group.addoption(
        "--arm64-marked",
        action="store_true",
        help="run the tests that are marked arm64 in the container, and all others here",
    )
    group.addoption(
        "--arm64-target",
        metavar="NAME",
        help="what to deploy on, e.g. al2023-python3.12 or lambda-python3.13 "
        "(variable PYTEST_ARM64_TARGET; default: from .python-version and requires-python)",
    )
    group.addoption(
        "--arm64-image",
        metavar="IMAGE",
        help="use this image instead of the target's own; {arch} becomes arm64 or amd64 "
        "(variable PYTEST_ARM64_IMAGE)",
    )
    group.addoption(
        "--arm64-requirements",
        metavar="FILE",
        action="append",
        default=[],
        help="requirement file of what is deployed; may be given more than once "
        "(default: requirements.txt, and the project itself)",
    )
    group.addoption(
        "--arm64-service",
        metavar="NAME",
        action="append",
        default=[],
        help="run the tests of this service only; may be given more than once "
        "(default: of all services that [tool.pytest-arm64] configures, one after another)",
    )
    group.addoption(
        "--arm64-cpu",
        metavar="CORE[,CORE]",
        help="core to emulate: graviton2 (default), graviton3, graviton4; no effect on native ARM; "
        "of several the first is shown, each other one is a single result",
    )
    group.addoption(
        "--arm64-gate",
        choices=("report", "new", "all"),
        help="what of the findings fails the run (wheels, compiled files, verdicts, boundaries): "
        "nothing, what is worse than "
        "arm64-baseline.json, or all (default: new where that file is, all where services or "
        "allowances are configured, else report)",
    )
    group.addoption(
        "--arm64-profile",
        action="store_true",
        help="show the hot spots of the tests, cells side by side; calls are counted where the "
        "processor is emulated",
    )
    group.addoption(
        "--arm64-report",
        metavar="DIR",
        type=Path,
        help="write report.json (evidence and verdict for each service, which pytest-arm64 report "
        "DIR shows), measurements.json and profile.json into this folder",
    )
    group.addoption(
        "--arm64-refresh", action="store_true", help="make the environment anew, from the index"
    )
    group.addoption(
        "--arm64-offline",
        action="store_true",
        help="pull and install nothing: use what is there (variable PYTEST_ARM64_OFFLINE)",
    )
    group.addoption(
        "--arm64-installer",
        metavar="NAME",
        help="plan (default): unpack exactly what the audit resolves; pip: run pip inside",
    )
    group.addoption(
        "--arm64-timeout",
        metavar="SECONDS",
        help="kill a test that takes longer, show where it was, and go on (default: any time)",
    )
    group.addoption(
        "--arm64-compare",
        action="store_true",
        help="run the tests on linux/amd64 first: what differs on ARM64 is a failure of its test",
    )
    group.addoption(
        "--arm64-record",
        action="store_true",
        help="run the tests on linux/amd64 first and keep the values of arm64_golden",
    )
    group.addoption(
        "--arm64-keep",
        action="store_true",
        help="keep a container for a day after the run, and tell how each failing test is opened "
        "in it (--pdb does so where a test fails)",
    )
    group.addoption(
        "--arm64-require-native",
        action="store_true",
        help="fail unless the tests run natively on ARM",
    )
