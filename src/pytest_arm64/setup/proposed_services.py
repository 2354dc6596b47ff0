"""Services as a repository's files suggest them: manifests, Dockerfiles, SAM templates."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from ..config._toml import TOMLDecodeError, loads
from ..config.lambda_function import checked_handler, checked_timeout
from ..config.targets import IMAGE, ZIP, shipped_targets
from ..errors import SettingsError
from ..inputs.base_images import musl_notes
from ..inputs.manifest import LOCKS, TEST_FILES
from ..inputs.reading import Reading
from .function_packages import function_packages
from .repository_files import files_below, lines_of

MANIFESTS = ("requirements.txt", *LOCKS, "Pipfile.lock", "pyproject.toml")
"""What tells what a folder deploys, the most exact that people write first."""
_TESTS = ("tests", "test")
_SOURCES = ("src", "app", "code", "function", "lambda")
"""Folders that a service keeps its code in, beside its tests; their parent names it."""
_DEPLOYMENTS = ("cdk.json", "cdktf.json", "Pulumi.yaml")
"""What marks a program that deploys services and is none."""
_REQUIREMENTS = "requirements.txt"
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
    target: str = ""
    """The target of its runtime, where a template names one."""
    package: str = ""
    """How it is deployed on Lambda, ``image`` or ``zip``; empty where nothing says it."""
    handler: str = ""
    """``module.function`` of its Lambda function; empty where nothing says it."""
    timeout: str = ""
    """Seconds that one call of that may take, as a number; empty where nothing says it."""

    def table(self, target: str = "") -> str:
        """As a table of ``pyproject.toml``, whose project has this *target*."""
        pairs = {
            "target": self.target if self.target != target else "",
            "requirements": self.requirements,
            "test-requirements": self.test_requirements,
            "tests": self.tests,
            "memory": self.memory,
            "package": self.package,
            "handler": self.handler,
        }
        lines = [f"[tool.pytest-arm64.service.{self.name}]"]
        lines += [f"{key} = {_quoted(value)}" for key, value in pairs.items() if value]
        lines += [f"lambda-timeout = {self.timeout}"] if self.timeout else []
        return "\n".join(lines) + "\n"


def proposed_services(root: Path) -> tuple[Proposed, ...]:
    """The services that the files below *root* suggest; none where *root* alone is one.

    Nothing is executed. A template's function, a Dockerfile that installs a requirement file, and
    a folder with a manifest of its own are services; the first of these that names a folder tells
    most about it.
    """
    paths = list(files_below(root))
    deploying = {path.parent for path in paths if path.name in _DEPLOYMENTS}
    found: dict[Path, _Suggestion] = {}
    for folder, suggestion in _of_templates(paths, root):
        first = found.setdefault(folder, suggestion)
        if first.handler != suggestion.handler:  # nothing says which of them is meant
            found[folder] = replace(first, handler="", timeout="")
    for path in paths:
        if path.name.lower().startswith(("dockerfile", "containerfile")):
            manifest = _installed_by(path, root)
            if manifest is not None:
                found.setdefault(manifest.parent, _Suggestion(manifest, _relative(path, root)))
    for path in paths:
        inside = path.relative_to(root).parts[:-1]
        if path.name in MANIFESTS and not any(_NO_SERVICE.fullmatch(part) for part in inside):
            manifest = _manifest(path.parent)
            if manifest is not None:
                found.setdefault(path.parent, _Suggestion(manifest, _relative(manifest, root)))
    found = {folder: suggestion for folder, suggestion in found.items() if folder not in deploying}
    if len(found) > 1:
        # What several services have in common lies above them and is none.
        folders = list(found)
        found = {f: v for f, v in found.items() if not any(f in o.parents for o in folders)}
    if list(found) in ([], [root]):
        return ()
    found = _with_packages(found, function_packages(paths))
    services = [_proposed(folder, root, found[folder], found) for folder in sorted(found)]
    return tuple(_told_apart(services, sorted(found), root))


def _of_templates(paths: Iterable[Path], root: Path) -> Iterator[tuple[Path, _Suggestion]]:
    """Folders of functions of templates, each with what its template says of it."""
    for path in paths:
        for function in _functions(path) if _TEMPLATE.fullmatch(path.name) else ():
            folder = function.folder
            manifest = _manifest(folder)
            if manifest is not None and root in (folder, *folder.parents):
                suggestion = _Suggestion(
                    manifest,
                    _relative(path, root),
                    function.memory,
                    function.target,
                    function.package,
                    function.handler,
                    function.timeout,
                )
                yield folder, suggestion


def musl_images(root: Path) -> Iterator[str]:
    """A note for each Dockerfile below *root* whose image has musl."""
    reading = Reading(root, {})
    for folder in sorted({path.parent for path in files_below(root)}):
        yield from musl_notes(folder, reading)


@dataclass(frozen=True)
class _Suggestion:
    """What suggests that a folder is a service."""

    manifest: Path
    source: str
    """The file that does, relative to the repository."""
    memory: str = ""
    target: str = ""
    package: str = ""
    handler: str = ""
    timeout: str = ""


def _with_packages(
    found: Mapping[Path, _Suggestion], packages: Mapping[Path, str]
) -> dict[Path, _Suggestion]:
    """*found*, with what is known of the folders and of those in them."""
    known = dict(found)
    for place, package in packages.items():
        folder = next((f for f in (place, *place.parents) if f in found), None)
        if folder is not None and not known[folder].package:
            known[folder] = replace(known[folder], package=package)
    return known


def _proposed(
    folder: Path, root: Path, suggestion: _Suggestion, others: Collection[Path]
) -> Proposed:
    own = [place for place in folder.parents if _is_of(folder, place, root, others)]
    tests = _tests_of(folder, root, own)
    test_file = _test_file([folder, *own], tests, suggestion.manifest)
    names_nothing = folder.name in _SOURCES and folder.parent != root
    return Proposed(
        name=_name(folder.parent.name if names_nothing else folder.name),
        requirements=_relative(suggestion.manifest, root),
        test_requirements=_relative(test_file, root) if test_file is not None else "",
        tests=_relative(tests, root) if tests is not None else "",
        memory=suggestion.memory,
        found=suggestion.source,
        target=suggestion.target,
        package=suggestion.package,
        handler=suggestion.handler,
        timeout=suggestion.timeout,
    )


def _is_of(folder: Path, place: Path, root: Path, others: Collection[Path]) -> bool:
    """Whether *place* is in the repository and holds the service in *folder* and no other."""
    holds_others = any(place in other.parents for other in others if other != folder)
    return root in (place, *place.parents) and not holds_others


def _tests_of(folder: Path, root: Path, own: Sequence[Path]) -> Path | None:
    """The tests of the service in *folder*: in it, named after it, or in one of *own*.

    Of unit tests and others, which need a deployment, the unit tests.
    """
    places = [
        *(folder / name for name in _TESTS),
        *(root / name / folder.name for name in _TESTS),
        *(place / name for place in own for name in _TESTS),
    ]
    tests = next((path for path in places if path.is_dir()), None)
    if tests is not None and (tests / "unit").is_dir():
        return tests / "unit"
    return tests


def _test_file(places: Sequence[Path], tests: Path | None, manifest: Path) -> Path | None:
    """The requirement file of the *tests*, beside them or in one of *places*."""
    beside = [tests, tests.parent] if tests is not None else []
    named = [
        *(place / _REQUIREMENTS for place in beside if place.name in (*_TESTS, "unit")),
        *(place / name for place in places for name in TEST_FILES),
    ]
    return next((path for path in named if path.is_file() and path != manifest), None)


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


@dataclass(frozen=True)
class _Function:
    """One function of a template."""

    folder: Path
    memory: str
    target: str
    package: str
    handler: str
    timeout: str


def _functions(path: Path) -> Iterator[_Function]:
    """The Python functions of a SAM template.

    A template is YAML with tags of its own, or JSON: its lines are read by their indentation, as
    people write them. What is written otherwise suggests nothing.
    """
    properties: dict[str, str] = {}
    shared: dict[str, str] = {}
    depth = -1
    of_all = False
    for line in [*lines_of(path), "End: of the last resource"]:
        pair = _KEY.match(line)
        if pair is None:
            continue
        indent, key, value = len(pair[1]), pair[2], pair[3].strip("\"' ")
        if indent == 0:
            of_all = key == "Globals"
        if of_all:
            shared.setdefault(key, value)
        if depth >= 0 and indent < depth:
            yield from _function(path, {**shared, **properties})
            properties, depth = {}, -1
        # Deeper ones are those of the function's events.
        if key == "Type" and (depth < 0 or indent <= depth):
            depth = indent if value == _FUNCTION else -1
            properties = {}
        elif depth >= 0:
            properties.setdefault(key, value)


def _function(path: Path, properties: Mapping[str, str]) -> Iterator[_Function]:
    package = IMAGE if properties.get("PackageType") == "Image" else ZIP
    place, of_image = ("DockerContext", "DockerTag") if package == IMAGE else ("CodeUri", "Runtime")
    # AWS's own templates tag an image like its runtime, python3.13-v1.
    runtime, code = properties.get(of_image, "python"), properties.get(place, "")
    if not runtime.startswith("python") or not code or "$" in code or "!" in code:
        return
    memory = properties.get("MemorySize", "")
    memory = f"{memory}MB" if re.fullmatch(r"[1-9]\d{1,5}", memory, re.ASCII) else ""
    target = f"lambda-{runtime.partition('-')[0]}"
    folder = Path(os.path.normpath(path.parent / code))
    yield _Function(
        folder,
        memory,
        target if target in shipped_targets() else "",
        package,
        _usable(properties.get("Handler", ""), checked_handler),
        _usable(properties.get("Timeout", ""), lambda text: f"{checked_timeout(float(text)):g}"),
    )


def _usable(text: str, check: Callable[[str], str]) -> str:
    """What *check* makes of *text*; nothing of a value that the settings would refuse."""
    try:
        return check(text)
    except (SettingsError, ValueError):
        return ""


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
