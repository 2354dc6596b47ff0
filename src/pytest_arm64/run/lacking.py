"""A failure for want of a variable that this machine has: the class ``test-environment``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any


def name_lacking(report: Any, missed: Iterable[str], environ: Collection[str]) -> None:
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
    if hasattr(report.longrepr, "addsection"):
        report.longrepr.addsection("test-environment", text)
    else:
        report.sections = [*report.sections, ("test-environment", text)]
