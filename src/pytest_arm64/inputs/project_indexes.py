"""Where a ``pyproject.toml`` says that packages come from: settings of uv, sources of Poetry."""

from __future__ import annotations

import os
from pathlib import Path

from .reading import Lines, Reading, Table, requirement, strings, table, tables
from .requirements import sourced_requirement


def read_project_settings(folder: Path, reading: Reading) -> None:
    """Add to *reading* what the project in *folder* says about where and how packages are got.

    Raises:
        SettingsError: an entry is no requirement.
    """
    manifest = folder / "pyproject.toml"
    file = reading.toml.find(manifest)
    if file is not None:
        _read_indexes(folder, file.data, reading)
        _read_uv(manifest, file.data, file.text, reading)


def _read_indexes(folder: Path, data: Table, reading: Reading) -> None:
    """Add indexes and links of the project in *folder* to *reading*.

    An index that is only used for packages that name it counts as any other.
    """
    uv = table(data, "tool", "uv")
    _check_places(folder, uv, reading)
    listed = [
        (_address(folder, str(entry.get("url", ""))), entry.get("default") is True, entry)
        for entry in tables(uv.get("index"))
    ]
    for url, default, entry in listed:
        if entry.get("format") == "flat":
            reading.links.append(_link(folder, str(entry.get("url", ""))))
        else:
            _add(url, reading, default=default)
    for url in strings(uv.get("index-url")):
        _add(_address(folder, url), reading, default=True)
    for url in strings(uv.get("extra-index-url")):
        _add(_address(folder, url), reading, default=False)
    reading.links += (_link(folder, place) for place in strings(uv.get("find-links")))
    reading.no_index |= uv.get("no-index") is True
    for source in tables(table(data, "tool", "poetry").get("source")):
        default = source.get("priority", "primary") in ("primary", "default")
        _add(str(source.get("url", "")), reading, default=default)


def _read_uv(manifest: Path, data: Table, text: str, reading: Reading) -> None:
    """Add uv's constraints, overrides and choices of files to *reading*."""
    uv, lines = table(data, "tool", "uv"), Lines(text)
    for entry in strings(uv.get("constraint-dependencies")):
        origin = reading.origin(manifest, lines.stating(entry))
        wanted = requirement(entry, origin)
        reading.constraints.append((wanted, sourced_requirement(wanted, origin, direct=True)))
    for entry in strings(uv.get("override-dependencies")):
        origin = reading.origin(manifest, lines.stating(entry))
        reading.overrides.append(requirement(entry, origin))
    reading.prereleases |= uv.get("prerelease") == "allow"
    for name in strings(uv.get("no-binary-package")):
        reading.formats = reading.formats.without_wheels(name)
    for name in strings(uv.get("no-build-package")):
        reading.formats = reading.formats.wheels_only(name)


def _add(url: str, reading: Reading, *, default: bool) -> None:
    """The first default index takes the place of the configured one."""
    if not url:
        return
    if default and not reading.index:
        reading.index = url
    elif url != reading.index and url not in reading.extra_indexes:
        reading.extra_indexes.append(url)


def _check_places(folder: Path, uv: Table, reading: Reading) -> None:
    urls = [str(entry.get("url", "")) for entry in tables(uv.get("index"))]
    for key in ("index-url", "extra-index-url", "find-links"):
        urls += strings(uv.get(key))
    for url in urls:
        reading.check(_address(folder, url), folder / "pyproject.toml")


def _link(folder: Path, place: str) -> str:
    return place if "://" in place else os.path.normpath(folder / place)


def _address(folder: Path, url: str) -> str:
    if not url or "://" in url or "\0" in url:
        return url
    return Path(os.path.normpath(folder / url)).as_uri()
