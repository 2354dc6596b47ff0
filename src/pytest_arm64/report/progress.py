"""Progress on the terminal: a live bar where there is one, a line per step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from .matrix_output import printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from ..progress import Step


class _Bar:
    def __init__(self, progress: RichProgress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def update(self, text: str = "", fraction: float | None = None) -> None:
        self._progress.update(self._task, detail=text[:60], completed=fraction, refresh=False)
        if fraction is not None:
            self._progress.update(self._task, total=1.0)

    def say(self, text: str) -> None:
        self._progress.console.print(_line(text), markup=False, soft_wrap=True)


class _Quiet:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def update(self, text: str = "", fraction: float | None = None) -> None:
        pass

    def say(self, text: str) -> None:
        print(_line(text), file=self._stream, flush=True)


def _line(text: str) -> str:
    return f"arm64: {printable(text)}"


class TerminalProgress:
    """Steps on *stream*; a finished step leaves one line with its seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        title = printable(title)
        console = Console(file=self._stream, highlight=False)
        began = time.monotonic()
        if console.is_terminal:
            columns = (
                SpinnerColumn(),
                TextColumn("arm64: {task.description}", markup=False),
                BarColumn(bar_width=20),
                TimeElapsedColumn(),
                TextColumn("{task.fields[detail]}", style="dim", markup=False),
            )
            with Progress(*columns, console=console, transient=True) as progress:
                yield _Bar(progress, progress.add_task(title, total=None, detail=""))
        else:
            print(f"arm64: {title} ...", file=self._stream, flush=True)
            yield _Quiet(self._stream)
        seconds = time.monotonic() - began
        print(f"arm64: {title}: {seconds:.1f} s", file=self._stream, flush=True)
