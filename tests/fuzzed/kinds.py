"""Every kind of file that is read from strangers, by name."""

from __future__ import annotations

from collections.abc import Mapping

from .harness import Kind
from .projects import PROJECTS
from .releases import RELEASES
from .sessions import SESSIONS

KINDS: Mapping[str, Kind] = {**RELEASES, **PROJECTS, **SESSIONS}
