"""What keeps compiled files from loading on x86 as well is no finding about ARM64."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import replace

from .record import NOT_TRIED, RAISED, AbiFinding, AbiRecord, Load

_MACHINE = re.compile(r"aarch64|arm64|x86[_-]64|amd64")
_ADDRESS = re.compile(r"0x[0-9a-f]+")
_SAME = "; the same on x86"


def without_common(record: AbiRecord, x86: AbiRecord) -> AbiRecord:
    """*record*, of ARM64, in which nothing is grave that *x86*, of the same packages, has too."""
    findings = {_of_finding(finding) for finding in x86.grave}
    loads = {_of_load(load) for load in x86.refused if load.outcome != NOT_TRIED}
    return replace(
        record,
        findings=tuple(
            replace(finding, grave=False, text=finding.text + _SAME)
            if finding.grave and _of_finding(finding) in findings
            else finding
            for finding in record.findings
        ),
        loads=tuple(
            replace(load, outcome=RAISED, text=load.text + _SAME, kind="", remedy="")
            if _of_load(load) in loads
            else load
            for load in record.loads
        ),
    )


def _of_finding(finding: AbiFinding) -> Hashable:
    path = _alike(finding.path)
    return (path, finding.kind, finding.package, finding.library, finding.version)


def _of_load(load: Load) -> Hashable:
    return (load.module, load.outcome, _alike(load.text))


def _alike(text: str) -> str:
    """*text* without names of machines and addresses."""
    return _ADDRESS.sub("0x", _MACHINE.sub("machine", text))
