"""Ask build back ends what their builds need besides (PEP 517): a program, run in the builder.

Its arguments are the file to which the answer goes, as a JSON list of requirements, and a JSON list
of sources: path of an archive or a folder, folder of the project in it, and hook. The answer of the
hook ``metadata`` is the project's core metadata, a text.
"""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from pyproject_hooks import (
    BuildBackendHookCaller,
    default_subprocess_runner,
    quiet_subprocess_runner,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

LEGACY = "setuptools.build_meta:__legacy__"


def main(answer: str, sources: str) -> None:
    """Write what the back ends of *sources* ask for to the file *answer*."""
    answers: list[str] = []
    for path, subdirectory, hook in json.loads(sources):
        with tempfile.TemporaryDirectory() as work:
            source = Path(path)
            folder = source if source.is_dir() else unpack(source, Path(work))
            answers += ask(folder / subdirectory, hook)
    Path(answer).write_text(json.dumps(answers), "utf-8")


def unpack(path: Path, work: Path) -> Path:
    """Unpack the source distribution *path* into *work*; its only folder there."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(work)  # noqa: S202  (in the builder, as its build is)
    else:
        with tarfile.open(path) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(work, filter="data")
            else:
                archive.extractall(work)  # noqa: S202  (in the builder, as its build is)
    (folder,) = work.iterdir()
    return folder


def ask(folder: Path, hook: str) -> list[str]:
    """What the back end of the project in *folder* answers to *hook*: ``wheel``, ``editable``, …"""
    try:
        system = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["build-system"]
    except (FileNotFoundError, KeyError):
        system = {}
    caller = BuildBackendHookCaller(
        str(folder),
        system.get("build-backend", LEGACY),
        system.get("backend-path"),
        # Why it writes no metadata is shown; what keeps it from answering, its build says.
        runner=default_subprocess_runner if hook == "metadata" else quiet_subprocess_runner,
    )
    if hook == "metadata":
        with tempfile.TemporaryDirectory() as work:
            name = caller.prepare_metadata_for_build_wheel(work)
            return [Path(work, name, "METADATA").read_text("utf-8")]
    if hook == "editable":
        return list(caller.get_requires_for_build_editable())
    return list(caller.get_requires_for_build_wheel())


if __name__ == "__main__":
    main(*sys.argv[1:])
