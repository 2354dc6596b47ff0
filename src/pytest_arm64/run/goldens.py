"""Values that a silent cell has recorded: taken from its results, given on, moved into place."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from ..errors import Arm64Error
from ..inside.golden.check import RECORDED, REFERENCE
from ..inside.golden.leaves import compare
from ..inside.golden.policy import Policy
from ..inside.golden.store import (
    FOLDER,
    PROVENANCE,
    STAGED,
    Golden,
    GoldenError,
    encode,
    name_of,
    provenance_key,
    read_file,
    write,
    write_all,
)


@dataclass(frozen=True)
class Recorded:
    """The values of one test, as a cell has computed them."""

    folder: Path
    """Where its golden belongs, as the cell sees it."""
    golden: Golden

    @property
    def key(self) -> tuple[Path, str]:
        return self.folder, self.golden.test


def recorded(out: Path) -> tuple[Recorded, ...]:
    """What was recorded below *out*, a cell's results; tests may have written anything there.

    Raises:
        GoldenError: a file is not what the fixture writes.
    """
    base = out / RECORDED
    values = []
    for path in sorted(base.rglob("*.json")):
        if path.name.endswith(f".{PROVENANCE}"):
            continue
        about = path.with_name(f"{path.stem}.{PROVENANCE}")
        try:
            provenance = json.loads(about.read_bytes())
        except (OSError, ValueError) as error:
            raise GoldenError(f"{about}: {error}") from None
        if not isinstance(provenance, dict):
            raise GoldenError(f"{about} holds no object")
        golden = read_file(path, {provenance_key(provenance): provenance})
        folder = Path(os.sep, path.parent.relative_to(base))
        if golden is None or path.stem != name_of(golden.test) or folder.parent.name != FOLDER:
            raise GoldenError(f"{path} is not where its test belongs")
        values.append(Recorded(folder, golden))
    return tuple(values)


def as_reference(values: Sequence[Recorded]) -> dict[str, bytes]:
    """Files by name below ``$PYTEST_ARM64_OUT``, which the mirrored cell compares with."""
    files = {f"{REFERENCE}/.here": b""}
    runs: dict[Path, dict[str, object]] = {}
    for entry in values:
        key = provenance_key(entry.golden.provenance)
        runs.setdefault(entry.folder, {})[key] = dict(entry.golden.provenance)
        name = f"{REFERENCE}{entry.folder}/{name_of(entry.golden.test)}"
        files |= {name + ending: data for ending, data in encode(entry.golden, key).items()}
    for folder, provenances in runs.items():
        files[f"{REFERENCE}{folder}/{PROVENANCE}"] = _provenance_file(provenances)
    return files


def with_noise(values: Sequence[Recorded], control: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """*values*, with what moved on x86 itself in the *control* run."""
    others = {entry.key: entry.golden for entry in control}
    noisy = []
    for entry in values:
        other = others.get(entry.key)
        named = dict(entry.golden.values)
        for name, value in named.items() if other is not None else ():
            if other is not None and name in other.values:
                moved = compare(name, value.value, other.values[name].value, Policy())
                noise = {leaf.path: leaf.scaled for leaf in moved.leaves if leaf.scaled}
                named[name] = replace(value, noise=noise)
        noisy.append(replace(entry, golden=replace(entry.golden, values=named)))
    return tuple(noisy)


@dataclass(frozen=True)
class Settled:
    """What a recording has come to, in tests."""

    written: int
    unchanged: int


def settle(values: Sequence[Recorded], root: Path, commit: str) -> Settled:
    """Move goldens into place; a test whose values are what they were keeps its files.

    Args:
        values: what was recorded, all of it read and checked already.
        root: repository root; nothing is written outside of it.
        commit: what was recorded, empty where nobody knows.

    Raises:
        GoldenError: a golden would lie outside of *root*.
    """
    root = root.resolve()
    for entry in values:
        if not entry.folder.resolve().is_relative_to(root):
            raise GoldenError(
                f"a golden would be written to {entry.folder}, outside of {root}",
                next_step="record tests that lie in the repository",
            )
    stamp = {
        "commit": commit,
        "recorded": datetime.now(timezone.utc).date().isoformat(),
    }
    changed = [entry for entry in values if not _same(entry)]
    files: dict[Path, bytes] = {}
    gone: list[Path] = []
    folders = list(dict.fromkeys(entry.folder for entry in changed))
    for folder in folders:
        mine = [entry for entry in changed if entry.folder == folder]
        runs = _runs(folder)
        for entry in mine:
            runs.setdefault(
                provenance_key(entry.golden.provenance), {**entry.golden.provenance, **stamp}
            )
        # First, for no golden may name a provenance that is not there.
        if runs != _runs(folder):
            files[folder / PROVENANCE] = _provenance_file(runs)
        for entry in mine:
            path = folder / name_of(entry.golden.test)
            encoded = encode(entry.golden, provenance_key(entry.golden.provenance))
            for ending in (".npz", ".json"):
                whole = path.with_name(path.name + ending)
                if ending in encoded:
                    files[whole] = encoded[ending]
                else:
                    gone.append(whole)
    write_all(files)
    for path in gone:
        path.unlink(missing_ok=True)
    for folder in folders:
        _drop_unused(folder)
    return Settled(written=len(changed), unchanged=len(values) - len(changed))


def _same(entry: Recorded) -> bool:
    try:
        before = read_file(entry.folder / f"{name_of(entry.golden.test)}.json")
    except Arm64Error:
        return False  # damaged: what is recorded now takes its place
    return (
        before is not None and before.test == entry.golden.test and before.same_values(entry.golden)
    )


def _runs(folder: Path) -> dict[str, object]:
    try:
        runs = json.loads((folder / PROVENANCE).read_bytes())["runs"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return runs if isinstance(runs, dict) else {}


def _provenance_file(runs: Mapping[str, object]) -> bytes:
    return (json.dumps({"format": 1, "runs": runs}, indent=1, sort_keys=True) + "\n").encode()


def _drop_unused(folder: Path) -> None:
    """Forget what no golden of *folder* names any more, and what a killed recording has left."""
    for path in folder.glob(f"*{STAGED}"):
        path.unlink(missing_ok=True)
    used = set()
    for path in folder.glob("*.json"):
        try:
            used.add(json.loads(path.read_bytes()).get("provenance"))
        except (OSError, ValueError, AttributeError):
            return  # something is damaged: nothing is forgotten on its behalf
    runs = {key: run for key, run in _runs(folder).items() if key in used}
    _write_changed(folder / PROVENANCE, _provenance_file(runs))


def _write_changed(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        write(path, content)
