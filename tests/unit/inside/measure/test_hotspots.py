"""Hot spots: by a clock that is played, on real functions, and back from a file."""

from __future__ import annotations

import json
import signal
import sys
import time
import timeit
from types import FrameType
from typing import Any

import pytest
from hypothesis import given

from pytest_arm64.inside.measure.hotspots import (
    CALLS,
    INTERVAL,
    SAMPLES,
    Counter,
    Function,
    Sampler,
    Spending,
    Spent,
    charged,
    profiler,
)
from pytest_arm64.inside.measure.profile_record import Profile, merged, profile_of
from pytest_arm64.inside.ran import Ran
from pytest_arm64.report.hotspots import hotspot_lines
from unit.support import JSON

NATIVE = Ran("aarch64", "Neoverse-N1", emulated=False, stand_in=False)
EMULATED = Ran("aarch64", "graviton2", emulated=True, stand_in=False)
X86 = Ran("x86_64", "", emulated=False, stand_in=False)


def here() -> FrameType:
    return sys._getframe(1)


def hot(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))


def named(spending: Spending) -> dict[str, Spent]:
    return {function.name: spent for function, spent in spending.items()}


def test_a_delayed_signal_is_charged_with_all_that_passed() -> None:
    """A C call of a second merges a hundred signals into one, which comes when it returns."""
    times = iter([0.0, 0.01, 1.01])
    sampler = Sampler(clock=lambda: next(times))
    sampler._last = next(times)

    def short() -> None:
        sampler.tick(signal.SIGPROF, here())

    def long() -> None:
        sampler.tick(signal.SIGPROF, here())

    short()
    long()
    spent = named(sampler.spending())
    assert spent["short"].seconds == pytest.approx(0.01)
    assert spent["long"].seconds == pytest.approx(1.0)
    assert spent["long"].calls is None


def test_the_sampler_finds_the_hot_function_and_lets_go_of_the_timer() -> None:
    sampler = Sampler()
    sampler.start()
    hot(0.3)
    sampler.stop()
    assert signal.getsignal(signal.SIGPROF) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0
    spent = named(sampler.spending())
    assert spent["hot"].seconds > 0.8 * sum(one.seconds for one in spent.values())
    assert 0.2 < spent["hot"].seconds < 0.4


def test_a_look_takes_far_less_than_a_fiftieth_of_its_interval() -> None:
    """The stated overhead is under 2 %; this is what each look adds, the signal left out."""
    sampler, frame = Sampler(), here()
    looks = timeit.repeat(lambda: sampler.tick(signal.SIGPROF, frame), number=100, repeat=20)
    assert min(looks) / 100 < 0.02 * INTERVAL


def test_a_timer_that_is_taken_is_left_alone() -> None:
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    try:
        with pytest.raises(ValueError, match="SIGPROF"):
            Sampler().start()
        assert signal.getsignal(signal.SIGPROF) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)


def test_calls_are_counted_and_c_functions_charged_to_their_caller() -> None:
    counter = Counter()
    counter.start()
    for _ in range(7):
        hot(0.01)
    counter.stop()
    spent = named(counter.spending())
    assert spent["hot"].calls == 7
    assert spent["hot"].seconds > 0.05
    assert not any(name.startswith("<built-in") for name in spent)
    assert Counter().spending() == {}


def test_who_pauses_profiling_can_put_it_back() -> None:
    """As pytest-benchmark and memray do, with what `sys.getprofile` gave."""
    counter = Counter()
    counter.start()
    found = sys.getprofile()
    sys.setprofile(None)
    sys.setprofile(found)
    hot(0.01)
    hot(0.01)
    counter.stop()
    assert sys.getprofile() is None
    assert named(counter.spending())["hot"].calls in (1, 2)  # the call that resumes may be lost


def test_charging_is_exact() -> None:
    main, c = ("a.py", 1, "main"), ("~", 0, "<built-in sum>")
    stats = {
        main: (1, 1, 2.0, 5.0, {}),
        c: (3, 3, 3.0, 3.0, {main: (2, 2, 2.5, 2.5), ("b.py", 4, "other"): (1, 1, 0.5, 0.5)}),
    }
    assert charged(stats) == {
        Function("a.py", 1, "main"): Spent(4.5, 1),
        Function("b.py", 4, "other"): Spent(0.5, 0),
    }


def test_which_tool_where() -> None:
    assert profiler(emulated=True).tool == CALLS
    assert profiler(emulated=False).tool == SAMPLES


def profile(where: Ran, tool: str, *functions: tuple[str, float, int | None]) -> Profile:
    spending = {Function(f"/p/{n}.py", 3, n): Spent(s, calls) for n, s, calls in functions}
    return profile_of(spending, tool, where, "/p")


def test_there_and_back() -> None:
    one = profile(EMULATED, CALLS, ("loops", 6.5, 40), ("infer", 3.5, 100))
    assert Profile.decode(json.dumps(one.to_json())) == one
    assert one.share(Function("loops.py", 3, "loops")) == pytest.approx(0.65)


def test_processes_of_a_cell_are_added() -> None:
    one = profile(EMULATED, CALLS, ("loops", 1.0, 40))
    other = profile(EMULATED, CALLS, ("loops", 2.0, 2), ("infer", 1.0, 1))
    (both,) = merged([one, other])
    assert both.seconds == 4
    assert both.functions[Function("loops.py", 3, "loops")] == Spent(3.0, 42)
    assert len(merged([one, profile(X86, SAMPLES, ("loops", 1.0, None))])) == 2


def test_a_table_of_two_cells() -> None:
    cells = [
        profile(X86, SAMPLES, ("loops", 28.0, None), ("infer", 72.0, None)),
        profile(EMULATED, CALLS, ("loops", 65.0, 1234), ("infer", 35.0, 100), ("rare", 0.1, 1)),
    ]
    lines = list(hotspot_lines(cells))
    assert lines[0] == "arm64 profile: [1] x86_64 native: sampled by processor time"
    assert "EMULATED" in lines[1]
    assert "prove nothing" in lines[1]
    assert [line.split() for line in lines[2:]] == [
        ["[1]", "share", "[2]", "share", "[2]", "calls", "moved", "function"],
        ["72.0%", "35.0%", "100", "-37.0", "infer.py:3", "infer"],
        ["28.0%", "64.9%", "1,234", "+36.9", "loops.py:3", "loops"],
    ]


def test_files_of_packages_are_named_from_their_site_directory() -> None:
    spending = {Function("/opt/env/lib/python3.12/site-packages/numpy/a.py", 1, "f"): Spent(1.0)}
    (function,) = profile_of(spending, SAMPLES, NATIVE, "/p").functions
    assert function.file == "numpy/a.py"


@given(JSON)
def test_anything_else_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="profile"):
        Profile.from_json(document)


@given(JSON)
def test_strange_functions_are_refused(entry: Any) -> None:
    document = {**profile(X86, SAMPLES).to_json(), "functions": [entry]}
    with pytest.raises(ValueError, match="profile"):
        Profile.from_json(document)
