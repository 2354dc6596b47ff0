"""Checks of packages for networks and event loops."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .case import smoke

MASK = b"\0\1\2\3"


@smoke("aiohttp", "aiohttp.http_parser", "aiohttp.base_protocol")
def aiohttp(parsers: Any, protocols: Any) -> None:
    assert parsers.HttpRequestParser.__module__ == "aiohttp._http_parser"
    loop = asyncio.new_event_loop()
    try:
        parser = parsers.HttpRequestParser(protocols.BaseProtocol(loop), loop, 2**16)
        ((message, _),) = parser.feed_data(b"GET /a?b=1 HTTP/1.1\r\nHost: x\r\n\r\n")[0]
    finally:
        loop.close()
    assert (message.method, message.path, message.headers["host"]) == ("GET", "/a?b=1", "x")


@smoke("multidict", "multidict")
def multidict(multidict: Any) -> None:
    assert multidict.MultiDict.__module__ in ("multidict._multidict", "multidict")
    values = multidict.CIMultiDict([("A", "1"), ("a", "2")])
    assert values.getall("a") == ["1", "2"]


@smoke("yarl", "yarl._quoting_c", "yarl")
def yarl(quoting: Any, yarl: Any) -> None:
    assert quoting._Quoter()("a bä") == "a%20b%C3%A4"
    assert yarl.URL("http://a/b") / "c" == yarl.URL("http://a/b/c")


@smoke("frozenlist", "frozenlist._frozenlist")
def frozenlist(frozenlist: Any) -> None:
    values = frozenlist.FrozenList([1, 2])
    values.append(3)
    values.freeze()
    assert (list(values), values.frozen) == ([1, 2, 3], True)


@smoke("propcache", "propcache._helpers_c")
def propcache(helpers: Any) -> None:
    class Counted:
        calls = 0

        @helpers.cached_property  # type: ignore[untyped-decorator]  # compiled, without types
        def value(self) -> int:
            self.calls += 1
            return 42

    counted = Counted()
    assert (counted.value, counted.value, counted.calls) == (42, 42, 1)


@smoke("httptools", "httptools")
def httptools(httptools: Any) -> None:
    url = httptools.parse_url(b"http://host:8080/path?q=1")
    assert (url.host, url.port, url.path, url.query) == (b"host", 8080, b"/path", b"q=1")


@smoke("uvloop", "uvloop")
def uvloop(uvloop: Any) -> None:
    async def late() -> int:
        await asyncio.sleep(0.001)
        return 42

    loop = uvloop.new_event_loop()
    try:
        assert loop.run_until_complete(late()) == 42
    finally:
        loop.close()


@smoke("websockets", "websockets.speedups")
def websockets(speedups: Any) -> None:
    assert speedups.apply_mask(b"abad", MASK) == b"accg"


@smoke("tornado", "tornado.speedups")
def tornado(speedups: Any) -> None:
    assert speedups.websocket_mask(MASK, b"abad") == b"accg"


@smoke("greenlet", "greenlet")
def greenlet(greenlet: Any) -> None:
    main = greenlet.getcurrent()
    seen: list[str] = []

    def other(first: str) -> None:
        seen.append(first)
        seen.append(main.switch("to main"))

    switched = greenlet.greenlet(other)
    seen.append(switched.switch("first"))
    switched.switch("second")
    assert (seen, switched.dead) == (["first", "to main", "second"], True)


@smoke("gevent", "gevent")
def gevent(gevent: Any) -> None:
    jobs = [gevent.spawn(lambda n=n: (gevent.sleep(0), n * n)[1]) for n in range(4)]
    gevent.joinall(jobs, timeout=10)
    assert [job.value for job in jobs] == [0, 1, 4, 9]


@smoke("hiredis", "hiredis")
def hiredis(hiredis: Any) -> None:
    reader = hiredis.Reader()
    reader.feed(b"*2\r\n:1\r\n$1\r\na\r\n")
    assert reader.gets() == [1, b"a"]


@smoke("pyzmq", "zmq")
def pyzmq(zmq: Any) -> None:
    with zmq.Context() as context, context.socket(zmq.PAIR) as one, context.socket(zmq.PAIR) as two:
        one.bind("inproc://smoke")
        two.connect("inproc://smoke")
        one.send(b"abc")
        assert two.poll(5000)
        assert two.recv() == b"abc"


@smoke("grpcio", "grpc")
def grpcio(grpc: Any) -> None:
    def reverse(request: bytes, _: object) -> bytes:
        return request[::-1]

    handler = grpc.method_handlers_generic_handler(
        "smoke", {"Reverse": grpc.unary_unary_rpc_method_handler(reverse)}
    )
    server = grpc.server(ThreadPoolExecutor(1), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert channel.unary_unary("/smoke/Reverse")(b"abc", timeout=20) == b"cba"
    finally:
        server.stop(None)
