"""A service of a monorepo: sibling libraries in one namespace, a database beside the container."""

from __future__ import annotations

import http.server
import re
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from docker_cases import RunPytest
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.engine.images import get_image
from pytest_arm64.progress import NoProgress
from pytest_arm64.setup.doctor import settings_here

LIBRARY = """
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"
[project]
name = "acme-{0}"
version = "1.0"
dependencies = {1}
[tool.setuptools.packages.find]
where = ["src"]
"""
FILES = {
    ".git/HEAD": "ref: refs/heads/main\n",
    "libs/one/pyproject.toml": LIBRARY.format("one", '["acme-two"]'),
    "libs/one/src/acme/one/__init__.py": "from acme.two import TWO\n\nONE = TWO - 1\n",
    "libs/two/pyproject.toml": LIBRARY.format("two", "[]"),
    "libs/two/src/acme/two/__init__.py": "TWO = 2\n\n\ndef unused():\n    return 1\n",
    # One is used where it lies, of the other a wheel is built and installed.
    "services/shop/requirements.txt": "-e ../../libs/one\n../../libs/two\n",
    "services/shop/requirements-test.txt": "pytest\npytest-cov\n",
    "services/shop/test_shop.py": """
import pathlib, time, urllib.request
import acme.one, acme.two

def test_siblings_share_a_namespace():
    assert acme.one.ONE == 1
    assert not hasattr(acme, "__file__") or acme.__file__ is None
    root = pathlib.Path(__file__).parents[2]
    assert pathlib.Path(acme.one.__file__).is_relative_to(root)
    assert "site-packages" in acme.two.__file__

def test_database():
    for _ in range(300):
        try:
            with urllib.request.urlopen("http://ADDRESS/", timeout=10) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("nobody answered")
""",
}


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The projects of these tests may name networks."""
    monkeypatch.setenv("PYTEST_ARM64_TRUST", "1")


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The service's folder in its repository."""
    for name, text in FILES.items():
        path = tmp_path / "das Repo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "das Repo" / "services/shop"


def reached_at(service: Path, address: str, network: str) -> None:
    """Have the service's test look for its database there."""
    test = service / "test_shop.py"
    test.write_text(FILES["services/shop/test_shop.py"].replace("ADDRESS", address))
    (service / "pyproject.toml").write_text(f'[tool.pytest-arm64]\nnetwork = "{network}"\n')


@pytest.fixture
def network(engine: Engine, service: Path) -> Iterator[str]:
    """A network with a container ``database`` in it that serves HTTP."""
    settings = settings_here(service)
    reference = settings.image.replace("{arch}", "arm64") or settings.target.reference
    image = get_image(engine, reference, "arm64", NoProgress(), offline=False)
    made = engine.client.networks.create(f"arm64-{uuid.uuid4().hex}", labels=engine.labels)
    container = engine.client.containers.create(
        image.id,
        ["python3", "-m", "http.server", "8000", "--directory", "/etc/ssl"],
        entrypoint=[],
        labels=engine.labels,
        network=made.name,
        name="database-" + uuid.uuid4().hex[:8],
    )
    try:
        container.start()
        yield f"{made.name} {container.name}"
    finally:
        container.remove(force=True, v=True)
        made.remove()


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine at which HTTP is served."""
    handler = http.server.SimpleHTTPRequestHandler
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_siblings_databases_and_coverage(
    engine: Engine, run_pytest: RunPytest, service: Path, network: str, port: int
) -> None:
    name, host = network.split()
    reached_at(service, f"{host}:8000", name)
    result = run_pytest(service, "--arm64", "--cov=acme", "--cov-report=term-missing")
    assert result.code == 0, result.out
    assert "2 passed" in result.out
    root = service.parents[1]
    # What was measured in an installed sibling is told of its source, and so on this machine.
    assert re.search(r"acme/one/__init__.py +2 +0 +100%", result.out), result.out
    with closing(sqlite3.connect(service / ".coverage")) as data:
        files = {Path(path) for (path,) in data.execute("select path from file")}
    assert root / "libs/one/src/acme/one/__init__.py" in files
    assert root / "libs/two/src/acme/two/__init__.py" in files
    if engine.local:
        reached_at(service, f"127.0.0.1:{port}", "host")
        result = run_pytest(service, "--arm64", "-q")
        assert result.code == 0, result.out
        assert "2 passed" in result.out
