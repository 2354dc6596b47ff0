"""Contexts whose engine is reached by TLS, with real certificates."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from docker.context.config import get_context_id

from pytest_arm64.engine.address import engine_address
from pytest_arm64.engine.endpoint import open_engine
from unit.engine.test_endpoint import answers, refused
from unit.support import EngineHandler, PlayedEngine, write


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def port(authority: trustme.CA) -> Iterator[int]:
    """An engine that asks its clients for a certificate of *authority*."""

    class Server(ThreadingHTTPServer):
        engine = PlayedEngine("", answers())

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was refused."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with Server(("127.0.0.1", 0), EngineHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write(tmp_path / "config", {"config.json": "{}"})
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


def add(config: Path, port: int, authority: trustme.CA) -> None:
    """The context ``far``, with a client's certificate of *authority*."""
    mine = authority.issue_cert("me@testhost")
    name = get_context_id("far")
    endpoint = {"Host": f"tcp://127.0.0.1:{port}", "SkipTLSVerify": False}
    meta = {"Name": "far", "Metadata": {}, "Endpoints": {"docker": endpoint}}
    tls = f"contexts/tls/{name}/docker"
    write(
        config,
        {
            f"contexts/meta/{name}/meta.json": json.dumps(meta),
            f"{tls}/ca.pem": authority.cert_pem.bytes(),
            f"{tls}/cert.pem": mine.cert_chain_pems[0].bytes(),
            f"{tls}/key.pem": mine.private_key_pem.bytes(),
        },
    )


def test_context_with_certificates(config: Path, port: int, authority: trustme.CA) -> None:
    add(config, port, authority)
    assert engine_address({"DOCKER_CONTEXT": "far"}).socket == ""
    with open_engine({"DOCKER_CONTEXT": "far"}) as found:
        assert found.version == "27.3.1"


def test_variables_with_certificates(
    config: Path, port: int, authority: trustme.CA, tmp_path: Path
) -> None:
    add(config, port, authority)
    (certificates,) = (config / "contexts/tls").glob("*/docker")
    environ = {
        "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(certificates),
    }
    with open_engine(environ) as found:
        assert found.version == "27.3.1"


def test_certificate_of_another_authority(config: Path, port: int) -> None:
    add(config, port, trustme.CA())
    error = refused({"DOCKER_CONTEXT": "far"})
    assert re.search(r"tcp://127.0.0.1:\d+ cannot be used: its certificate and ours", error.what)
    assert "docker context inspect" in error.next_step
