"""Bytes from an index: bounded in time and size, credentials up front, ``file://`` as well.

Everything that is read here was written by strangers.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import certifi
import urllib3

from .access import Access, origin_of
from .addresses import file_path, shown
from .workers import DaemonWorkers

T = TypeVar("T")

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
_TRIES = 3
_LONGEST_PAUSE = 5.0
_AGAIN = frozenset({429, 500, 502, 503, 504})
# A host that let this many requests run into time-outs is not asked again.
_PATIENCE = 2


class FetchError(Exception):
    """It could not be had; the text says why, without credentials."""


class RefusedError(FetchError):
    """A server answered, and gives nothing: what asks again is refused as well."""


@dataclass(frozen=True)
class Reply:
    """An answer, whole."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    url: str = ""
    """Where it came from after all redirects."""


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


class Deadline:
    """The time that is left for everything."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.seconds = seconds

    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raises FetchError when the time is over."""
        if not self.left():
            raise self.error()

    def error(self) -> FetchError:
        """What is raised when the time is over."""
        return FetchError(f"no answer within the {self.seconds:g} s that the audit may take")


class Fetcher:
    """HTTP and files behind one method."""

    def __init__(
        self, access: Access, deadline: Deadline, *, offline: bool = False, refresh: bool = False
    ) -> None:
        """*refresh* tells those who keep what they fetch that it is asked for anew."""
        self.access = access
        self.deadline = deadline
        self.offline = offline
        self.refresh = refresh
        self._pools: dict[tuple[str, bool, bool], urllib3.PoolManager] = {}
        self._lock = threading.Lock()
        self._silent: dict[str, int] = {}
        self._reasons: dict[str, str] = {}

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: int) -> Reply:
        """The answer to a GET, at most *limit* bytes of it.

        Raises:
            FetchError: no answer, or a larger one.
        """
        with self.open(url, headers=headers) as (reply, stream):
            body = bytearray()
            while chunk := stream.read(65536):
                body += chunk
                if len(body) > limit:
                    raise FetchError(f"{shown(url)} is larger than {limit >> 10} KiB")
            return Reply(reply.status, reply.headers, bytes(body), reply.url)

    @contextmanager
    def open(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Reply, Readable]]:
        """Status and headers of the answer to a GET (body empty), and its bytes as a stream.

        Raises:
            FetchError: no answer, or it stopped before its end.
        """
        scheme = _scheme(url)
        if scheme == "file":
            with _open_file(url) as (reply, stream):
                yield reply, stream
            return
        if scheme not in ("http", "https"):
            raise FetchError("its URL cannot be parsed")
        if self.offline:
            raise FetchError(f"{shown(url)} is not in the cache, and --offline was given")
        waiting = _Waiting(self.deadline)
        response = None
        try:
            response = self._answer(url, dict(headers or {}), waiting)
            received = {name.lower(): value for name, value in response.headers.items()}
            yield (
                Reply(response.status, received, b"", _final(url, response)),
                _Stream(response, url, self.deadline, waiting),
            )
        finally:
            waiting.end(response)

    def _answer(
        self, url: str, headers: dict[str, str], waiting: _Waiting
    ) -> urllib3.BaseHTTPResponse:
        host = origin_of(url)
        for attempt in range(_TRIES):
            self.deadline.check()
            if self._silent.get(host, 0) >= _PATIENCE:
                raise FetchError(f"{host}: {self._reasons[host]}")
            given = self.access.header(url)
            try:
                response = waiting.result(partial(self._request, url, {**given, **headers}))
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                self._reasons[host] = _reason(error)
                self._silent[host] = self._silent.get(host, 0) + 1
                raise FetchError(f"{shown(url)}: {self._reasons[host]}") from None
            self._silent.pop(host, None)
            if response.status == 401 and not given and self.access.ask_keyring(url):
                response.close()
                continue
            if response.status not in _AGAIN or attempt == _TRIES - 1:
                return response
            response.close()
            time.sleep(
                min(_pause(response.headers.get("Retry-After"), attempt), self.deadline.left())
            )
        raise AssertionError("unreachable")

    def _request(self, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        left = self.deadline.left()
        return self._pool(url).request(
            "GET",
            url,
            headers={"User-Agent": "pytest-arm64", **headers},
            timeout=urllib3.Timeout(
                connect=min(CONNECT_SECONDS, left), read=min(READ_SECONDS, left)
            ),
            # What a server asks to wait is bounded here, not by urllib3.
            retries=urllib3.Retry(
                total=5,
                connect=1,
                read=0,
                redirect=5,
                status=0,
                other=0,
                respect_retry_after_header=False,
            ),
            preload_content=False,
            decode_content=True,
        )

    def _pool(self, url: str) -> urllib3.PoolManager:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        trusted = host in self.access.trusted or parts.netloc in self.access.trusted
        proxy = ""
        if not urllib.request.proxy_bypass(host):
            proxies = urllib.request.getproxies()
            proxy = self.access.proxy or proxies.get(parts.scheme) or proxies.get("all", "")
        with self._lock:
            # Loading certificates takes longer than an answer from a plain server.
            secure = parts.scheme == "https" or proxy.startswith("https:")
            key = (proxy, trusted, secure)
            if key not in self._pools:
                context = _context(self.access.ca, trusted=trusted) if secure else None
                self._pools[key] = _manager(proxy, context)
            return self._pools[key]


class _Waiting:
    """Calls that wait for one answer, none of them beyond the deadline.

    A time limit of a socket begins again with each byte, of a status line or of a chunk's size too.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._worker = DaemonWorkers(1)

    def result(self, call: Callable[[], T]) -> T:
        """What *call* returns or raises.

        Raises:
            FetchError: the deadline has come.
        """
        future = self._worker.submit(call)
        try:
            return future.result(self._deadline.left())
        except FutureTimeout:
            if future.done():  # the limit of the socket's own, or just in time
                return future.result()
            raise self._deadline.error() from None

    def end(self, response: urllib3.BaseHTTPResponse | None) -> None:
        """Let go of *response*, when the last call is over."""

        def close() -> None:
            # Closed, not returned to the pool: what is left unread may be endless.
            if response is not None:
                response.close()
                response.release_conn()

        self._worker.submit(close)
        self._worker.close()


class _Stream:
    """The body, each read bounded by the time that is left."""

    def __init__(
        self,
        response: urllib3.BaseHTTPResponse,
        url: str,
        deadline: Deadline,
        waiting: _Waiting,
    ) -> None:
        self._response = response
        self._url = url
        self._deadline = deadline
        self._waiting = waiting

    def read(self, size: int = -1, /) -> bytes:
        self._deadline.check()
        try:
            # read() would wait for all of *size*, for as long as a server drips bytes.
            read = partial(self._response.read1, size if size > 0 else 65536)
            return self._waiting.result(read)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise FetchError(f"{shown(self._url)}: {_reason(error)}") from None


@contextmanager
def _open_file(url: str) -> Iterator[tuple[Reply, Readable]]:
    path = file_path(url)
    if path.is_dir():
        path /= "index.html"
    try:
        if path.exists() and not path.is_file():
            raise FetchError(f"{path} is not a regular file")
        stream = path.open("rb")
    except FileNotFoundError:
        yield Reply(404, {}, b"", url), _Empty()
        return
    except (OSError, ValueError) as error:
        raise FetchError(f"{path} cannot be read: {error}") from None
    with stream:
        yield Reply(200, {"content-type": "text/html"}, b"", url), stream


class _Empty:
    def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002 - the stream protocol
        return b""


def _final(url: str, response: urllib3.BaseHTTPResponse) -> str:
    for step in response.retries.history if response.retries else ():
        if step.redirect_location:
            url = urllib.parse.urljoin(url, step.redirect_location)
    return url


def _manager(proxy: str, context: ssl.SSLContext | None) -> urllib3.PoolManager:
    if proxy:
        # As pip does: a proxy is asked by HTTP unless its address says otherwise.
        address = proxy if "://" in proxy else f"http://{proxy}"
        try:
            credentials = urllib.parse.unquote(urllib3.util.parse_url(address).auth or "")
        except urllib3.exceptions.LocationParseError:
            raise FetchError("the proxy: its address cannot be parsed") from None
        headers = urllib3.make_headers(proxy_basic_auth=credentials) if credentials else None
        try:
            return urllib3.ProxyManager(
                address, maxsize=16, ssl_context=context, proxy_headers=headers
            )
        except urllib3.exceptions.ProxySchemeUnknown:
            scheme = address.partition("://")[0]
            raise FetchError(f"the proxy: its scheme {scheme[:20]!r} is not supported") from None
    return urllib3.PoolManager(maxsize=16, ssl_context=context)


def _context(ca: bytes, *, trusted: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if trusted:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca:
        with suppress(ssl.SSLError, ValueError):
            context.load_verify_locations(cadata=ca.decode("ascii", "ignore"))
    else:
        context.load_verify_locations(certifi.where())
    return context


def _scheme(url: str) -> str:
    """The scheme of *url*, empty where it is no address at all."""
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError:
        return ""
    return parts.scheme


def _pause(retry_after: str | None, attempt: int) -> float:
    if retry_after and re.fullmatch(r"\s*[0-9]{1,9}\s*", retry_after):
        return min(float(retry_after), _LONGEST_PAUSE)
    return 0.3 * 2.0**attempt


def _reason(error: Exception) -> str:
    cause: BaseException = error
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        cause = error.reason
    if isinstance(cause, urllib3.exceptions.ProxyError) and cause.original_error is not None:
        # Of a refused tunnel, the only error whose words are its reason.
        tunnel = re.search(r"Tunnel connection failed: (.{1,100})", str(cause.original_error))
        return f"the proxy: {tunnel[1] if tunnel else _reason(cause.original_error)}"
    # Both are kinds of time-outs in urllib3.
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return "the name of the host cannot be resolved"
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        refused = isinstance(cause.__cause__ or cause.__context__, ConnectionRefusedError)
        return "connection refused" if refused else "no connection can be made"
    if isinstance(cause, urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(cause, urllib3.exceptions.SSLError):
        return "its certificate is not accepted (pip's `cert` setting names a CA file)"
    if isinstance(cause, urllib3.exceptions.ResponseError):
        return "too many redirects"
    return type(cause).__name__
