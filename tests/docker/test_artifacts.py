"""What is deployed is tested as it is: a zip file in the target's image, an image as itself."""

from __future__ import annotations

import json
import os
import textwrap
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from docker_cases import RunPytest
from pytest_arm64.binary.scan import scan_image
from pytest_arm64.config.cell import Cell
from pytest_arm64.config.targets import find_target
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.engine.images import Base, manifest_kind
from pytest_arm64.environment.provision import provisioned
from pytest_arm64.environment.tree import TarEntry, tar_of, with_parents
from pytest_arm64.progress import NoProgress

INFO = {
    "METADATA": "Metadata-Version: 2.1\nName: deployed\nVersion: 1.5\nRequires-Dist: pytest\n",
    "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "RECORD": "deployed.py,,\n",
}
PACKAGE = {"deployed.py": "WHERE = __file__\n"} | {
    f"deployed-1.5.dist-info/{name}": text for name, text in INFO.items()
}
SUITE = """
import deployed
import iniconfig
import handler

def test_it_is_what_is_deployed(arm64_install):
    assert deployed.WHERE == "%(place)s/deployed.py"
    assert handler.answer() == 42
    (row,) = [p for p in arm64_install["packages"] if p["name"] == "deployed"]
    assert (row["version"], row["scope"], row["state"]) == ("1.5", "deploy", "pure")

def test_the_packages_of_the_tests_come_after_it(arm64_install):
    scopes = {p["name"]: p["scope"] for p in arm64_install["packages"]}
    assert scopes["pytest"] == scopes["iniconfig"] == "test"
    assert iniconfig.__file__.startswith("/opt/pytest-arm64/tests/")

def test_its_files_are_in_the_record(arm64_abi, arm64_install):
    assert arm64_abi["loadable"] is True
    # What the tests' packages need of it is there.
    assert arm64_install["broken"] == []
"""
LINK = """
import pathlib, site
folder = pathlib.Path(site.getsitepackages()[0])
folder.mkdir(parents=True, exist_ok=True)
(folder / "application.pth").write_text("/srv/app\\n")
"""
TABLE = '[tool.pytest-arm64]\nartifact = "{}"\ntarget = "{}"\n'


def test_a_zip_is_tested_where_the_target_unpacks_it(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project(test_it=SUITE % {"place": "/var/task"})
    (folder / "requirements.txt").unlink()
    with zipfile.ZipFile(folder / "fn.zip", "w") as archive:
        for name, text in {**PACKAGE, "handler.py": "def answer():\n    return 42\n"}.items():
            archive.writestr(name, text)
    table = TABLE.format("zip:fn.zip", "lambda-python3.12")
    (folder / "pyproject.toml").write_text(table, "utf-8")
    result = run_pytest(folder, "--arm64")
    assert result.code == 0, result.out
    assert "1 pure deployed" in result.out


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The projects of these tests may name images."""
    monkeypatch.setenv("PYTEST_ARM64_TRUST", "1")


@pytest.fixture
def application(engine: Engine) -> Iterator[Base]:
    """An image with a program and a package of its own."""
    target = find_target("al2023-python3.12", {})
    image = os.environ.get("PYTEST_ARM64_IMAGE", "").replace("{arch}", "arm64")
    cell = Cell(target, "arm64", "graviton2", image or target.reference)
    base, ran = provisioned(engine, cell, NoProgress())
    files = {f"/srv/app/{name}": TarEntry(text.encode()) for name, text in PACKAGE.items()}
    files["/srv/app/handler.py"] = TarEntry(b"def answer():\n    return 42\n")
    tag = f"pytest-arm64-application:{uuid.uuid4().hex[:12]}"
    with Container(engine, Plan(image=base.id, platform=cell.platform)) as container:
        container.put("/", tar_of(with_parents(files)))
        done = container.run([ran.python.executable, "-c", LINK])
        assert done.code == 0, done.text
        container.commit(tag, {})
    try:
        found = engine.client.images.get(tag)
        yield Base(tag, str(found.id), "", "arm64", {})
    finally:
        engine.client.images.remove(tag)


def test_an_image_is_tested_as_itself(
    run_pytest: RunPytest, project: Callable[..., Path], application: Base
) -> None:
    folder = project(test_it=SUITE % {"place": "/srv/app"})
    (folder / "requirements.txt").unlink()
    # As one of several services, of which each may have its own.
    table = f"""
        [tool.pytest-arm64]
        target = "al2023-python3.12"
        [tool.pytest-arm64.service.shop]
        artifact = "image:{application.reference}"
        tests = "test_it.py"
        """
    (folder / "pyproject.toml").write_text(textwrap.dedent(table), "utf-8")
    result = run_pytest(folder, "--arm64")
    assert result.code == 0, result.out
    assert f"arm64: image {application.reference}" in result.out
    assert "1 pure deployed" in result.out


class _Registry(BaseHTTPRequestHandler):
    """A registry that has one image, for several platforms."""

    media_type = "application/vnd.oci.image.index.v1+json"
    body = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": []}).encode()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        known = "/manifests/" in self.path
        self.send_response(200)
        self.send_header("Content-Type", self.media_type if known else "application/json")
        self.send_header("Content-Length", str(len(self.body) if known else 2))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.body if known else b"{}")

    do_HEAD = do_GET  # noqa: N815


@contextmanager
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Registry) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_lambda_refuses_a_manifest_of_several_platforms(engine: Engine, application: Base) -> None:
    target = find_target("lambda-python3.12", {})
    with registry() as host:
        reference = f"{host}/shop/api:1"
        assert manifest_kind(engine, reference) == _Registry.media_type
        pushed = replace(application, reference=reference)
        found = {f.kind: f for f in scan_image(engine, pushed, "aarch64", target).findings}
    assert found["multi-architecture"].grave
    assert "--provenance=false" in found["multi-architecture"].remedy
    asked = scan_image(engine, application, "aarch64", target)
    (note,) = [f for f in asked.findings if f.kind == "multi-architecture"]
    assert not note.grave
