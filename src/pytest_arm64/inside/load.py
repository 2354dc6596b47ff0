"""Import modules one after another and tell how each went. Runs alone, with the path of a list.

Tells ``["start", name]`` before each, so that whoever listens knows which one killed the process.
"""

import importlib
import json
import os
import re
import signal
import sys
import traceback

SECONDS = 60
NAMED = re.compile(r"\bthe (\w+) package should be imported before")
"""What modules say that are imported by their own package only, as those of psycopg-binary do."""


def main(path: str) -> None:
    """Import every module that the JSON list at *path* names."""
    tell = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what modules print is not for whoever listens
    with open(path, encoding="utf-8") as stream:
        names = json.load(stream)
    for name in names:
        tell.write(json.dumps(["start", name]) + "\n")
        # Left to its default, which ends the process: an import that hangs is a death too.
        signal.alarm(SECONDS)
        try:
            load(name)
        except BaseException as error:  # noqa: BLE001  (modules raise anything, SystemExit as well)
            outcome = "raised" if isinstance(error, ModuleNotFoundError) else "failed"
            answer = [outcome, name, type(error).__name__, str(error)[:4000]]
        else:
            answer = ["loaded", name]
        signal.alarm(0)
        tell.write(json.dumps(answer) + "\n")
    tell.flush()
    os._exit(0)  # no module's own way out is asked for


def load(name: str) -> None:
    """Import the module *name*; once more where it is only a matter of order.

    A module that is meant to be imported by another may ask for that one by name, or import it
    and find itself half made: then the other comes first.
    """
    try:
        importlib.import_module(name)
    except ImportError as error:
        named = NAMED.search(str(error))
        if named is not None:
            first = named[1]
        elif "partially initialized module" in str(error):
            first = asking(error) or name
        else:
            raise
        importlib.import_module(first)
        importlib.import_module(name)


def asking(error: ImportError) -> str:
    """The module whose own code ran into *error*; empty where that has no name."""
    name = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        name = frame.f_globals.get("__name__", "")
    return name


if __name__ == "__main__":
    main(sys.argv[1])
