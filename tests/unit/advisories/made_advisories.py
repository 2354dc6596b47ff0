"""Makers of advisories, as values and as the JSON of OSV's schema."""

from __future__ import annotations

import json
from typing import Any

from pytest_arm64.advisories.entries import Advisory, read_advisories


def entry(
    identity: str = "ARM-2026-0001",
    package: str = "zed",
    events: list[dict[str, str]] | None = None,
    versions: list[str] | None = None,
    effect: str = "abort",
    **condition: object,
) -> dict[str, Any]:
    """An entry; without events and versions every release from 2.0 to before 3.0 is affected."""
    affected: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": package}}
    if versions is not None:
        affected["versions"] = versions
    if events is not None or versions is None:
        chosen = events or [{"introduced": "2.0"}, {"fixed": "3.0"}]
        affected["ranges"] = [{"type": "ECOSYSTEM", "events": chosen}]
    return {
        "id": identity,
        "modified": "2026-11-30T00:00:00Z",
        "summary": f"{package} ends",
        "affected": [affected],
        "references": [{"type": "REPORT", "url": "https://example.org/1"}],
        "database_specific": {
            "effect": effect,
            "condition": {key.replace("_", "-"): value for key, value in condition.items()},
        },
    }


def advisory(*args: Any, **options: Any) -> Advisory:
    """``entry``, read."""
    (read,) = read_advisories(json.dumps(entry(*args, **options)).encode(), "made.json")
    return read
