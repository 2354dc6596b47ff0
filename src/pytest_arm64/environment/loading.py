"""Every compiled module of an environment, loaded once: what no table of a file can tell.

All are imported in one process, as starting many takes too long under emulation; where that dies,
the one that killed it is named, and another process goes on behind it.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources

from ..binary.record import (
    DIED,
    FAILED,
    LOAD_ORDER,
    LOADED,
    NOT_TRIED,
    RAISED,
    WRONG_ARCHITECTURE,
    AbiRecord,
    Load,
)
from ..config.cell import Cell, ImageFacts
from ..engine.container import Container, Finished
from .failures import RUNTIME, Tools, import_failure
from .tree import ENV, HOME, PYTHON, TESTS, TarEntry, tar_of

_LIST = f"{HOME}/modules.json"
_MAXIMUM_DEATHS = 10
# Modules write caches where they are imported; there it is no part of the image.
_ELSEWHERE = {"HOME": "/dev/shm", "TMPDIR": "/dev/shm", "XDG_CACHE_HOME": "/dev/shm"}  # noqa: S108  (in the container)
_SUFFIX = re.compile(r"(\.cpython-\d+[a-z]*-[\w-]+|\.abi3)?\.so\Z")
_NO_MODULE = "does not define module export function"
_SIGNALS = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV", 14: "SIGALRM"}


@dataclass(frozen=True)
class Module:
    """A compiled module by the name under which it is imported."""

    name: str
    path: str
    machine: str


def modules_of(record: AbiRecord, site: str) -> list[Module]:
    """Compiled modules of *record* below *site*, a folder as the record spells paths.

    A file for another machine that does no harm is no module of this one.
    """
    harmless = {f.path for f in record.findings if f.kind == WRONG_ARCHITECTURE and not f.grave}
    modules = []
    for file in record.files:
        if file.path in harmless:
            continue
        inner = file.path.removeprefix(f"{site}/")
        folder, name = posixpath.split(_SUFFIX.sub("", inner))
        parts = [*filter(None, folder.split("/")), name]
        named = _SUFFIX.search(inner) and not name.startswith("lib")
        if inner != file.path and named and all(part.isidentifier() for part in parts):
            modules.append(Module(".".join(parts), file.path, file.machine))
    return sorted(modules, key=lambda module: module.name)


def load_all(
    container: Container,
    modules: Sequence[Module],
    variables: Mapping[str, str],
    tools: Tools,
    machine: str,
) -> tuple[Load, ...]:
    """How each of *modules* loads in *container*, whose machine is *machine*."""
    source = resources.files("pytest_arm64.inside").joinpath("load.py").read_text("utf-8")

    def run(names: Sequence[str]) -> Finished:
        container.put("/", tar_of({_LIST: TarEntry(json.dumps(list(names)).encode())}))
        command = [PYTHON, "-B", "-c", source, _LIST]
        return container.run(command, environment={**_ELSEWHERE, **variables}, workdir="/")

    by_name = {module.name: module for module in modules}
    loads = []
    for name, outcome, text in outcomes([module.name for module in modules], run):
        module = by_name[name]
        if _NO_MODULE in text:
            continue  # a library that is loaded otherwise
        loads.append(judged(module, outcome, text, tools, machine))
    return tuple(loads)


def loaded_records(
    container: Container,
    cell: Cell,
    ran: ImageFacts,
    abi: AbiRecord,
    sites: Sequence[str],
    variables: Mapping[str, str],
) -> AbiRecord:
    """*abi* with how each compiled module of what is deployed, or of the tests, was imported.

    *container* is thrown away: what modules do when they are imported is part of no image.
    """
    # Of folders that lie in each other, a module is imported from the innermost one.
    searched = sorted((*sites, *(f"{prefix}/{ran.python.purelib}" for prefix in (ENV, TESTS))))
    by_path = {
        module.path: module
        for site in searched
        for root in (f"{HOME}/", "/")  # paths in the record are relative to one of them, or to none
        for module in modules_of(abi, site.removeprefix(root))
    }
    modules = sorted(by_path.values(), key=lambda module: module.name)
    if not modules:
        return abi
    tools = Tools(cell.target.manager, ran.python.minor)
    return with_loads(abi, load_all(container, modules, variables, tools, ran.machine))


def judged(module: Module, outcome: str, text: str, tools: Tools, machine: str) -> Load:
    """How *module* loaded on *machine*, with the class of its failure and what to do.

    An error that is not the loader's comes from the module's own code, as where Tk is not
    installed or a module is meant to be imported by another one only. It was loaded: as far as
    anybody can tell, it says the same on x86.
    """
    if outcome == FAILED:
        failure = import_failure(text, tools, wrong_machine=module.machine != machine)
        if failure is not None:
            return Load(module.name, module.path, FAILED, text, failure.kind, failure.fix)
        outcome = RAISED
    kind, fix = "", ""
    if outcome == DIED:
        kind = RUNTIME
        fix = "an instruction that this core lacks (SIGILL) or a fault: take another release"
    elif outcome == NOT_TRIED:
        kind = RUNTIME
    return Load(module.name, module.path, outcome, text, kind, fix)


def with_loads(record: AbiRecord, loads: Sequence[Load]) -> AbiRecord:
    """*record* with how its modules loaded, and without doubts that this has settled.

    Where all modules of a package could be imported, so could the libraries that they need.
    """
    packages = {file.path: file.package for file in record.files}
    fine = {packages.get(load.path, "") for load in loads if load.outcome in (LOADED, RAISED)}
    fine -= {packages.get(load.path, "") for load in loads if load.outcome not in (LOADED, RAISED)}
    findings = tuple(
        finding
        for finding in record.findings
        if finding.kind != LOAD_ORDER or not finding.package or finding.package not in fine
    )
    return replace(record, findings=findings, loads=tuple(loads))


def outcomes(
    names: Sequence[str], run: Callable[[Sequence[str]], Finished]
) -> Iterator[tuple[str, str, str]]:
    """Name, outcome and text of each of *names*."""
    left = list(names)
    deaths = 0
    while left and deaths < _MAXIMUM_DEATHS:
        finished = run(left)
        started = ""
        for answer in _answers(finished.stdout):
            kind, name = answer[0], answer[1]
            if kind == "start":
                started = name
            elif name in left:
                left.remove(name)
                started = ""
                yield name, kind, ": ".join(answer[2:])
        if not left:
            return
        deaths += 1
        culprit = started if started in left else left[0]
        left.remove(culprit)
        yield culprit, DIED, _death(finished)
    for name in left:
        yield name, NOT_TRIED, f"{_MAXIMUM_DEATHS} modules have killed their process"


def _answers(out: bytes) -> Iterable[list[str]]:
    for line in out.splitlines():
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if (
            isinstance(answer, list)
            and len(answer) >= 2
            and all(isinstance(a, str) for a in answer)
        ):
            yield answer


def _death(finished: Finished) -> str:
    signal = _SIGNALS.get(finished.code - 128, "")
    how = f"killed by {signal}" if signal else f"exit code {finished.code}"
    last = finished.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
    return "\n".join([f"its process died: {how}", *last])
