"""What of goldens, measurements, hot spots and cost is shown, and what is not."""

from __future__ import annotations

import time
from dataclasses import replace

from pytest_arm64.decide.evidence import ServiceEvidence
from pytest_arm64.inside.measure.record import OPEN, OVER, BudgetVerdict, Measured
from pytest_arm64.report.runtime_view import (
    cost_problem,
    cost_views,
    golden_views,
    hot_spots_view,
    subject_views,
)
from unit.decide import made
from unit.report.made_reports import ARM, EMULATED, X86, golden, measured, profile

MIB = 2**20


def service(
    *found: Measured, memory: int = 512 * MIB, bill: float | None = 180.0
) -> ServiceEvidence:
    return replace(made.service(), measured=found, memory=memory, monthly_cost=bill)


class TestGoldens:
    def test_the_tone_is_what_the_test_makes_of_it(self) -> None:
        values = (
            golden(),
            golden(label="within policy", ok=True),
            golden(label="image level", ok=True),
        )
        views = list(golden_views(replace(made.service(), goldens=values)))
        assert [view.tone for view in views] == ["bad", "dull", "warn"]
        assert views[0].where == "aarch64 EMULATED, core graviton2 (qemu neoverse-n1)"


class TestSubjects:
    def test_cells_stand_side_by_side_x86_first(self) -> None:
        (view,) = subject_views(
            service(measured(EMULATED, 0.14), measured(ARM, 0.01), measured(X86, 0.02))
        )
        assert [side.where[:14] for side in view.sides] == [
            "x86_64 native",
            "aarch64 native",
            "aarch64 EMULAT",
        ]
        assert [side.median for side in view.sides] == ["20.4 ms", "10.2 ms", "143 ms"]
        assert {side.allocations for side in view.sides} == {"131"}
        ratio, emulated = view.notes
        assert ratio.startswith("time on ARM in parts of that on x86: 0.500 (")
        assert emulated.endswith("emulated time says nothing; counts of allocations do")
        assert not view.over

    def test_long_samples_are_compared_in_no_time(self) -> None:
        wall = tuple(0.01 + n % 7 / 1000 for n in range(300))
        sides = [
            replace(one, records=(replace(one.records[0], wall=wall),))
            for one in (measured(X86, 0.01), measured(ARM, 0.01))
        ]
        begin = time.process_time()
        (view,) = subject_views(service(*sides))
        assert time.process_time() - begin < 2
        assert view.notes[0].endswith("no difference was detected")

    def test_emulated_time_is_compared_with_nothing(self) -> None:
        (view,) = subject_views(service(measured(EMULATED, 0.14), measured(X86, 0.02)))
        assert not any("in parts of" in note for note in view.notes)

    def test_a_disturbed_time_is_compared_with_nothing(self) -> None:
        found = (measured(X86, 0.02), measured(ARM, 0.01, disturbed="the clock jumped"))
        (view,) = subject_views(service(*found))
        assert view.notes == (
            "aarch64 native, core graviton3: the clock jumped: its times say nothing",
        )

    def test_a_budget_is_over_only_where_it_was_judged(self) -> None:
        over = BudgetVerdict("latency", 0.02, 0.024, OVER)
        open_ = BudgetVerdict("memory", 1e6, None, OPEN, "measures no memory")
        (view,) = subject_views(service(measured(ARM, 0.024, verdicts=(over, open_))))
        assert view.over
        assert view.notes[0].startswith("latency budget of 20 ms: over on aarch64 native")
        assert view.notes[1].startswith("memory budget of 1 MB: not evaluated on")
        (view,) = subject_views(service(measured(EMULATED, 0.024, verdicts=(open_,))))
        assert not view.over


class TestHotSpots:
    def test_functions_stand_side_by_side_the_costliest_first(self) -> None:
        profiles = (profile(EMULATED, "calls", 1, 8, 1), profile(X86, "samples", 6, 3, 1))
        view = hot_spots_view(replace(made.service(), profiles=profiles))
        assert view is not None
        assert view.counted == (False, True)
        assert view.cells[1].endswith("every call counted; shares are of stretched time")
        assert [(f.name, f.shares, f.calls) for f in view.functions] == [
            ("resize", (0.3, 0.8), ("", "400")),
            ("normalise", (0.6, 0.1), ("", "400")),
            ("decode", (0.1, 0.1), ("", "400")),
        ]

    def test_nothing_was_profiled(self) -> None:
        assert hot_spots_view(made.service()) is None


class TestCost:
    def test_native_times_on_both_sides_are_priced(self) -> None:
        found = service(measured(X86, 0.0995), measured(ARM, 0.0995))
        (view,) = cost_views(found)
        # 102 ms at half a GB: 51,000 GB-seconds a million calls, and 0.20 for the requests.
        assert (view.before, view.after) == ("$1.0500", "$0.8800")
        assert (view.change, view.month) == ("16.2 % less", "$29.14 of $180.00")
        assert "aarch64 native" in view.basis
        assert "512 MB on Lambda" in view.basis
        assert cost_problem(found, [view]) == ""

    def test_a_slower_arm_is_not_cheaper(self) -> None:
        (view,) = cost_views(service(measured(X86, 0.1), measured(ARM, 0.2)))
        assert view.change.endswith("% more")
        assert view.month.startswith("$-")

    def test_without_arm_the_equal_duration_is_told_as_an_assumption(self) -> None:
        (view,) = cost_views(service(measured(X86, 0.1), measured(EMULATED, 0.9)))
        assert view.basis.startswith("assumed: as long as on x86_64")

    def test_emulated_time_is_never_turned_into_money(self) -> None:
        found = service(measured(EMULATED, 0.9))
        assert list(cost_views(found)) == []
        assert cost_problem(found, ()) == "nothing was measured natively on x86"

    def test_nothing_is_guessed_without_a_memory_or_a_bill(self) -> None:
        found = service(measured(X86, 0.1), memory=0)
        assert list(cost_views(found)) == []
        assert cost_problem(found, ()) == "set `memory` to a Lambda memory size"
        (view,) = cost_views(service(measured(X86, 0.1), bill=None))
        assert view.month == ""
