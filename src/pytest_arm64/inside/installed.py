"""Tell, as one JSON line, from where this interpreter imports and what is there. Runs alone."""

import importlib.metadata
import json
import os
import platform
import sys
import sysconfig


def folders() -> "list[str]":
    """Where a program in this image finds packages, in order, without the standard library."""
    # What AWS Lambda's own start puts before everything else, and what a program lies in.
    names = ("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR")
    first = [os.environ.get(name, "") for name in names[:1]]
    here = os.getcwd()
    first += [here] if here != "/" else []
    candidates = [*first, *sys.path[1:], os.environ.get(names[1], "")]
    library = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    library |= {os.path.join(path, "lib-dynload") for path in library}
    others = (path for path in candidates if path not in library and os.path.isdir(path))
    return list(dict.fromkeys(others))


def installed(paths: "list[str]") -> "list[dict[str, object]]":
    """Distributions in *paths*, each name once, with what their metadata say."""
    distributions: dict[str, dict[str, object]] = {}
    for distribution in importlib.metadata.distributions(path=paths):
        name = str((distribution.metadata.get_all("Name") or [""])[0])
        distributions.setdefault(
            name.lower().replace("_", "-"),
            {
                "metadata": str(
                    distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
                ),
                "wheel": distribution.read_text("WHEEL") or tag_of(distribution),
                "site": str(distribution.locate_file("")),
            },
        )
    return list(distributions.values())


def tag_of(distribution: importlib.metadata.Distribution) -> str:
    """For what was not installed from a wheel: whether it has compiled files."""
    # Since Python 3.12 `files` leaves out those that are listed and missing, before it does not.
    compiled = any(
        str(file).endswith(".so") and os.path.exists(str(distribution.locate_file(file)))
        for file in distribution.files or ()
    )
    return "Tag: py3-none-%s" % ("linux_" + platform.machine() if compiled else "any")


if __name__ == "__main__":
    paths = folders()
    print(json.dumps({"sites": paths, "distributions": installed(paths)}))
