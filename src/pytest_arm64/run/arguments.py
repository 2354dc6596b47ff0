"""Which of the user's arguments go to the session inside, and which stay with the host."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence

from ..config.project import Project
from ..config.service_names import REPOSITORY
from ..errors import SettingsError
from ..inside.options import OPTIONS, Kind, OwnOption, Who
from ..mirror.option_table import PYTEST

# Files that the host writes from the mirrored reports. ``--junitxml`` is not among them: the
# session inside has pytest's plugin too, for what tests record, and only its file is the host's.
HOST_VALUES = ("--report-log",)
GATE = "arm64::"
"""How the ids of gates begin; no session inside has such."""
_FORWARDED_VARIABLES = (
    "PYTEST_ADDOPTS",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
    "PYTEST_PLUGINS",
    "PYTHONHASHSEED",
    # pytest truncates less where it believes to be on a CI server.
    "CI",
    "BUILD_NUMBER",
)


def inner_arguments(args: Sequence[str]) -> tuple[str, ...]:
    """*args* as the user typed them, less what concerns the host alone: its options, its gates.

    Raises:
        SettingsError: they cannot be understood.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in OPTIONS:
        if option.who is Who.HOST:
            add_to(parser, option)
    for name in HOST_VALUES:
        parser.add_argument(name)
    try:
        _, forwarded = parser.parse_known_args(list(args))
    except SystemExit:  # argparse has said why
        raise SettingsError("the arguments could not be understood") from None
    return tuple(
        word
        for before, word in zip(["", *forwarded], forwarded, strict=False)
        if not word.startswith(GATE) or before == "--deselect"
    )


def add_to(parser: argparse.ArgumentParser, option: OwnOption) -> None:
    """Have *parser* take *option*, wherever it stands, for one of ours."""
    action = "store_true" if option.kind is Kind.FLAG else "store"
    parser.add_argument(option.name, action=action, default=argparse.SUPPRESS)


def positional(options: object) -> list[str]:
    """The arguments that name files, folders and node ids, of pytest's parsed *options*."""
    return [str(arg) for arg in getattr(options, "file_or_dir", None) or ()]


def call_services_by_name(options: argparse.Namespace, project: Project) -> None:
    """Put the project's own name for its other one, ``repository``, in pytest's *options*.

    It stands in ``--arm64-service``, and in node ids of gates.
    """
    own = project.services.named(REPOSITORY)
    if own is None or own.name == REPOSITORY:
        return
    before, after = f"{GATE}{REPOSITORY}", f"{GATE}{own.name}"
    options.arm64_service = [
        own.name if name == REPOSITORY else name for name in options.arm64_service
    ]
    for words in (options.file_or_dir, options.deselect):
        for number, word in enumerate(words or ()):
            if f"{word}::".startswith(f"{before}::"):
                words[number] = after + str(word).removeprefix(before)


def refuse_what_cannot_work(options: object) -> None:
    """Look at pytest's parsed *options*, wherever the user has put them.

    Raises:
        SettingsError: one cannot work across the border, with the reason.
    """
    for option in PYTEST:
        if option.who is Who.REFUSED and getattr(options, option.dest, None):
            name = option.names[0]
            raise SettingsError(
                f"{name} does not work with --arm64: {option.note}",
                next_step=f"leave out {name}, or leave out --arm64",
            )


def forwarded_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that steer pytest itself and therefore belong to the session inside."""
    return {name: environ[name] for name in _FORWARDED_VARIABLES if name in environ}


def same_everywhere(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that make the cells of one session roll the same dice."""
    seed = int.from_bytes(os.urandom(4), "big")
    hashes = environ.get("PYTHONHASHSEED", "random")
    return {
        "PYTHONHASHSEED": str(seed) if hashes == "random" else hashes,
        "PYTEST_ARM64_SEED": str(seed),
    }


def unknown_here(args: list[str], unknown: Iterable[str]) -> None:
    """Take *unknown* options out of *args*, in place, so that the host does not refuse them."""
    for option in unknown:
        if option.startswith("-") and option in args:
            args.remove(option)
