"""Services as a repository's files suggest them: manifests, Dockerfiles, SAM templates."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from ..config._toml import TOMLDecodeError, loads
from ..inputs.manifest import TEST_FILES
from .repository_files import files_below, lines_of

MANIFESTS = ("requirements.txt", "uv.lock", "pylock.toml", "poetry.lock", "pyproject.toml")
"""What tells what a folder deploys, the most exact that people write first."""
_TESTS = ("tests", "test")
_NO_SERVICE = re.compile(r"(tests?|docs?|examples?|benchmarks?|scripts?|tools|\..*)")
_TEMPLATE = re.compile(r"(.*[-.])?template\.(ya?ml|json)|serverless\.ya?ml", re.IGNORECASE)
_INSTALL = re.compile(r"pip3?\s+install\b.*?(?:-r|--requirement)[\s=]+([\w./-]+)")
_KEY = re.compile(r"^(\s*)[\"']?(\w+)[\"']?\s*:\s*(.*?),?\s*$")
_FUNCTION = "AWS::Serverless::Function"


@dataclass(frozen=True)
class Proposed:
    """One service; paths are relative to the repository, with ``/``."""

    name: str
    requirements: str
    test_requirements: str = ""
    tests: str = ""
    memory: str = ""
    found: str = ""
    """The file that suggests it."""

    def table(self) -> str:
        """As a table of ``pyproject.toml``."""
        pairs = {
            "requirements": self.requirements,
            "test-requirements": self.test_requirements,
            "tests": self.tests,
            "memory": self.memory,
        }
        lines = [f"[tool.pytest-arm64.service.{self.name}]"]
        return "\n".join(lines + [f"{k} = {_quoted(v)}" for k, v in pairs.items() if v]) + "\n"


def proposed_services(root: Path) -> tuple[Proposed, ...]:
    """The services that the files below *root* suggest; none where *root* alone is one.

    Nothing is executed. A template's function, a Dockerfile that installs a requirement file, and
    a folder with a manifest of its own are services; the first of these that names a folder tells
    most about it.
    """
    paths = list(files_below(root))
    found: dict[Path, tuple[Path, str, str]] = {}
    for path in paths:
        if _TEMPLATE.fullmatch(path.name):
            for folder, memory in _functions(path):
                manifest = _manifest(folder)
                if manifest is not None and root in (folder, *folder.parents):
                    found.setdefault(folder, (manifest, memory, _relative(path, root)))
    for path in paths:
        if path.name.lower().startswith(("dockerfile", "containerfile")):
            manifest = _installed_by(path, root)
            if manifest is not None:
                found.setdefault(manifest.parent, (manifest, "", _relative(path, root)))
    for path in paths:
        inside = path.relative_to(root).parts[:-1]
        if path.name in MANIFESTS and not any(_NO_SERVICE.fullmatch(part) for part in inside):
            manifest = _manifest(path.parent)
            if manifest is not None:
                found.setdefault(path.parent, (manifest, "", _relative(manifest, root)))
    if len(found) > 1:
        # What several services have in common lies above them and is none.
        folders = list(found)
        found = {f: v for f, v in found.items() if not any(f in o.parents for o in folders)}
    if list(found) in ([], [root]):
        return ()
    services = [_proposed(folder, root, *found[folder]) for folder in sorted(found)]
    return tuple(_told_apart(services, sorted(found), root))


def _proposed(folder: Path, root: Path, manifest: Path, memory: str, source: str) -> Proposed:
    below = [folder / name for name in _TESTS]
    beside = [root / name / folder.name for name in _TESTS]
    tests = next((path for path in (*below, *beside) if path.is_dir()), None)
    named = [folder / name for name in TEST_FILES]
    test_file = next((path for path in named if path.is_file() and path != manifest), None)
    return Proposed(
        name=_name(folder.name),
        requirements=_relative(manifest, root),
        test_requirements=_relative(test_file, root) if test_file is not None else "",
        tests=_relative(tests, root) if tests is not None else "",
        memory=memory,
        found=source,
    )


def _told_apart(
    services: Iterable[Proposed], folders: Iterable[Path], root: Path
) -> Iterator[Proposed]:
    """Services with names of their own: by their paths, where folders are called alike."""
    listed = list(services)
    often = Counter(service.name for service in listed)
    taken: set[str] = set()
    for service, folder in zip(listed, folders, strict=True):
        name = service.name
        if often[name] > 1:
            name = _name("-".join(folder.relative_to(root).parts))
        tries = chain([name], (f"{name}-{number}" for number in count(2)))
        name = next(one for one in tries if one not in taken)
        taken.add(name)
        yield replace(service, name=name)


def _manifest(folder: Path) -> Path | None:
    """What tells what *folder* deploys; None where nothing does."""
    for name in MANIFESTS:
        path = folder / name
        if path.is_file() and (name != "pyproject.toml" or _is_project(path)):
            return path
    return None


def _is_project(path: Path) -> bool:
    try:
        data = loads("\n".join(lines_of(path)))
    except (TOMLDecodeError, RecursionError):
        return False
    tool = data.get("tool")
    return "project" in data or (isinstance(tool, Mapping) and "poetry" in tool)


def _functions(path: Path) -> Iterator[tuple[Path, str]]:
    """Folders of the Python functions of a SAM template, each with its memory.

    A template is YAML with tags of its own, or JSON: its lines are read by their indentation, as
    people write them. What is written otherwise suggests nothing.
    """
    properties: dict[str, str] = {}
    depth = -1
    for line in [*lines_of(path), "End: of the last resource"]:
        pair = _KEY.match(line)
        if pair is None:
            continue
        indent, key, value = len(pair[1]), pair[2], pair[3].strip("\"' ")
        if depth >= 0 and indent < depth:
            yield from _function(path, properties)
            properties, depth = {}, -1
        if key == "Type":
            depth = indent if value == _FUNCTION else -1
            properties = {}
        elif depth >= 0:
            properties.setdefault(key, value)


def _function(path: Path, properties: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    runtime, code = properties.get("Runtime", "python"), properties.get("CodeUri", "")
    if not runtime.startswith("python") or not code or "$" in code or "!" in code:
        return
    memory = properties.get("MemorySize", "")
    folder = Path(os.path.normpath(path.parent / code))
    yield folder, f"{memory}MB" if re.fullmatch(r"[1-9]\d{1,5}", memory, re.ASCII) else ""


def _installed_by(path: Path, root: Path) -> Path | None:
    """The requirement file that a Dockerfile installs, seen from its folder or the root."""
    for line in lines_of(path):
        found = _INSTALL.search(line)
        for base in (path.parent, root) if found else ():
            assert found is not None
            manifest = Path(os.path.normpath(base / found[1]))
            if root in manifest.parents and manifest.is_file():
                return manifest
            # Copied to another place in the image, under its own name.
            if (base / manifest.name).is_file() and base == path.parent:
                return base / manifest.name
    return None


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "service"


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
