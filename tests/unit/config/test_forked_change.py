"""What pipelines say of changes from forks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_arm64.config.forked_change import comes_from_fork
from pytest_arm64.config.option_values import Given
from pytest_arm64.config.project import load_project
from unit.support import write


@pytest.mark.parametrize(
    ("environ", "fork"),
    [
        ({}, False),
        ({"CI": "true"}, False),
        ({"CI_PROJECT_ID": "1"}, False),
        ({"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1", "CI_PROJECT_ID": "1"}, False),
        ({"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2", "CI_PROJECT_ID": "1"}, True),
        ({"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2"}, True),
        ({"TRAVIS_PULL_REQUEST_SLUG": "", "TRAVIS_REPO_SLUG": "a/b"}, False),
        ({"TRAVIS_PULL_REQUEST_SLUG": "x/b", "TRAVIS_REPO_SLUG": "a/b"}, True),
        ({"CIRCLE_PR_REPONAME": "b"}, True),
        ({"SYSTEM_PULLREQUEST_ISFORK": "False"}, False),
        ({"SYSTEM_PULLREQUEST_ISFORK": "True"}, True),
        ({"GITHUB_EVENT_NAME": "push"}, False),
        ({"GITHUB_EVENT_NAME": "pull_request"}, True),
        ({"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": "/nowhere"}, True),
    ],
)
def test_variables(environ: dict[str, str], fork: bool) -> None:
    assert comes_from_fork(environ) is fork


@pytest.mark.parametrize("name", ["pull_request", "pull_request_target"])
@pytest.mark.parametrize(
    ("head", "fork"),
    [({"repo": {"id": 1}}, False), ({"repo": {"id": 2}}, True), ({"repo": None}, True)],
)
def test_the_event_of_github(
    tmp_path: Path, name: str, head: dict[str, object], fork: bool
) -> None:
    event = {"pull_request": {"head": head, "base": {"repo": {"id": 1}}}}
    write(tmp_path, {"event.json": json.dumps(event)})
    path = str(tmp_path / "event.json")
    assert comes_from_fork({"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": path}) is fork


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"pull_request": 3}', "\udcff"])
def test_an_event_that_cannot_be_read_counts_as_a_fork(tmp_path: Path, text: str) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    environ = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path)}
    assert comes_from_fork(environ)


@pytest.mark.parametrize(
    ("given", "environ", "copy"),
    [
        (Given(), {}, False),
        (Given(copy=True), {}, True),
        (Given(), {"PYTEST_ARM64_COPY": "1"}, True),
        (Given(copy=True), {"PYTEST_ARM64_COPY": "0"}, True),
        (Given(), {"CIRCLE_PR_REPONAME": "b"}, True),
        (Given(), {"CIRCLE_PR_REPONAME": "b", "PYTEST_ARM64_COPY": "0"}, False),
        (Given(), {"CIRCLE_PR_REPONAME": "b", "PYTEST_ARM64_COPY": ""}, True),
    ],
)
def test_when_the_tests_get_a_copy(
    tmp_path: Path, given: Given, environ: dict[str, str], copy: bool
) -> None:
    project = load_project(given, environ, rootpath=tmp_path, cwd=tmp_path)
    assert project.settings.copy is copy
