"""Refuses what was typed and cannot be obeyed, before anything is built or an engine is asked."""

from __future__ import annotations

import argparse
import difflib
import shlex
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ..config.option_values import Given
from ..config.suggestions import file_suggestion
from ..config.trust import VARIABLE as TRUST
from ..config.trust import allows_all
from ..errors import Arm64Error, SettingsError
from ..inside.options import MARKED, MODES, OPTIONS, PIP, PREFIX
from ..mirror.signals import TERMINATED, Terminated
from ..open_folder import OpenFolder
from .arguments import GATE, add_to, positional

_NEAR = 0.8
"""How similar a word must be to an option of ours to be a misspelt one (1: the same)."""
UNJUDGED = pytest.StashKey[frozenset[str]]()
"""Words that may be values of options that only the session inside knows."""


@contextmanager
def as_usage_error() -> Iterator[None]:
    """Raise what a user can mend as a usage error, which pytest shows without a traceback.

    SIGTERM ends the session with its own exit status.
    """
    try:
        yield
    except Arm64Error as error:
        raise pytest.UsageError(str(error)) from None
    except Terminated:
        raise pytest.exit.Exception("terminated by SIGTERM", TERMINATED) from None


@contextmanager
def as_end() -> Iterator[None]:
    """Raise Ctrl-C and SIGTERM, where pytest expects neither, as an end that it shows in a line."""
    try:
        with as_usage_error():
            yield
    except KeyboardInterrupt:
        raise pytest.exit.Exception("interrupted", int(pytest.ExitCode.INTERRUPTED)) from None


@contextmanager
def until_closed(config: pytest.Config) -> Iterator[None]:
    """Around what removes containers at the very end, where pytest would show a traceback.

    An ``ExitStack`` that Ctrl-C or SIGTERM interrupts goes on with what is left to close.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        status = TERMINATED if isinstance(error, Terminated) else pytest.ExitCode.INTERRUPTED
        session: pytest.Session | None = config.pluginmanager.getplugin("session")
        if session is not None:
            session.exitstatus = status
        words = "terminated by SIGTERM" if status == TERMINATED else "interrupted"
        sys.stderr.write(f"pytest-arm64: {words} while containers were removed\n")


def refuse_without_mode(config: pytest.Config) -> None:
    """Refuse an option that has no effect in this run, as far as it was typed.

    In ``addopts`` it stays there for the runs that it is for; but ``--arm64-require-native`` is a
    demand, which is refused wherever it comes from.

    Raises:
        SettingsError: such an option was given.
    """
    typed = vars(_typed(config.invocation_params.args))
    modes = [mode.name for mode in MODES if getattr(config.option, mode.dest)]
    for option in OPTIONS:
        if not option.needs or set(option.needs) & set(modes):
            continue
        if not getattr(config.option, option.dest):
            continue
        if option.dest not in typed and not option.refused_anywhere:
            continue
        where = "" if option.dest in typed else ", and addopts or PYTEST_ADDOPTS has it"
        needs = " or ".join(option.needs)
        raise SettingsError(
            f"{option.name} has no effect without {needs}{where}",
            why=_consequence(modes),
            next_step=f"add {needs}, or leave out {option.name}",
        )


def refuse_excluded(config: pytest.Config) -> None:
    """Refuse two options that were typed and cannot both be obeyed.

    Raises:
        SettingsError: they were.
    """
    typed = vars(_typed(config.invocation_params.args))
    names = {option.name for option in OPTIONS if typed.get(option.dest)}
    for option in OPTIONS:
        if {option.name, option.excludes} <= names:
            raise SettingsError(
                f"{option.name} and {option.excludes} exclude each other",
                next_step="leave one of them out",
            )


def given_options(config: pytest.Config, environ: Mapping[str, str]) -> Given:
    """Our options of *config*; what widens access counts where the user typed it.

    Raises:
        SettingsError: ``addopts`` in a file of the repository widens access.
    """
    given = Given.of(config.option)
    words = [*shlex.split(environ.get("PYTEST_ADDOPTS", "")), *config.invocation_params.args]
    typed = vars(_typed(words))
    if not allows_all(environ):
        if given.image and given.image != typed.get("arm64_image"):
            raise _chosen_by_files(f"the image {given.image!r}", "--arm64-image", "image")
        if given.build_network and "arm64_build_network" not in typed:
            raise _chosen_by_files("network for builds", "--arm64-build-network", "build-network")
    # Who types that pip installs lets pip build where it fetches.
    by_pip = typed.get("arm64_installer") == PIP
    return replace(given, build_network=given.build_network or by_pip)


def _chosen_by_files(what: str, option: str, setting: str) -> SettingsError:
    return SettingsError(
        f"addopts in a file of this repository chooses {what}",
        why="a pull request that changes that file could choose the image",
        next_step=f"type {option}, or set {setting} in [tool.pytest-arm64] "
        f"(in CI, for changes that were reviewed: {TRUST}=1)",
    )


def refuse_blocked(config: pytest.Config) -> None:
    """Refuse ``-p no:…`` for a plugin of ours: without it tests would run on the host.

    Raises:
        SettingsError: there is one, typed or in ``addopts``.
    """
    for word in config.option.plugins or ():
        if word.startswith("no:arm64"):
            raise SettingsError(
                f"-p {word} takes away a part of pytest-arm64",
                why="tests would run on the host, or their results would be incomplete",
                next_step=f"leave out -p {word}, or leave out --arm64 and --arm64-marked",
            )


def _typed(args: Sequence[str]) -> argparse.Namespace:
    """The values of those of our options that are among *args*."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in OPTIONS:
        add_to(parser, option)
    typed, _ = parser.parse_known_args(list(args))
    return typed


def _consequence(modes: Sequence[str]) -> str:
    if MARKED in modes:
        return "with --arm64-marked it changes nothing"
    return "all tests would run on the host"


def misspelt(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Words that begin as our options do and are none, each with the nearest that is one."""
    names = {option.name.removeprefix(PREFIX): option.name for option in OPTIONS}
    for word in words:
        name = word.partition("=")[0]
        if name.startswith(PREFIX) and name not in names.values():
            close = difflib.get_close_matches(name.removeprefix(PREFIX), names, n=1)
            yield name, names[close[0]] if close else ""


def refuse_misspelt(words: Iterable[str]) -> None:
    """Refuse options that begin as ours do; elsewhere the session inside would, much later.

    Raises:
        SettingsError: there is one among *words*, which nobody on the host knows.
    """
    for name, close in misspelt(words):
        hint = f" (did you mean {close}?)" if close else ""
        raise SettingsError(
            f"unrecognized option: {name}{hint}",
            next_step=f"pytest --help lists the options; {PREFIX}… belongs to pytest-arm64",
        )


def hint_at_misspelt(parser: pytest.Parser, words: Iterable[str]) -> None:
    """Have pytest name the nearest option of ours, where it refuses one of *words* itself."""
    words = [word.partition("=")[0] for word in words]
    hints = [f"{close} for {name}" for name, close in misspelt(words) if close]
    names = [option.name for option in OPTIONS]
    for word in words:  # as --arm46 and --amr64-target, which begin otherwise
        near = difflib.get_close_matches(word, names, n=1, cutoff=_NEAR)
        if near and word not in names and not word.startswith(PREFIX):
            hints.append(f"{near[0]} for {word}")
    # Not public; without it pytest refuses the option all the same.
    extra: object = getattr(parser, "extra_info", None)
    if hints and isinstance(extra, dict):
        extra["did you mean"] = ", ".join(hints)


def report_folder(config: pytest.Config) -> OpenFolder | None:
    """The folder of ``--arm64-report``, which can be written to; none where nothing is run.

    Raises:
        SettingsError: it cannot, and the report would be lost at the end of the run.
    """
    given = config.option.arm64_report
    if not given or config.option.collectonly:
        return None
    folder = Path(config.invocation_params.dir, given)
    try:
        opened = OpenFolder(folder)
        with tempfile.TemporaryFile(dir=folder):
            return opened
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise SettingsError(
            f"--arm64-report {given}: the folder cannot be written to: {reason}",
            why="the report of the run would be lost",
            next_step="name another folder, or make this one writable",
        ) from None


def missing_path(config: pytest.Config, root: Path) -> str:
    """The first test path that does not exist, as it was given; empty if all may exist.

    An absolute path outside *root*, the repository, may exist in the image.
    """
    if config.option.pyargs:
        return ""
    here = Path(config.invocation_params.dir)
    unjudged = config.stash.get(UNJUDGED, frozenset())
    for word in positional(config.option):
        if word.startswith(GATE) or word in unjudged:
            continue
        # A parameter's brackets may hold anything; a folder's name may have brackets.
        names = {word.partition("::")[0], word.partition("[")[0].partition("::")[0]}
        paths = [here / name for name in names]
        if any(_may_exist(path) for path in paths):
            continue
        if all(path.is_relative_to(root) or not Path(word).is_absolute() for path in paths):
            return word
    return ""


def instead_of(missing: str, config: pytest.Config) -> str:
    """The line below pytest's own refusal of the test path *missing*."""
    path = Path(config.invocation_params.dir, missing.partition("::")[0])
    return f"nothing was built: name a test path that exists{file_suggestion(path)}"


def _may_exist(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or with a null byte: pytest says so itself
        return True


def unjudged(args: Sequence[str], unknown: Iterable[str]) -> frozenset[str]:
    """Words of *args* that may be values of the *unknown* options before them."""
    options = {word for word in unknown if word.startswith("-") and "=" not in word}
    first = next((n for n, word in enumerate(args) if word in options), len(args))
    return frozenset(args[first:])
