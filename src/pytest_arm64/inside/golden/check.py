"""The checks of one test: each value is compared with its golden, recorded, or both."""

from __future__ import annotations

import json
import linecache
import os
import re
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..ran import Ran
from .decisions import sides_of
from .explain import explanation
from .hints import hint_for_core
from .kernels import known_core, wrongly_picked
from .lazily import Value
from .leaves import compare
from .noise import COMPARABLE, noise_of
from .pictures import FOLDER as PICTURES
from .pictures import write_pictures
from .policy import Policy, PolicyError, policy_of
from .provenance import blas_cores, provenance, version_changes
from .store import (
    PROVENANCE,
    Golden,
    StoredValue,
    encode,
    folder_of,
    name_of,
    provenance_key,
    read,
    read_bounded,
    write,
)
from .values import Called, Stored, stored
from .verdict import Comparison, GoldenVerdict, Leaf

RECORDED = "recorded"
"""Folder of recorded values, and REFERENCE that of values to compare with, below the results."""
REFERENCE = "reference"
ENDED = f"{REFERENCE}/.ended.json"
"""By node id, how tests ended on x86 that did not pass there."""
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
ARM = ("aarch64", "arm64")
_LONGEST_TEXT = 4000
"""Of an explanation that a report carries; a failing test shows all of it."""


class GoldenMismatchError(AssertionError):
    """A value is not what its golden is."""

    __module__ = "pytest_arm64"


@dataclass(frozen=True)
class Situation:
    """Where checks take place."""

    machine: str
    ran: Ran = field(default_factory=Ran)
    out: Path | None = None
    """``$PYTEST_ARM64_OUT`` in a cell."""
    pictures: Callable[[], Path] | None = None
    """Makes the folder for pictures of images that differ."""
    role: str = ""
    """``reference`` in the cell that records; ``further`` in that of another core."""

    @property
    def records(self) -> bool:
        return self.role == "reference" and self.out is not None

    @property
    def compares(self) -> bool:
        return self.role != "reference"

    @property
    def live(self) -> Path | None:
        """Folder of values that the reference cell has computed in this session."""
        folder = self.out / REFERENCE if self.out is not None else None
        return folder if folder is not None and folder.is_dir() else None


class ArmGolden:
    """The fixture ``arm64_golden``: compares values of this test with those of x86."""

    def __init__(self, module: Path, test: str, situation: Situation) -> None:
        self._module = module
        self._test = test
        self._situation = situation
        self._golden: Golden | None = None
        self._asked = False
        self._recorded: dict[str, StoredValue] = {}
        self._count = 0
        self._names: set[str] = set()
        self.comparisons: list[Comparison] = []
        self.notes: list[str] = []
        self._decisions: dict[str, list[str]] = {}
        self._texts: dict[str, Mapping[str, object]] = {}

    def check(self, value: Value, name: str | None = None, **policy: Value) -> str:
        """Compare *value* with its golden.

        Args:
            value: numbers, strings, bytes, containers, dataclasses, arrays, frames, images,
                tensors, nested in any way.
            name: of the value within the test; by default its number.
            policy: at most one of ``exact``, ``ulp``, ``rtol``/``atol``, ``compare``; and
                ``hamming``, ``image_levels``, ``ties``, ``order``, ``sign``, ``nan_sign``,
                ``decision``. See docs/golden.md.

        Returns:
            The verdict class, ``recorded`` in the reference cell, ``golden missing`` on x86.

        Raises:
            GoldenMismatchError: the policy does not accept the difference, or there is no golden
                on ARM64.
            GoldenError: the golden cannot be read.
            PolicyError: the arguments make no sense.
            UnsupportedValueError: a golden cannot hold the value.
        """
        __tracebackhide__ = True
        checked = policy_of(policy)
        comparison = self._compare(value, name, checked)
        if not comparison.ok:
            raise GoldenMismatchError(explanation(comparison, checked, self.source))
        return comparison.label

    def check_call(
        self, function: Callable[..., Value], *args: Value, name: str | None = None, **policy: Value
    ) -> str:
        """Call *function* with *args* and check its value, or its exception, and its warnings.

        A warning is known by category, message and the line of source that it points to.
        """
        __tracebackhide__ = True
        return self.check(outcome_of(function, *args), name, **policy)

    def outcome(self, function: Callable[..., Value], *args: Value) -> Called:
        """What ``check_call`` checks."""
        return outcome_of(function, *args)

    def judge(self, value: Value, name: str | None = None, **policy: Value) -> Comparison:
        """As ``check``, but a difference is returned and nothing is raised for it."""
        return self._compare(value, name, policy_of(policy))

    def explained(self, comparison: Comparison, policy: Mapping[str, Value]) -> str:
        """The text with which ``check`` would have failed."""
        return explanation(comparison, policy_of(dict(policy)), self.source)

    def _compare(self, value: Value, name: str | None, policy: Policy) -> Comparison:
        label = self._name(name)
        here = stored(value, prefix=f"{len(self._names)}-")
        if self._situation.records:
            self._recorded[label] = StoredValue(here, self._noise(label, here, policy))
        if not self._situation.compares:
            return Comparison(label, (), note=RECORDED)
        golden = self._read()
        kept = golden.values.get(label) if golden is not None else None
        if golden is None or kept is None:
            comparison = self._missing(label)
        else:
            changes = version_changes(golden.provenance)
            comparison = compare(
                label, kept.value, here, policy, noise=kept.noise, versions=changes
            )
            comparison = _with_core(comparison, self._situation.ran)
            if not comparison.ok:
                comparison = self._with_pictures(comparison, kept.value, here)
        if comparison.verdict is GoldenVerdict.UNSTABLE:
            self.notes.append(f"{label!r} is not compared: {COMPARABLE}")
        if kept is not None and policy.decision is not None:
            sides = self._decisions.setdefault(f"decision at {policy.decision:g}", [])
            sides += sides_of(kept.value, policy.decision)
        if not comparison.ok:
            text = explanation(comparison, policy, self.source)[:_LONGEST_TEXT]
            self._texts[label] = {"text": text, "pictures": comparison.pictures}
        self.comparisons.append(comparison)
        return comparison

    def _noise(self, label: str, here: Stored, policy: Policy) -> Mapping[str, float]:
        """How far the value is from what this side computed before: a control run is compared.

        Here, not on the host, which has none of the libraries that values are made of.
        """
        if self._situation.live is None:
            return {}
        first = self._read()
        before = first.values.get(label) if first is not None else None
        if before is None:
            return {}
        own = replace(policy, compare=None)
        return noise_of(compare(label, before.value, here, own).leaves)

    def told(self) -> dict[str, object]:
        """What a report is to carry; empty where nothing was compared."""
        if not self._names:
            return {}
        if self._situation.records:
            return {"folder": str(folder_of(self._module)), "test": self._test}
        core = self._situation.ran.core
        wrong = self.kernels(core)
        return {
            "values": [
                {**comparison.to_json(), **self._texts.get(comparison.name, {})}
                for comparison in self.comparisons
            ],
            "notes": self.notes,
            "decisions": self._decisions,
            **({"core": str(core)} if self._situation.role == "further" else {}),
            **({"kernels": wrong} if wrong else {}),
        }

    def kernels(self, core: object) -> str | None:
        """What to tell of the BLAS kernels that this process uses; empty if they are *core*'s own.

        None where no OpenBLAS is loaded or nobody knows which kernels are the core's.
        """
        if known_core(core) is None:
            return None
        picked = blas_cores()
        return wrongly_picked(core, picked) if picked else None

    def finish(self) -> None:
        """Write what was recorded, for the host to take."""
        out = self._situation.out
        if out is None or not self._recorded:
            return
        about = self.dispatch()
        golden = Golden(self._test, self._recorded, about)
        write_recorded(out / RECORDED, self._module, golden)

    def _name(self, name: str | None) -> str:
        if name is None:
            name = str(self._count)
            self._count += 1
        if not isinstance(name, str) or not name or name in self._names:
            raise PolicyError(
                f"{name!r} cannot be the name of this value",
                next_step="give each value of a test a name of its own, or none",
            )
        self._names.add(name)
        return name

    def _read(self) -> Golden | None:
        if not self._asked:
            live = self._situation.live
            folder = folder_of(self._module)
            if live is not None:
                folder = live / str(folder).lstrip(os.sep)
            self._golden = read(folder, self._test)
            self._asked = True
        return self._golden

    def _with_pictures(self, comparison: Comparison, golden: Stored, here: Stored) -> Comparison:
        make = self._situation.pictures
        if make is None or comparison.verdict in (GoldenVerdict.SHAPE, GoldenVerdict.OUTCOME):
            return comparison
        name = name_of(f"{self._test} {comparison.name}")
        try:
            paths = write_pictures(golden, here, make(), name)
            if paths and self._situation.out is not None:
                self._keep(paths, self._situation.out / PICTURES)
        except OSError as error:
            return replace(comparison, note=f"no pictures: {error}")
        if not paths:
            return comparison
        told, names = ", ".join(map(str, paths)), tuple(path.name for path in paths)
        return replace(comparison, note=f"pictures: {told}", pictures=names)

    @staticmethod
    def _keep(paths: Sequence[Path], folder: Path) -> None:
        """For the report: the project's own folder may be a copy that nobody fetches."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            shutil.copyfile(path, folder / path.name)

    def _missing(self, label: str) -> Comparison:
        if self._situation.live is not None:
            return self._not_computed(label)
        arm = self._situation.machine in ARM
        what = f"no golden for {label!r}; record one: pytest --arm64 --arm64-record"
        if not arm:
            self.notes.append(what)
        return Comparison(label, (Leaf("", GoldenVerdict.MISSING, ok=not arm, what=what),))

    def _not_computed(self, label: str) -> Comparison:
        """The x86 side of this run has no such value, most often because its test ended before."""
        ended = self._ended_on_x86()
        verdict = GoldenVerdict.OUTCOME if ended else GoldenVerdict.MISSING
        what = f"x86 did not compute {label!r}" + (f": {ended}" if ended else "")
        return Comparison(label, (Leaf("", verdict, ok=False, what=what),))

    def _ended_on_x86(self) -> str:
        """How this test ended on x86; empty if it passed there."""
        out = self._situation.out
        try:
            ended = json.loads(read_bounded(out / ENDED)) if out is not None else {}
        except (OSError, ValueError):
            return ""
        for nodeid, text in ended.items() if isinstance(ended, dict) else ():
            file, _, test = nodeid.partition("::")
            if test == self._test and self._module.as_posix().endswith(f"/{file}"):
                return str(text)
        return ""

    def dispatch(self) -> dict[str, object]:
        """What this process computes by: processor, SIMD features, BLAS cores, versions."""
        return provenance(self._situation.ran)

    @property
    def source(self) -> str:
        """Where the values come from that this test is compared with."""
        if self._situation.live is not None:
            return "computed on x86 in this run"
        about = self._golden.provenance if self._golden is not None else {}
        origin = f" ({about.get('cpu')}, {about.get('os')})" if about else ""
        return f"{folder_of(self._module)}{origin}"


def _with_core(comparison: Comparison, ran: Ran) -> Comparison:
    """*comparison* with what to do about NaNs and infinities that a core may have made."""
    hint = hint_for_core(ran.core, emulated=bool(ran.emulated))
    leaves = tuple(
        replace(leaf, hints=(*leaf.hints, hint))
        if hint and leaf.verdict is GoldenVerdict.NON_FINITE
        else leaf
        for leaf in comparison.leaves
    )
    return replace(comparison, leaves=leaves)


def write_recorded(folder: Path, module: Path, golden: Golden) -> None:
    """Put *golden* where the host looks for it; each test has files of its own, also with xdist."""
    key = provenance_key(golden.provenance)
    target = folder / str(folder_of(module)).lstrip(os.sep) / name_of(golden.test)
    for ending, content in encode(golden, key).items():
        write(target.with_name(target.name + ending), content)
    about = json.dumps(dict(golden.provenance)).encode()
    write(target.with_name(f"{target.name}.{PROVENANCE}"), about)


def outcome_of(function: Callable[..., Value], *args: Value) -> Called:
    """What calling *function* comes to, and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcome, value = "value", function(*args)
        except Exception as error:  # noqa: BLE001  (the exception is what is compared)
            outcome, value = "exception", f"{type(error).__name__}: {_plain(error)}"
    told = [
        f"{warning.category.__name__}: {_plain(warning.message)} "
        f"| {linecache.getline(warning.filename, warning.lineno).strip()}"
        for warning in caught
    ]
    return Called(outcome, value, told)


def _plain(message: object) -> str:
    return _ADDRESS.sub("0x…", str(message))
