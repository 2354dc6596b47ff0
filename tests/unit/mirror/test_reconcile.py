"""The ledger: what must not count as passed, and what may."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.mirror.reconcile import Ledger

IDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)


def ended(collected: list[str], finished: list[str], status: int) -> Ledger:
    return Ledger(
        collected=Counter(collected),
        finished=Counter(finished),
        status=status,
        changed=status,
        exit_code=status,
        complete=True,
    )


@given(IDS, IDS)
def test_multisets_not_counts(collected: list[str], finished: list[str]) -> None:
    ledger = ended(collected, finished, 0 if finished else 5)
    assert bool(ledger.problems()) == (Counter(collected) != Counter(finished))


@pytest.mark.parametrize("reason", ["Failed", "Exit"])
def test_its_own_reason_excuses_what_is_missing(reason: str) -> None:
    ledger = ended(["a", "b"], ["a"], 1)
    assert ledger.problems()
    ledger.reason = reason
    assert not ledger.problems()


def test_a_session_that_only_collects_finishes_nothing() -> None:
    ledger = ended(["a"], [], 0)
    ledger.collect_only = True
    assert not ledger.problems()


def test_a_status_that_a_hook_has_changed_is_the_last_word() -> None:
    ledger = ended(["a"], ["a"], 1)
    ledger.failures, ledger.changed, ledger.exit_code = 1, 0, 0
    assert not ledger.problems()
    assert ledger.final == 0


@pytest.mark.parametrize("exit_code", [None, 1, 3, 139])
def test_a_process_that_ends_otherwise_than_said(exit_code: int | None) -> None:
    ledger = ended(["a"], ["a"], 0)
    ledger.exit_code = exit_code
    assert bool(ledger.problems()) == (exit_code is not None)


def test_silence_is_no_success() -> None:
    assert Ledger().problems()
