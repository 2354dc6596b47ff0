"""A place that stays after the run: how a person gets in, and how it is removed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..environment.inside_files import PACKAGE

TASK = "kept.json"
"""File of the session's task in such a place."""


@dataclass(frozen=True)
class KeptPlace:
    """A place that is there after the run."""

    what: str
    """Its kind and name, and how long it stays."""
    enter: str
    """For a shell: what starts pytest in it, but for pytest's own arguments."""
    remove: str
    """For a shell: what removes it."""


def opened_with(environment: Mapping[str, str], *, inside: str, task: str) -> dict[str, str]:
    """*environment* with what makes a pytest that is started in it the session inside.

    *inside* is the folder of our own code there, *task* the path of the session's task.
    """
    path = filter(None, [inside, environment.get("PYTHONPATH", "")])
    options = filter(None, [environment.get("PYTEST_ADDOPTS", ""), f"-p {PACKAGE}.kept_session"])
    return {
        **environment,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTEST_ADDOPTS": " ".join(options),
        "PYTEST_ARM64_TASK": task,
    }


def in_words(words: Iterable[str]) -> str:
    """*words* for a shell and for a terminal; ``$'…'``, as bash and zsh have it, where it must."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    try:
        data = word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # no name of a file, nor anything else that a shell could say
        data = word.encode("utf-8", "surrogatepass")
    plain = "".join(chr(b) if 32 <= b < 127 and b not in b"\\'" else f"\\x{b:02x}" for b in data)
    return f"$'{plain}'"
