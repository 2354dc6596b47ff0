"""A failure for want of something that this machine has: the class ``test-environment``.

Variables are known by what the tests asked for; services and engines by the failure's own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .deaths import MORE_SHARED_MEMORY
from .lambda_hints import lambda_hints

if TYPE_CHECKING:
    from .reports import AnyReport


_TRUST = "allow it with: pytest-arm64 trust"
_ENGINE = ("DOCKER_", "TESTCONTAINERS_", "CONTAINER_HOST")
_REFUSED = re.compile(r"(?i)connection ?refused|\[Errno 111\]")
_LOOPBACK = re.compile(r"127\.0\.0\.\d+|\blocalhost\b|::1\b|\[Errno 111\]")
_SHARED_MEMORY = re.compile(
    r"No space left on device[^\n]{0,200}/dev/shm|/dev/shm[^\n]{0,200}No space left on device"
    r"|</?torch_\w+>: No space left on device|workers are out of shared memory"
)
_DEADLINE = re.compile(r"\bDeadlineExceeded\b|exceeds the deadline of [\d.]+ms")
_MODULE = re.compile(r"^E +ModuleNotFoundError: No module named '(\w{1,100})'$", re.MULTILINE)
# Of a failure's text, which may be a whole page.
_LONGEST = 200_000
_MODULES = 3
"""Of one failure, the last ones."""


def name_lacking(
    report: AnyReport,
    missed: Iterable[str],
    environ: Mapping[str, str],
    *,
    limited: bool = False,
) -> None:
    """Say below a failure what this machine has for it and the container has not.

    *missed* are the variables that its test asked for, *environ* are this machine's. Names only:
    no value of the host's goes anywhere. *limited* is whether the container has the limits of a
    Lambda function; then those that the failure has met are named, too.
    """
    failure = str(report.longrepr)[-_LONGEST:] if report.outcome == "failed" else ""
    sections = {
        "test-environment": [*filter(None, [lacking(missed, environ)]), *_hints(failure)],
        "lambda": lambda_hints(failure) if limited else (),
    }
    add_section = getattr(report.longrepr, "addsection", None)
    for title, hints in sections.items():
        text = "\n".join(hints)
        if text and add_section is not None:
            add_section(title, text)
        elif text:
            report.sections = [*report.sections, (title, text)]


def lacking(missed: Iterable[str], environ: Mapping[str, str]) -> str:
    """What to do about variables that code of the project *missed* and *environ* has; may be empty.

    Names only: no value of the host's goes anywhere.
    """
    names = [name for name in missed if name in environ]
    return "\n".join(_variables(names, environ)) if names else ""


def _variables(lacking: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    engine = [name for name in lacking if name.startswith(_ENGINE)]
    if engine:
        yield (
            f"{', '.join(engine)}: the container has no engine to start further containers with\n"
            '  next step: start the service outside, and set [tool.pytest-arm64] network = "host" '
            f"and {_TRUST}; or deselect these tests"
        )
    lacking = [name for name in lacking if name not in engine]
    if not lacking:
        return
    quoted = ", ".join(f'"{name}"' for name in lacking)
    yield f"set on this machine but not in the container: {', '.join(lacking)}"
    yield f"  next step: pass them: [tool.pytest-arm64] env = [{quoted}], and {_TRUST}"
    files = [name for name in lacking if _is_file_here(environ[name])]
    if files:
        yield f"  {', '.join(files)}: names a file, which has to lie in the repository then"


def _hints(failure: str) -> Iterator[str]:
    modules = [name for name in _MODULE.findall(failure)[-_MODULES:] if _is_installed_here(name)]
    if modules:
        yield (
            f"{modules[-1]} cannot be imported in the container; packages of the tests are looked "
            "for in requirements-test.txt and files with similar names, then in dependency groups "
            "and extras named test, tests, testing or dev\n"
            '  next step: list it in one of them, or set test-requirements = "FILE" in '
            "[tool.pytest-arm64]"
        )
    if _REFUSED.search(failure) and _LOOPBACK.search(failure):
        yield (
            "a connection to this container's own address was refused: services of this machine "
            "are not there\n"
            '  next step: to reach them, set [tool.pytest-arm64] network = "host" '
            f"and {_TRUST}"
        )
    if _SHARED_MEMORY.search(failure):
        yield f"the container's /dev/shm is full\n  next step: {MORE_SHARED_MEMORY}"
    if _DEADLINE.search(failure):
        yield (
            "a deadline of Hypothesis: emulation stretches time 4 to 40 times\n"
            "  next step: settings(deadline=None), in a profile for such runs"
        )


def _is_installed_here(module: str) -> bool:
    """Whether top-level *module* is of an installed package here; nothing is imported."""
    try:
        spec = find_spec(module)
    except (ValueError, ImportError):
        return False
    places = [spec.origin or "", *(spec.submodule_search_locations or ())] if spec else []
    return any("-packages" in place for place in places)


def _is_file_here(value: str) -> bool:
    try:
        return Path(value).is_absolute() and Path(value).exists()
    except (OSError, ValueError):
        return False
