"""A death in words, and what of the last output is shown when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.engine.emulation import EXTENSIONS, lacking
from pytest_arm64.mirror.deaths import KEPT, Ground, LastWords
from pytest_arm64.mirror.task import End

STACK = b"""Fatal Python error: Segmentation fault

Current thread 0x0000ffff (most recent call first):
  File "/project/test_it.py", line 3 in test_it
  File "/opt/site-packages/_pytest/python.py", line 187 in pytest_pyfunc_call
  File "/opt/site-packages/pluggy/_callers.py", line 121 in _multicall
  File "/project/conftest.py", line 9 in pytest_runtest_call
  File "/opt/site-packages/pluggy/_callers.py", line 121 in _multicall
"""


class TestCause:
    GROUND = Ground("aarch64, emulated, graviton2", "graviton2 has no SVE", 5.0)

    def test_signal(self) -> None:
        assert self.GROUND.cause(End(139)) == (
            "killed by SIGSEGV (exit code 139) (aarch64, emulated, graviton2)"
        )

    def test_illegal_instruction(self) -> None:
        assert self.GROUND.cause(End(132)).endswith("does not have: graviton2 has no SVE")
        assert "does not have" not in Ground("here").cause(End(132))
        assert "does not have" not in self.GROUND.cause(End(139))

    def test_bus_error(self) -> None:
        ground = Ground("here", shm_size=64 << 20)
        assert "/dev/shm is full: it has 64 MB" in ground.cause(End(135))
        assert "--arm64-shm-size" in ground.cause(End(135))
        assert "/dev/shm" not in ground.cause(End(139))
        assert "/dev/shm" not in Ground("here").cause(End(135))

    def test_hang(self) -> None:
        told = "it took longer than --arm64-timeout allows, 5 s"
        assert self.GROUND.cause(End(1), "Timeout (0:00:05)!\n").startswith(told)
        assert self.GROUND.cause(End(-9, overdue=True)).startswith(told)
        assert self.GROUND.cause(End(1), "no word of it").startswith("exit code 1")
        assert Ground("here").cause(End(1), "Timeout (0:00:05)!").startswith("exit code 1")

    def test_what_the_place_knows(self) -> None:
        assert self.GROUND.cause(End(137, "out of memory")).endswith("\nout of memory")


class TestLastWords:
    def test_a_stack_is_held_back_and_told_without_the_runner(self) -> None:
        words = LastWords()
        assert words.add(b"printed\n") == b"printed\n"
        assert words.add(b"more\n" + STACK) == b"more\n"
        assert words.add(b"qemu: uncaught target signal 11\n") == b""
        lines = words.text.splitlines()
        assert lines[:3] == ["printed", "more", "Fatal Python error: Segmentation fault"]
        assert '  File "/project/test_it.py", line 3 in test_it' in lines
        assert lines.count("  … 2 frames of the test runner") == 1
        assert lines[-2:] == ["  … 1 frames of the test runner", "qemu: uncaught target signal 11"]
        assert "_pytest" not in words.text

    def test_what_was_shown_is_repeated_briefly_and_what_was_held_back_in_full(self) -> None:
        words = LastWords()
        words.add(b"".join(b"line %d\n" % number for number in range(9)))
        assert words.brief.splitlines() == ["line 6", "line 7", "line 8"]
        words.add(STACK)
        assert words.brief.splitlines()[:4] == ["line 6", "line 7", "line 8", STACK[:38].decode()]
        assert '  File "/project/test_it.py", line 3 in test_it' in words.brief

    def test_what_goes_on_is_shown_after_all(self) -> None:
        words = LastWords()
        words.add(STACK)
        assert words.release() == STACK
        assert words.release() == b""

    def test_a_flood_after_it_is_shown(self) -> None:
        words = LastWords()
        words.add(b"Fatal Python error: x\n")
        assert len(words.add(b"y" * 100_000)) > 100_000

    def test_of_one_worker_among_others(self) -> None:
        words = LastWords()
        words.add(b"of another\n" + STACK)
        words.release()
        assert words.of_worker(End(3)) == ""
        assert words.of_worker(End(-9)) == ""
        assert words.of_worker(End(-11)).startswith("Fatal Python error: Segmentation fault")
        assert words.of_worker(End(-11)) == ""

    @given(st.lists(st.binary(max_size=40) | st.just(STACK), max_size=12))
    def test_nothing_is_lost_and_little_is_kept(self, pieces: list[bytes]) -> None:
        words = LastWords()
        shown = b"".join(words.add(piece) for piece in pieces) + words.release()
        assert shown == b"".join(pieces)
        assert len(words.text) <= 2 * KEPT


def test_what_each_core_lacks() -> None:
    assert lacking("graviton2").startswith("graviton2 has no SVE, BF16, I8MM")
    assert "SVE2" in lacking("graviton2")
    assert "no SVE2" in lacking("graviton3")
    assert "graviton2" not in lacking("graviton3")
    assert "newest" in lacking("graviton5")
    assert list(EXTENSIONS) == ["graviton2", "graviton3", "graviton4", "graviton5"]


@pytest.mark.parametrize("code", [-11, 139])
def test_a_signal_by_parent_and_by_runtime(code: int) -> None:
    assert End(code).signal == "SIGSEGV"
