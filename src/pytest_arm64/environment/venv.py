"""A virtual environment written as files, without running anything."""

from __future__ import annotations

from pathlib import PurePosixPath

from ..config.cell import Python
from .tree import ENV, HOME, TESTS, TarEntry


def venv_entries(python: Python) -> dict[str, TarEntry]:
    """The skeleton at ``/opt/pytest-arm64/env`` for the probed interpreter, by absolute path.

    Its site directory pulls in the test packages' one, after its own; that is a ``.pth`` file,
    so that every interpreter which a test starts sees the same packages.
    """
    executable = PurePosixPath(python.executable)
    config = (
        f"home = {executable.parent}\n"
        "include-system-site-packages = false\n"
        f"version = {python.version}\n"
        f"executable = {executable}\n"
    )
    site = f"{ENV}/{python.purelib}"
    tests_site = f"{TESTS}/{python.purelib}"
    pth = f"import site; site.addsitedir({tests_site!r})\n"
    folders = [HOME, ENV, f"{ENV}/bin", TESTS, f"{TESTS}/bin"]
    for prefix in (ENV, TESTS):
        path = PurePosixPath(prefix)
        for part in PurePosixPath(python.purelib).parts:
            path /= part
            folders.append(str(path))
    entries = {folder: TarEntry(mode=0o755) for folder in folders}
    entries[f"{ENV}/pyvenv.cfg"] = TarEntry(config.encode())
    # Where the system's scheme has lib64, compiled packages belong there.
    entries[f"{ENV}/lib64"] = entries[f"{TESTS}/lib64"] = TarEntry(link="lib")
    entries[f"{site}/zz_pytest_arm64_tests.pth"] = TarEntry(pth.encode())
    for name in ("python", "python3", f"python{python.minor}"):
        entries[f"{ENV}/bin/{name}"] = TarEntry(link=str(executable))
    return entries
