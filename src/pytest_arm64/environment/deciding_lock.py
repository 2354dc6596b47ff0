"""The lock that decides what is deployed, where one does."""

from __future__ import annotations

import os

from ..errors import SettingsError
from ..inputs.lock import Lock
from ..inputs.manifest import Manifest
from ..inputs.service import read_service


def lock_of(manifest: Manifest) -> Lock | None:
    """The lock that decides what is deployed; None where requirement files do, or nothing does."""
    if manifest.deploy.files:
        return None
    try:
        return read_service(manifest.root, os.environ, root=manifest.root, toml=manifest.toml).lock
    except SettingsError:
        return None  # no file lists what is deployed, or the project's own file will be told of
