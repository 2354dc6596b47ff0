"""Profiles that other tools have taken: perf's script and report, folded stacks, tables.

All charge as this package's own profiler does: what C functions take belongs to the Python function
that calls them, where the stack shows one (Python 3.12, ``python -X perf``); else to the symbol.
"""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from ..config.suggestions import file_suggestion
from ..errors import Arm64Error
from ..inside.measure.hotspots import Function, Spending, Spent
from ..inside.measure.profile_record import IMPORTED, Profile, profile_of
from ..inside.measure.record import printable
from ..inside.ran import Ran
from ..records import parse

MOST_BYTES = 1 << 30
_HEAD = 200
"""Lines by which a format is known."""
_LONGEST = 4096
"""Characters of a line; what is longer counts as another one."""
_SAMPLE = re.compile(
    r"^\S.*?\s+-?\d+(?:/\d+)?\s+(?:\[\d+\]\s+)?[\d.]+:\s+(?:(?P<period>\d+)\s+)?(?P<event>\S+):"
    r"(?:\s+(?P<frame>\S.*))?$"
)
_OBJECT = re.compile(r"\s\(([^()]+(?: \(deleted\))?)\)$")
_OFFSET = re.compile(r"\+0x[0-9a-f]+$")
_SHARE = re.compile(r"^\s+(\d+\.\d+)%")
_SYMBOL = re.compile(r"\s\[[.kguHc]\]\s+(?P<symbol>.+?)\s*$")
_FUNCTIONS = ("function", "functionname", "symbol", "name")
_WEIGHTS = (
    *("selfsamples", "self", "exclusive", "selfcycles", "selftime", "selfpercent"),
    *("samples", "cycles", "time", "overhead", "percent", "percentage", "share"),
)
_FILES = ("file", "sourcefile", "source", "module", "image", "library", "sharedobject", "dso")


_NEXT = "name profile.json of --arm64-report, or output of perf: perf script -i perf.data > FILE"


class ProfileError(Arm64Error):
    """A file holds no profile that can be read."""


def read_profiles(path: Path, name: str = "") -> list[Profile]:
    """The profiles of a file: all cells of a ``profile.json``, one of any other tool.

    Args:
        path: the file.
        name: what to call it, by default its name.

    Raises:
        ProfileError: it cannot be read, or nothing in it is known.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ProfileError(f"{path} is larger than {MOST_BYTES >> 20} MiB")
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = iter(lambda: file.readline(_LONGEST), "")
            head = list(islice(lines, _HEAD))
            if head and head[0].lstrip().startswith("{"):
                return _own("".join(chain(head, lines)), name)
            format_, reader = _known(head, path)
            spending = reader(line.rstrip() for line in chain(head, lines))
    except OSError as error:
        raise ProfileError(
            f"{path}: {error.strerror or error}{file_suggestion(path)}", next_step=_NEXT
        ) from None
    except (ValueError, csv.Error, OverflowError) as error:
        raise ProfileError(f"{path}: {error}", next_step=_NEXT) from None
    if not spending:
        raise ProfileError(
            f"{path} looks like {format_}, and no function was found in it",
            next_step="perf record -g python -X perf -m pytest …; perf script > FILE",
        )
    source = printable(f"{name or path.name}: told by {format_}")
    return [profile_of(spending, IMPORTED, Ran().place, os.getcwd(), source)]  # noqa: PTH109


def _own(text: str, name: str) -> list[Profile]:
    document = parse(text)
    entries = document.get("profiles") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ValueError("it is JSON but not a profile.json of --arm64-report")
    profiles = [Profile.from_json(entry) for entry in entries]
    return [profile.named(printable(name)) if name else profile for profile in profiles]


def _known(head: list[str], path: Path) -> tuple[str, Callable[[Iterable[str]], Spending]]:
    lines = [line.rstrip() for line in head if line.strip()]
    content = [line for line in lines if not line.startswith("#")]
    if any(_SAMPLE.match(line) for line in content):
        return "perf script", _script
    if any(line.startswith(("# Overhead", "# Children")) for line in lines):
        return "perf report", _report
    if content and all(map(_folds, content)) and any(";" in line for line in content):
        return "folded stacks", _folded
    # Before Python 3.11 csv has an error of its own for NUL.
    text = bool(content) and "\0" not in content[0]
    if text and _columns(next(csv.reader(content[:1]))) is not None:
        return "a table", _table
    raise ProfileError(
        f"{path} is not a profile in a known format",
        why="known are profile.json, perf script, perf report --stdio, folded stacks, and CSV with "
        "a column of functions and one of samples or shares",
        next_step="perf script -i perf.data > FILE",
    )


def _script(lines: Iterable[str]) -> Spending:
    """``perf script``: a line a sample, then its frames, the innermost first."""
    spending: Spending = {}
    only = ""
    for period, event, frames in _samples(lines):
        only = only or event
        if event == only:  # others would be counted in another unit
            _charge(spending, frames, float(period))
    return spending


def _samples(lines: Iterable[str]) -> Iterator[tuple[int, str, list[tuple[str, str]]]]:
    period, event = 0, ""
    frames: list[tuple[str, str]] = []
    for line in lines:
        sample = None if line[:1].isspace() else _SAMPLE.match(line)
        if sample is not None:
            if frames:
                yield period, event, frames
            frames = []
            period, event = int((sample["period"] or "1")[:18]), sample["event"]
        # Without call graphs the only frame stands behind the sample.
        text = line if sample is None else sample["frame"] or ""
        shared = _OBJECT.search(text)
        words = text[: shared.start()].split(maxsplit=1) if shared else []
        if shared is not None and len(words) == 2 and event:
            frames.append((_OFFSET.sub("", words[1]), shared[1]))
    if frames:
        yield period, event, frames


def _folded(lines: Iterable[str]) -> Spending:
    """``a;b;c 12``: the innermost last."""
    spending: Spending = {}
    for line in lines:
        if _folds(line):
            stack, _, count = line.rpartition(" ")
            frames = [(frame, "") for frame in reversed(stack.split(";"))]
            _charge(spending, frames, float(count))
    return spending


def _folds(line: str) -> bool:
    stack, _, count = line.rpartition(" ")
    return bool(stack) and count.isascii() and count.isdigit() and len(count) < 19


def _report(lines: Iterable[str]) -> Spending:
    """``perf report --stdio``: a line a symbol; call graphs below it are left out."""
    spending: Spending = {}
    tables, own = 0, 0
    for line in lines:
        if line.startswith("# Samples:"):
            tables += 1
        own = 1 if line.startswith("# Children") else 0 if line.startswith("# Overhead") else own
        shares, symbol = re.findall(r"(\d+\.\d+)%", line), _SYMBOL.search(line)
        if tables > 1 or not _SHARE.match(line) or symbol is None or len(shares) <= own:
            continue
        shared = line[: symbol.start()].split()[-1]
        _charge(spending, [(symbol["symbol"], shared)], float(shares[own]))
    return spending


def _table(lines: Iterable[str]) -> Spending:
    """CSV with heads, as profilers with a window export it."""
    rows = csv.reader(line for line in lines if not line.startswith("#"))
    columns = _columns(next(rows))
    spending: Spending = {}
    if columns is None:
        return spending
    function, weight, file = columns
    for row in rows:
        if max(function, weight, file or 0) < len(row):
            amount = _number(row[weight])
            if amount:
                _charge(spending, [(row[function], row[file] if file is not None else "")], amount)
    return spending


def _columns(heads: list[str]) -> tuple[int, int, int | None] | None:
    """Where the function, its own weight and its file stand."""
    plain = [re.sub(r"[^a-z]", "", head.lower().replace("%", "percent")) for head in heads]

    def first(names: Iterable[str]) -> int | None:
        return next((plain.index(name) for name in names if name in plain), None)

    function, weight = first(_FUNCTIONS), first(_WEIGHTS)
    return None if function is None or weight is None else (function, weight, first(_FILES))


def _number(text: str) -> float:
    try:
        value = float(text.strip().rstrip("%").replace(",", ""))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0


def _charge(spending: Spending, frames: list[tuple[str, str]], amount: float) -> None:
    """Charge the innermost Python function of a stack, or its innermost symbol."""
    for symbol, _ in frames:
        if symbol.startswith("py::"):
            name, _, file = symbol[len("py::") :].partition(":")
            function = Function(file, 0, name.rpartition(".")[2])
            break
    else:
        symbol, shared = frames[0]
        function = Function(shared.rpartition("/")[2], 0, symbol)
    printed = Function(printable(function.file), 0, printable(function.name))
    spending.setdefault(printed, Spent()).add(amount, None)
