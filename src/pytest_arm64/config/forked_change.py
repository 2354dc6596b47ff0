"""Whether a pipeline says that the change it runs for comes from somebody else's copy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_MAXIMUM_EVENT = 16 * 2**20
_EVENTS = ("pull_request", "pull_request_target")
# Of the change, and of the repository that the pipeline belongs to. Source: each product's list of
# predefined variables, 2025.
_PAIRS = (
    ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "CI_PROJECT_ID"),  # GitLab
    ("TRAVIS_PULL_REQUEST_SLUG", "TRAVIS_REPO_SLUG"),
)


def comes_from_fork(environ: Mapping[str, str]) -> bool:
    """Whether *environ*, a pipeline's variables, names a fork as the source of the change.

    For a pull request on GitHub whose event cannot be read, it is taken for granted.
    """
    for theirs, ours in _PAIRS:
        if environ.get(theirs) and environ[theirs] != environ.get(ours):
            return True
    if environ.get("CIRCLE_PR_REPONAME"):  # CircleCI has it for forks only
        return True
    if environ.get("SYSTEM_PULLREQUEST_ISFORK", "").lower() == "true":  # Azure Pipelines
        return True
    if environ.get("GITHUB_EVENT_NAME") not in _EVENTS:
        return False
    return _is_of_fork(environ.get("GITHUB_EVENT_PATH", ""))


def _is_of_fork(path: str) -> bool:
    try:
        event = Path(path)
        if event.stat().st_size > _MAXIMUM_EVENT:
            return True
        request = json.loads(event.read_text("utf-8"))["pull_request"]
        # There is no repository any more where a fork was deleted.
        return bool(request["head"]["repo"]["id"] != request["base"]["repo"]["id"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return True
