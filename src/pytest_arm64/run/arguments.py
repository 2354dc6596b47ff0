"""Which of the user's arguments go to the session inside, and which stay with the host."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence

from ..errors import SettingsError

OUR_FLAGS = ("--arm64", "--arm64-refresh", "--arm64-offline", "--arm64-require-native")
OUR_VALUES = (
    "--arm64-target",
    "--arm64-image",
    "--arm64-requirements",
    "--arm64-cpu",
    "--arm64-gate",
    "--arm64-report",
)
# Files that the host writes from the mirrored reports. ``--junitxml`` is not among them: the
# session inside has pytest's plugin too, for what tests record, and only its file is the host's.
HOST_VALUES = ("--report-log",)
GATE = "arm64::"
"""How the ids of gates begin; no session inside has such."""
REFUSED = {
    "--pdb": "a debugger needs a terminal inside the container",
    "--trace": "a debugger needs a terminal inside the container",
    "--fixtures": "it lists what this machine has",
    "--fixtures-per-test": "it lists what this machine has",
    "--setup-plan": "it runs nothing that could be mirrored",
}
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
        SettingsError: an option that cannot work across the border, with the reason.
    """
    for name, reason in REFUSED.items():
        if name in args:
            raise SettingsError(
                f"{name} does not work with --arm64: {reason}",
                next_step=f"leave out {name}, or leave out --arm64",
            )
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in OUR_FLAGS:
        parser.add_argument(name, action="store_true")
    for name in (*OUR_VALUES, *HOST_VALUES):
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


def forwarded_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that steer pytest itself and therefore belong to the session inside."""
    return {name: environ[name] for name in _FORWARDED_VARIABLES if name in environ}


def unknown_here(args: list[str], unknown: Iterable[str]) -> None:
    """Take *unknown* options out of *args*, in place, so that the host does not refuse them."""
    for option in unknown:
        if option.startswith("-") and option in args:
            args.remove(option)
