"""Fixtures of the fidelity suite."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fidelity.harness import PUBLISHED, Case, MakeCase
from fidelity.local_transport import INSIDE_FOLDER, write_inside


@pytest.fixture(scope="session", autouse=True)
def inside(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Our code for the inside, written once, as an environment's image has it once."""
    folder = tmp_path_factory.mktemp("pytest-arm64-inside")
    write_inside(folder)
    os.environ[INSIDE_FOLDER] = str(folder)


@pytest.fixture
def project(tmp_path: Path) -> MakeCase:
    """``project({"test_a.py": "..."}, …)``: a case in this test's own folder."""

    def make(files: Mapping[str, str] | str, **more: Any) -> Case:
        if isinstance(files, str):
            files = {"test_it.py": files}
        return Case(tmp_path / "case", files, **more)

    return make


@pytest.fixture(scope="session")
def published(pytestconfig: pytest.Config) -> Path:
    """A folder with the plugins as published, in versions that go with this pytest.

    They are no packages of this environment: this suite itself would load them.
    """
    versions = f"{sys.version_info[:2]} {pytest.__version__} {sorted(PUBLISHED)}"
    name = "published-plugins-" + hashlib.sha256(versions.encode()).hexdigest()[:12]
    assert pytestconfig.cache is not None
    folder = Path(pytestconfig.cache.mkdir(name))
    site = Path(sysconfig.get_path("purelib", "posix_user", {"userbase": str(folder)}))
    if not site.is_dir():
        making = folder / f"making-{os.getpid()}"
        shutil.rmtree(making, ignore_errors=True)
        wanted = [name for name in PUBLISHED if not (name == "pytest-subtests" and BUILT_IN)]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "--target", making, f"pytest=={pytest.__version__}", *wanted], check=True
        )
        site.parent.mkdir(parents=True, exist_ok=True)
        try:
            making.rename(site)
        except OSError:  # another worker was quicker
            shutil.rmtree(making)
    return site


BUILT_IN = pytest.version_tuple >= (9, 0)
"""Whether pytest has subtests of its own."""


@pytest.fixture
def with_published(project: MakeCase, published: Path) -> MakeCase:
    """As ``project``, among published plugins; ``plugins`` names those that are loaded."""
    return functools.partial(project, site=published)
