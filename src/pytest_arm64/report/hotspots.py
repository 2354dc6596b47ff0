"""The table of hot spots: the costliest functions, cells side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..inside.measure.hotspots import CALLS, Function
from ..inside.measure.profile_record import IMPORTED, Profile

SHOWN = 12
_LEAST = 0.01
"""Share below which a function is not worth a line."""


def hotspot_lines(profiles: Sequence[Profile]) -> Iterator[str]:
    """Shares and calls of the costliest functions of any cell, and what moved between two."""
    for number, profile in enumerate(profiles, 1):
        how = "sampled by processor time"
        if profile.tool == CALLS:
            how = "every call counted; the shares are of stretched time, and prove nothing"
        elif profile.tool == IMPORTED:
            how = "shares of its samples"
        yield f"arm64 profile: [{number}] {profile.source or profile.where}: {how}"
    rows = [_heads(profiles)]
    rows += [_row(function, profiles) for function in _costliest(profiles)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = "  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True))
        yield f"  {cells[: len(cells) - widths[-1]]}{row[-1]}"


def _costliest(profiles: Sequence[Profile]) -> list[Function]:
    functions = {function for profile in profiles for function in profile.functions}

    def most(function: Function) -> float:
        return max(profile.share(function) for profile in profiles)

    ordered = sorted(
        functions, key=lambda function: (-most(function), function.file, function.line)
    )
    return [function for function in ordered[:SHOWN] if most(function) >= _LEAST]


def _heads(profiles: Sequence[Profile]) -> list[str]:
    heads = []
    for number, profile in enumerate(profiles, 1):
        heads.append(f"[{number}] share")
        if profile.tool == CALLS:
            heads.append(f"[{number}] calls")
    return [*heads, *(["moved"] if len(profiles) == 2 else []), "function"]


def _row(function: Function, profiles: Sequence[Profile]) -> list[str]:
    cells = []
    for profile in profiles:
        spent = profile.functions.get(function)
        cells.append(f"{profile.share(function):.1%}")
        if profile.tool == CALLS:
            cells.append(f"{spent.calls:,}" if spent and spent.calls is not None else "-")
    if len(profiles) == 2:
        first, second = (profile.share(function) for profile in profiles)
        cells.append(f"{(second - first) * 100:+.1f}")
    place = f"{function.file}:{function.line}" if function.line else function.file
    return [*cells, f"{place} {function.name}".lstrip()]
