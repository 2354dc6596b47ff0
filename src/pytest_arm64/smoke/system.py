"""Checks of packages for the system, and of those that speed up Python itself."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path
from typing import Any

from .case import smoke


@smoke("psutil", "psutil")
def psutil(psutil: Any) -> None:
    assert psutil.Process().pid == os.getpid()
    assert psutil.virtual_memory().total > 0
    assert psutil.disk_usage("/").total > 0


@smoke("watchfiles", "watchfiles")
def watchfiles(watchfiles: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        changes = watchfiles.watch(
            folder, force_polling=True, poll_delay_ms=20, rust_timeout=500, yield_on_timeout=True
        )
        assert next(changes) == set()
        Path(folder, "a").write_text("new", "utf-8")
        seen: Any = next(filter(None, itertools.islice(changes, 20)), ())
        assert "a" in {Path(path).name for _, path in seen}


@smoke("setproctitle", "setproctitle")
def setproctitle(titles: Any) -> None:
    before = titles.getproctitle()
    assert before
    titles.setproctitle(before)
    assert titles.getproctitle() == before


@smoke("coverage", "coverage.tracer")
def coverage(tracer: Any) -> None:
    assert tracer.CTracer().get_stats() is None


@smoke("wrapt", "wrapt")
def wrapt(wrapt: Any) -> None:
    @wrapt.decorator  # type: ignore[untyped-decorator]  # it may not be installed here
    def doubled(wrapped: Any, _: object, arguments: Any, options: Any) -> Any:
        return wrapped(*arguments, **options) * 2

    assert doubled(lambda value: value + 1)(20) == 42
    assert wrapt.ObjectProxy([1, 2]) == [1, 2]


@smoke("lazy-object-proxy", "lazy_object_proxy.cext")
def lazy_object_proxy(cext: Any) -> None:
    assert cext.Proxy(lambda: 41) + 1 == 42


@smoke("zope-interface", "zope.interface", "zope.interface._zope_interface_coptimizations")
def zope_interface(interface: Any, _: Any) -> None:
    wanted = interface.interface.InterfaceClass("IWanted", (interface.Interface,))
    provider = type("Provider", (), {})
    interface.classImplements(provider, wanted)
    assert wanted.providedBy(provider())
    assert not wanted.providedBy(object())


@smoke("immutables", "immutables._map")
def immutables(maps: Any) -> None:
    first = maps.Map(a=1)
    second = first.set("b", 2)
    assert (len(first), dict(second)) == (1, {"a": 1, "b": 2})


@smoke("bitarray", "bitarray")
def bitarray(bitarray: Any) -> None:
    bits = bitarray.bitarray("1011")
    assert (bits.count(), (bits & bitarray.bitarray("0110")).to01()) == (3, "0010")


@smoke("cytoolz", "cytoolz")
def cytoolz(cytoolz: Any) -> None:
    assert cytoolz.groupby(len, ["a", "bb", "c"]) == {1: ["a", "c"], 2: ["bb"]}
    assert list(cytoolz.sliding_window(2, [1, 2, 3])) == [(1, 2), (2, 3)]
