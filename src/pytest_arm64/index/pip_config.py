"""The host's pip configuration, as the build container can use it.

What reaches the container does so at build time only: the container that holds it is never
committed, only the packages that it installed are taken out of it.
"""

from __future__ import annotations

import ast
import os
import subprocess
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import SettingsError
from ..isolation import NEUTRAL, isolated_python

# Settings that name places on this machine or belong to another command.
_NOT_FORWARDED = frozenset(
    [
        *("build-constraint", "cache-dir", "client-cert", "config-file", "debug", "dry-run"),
        *("group", "ignore-installed", "keyring-provider", "log", "no-deps", "no-install"),
        *("prefix", "python", "quiet", "report", "require-virtualenv", "requirement"),
        *("requirements-from-script", "root", "root-user-action", "src", "target", "user"),
        "verbose",
    ]
)
_SECONDS = 120
"""For pip to say what it is configured to."""
_PATH_LISTS = ("find-links", "extra-index-url")
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class PipConfig:
    """Settings by long option name, and the files and folders they need inside."""

    settings: Mapping[str, str]
    """``index-url`` and its like, values as in a configuration file."""
    constraints: Mapping[Path, bytes]
    folders: tuple[str, ...]
    """Local indexes and link folders, whose distributions are copied to where they are."""
    ca: bytes = b""
    netrc: bytes = b""
    keyring: str = ""
    """``keyring-provider``, which is for this machine alone."""

    def fingerprint(self) -> dict[str, object]:
        """What can change the outcome of an installation; credentials are not part of it."""
        return {
            "settings": {k: _without_credentials(v) for k, v in sorted(self.settings.items())},
            "constraints": {
                str(p): c.decode("utf-8", "replace") for p, c in self.constraints.items()
            },
        }

    def as_file(self) -> str:
        """Content of a pip configuration file."""
        lines = ["[global]"]
        lines += [
            f"{key} = " + "\n  ".join(value.split())
            for key, value in sorted(self.settings.items())
            if key != "constraint"
        ]
        constraints = [*self.settings.get("constraint", "").split(), *map(str, self.constraints)]
        if constraints:
            lines.append("constraint = " + "\n  ".join(constraints))
        return "\n".join(lines) + "\n"


def host_pip_config(environ: Mapping[str, str] = os.environ) -> PipConfig:
    """pip's own view of its configuration files and variables on this host."""

    def ask(*words: str) -> str:
        return _pip_config(environ, *words)

    merged = _merge(ask("list"), lambda name: ask("get", name).rstrip("\n"))
    constraints: dict[Path, bytes] = {}
    addresses = []
    for entry in merged.pop("constraint", "").split():
        if "://" in entry:
            addresses.append(entry)
        elif Path(entry).is_file():
            constraints[Path(entry)] = Path(entry).read_bytes()
    if addresses:
        merged["constraint"] = " ".join(addresses)
    ca_file = merged.pop("cert", "") or next(
        (environ[name] for name in _CA_VARIABLES if environ.get(name)), ""
    )
    keyring = merged.get("keyring-provider", "")
    settings = {k: v for k, v in merged.items() if k not in _NOT_FORWARDED}
    folders: list[str] = []
    for key in _PATH_LISTS:
        if key in settings:
            settings[key] = " ".join(_reachable(settings[key], folders))
    # The one index of the user's choice stays, even if it cannot be reached: to leave it out
    # would mean to ask another one instead.
    list(_reachable(settings.get("index-url", ""), folders))
    return PipConfig(
        settings={k: v for k, v in settings.items() if v},
        constraints=constraints,
        folders=tuple(dict.fromkeys(folders)),
        ca=_content(ca_file),
        # Unlike Path.home(), this is no error for a user without one.
        netrc=_content(environ.get("NETRC") or os.path.expanduser("~/.netrc")),  # noqa: PTH111 - see above
        keyring=keyring,
    )


def _pip_config(environ: Mapping[str, str], *words: str) -> str:
    own = dict(environ)
    if own.get("PIP_CONFIG_FILE"):  # relative to the caller's folder, which pip is not started in
        own["PIP_CONFIG_FILE"] = str(Path(own["PIP_CONFIG_FILE"]).absolute())
    try:
        finished = subprocess.run(
            [*isolated_python(), "-m", "pip", "config", *words],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            env=own,
            cwd=NEUTRAL,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise _unread(f"no answer within {_SECONDS} s") from None
    if finished.returncode != 0:
        text = finished.stderr.strip()
        raise _unread(text.splitlines()[-1] if text else "no output")
    return finished.stdout


def _unread(reason: str) -> SettingsError:
    return SettingsError(
        f"pip's configuration cannot be read: {reason}",
        why="packages would come from another index than the one that is configured",
        next_step="see: pip config debug",
    )


def _merge(output: str, ask: Callable[[str], str]) -> dict[str, str]:
    """Lines like ``global.index-url='…'``; ``install.`` beats ``global.``, variables beat both.

    An empty value is none. The lines are sorted by their file's name, not by its rank: where two
    files disagree, *ask* tells what pip itself makes of them.
    """
    order = ("global", "install", ":env:")
    sections: dict[str, dict[str, str]] = {section: {} for section in order}
    for line in output.splitlines():
        name, equals, quoted = line.partition("=")
        section, _, key = name.rpartition(".")
        if not equals or section not in sections:
            continue
        try:
            value = ast.literal_eval(quoted)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if not isinstance(value, str):
            continue
        settings = sections[section]
        settings[key] = value if settings.get(key, value) == value else ask(name)
    return {k: v for section in order for k, v in sections[section].items() if v}


def _reachable(value: str, folders: list[str]) -> Iterator[str]:
    """Entries of *value* that exist for the container; local folders are added to *folders*."""
    for entry in value.split():
        path = urllib.parse.unquote(entry.removeprefix("file://"))
        if "://" in entry and not entry.startswith("file://"):
            yield entry
        elif Path(path).is_dir():
            folders.append(path)
            yield entry


def _without_credentials(value: str) -> str:
    return " ".join(map(strip_credentials, value.split()))


def strip_credentials(url: str) -> str:
    """*url* without user and password.

    In an address that is none, such as one whose password holds a bare slash, everything up to
    the last ``@`` goes.
    """
    scheme, separator, rest = url.partition("://")
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError:
        return f"{scheme}{separator}{rest.rpartition('@')[2]}"
    if "@" not in parts.netloc:
        return url
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes() if path else b""
    except OSError:
        return b""
