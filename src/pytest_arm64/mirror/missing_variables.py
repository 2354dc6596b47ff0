"""A failure for want of a variable that this machine has: the class ``test-environment``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reports import AnyReport


def name_lacking(report: AnyReport, missed: Iterable[str], environ: Mapping[str, str]) -> None:
    """Say below a failure which of the *missed* variables this machine's *environ* has.

    Names only: no value of the host's goes anywhere.
    """
    lacking = [name for name in missed if name in environ]
    if not lacking:
        return
    names = ", ".join(lacking)
    quoted = ", ".join(f'"{name}"' for name in lacking)
    text = (
        f"asked for, on this machine, and not in the container: {names}\n"
        f"  next step: pass on what is needed: [tool.pytest-arm64] env = [{quoted}]"
    )
    files = [name for name in lacking if _is_file_here(environ[name])]
    if files:
        text += f"\n  {', '.join(files)}: names a file, which has to lie in the repository then"
    add_section = getattr(report.longrepr, "addsection", None)
    if add_section is not None:
        add_section("test-environment", text)
    else:
        report.sections = [*report.sections, ("test-environment", text)]


def _is_file_here(value: str) -> bool:
    try:
        return Path(value).is_absolute() and Path(value).exists()
    except (OSError, ValueError):
        return False
