"""The report that an audit alone can give: everything in it is predicted, nothing was run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from ..audit.matrix import WheelMatrix
from ..config.project_files import ProjectFiles
from ..config.services import services_at
from ..decide.collect import based, evidence_on, named_alike
from ..decide.evidence import ServiceEvidence
from ..errors import ReportError
from .document import Report, in_words, write_report

_UNASKED = "an audit runs none"


def predicted(files: ProjectFiles, matrices: Sequence[WheelMatrix]) -> Report:
    """The report on the services of *files*; a matrix that is none of theirs is its own.

    Raises:
        ReportError: there are matrices of one service on several targets.
        SettingsError: the configuration cannot be used.
    """
    if len({matrix.service for matrix in matrices}) != len(matrices):
        raise ReportError("a report is about one target", next_step="--target NAME")
    services = services_at(files).declared
    matrices = named_alike(matrices, services)
    asked = {matrix.service for matrix in matrices}
    known = {service.name for service in services}
    found = list(evidence_on([s for s in services if s.name in asked], matrices))
    found += [ServiceEvidence(m.service, m, m.target) for m in matrices if m.service not in known]
    found = [replace(one, unasked=_UNASKED) for one in found]
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    target = in_words(matrix.target for matrix in matrices)
    return Report(target, now, based(found, files.rootpath, files.root))


def write_predicted(files: ProjectFiles, matrices: Sequence[WheelMatrix], folder: str) -> Path:
    """Write it into *folder*, relative to the project's.

    Raises:
        ReportError: see ``predicted``; or it cannot be written.
        SettingsError: the configuration cannot be used.
    """
    return write_report(predicted(files, matrices), files.rootpath / folder)
