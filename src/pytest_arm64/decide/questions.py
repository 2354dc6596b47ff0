"""The three questions about a service, each answered yes, no or not evaluated, with evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ..audit.matrix import BLOCKER, PURE, SOURCE, UNKNOWN, WHEEL, Row, WheelMatrix
from ..inside.counted import counted
from ..inside.ran import GRADES, PREDICTED
from ..wording import first_of
from .evidence import Build, Evidence, ServiceEvidence, weakest
from .trials import Trial

YES, NO, NOT_EVALUATED, NOT_NEEDED = "yes", "no", "not evaluated", "not needed"
WHEELS, BUILDS, REPLACEABLE = "wheels", "builds", "replaceable"
QUESTIONS = {
    WHEELS: "Does every native dependency have an ARM64 wheel?",
    BUILDS: "Do the packages without a wheel build reliably from source?",
    REPLACEABLE: "Can the remaining packages be replaced?",
}
CLEAN_BUILDS = 2
"""How often something must have been built from nothing before "reliably" may be said."""
_SHOWN = 6


@dataclass(frozen=True)
class Answer:
    """The answer to one question."""

    question: str
    answer: str
    """``not needed`` where an earlier yes leaves nothing to ask."""
    text: str
    evidence: tuple[Evidence, ...] = ()
    packages: tuple[str, ...] = ()
    """What the answer is about: for a no, what is in the way."""
    grade: str = PREDICTED
    """Of the weakest evidence that the answer cannot do without."""


def states(evidence: ServiceEvidence, today: date) -> Mapping[str, str]:
    """The state of each deployed package: as observed on what was asked, else as predicted.

    What a stand-in or another image installed says nothing about the target, and an installation
    nothing about the programs in a wheel.
    """
    if evidence.matrix is None:
        return {}
    predicted = {row.name: row.state for row in evidence.matrix.deployed}
    observed = _observed(evidence, today)
    return {name: observed.get(name, (state, ""))[0] for name, state in predicted.items()}


def _observed(evidence: ServiceEvidence, today: date) -> Mapping[str, tuple[str, str]]:
    """State and grade of each package as it was installed on what was asked for.

    Of several installations the strongest counts, and of equals the latest. A wheel for any machine
    that was built elsewhere, as on a stand-in, is one on the target as well.
    """
    rows = {row.name: row for row in evidence.matrix.deployed} if evidence.matrix else {}
    counting = [i for i in evidence.installs if i.where.on_arm and i.where.fresh(today)]
    return {
        package.name: (package.state, install.where.grade)
        for install in sorted(
            counting, key=lambda i: (i.where.as_asked, not i.where.emulated, i.where.when)
        )
        for package in install.packages
        if package.name in rows
        and rows[package.name].version == package.version
        and not rows[package.name].installs_in_vain
        and (install.where.as_asked or _built_for_any(package.state, rows[package.name]))
    }


def _built_for_any(state: str, row: Row) -> bool:
    """Whether *row* was built from source, and *state* says that it fits any machine."""
    return state == PURE and (row.state == SOURCE or row.from_source)


def ask(evidence: ServiceEvidence, today: date) -> tuple[Answer, Answer, Answer]:
    """The answers to the three questions, in their order."""
    first = _wheels(evidence, today)
    second = _builds(evidence, first, today)
    return first, second, _replaceable(evidence, first, second, today)


def _wheels(evidence: ServiceEvidence, today: date) -> Answer:
    matrix = evidence.matrix
    if matrix is None:
        reason = evidence.problem or "no file lists what is deployed"
        return Answer(WHEELS, NOT_EVALUATED, reason)
    state_of = states(evidence, today)
    failed = {(b.package, b.version) for b in evidence.builds if b.where.on_arm and not b.succeeded}
    without = [
        row
        for row in matrix.deployed
        if state_of[row.name] in (SOURCE, BLOCKER)
        or (row.from_source and (row.name, row.version) in failed)
    ]
    based_on = tuple(_prediction(matrix, without))
    based_on += tuple(_observations(evidence, state_of, today))
    if without:
        text = f"no usable ARM64 wheel: {_listed(f'{r.name} {r.version}' for r in without)}"
        names = tuple(row.name for row in without)
        return Answer(WHEELS, NO, text, based_on, names, _seen(names, evidence, today))
    unknown = [row for row in matrix.deployed if state_of[row.name] == UNKNOWN or row.doubt]
    if unknown or matrix.problems:
        reasons = [*matrix.problems, *(f"{r.name}: {r.doubt or r.detail}" for r in unknown)]
        names = tuple(row.name for row in unknown)
        return Answer(WHEELS, NOT_EVALUATED, _listed(reasons), based_on, names)
    count = len(matrix.deployed)
    native = sum(state_of[row.name] == WHEEL for row in matrix.deployed)
    packages = counted(count, "package")
    text = f"{packages}, of which {native or 'none'} compiled, each with a wheel"
    built = sum(row.from_source for row in matrix.deployed)
    text += f" or pure Python ({built} built from source)" if built else ""
    text = text if count else "nothing is deployed besides it"
    names = tuple(row.name for row in matrix.deployed)
    return Answer(WHEELS, YES, text, based_on, grade=_seen(names, evidence, today))


def _seen(names: Sequence[str], evidence: ServiceEvidence, today: date) -> str:
    """The weakest grade in which the state of any of *names* is known."""
    observed = _observed(evidence, today)
    return weakest(tuple(observed.get(name, ("", PREDICTED))[1] for name in names))


def _builds(evidence: ServiceEvidence, wheels: Answer, today: date) -> Answer:
    if wheels.answer != NO:
        return _moot(BUILDS, wheels)
    assert evidence.matrix is not None
    reliable, failing, open_ = [], [], []
    based_on, grades = [], []
    for name in wheels.packages:
        row = _row(evidence.matrix, name)
        assert row is not None
        builds = [
            build
            for build in evidence.builds
            if (build.package, build.version) == (name, row.version) and build.where.on_arm
        ]
        based_on += [_build_words(build) for build in builds]
        right = [b for b in builds if b.where.as_asked and b.where.fresh(today)]
        if row.state == BLOCKER:
            failing.append(f"{name} has no source to build")
            grades.append(PREDICTED)
        elif any(not build.succeeded for build in right):
            last = max((b for b in right if not b.succeeded), key=lambda b: b.where.when)
            failing.append(f"{name} did not build{_because(last)}")
            grades += [build.where.grade for build in right if not build.succeeded]
        elif len(right) >= CLEAN_BUILDS and not all(build.cross for build in right):
            reliable.append(name)
            grades.append(sorted((b.where.grade for b in right), key=GRADES.index)[-CLEAN_BUILDS])
        else:
            open_.append(f"{name}: {_how_often(builds, right)}")
    if failing:
        packages = tuple(name for name in wheels.packages if name not in reliable)
        text = _listed(failing + open_)
        return Answer(BUILDS, NO, text, tuple(based_on), packages, weakest(tuple(grades)))
    if open_:
        packages = tuple(name for name in wheels.packages if name not in reliable)
        return Answer(BUILDS, NOT_EVALUATED, _listed(open_), tuple(based_on), packages)
    text = f"{_listed(reliable)} built cleanly, repeatedly"
    if any(", cross-compiled by " in build.text for build in based_on):
        text += " (builds by a cross compiler among them)"
    return Answer(BUILDS, YES, text, tuple(based_on), grade=weakest(tuple(grades)))


def _how_often(builds: Sequence[Build], right: Sequence[Build]) -> str:
    if not builds:
        return "was not built"
    failed = [build for build in builds if not build.succeeded]
    if failed:
        where = "on a stand-in" if failed[-1].where.stand_in else "elsewhere or long ago"
        return f"did not build {where}{_because(failed[-1])}; the requested image may build it"
    if len(right) < len(builds):
        return (
            f"built {len(right)} times on the requested image and {len(builds) - len(right)} times "
            f"elsewhere or long ago; {CLEAN_BUILDS} on the requested image are needed"
        )
    if all(build.cross for build in right):
        return (
            f"cross-compiled only ({right[-1].cross}); reliable means one build without a cross "
            "compiler, too: --arm64-cross off --arm64-refresh"
        )
    return f"built once; reliable means at least {CLEAN_BUILDS} clean builds"


def _because(build: Build) -> str:
    return f" ({build.cause})" if build.cause else ""


def _replaceable(evidence: ServiceEvidence, wheels: Answer, builds: Answer, today: date) -> Answer:
    if builds.answer == YES:
        return Answer(REPLACEABLE, NOT_NEEDED, "everything else builds")
    if wheels.answer != NO:
        return _moot(REPLACEABLE, wheels)
    assert evidence.matrix is not None
    replacing: list[str] = []
    hopeless: list[str] = []
    open_: list[str] = []
    based_on: list[Evidence] = []
    grades: list[str] = []
    for name in builds.packages:
        row = _row(evidence.matrix, name)
        assert row is not None
        way = replacement(row)
        trial = tried(evidence, name, today)
        if trial is not None:
            outcome = f"tried {trial.shown}: {trial.result}"
            (replacing if trial.sound else open_).append(outcome)
            based_on += _trial_words(trial)
            grades += [trial.arm.where.grade] if trial.arm is not None else []
        elif way:
            replacing.append(f"{name}: {way}")
            based_on.append(Evidence(f"releases and demands: {name}: {way}", PREDICTED))
            grades.append(PREDICTED)
        elif row.remedy is not None and row.remedy.version:
            open_.append(f"{name} {row.remedy.version} has a wheel, but others hold its version")
        elif row.state == BLOCKER:
            hopeless.append(f"{name}: no release can be used, and no replacement is known")
        else:
            open_.append(f"{name}: no replacement is known")
    # One trial may be of several packages.
    replacing, open_ = list(dict.fromkeys(replacing)), list(dict.fromkeys(open_))
    seen = tuple(dict.fromkeys(based_on))
    if hopeless:
        return Answer(REPLACEABLE, NO, _listed(hopeless + open_), seen, builds.packages)
    if open_:
        return Answer(REPLACEABLE, NOT_EVALUATED, _listed(open_), seen, builds.packages)
    grade = weakest(tuple(grades))
    return Answer(REPLACEABLE, YES, _listed(replacing), seen, builds.packages, grade)


def tried(evidence: ServiceEvidence, name: str, today: date) -> Trial | None:
    """The trial that answers for the package *name*: one that breaks nothing, else the last.

    Of the same changes only the last trial counts. One that is not complete answers nothing.
    """
    last = {
        trial.changes: trial
        for trial in sorted(evidence.trials, key=_when)
        if trial.arm is not None
        and trial.arm.where.on_arm
        and trial.arm.where.fresh(today)
        and name in trial.names
        and (trial.whole or trial.breaks)
    }
    answering = sorted(last.values(), key=lambda trial: (trial.sound, _when(trial)))
    return answering[-1] if answering else None


def _when(trial: Trial) -> str:
    return trial.arm.where.when if trial.arm is not None else ""


def _trial_words(trial: Trial) -> Iterable[Evidence]:
    if trial.arm is None:
        return
    where = trial.arm.where
    sides = "; ".join(f"on {side.machine} {side.words}" for side in trial.sides)
    yield Evidence(f"tried {trial.shown}: {sides}", where.grade, where.stand_in)


def replacement(row: Row) -> str:
    """What would do in place of *row*, in words; empty where nothing that is certain would.

    A release with a wheel counts where every demand admits it, or where only the service's own
    files keep it out; a demand of another package might not survive the change.
    """
    remedy = row.remedy
    if remedy is None:
        return ""
    if remedy.replacement:
        return f"use {remedy.replacement} instead"
    if not remedy.version:
        return ""
    return f"release {remedy.version} has a wheel" if remedy.changeable else ""


def _moot(question: str, wheels: Answer) -> Answer:
    if wheels.answer == YES:
        return Answer(question, NOT_NEEDED, "everything has a wheel")
    return Answer(question, NOT_EVALUATED, "unknown which packages have no wheel")


def _prediction(matrix: WheelMatrix, without: Sequence[Row]) -> Iterable[Evidence]:
    counts = ", ".join(f"{number} {state}" for state, number in matrix.counts.items())
    yield Evidence(f"wheel matrix for {matrix.target}: {counts or 'no packages'}", PREDICTED)
    for row in without[:_SHOWN]:
        if row.cause:
            yield Evidence(f"{row.name} {row.version}: {row.cause}: {row.detail}", PREDICTED)


def _observations(
    evidence: ServiceEvidence, state_of: Mapping[str, str], today: date
) -> Iterable[Evidence]:
    assert evidence.matrix is not None
    for install in evidence.installs:
        where = install.where
        if not where.on_arm:
            continue
        there = sum(package.name in state_of for package in install.packages)
        old = "" if where.fresh(today) else ", too long ago to count"
        text = f"{there} of {len(state_of)} packages installed by {install.installer}{old}"
        yield Evidence(text, where.grade, where.stand_in)
        if where.as_asked:
            for package in install.packages:
                row = _row(evidence.matrix, package.name)
                if row is not None and _differs(row.state, package.state):
                    yield Evidence(_change(row, package.state), where.grade)


def _change(row: Row, state: str) -> str:
    """How *row*, which is installed as *state*, differs from what was predicted."""
    if row.pure_fallback and state == PURE:
        return f"{row.name} was built without its compiled part: it is pure Python and slow"
    return f"{row.name} was predicted {row.state} and installed as {state}"


def _differs(predicted: str, observed: str) -> bool:
    green = (PURE, WHEEL)
    return predicted != observed and not (predicted in green and observed in green)


def _build_words(build: Build) -> Evidence:
    how = f"built in {build.seconds:.0f} s"
    if build.cross:
        how += f", cross-compiled by {build.cross}"
    if not build.succeeded:
        first, *_ = build.text.splitlines() or [""]
        how = f"not built{_because(build)}: {first}"
    return Evidence(
        f"{build.package} {build.version} {how}", build.where.grade, build.where.stand_in
    )


def _row(matrix: WheelMatrix, name: str) -> Row | None:
    return next((row for row in matrix.deployed if row.name == name), None)


def _listed(texts: Iterable[str]) -> str:
    return first_of(list(texts), _SHOWN, "; ")
