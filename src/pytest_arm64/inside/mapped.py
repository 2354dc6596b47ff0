"""Which libraries this process has mapped: what was really loaded, whatever any file announced."""

from __future__ import annotations

import os


def mapped_libraries(maps: str = "/proc/self/maps") -> list[str]:
    """Paths of the shared libraries in *maps*, sorted; none where there is no such file."""
    found = set()
    try:
        with open(maps, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                columns = line.rstrip("\n").split(None, 5)
                path = columns[5].removesuffix(" (deleted)") if columns[5:] else ""
                name = os.path.basename(path)
                if name.endswith(".so") or ".so." in name:
                    found.add(path)
    except OSError:
        return []
    return sorted(path for path in found if path.startswith("/"))
