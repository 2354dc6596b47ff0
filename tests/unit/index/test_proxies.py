"""Indexes behind a proxy are asked as pip asks them."""

from __future__ import annotations

import base64
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_arm64.index.access import Access
from pytest_arm64.index.fetch import Deadline, Fetcher, FetchError

URL = "http://index.invalid/simple/demo/"
PAGE = b"the page"
CREDENTIALS = "user:p%40ss"
HEADER = "Basic " + base64.b64encode(b"user:p@ss").decode()
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass
class PlayedProxy:
    """A proxy, and what it was asked for."""

    port: int
    wants: str = ""
    """The header ``Proxy-Authorization`` without which it does nothing."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Method and target of each."""


@contextmanager
def proxy(wants: str = "") -> Iterator[PlayedProxy]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def refused(self) -> bool:
            played.requests.append((self.command, self.path))
            if self.headers.get("Proxy-Authorization", "") == played.wants:
                return False
            self.send_response(407)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return True

        def do_GET(self) -> None:
            if not self.refused():
                self.send_response(200)
                self.send_header("Content-Length", str(len(PAGE)))
                self.end_headers()
                self.wfile.write(PAGE)

        def do_CONNECT(self) -> None:
            if self.refused():
                return
            # The other side of the tunnel: it ends what is no TLS to it.
            self.send_response(200)
            self.end_headers()
            select.select([self.connection], [], [], 5)
            self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        played = PlayedProxy(server.server_port, wants)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield played
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def asked(url: str = URL, configured: str = "") -> bytes:
    return Fetcher(Access(proxy=configured), Deadline(5)).get(url, limit=2**20).body


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
@pytest.mark.parametrize("spelled", ["http://127.0.0.1:{}", "127.0.0.1:{}", "http://127.0.0.1:{}/"])
def test_a_variable_names_it(monkeypatch: pytest.MonkeyPatch, name: str, spelled: str) -> None:
    if name == "HTTP_PROXY":  # urllib would not believe it in a CGI program
        monkeypatch.delenv("REQUEST_METHOD", raising=False)
    with proxy() as played:
        monkeypatch.setenv(name, spelled.format(played.port))
        assert asked() == PAGE
    assert played.requests == [("GET", URL)]


def test_pips_setting_is_stronger_than_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with proxy() as played:
        assert asked(configured=f"http://127.0.0.1:{played.port}") == PAGE


def test_what_no_proxy_names_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1,.invalid")
    with proxy() as direct:
        assert asked(f"http://127.0.0.1:{direct.port}/simple/demo/") == PAGE
    assert direct.requests == [("GET", "/simple/demo/")]


@pytest.mark.parametrize("spelled", ["http://{}@127.0.0.1:{}", "{}@127.0.0.1:{}"])
def test_its_credentials_are_sent_to_it(monkeypatch: pytest.MonkeyPatch, spelled: str) -> None:
    with proxy(wants=HEADER) as played:
        monkeypatch.setenv("http_proxy", spelled.format(CREDENTIALS, played.port))
        assert asked() == PAGE


def test_credentials_go_with_the_request_for_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(wants=HEADER) as played:
        monkeypatch.setenv("https_proxy", f"http://{CREDENTIALS}@127.0.0.1:{played.port}")
        with pytest.raises(FetchError) as caught:  # nobody speaks TLS at the other end
            asked(URL.replace("http:", "https:"))
    assert played.requests[0] == ("CONNECT", "index.invalid:443")
    assert "407" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_credentials_is_named(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with proxy(wants=HEADER) as played:
        monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{played.port}")
        url = URL.replace("http:", f"{scheme}:")
        if scheme == "http":
            reply = Fetcher(Access(), Deadline(5)).get(url, limit=2**20)
            assert reply.status == 407
            return
        with pytest.raises(FetchError, match=r"the proxy: .*407"):
            asked(url)


@pytest.mark.parametrize(
    ("spelled", "words"),
    [
        ("http://user:secret@127.0.0.1:9", "the proxy: connection refused"),
        ("http://user:secret@proxy.invalid:3128", "the proxy: the name of the host"),
        ("socks5://user:secret@127.0.0.1:9", "the proxy: its scheme 'socks5' is not supported"),
        ("http://user:secret@127.0.0.1:port", "the proxy: its address cannot be parsed"),
    ],
)
def test_what_is_no_proxy_is_said_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, spelled: str, words: str
) -> None:
    monkeypatch.setenv("http_proxy", spelled)
    with pytest.raises(FetchError) as caught:
        asked()
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_proxy_that_never_answers_ends_with_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(FetchError):
            Fetcher(Access(), Deadline(1.5)).get(URL, limit=2**20)
        assert time.monotonic() - began < 4
