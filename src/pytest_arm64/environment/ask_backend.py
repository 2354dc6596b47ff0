"""Ask build back ends what their builds need besides (PEP 517): a program, run in the builder.

Its arguments are the file to which the answer goes, as a JSON list of requirements, and a JSON list
of sources: path of an archive or a folder, folder of the project in it, and hook.
"""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from pyproject_hooks import BuildBackendHookCaller, quiet_subprocess_runner

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

LEGACY = "setuptools.build_meta:__legacy__"


def main(answer: str, sources: str) -> None:
    """Write what the back ends of *sources* ask for to the file *answer*."""
    requirements: list[str] = []
    for path, subdirectory, hook in json.loads(sources):
        with tempfile.TemporaryDirectory() as work:
            source = Path(path)
            folder = source if source.is_dir() else unpack(source, Path(work))
            requirements += ask(folder / subdirectory, hook)
    Path(answer).write_text(json.dumps(requirements), "utf-8")


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
    """What the back end of the project in *folder* asks for, to build a ``wheel``, or *hook*."""
    try:
        system = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["build-system"]
    except (FileNotFoundError, KeyError):
        system = {}
    caller = BuildBackendHookCaller(
        str(folder),
        system.get("build-backend", LEGACY),
        system.get("backend-path"),
        runner=quiet_subprocess_runner,
    )
    if hook == "editable":
        return list(caller.get_requires_for_build_editable())
    return list(caller.get_requires_for_build_wheel())


if __name__ == "__main__":
    main(*sys.argv[1:])
