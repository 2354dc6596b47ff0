"""Which libraries this process has mapped: what was really loaded, whatever any file announced."""

from __future__ import annotations

from .bound_stdlib import originals


def mapped_libraries(maps: str = "/proc/self/maps") -> list[str]:
    """Paths of the shared libraries in *maps*, sorted; none where there is no such file."""
    paths = set()
    try:
        with originals.open(maps, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                columns = line.rstrip("\n").split(None, 5)
                path = columns[5].removesuffix(" (deleted)") if columns[5:] else ""
                name = path.rpartition("/")[2]
                if name.endswith(".so") or ".so." in name:
                    paths.add(path)
    except OSError:
        return []
    return sorted(path for path in paths if path.startswith("/"))
