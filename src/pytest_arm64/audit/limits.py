"""Whether a target is one that the project is made for: its Python and its platform."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.specifiers import SpecifierSet

from ..config.targets import Target, allows_minor, shipped_targets
from ..inputs.limits import PythonLimit
from ..inputs.service import Service
from .platform import Platform


def python_problems(service: Service, target: Target) -> Iterator[str]:
    """What the files of *service* say against the Python of *target*.

    A ``.python-version`` says what developers use: another target that is chosen on purpose does
    not contradict it, but one that is chosen because there is none for that version does.
    """
    locked = service.lock is not None and bool(service.lock.requires_python)
    for limit in service.pythons:
        if limit.pinned:
            if not admits_minor(limit.specifier, target.python) and not _fitting(limit.specifier):
                yield _refusal(limit, target)
        elif not locked and not admits_minor(limit.specifier, target.python):
            yield _refusal(limit, target)


def _refusal(limit: PythonLimit, target: Target) -> str:
    specifier = limit.specifier.removesuffix(".*") if limit.pinned else limit.specifier
    advice = targets_for(limit.specifier, target.name)
    return f"{limit.origin}: for Python {specifier}, the target has {target.python}; {advice}"


def admits_minor(specifier: str, minor: str) -> bool:
    """Whether *specifier* admits any patch release of the Python *minor*.

    What cannot be read admits all.
    """
    try:
        return allows_minor(SpecifierSet(specifier), minor)
    except ValueError:
        return True


def targets_for(specifier: str, near: str = "") -> str:
    """Advice: the targets whose Python *specifier* admits, those like *near* first."""
    family = near.partition("-python")[0]
    names = sorted(_fitting(specifier), key=lambda name: name.partition("-python")[0] != family)
    if not names:
        return "no target has such a Python: define one in [tool.pytest-arm64.targets.NAME]"
    return f"targets with such a Python: {', '.join(names)}"


def _fitting(specifier: str) -> list[str]:
    shipped = shipped_targets().values()
    return [target.name for target in shipped if admits_minor(specifier, target.python)]


def environment_problem(shown: str, platform: Platform) -> str:
    """What is said of a file whose environments exclude *platform*."""
    wanted = f"sys_platform == 'linux' and platform_machine == '{platform.machine}'"
    return (
        f'{shown} excludes Linux on {platform.machine}: add "{wanted}" to '
        "its environments ([tool.uv] environments in pyproject.toml) and lock again"
    )
