"""Values that a silent cell has recorded: taken from its results, given on, moved into place."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from ..errors import Arm64Error
from ..inside.golden.check import ENDED, RECORDED, REFERENCE
from ..inside.golden.store import (
    FOLDER,
    PROVENANCE,
    Golden,
    GoldenError,
    encode,
    name_of,
    provenance_key,
    read_bounded,
    read_file,
)
from ..open_folder import STAGED, OpenFolder, write_all
from .mounts import protected_paths


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
            provenance = json.loads(read_bounded(about))
        except (OSError, ValueError, RecursionError) as error:
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


def as_ended(texts: Mapping[str, str]) -> dict[str, bytes]:
    """The file that says in a cell how tests, by node id, ended on x86."""
    return {ENDED: json.dumps(dict(texts)).encode()}


def with_noise(values: Sequence[Recorded], control: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """*values*, with what moved on x86 itself in the *control* run, which was compared inside."""
    others = {entry.key: entry.golden.values for entry in control}
    noisy = []
    for entry in values:
        moved = others.get(entry.key, {})
        named = {
            name: replace(value, noise=moved[name].noise) if name in moved else value
            for name, value in entry.golden.values.items()
        }
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
        GoldenError: a golden would lie outside of *root*, or where tests cannot write.
    """
    root = root.resolve()
    places = {entry.folder: entry.folder.resolve() for entry in values}
    protected = protected_paths(root, os.environ)
    for folder, place in places.items():
        if not place.is_relative_to(root):
            raise GoldenError(
                f"a golden would be written to {folder}, outside of {root}",
                next_step="record tests that lie in the repository",
            )
        if any(path in (place, *place.parents) for path in protected):
            raise GoldenError(
                f"a golden would be written to {place}, where tests cannot write",
                next_step=f"remove the link that leads there from {folder}",
            )
    stamp = {
        "commit": commit,
        "recorded": datetime.now(timezone.utc).date().isoformat(),
    }
    changed = [entry for entry in values if not _same(entry)]
    try:
        _write(root, places, changed, stamp)
    except OSError as error:
        raise GoldenError(
            f"the goldens below {root} cannot be written: {error.strerror or error}",
            why="each is as it was before or as it was recorded now",
            next_step="look for a full disk, for links and for files that are not yours",
        ) from error
    return Settled(written=len(changed), unchanged=len(values) - len(changed))


def _write(
    root: Path,
    places: Mapping[Path, Path],
    changed: Sequence[Recorded],
    stamp: Mapping[str, str],
) -> None:
    """Put the *changed* goldens into their *places* below *root*."""
    with contextlib.ExitStack() as stack:
        opened = {
            folder: stack.enter_context(OpenFolder.below(root, places[folder]))
            for folder in dict.fromkeys(entry.folder for entry in changed)
        }
        write_all(_files(opened, changed, stamp))
        for entry in changed:
            # The first file after the blobs, and an earlier value may have had some.
            if not entry.golden.has_blobs:
                opened[entry.folder].remove(f"{name_of(entry.golden.test)}.npz")
        for folder in opened.values():
            _drop_unused(folder)


def _files(
    opened: Mapping[Path, OpenFolder], changed: Sequence[Recorded], stamp: Mapping[str, str]
) -> Iterator[tuple[OpenFolder, str, bytes]]:
    """What is to be written: of each folder first what says where its values come from."""
    for place, folder in opened.items():
        mine = [entry.golden for entry in changed if entry.folder == place]
        runs = _runs(folder.path)
        for golden in mine:
            runs.setdefault(provenance_key(golden.provenance), {**golden.provenance, **stamp})
        # First, for no golden may name a provenance that is not there.
        if runs != _runs(folder.path):
            yield folder, PROVENANCE, _provenance_file(runs)
        for golden in mine:
            encoded = encode(golden, provenance_key(golden.provenance))
            for ending in (".npz", ".json"):
                if ending in encoded:
                    yield folder, name_of(golden.test) + ending, encoded[ending]


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
        runs = json.loads(read_bounded(folder / PROVENANCE))["runs"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return runs if isinstance(runs, dict) else {}


def _provenance_file(runs: Mapping[str, object]) -> bytes:
    return (json.dumps({"format": 1, "runs": runs}, indent=1, sort_keys=True) + "\n").encode()


def _drop_unused(folder: OpenFolder) -> None:
    """Forget what no golden of *folder* names any more, and what a killed recording has left."""
    for path in folder.path.glob(f"*{STAGED}"):
        folder.remove(path.name)
    used = set()
    for path in folder.path.glob("*.json"):
        try:
            used.add(json.loads(read_bounded(path)).get("provenance"))
        except (OSError, ValueError, AttributeError, RecursionError):
            return  # something is damaged: nothing is forgotten on its behalf
    before = _runs(folder.path)
    runs = {key: run for key, run in before.items() if key in used}
    if runs != before:
        folder.write(PROVENANCE, _provenance_file(runs))
