"""``arm64_matrix`` as tests see it: rows by package name, from the host's JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import TypedDict

from .counted import counted

RowData = Mapping[str, object]


class MatrixData(TypedDict):
    """A wheel matrix as the host's JSON has it."""

    service: str
    target: str
    complete: bool
    ready: bool
    problems: list[str]
    packages: list[RowData]


class Rows(Mapping[str, SimpleNamespace]):
    """Rows of a wheel matrix by the package's normalised name; attributes as in its JSON.

    ``service``, ``target``, ``complete`` and ``ready`` are of the matrix as a whole.
    """

    def __init__(self, data: MatrixData) -> None:
        self.service: str = data["service"]
        self.target: str = data["target"]
        self.complete: bool = data["complete"]
        self.ready: bool = data["ready"]
        self.problems: tuple[str, ...] = tuple(data["problems"])
        # Deployed rows go before those of the tests and builds.
        self._rows = {str(row["name"]): _row(row) for row in reversed(_ordered(data["packages"]))}

    def __getitem__(self, name: str) -> SimpleNamespace:
        normal = "-".join(filter(None, name.lower().replace("_", "-").replace(".", "-").split("-")))
        return self._rows[normal]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._rows))

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return (
            f"<wheel matrix of {self.service} for {self.target}: {counted(len(self), 'package')}>"
        )


def _ordered(rows: list[RowData]) -> list[RowData]:
    return sorted(rows, key=lambda row: ("deploy", "test", "build").index(str(row["scope"])))


def _row(data: RowData) -> SimpleNamespace:
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    remedy = data.get("remedy")
    if isinstance(remedy, dict):
        values["remedy"] = SimpleNamespace(**remedy)
    return SimpleNamespace(**values)
