"""How hosts are reached: certificates, credentials and exceptions from pip's settings."""

from __future__ import annotations

import base64
import netrc
import os
import threading
import urllib.parse
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .keyring import AUTO, DISABLED, IMPORT, SUBPROCESS, from_keyring
from .pip_config import strip_credentials

_PORTS = {"http": 80, "https": 443}


@dataclass
class Access:
    """How hosts are reached: certificates, credentials and exceptions from pip's settings."""

    ca: bytes = b""
    netrc: Path | None = None
    trusted: frozenset[str] = frozenset()
    proxy: str = ""
    keyring: str = AUTO
    """How a keyring is asked; ``auto`` asks only where an index wants credentials."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    credentials: dict[str, str] = field(default_factory=dict)
    """``Authorization`` values by ``scheme://host:port``."""
    users: dict[str, str] = field(default_factory=dict)
    """Users without a password, by the same."""
    places: dict[str, str] = field(default_factory=dict)
    """Addresses of indexes, by the same."""
    asked: set[str] = field(default_factory=set)
    """Where a keyring was asked already."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, url: str) -> str:
        """*url* without its credentials, which are kept for its host."""
        parts = urllib.parse.urlsplit(url)
        origin, stripped = origin_of(url), strip_credentials(url)
        self.places.setdefault(origin, stripped)
        if parts.username is not None:
            user = urllib.parse.unquote(parts.username)
            self.users[origin] = user
            if parts.password is not None or self.keyring == DISABLED:
                password = urllib.parse.unquote(parts.password or "")
                self.credentials[origin] = _basic(user, password)
        return stripped

    def header(self, url: str) -> dict[str, str]:
        """``Authorization`` for *url* where there are credentials for its host."""
        origin = origin_of(url)
        if origin not in self.credentials:
            self.credentials[origin] = self._from_netrc(url)
        if not self.credentials[origin] and self.keyring in (IMPORT, SUBPROCESS):
            self.ask_keyring(url)
        credentials = self.credentials[origin]
        return {"Authorization": credentials} if credentials else {}

    def ask_keyring(self, url: str) -> bool:
        """Ask a keyring for the host of *url*, once; whether there are credentials now."""
        origin, host = origin_of(url), urllib.parse.urlsplit(url).netloc.rpartition("@")[2]
        with self.lock:
            if origin not in self.asked:
                self.asked.add(origin)
                user = self.users.get(origin, "")
                for place in dict.fromkeys([self.places.get(origin, host), host]):
                    credentials = from_keyring(self.keyring, place, user, self.environ)
                    if credentials is not None:
                        self.credentials[origin] = _basic(*credentials)
                        break
                else:
                    if user and not self.credentials.get(origin):
                        self.credentials[origin] = _basic(user, "")
            return bool(self.credentials.get(origin))

    def _from_netrc(self, url: str) -> str:
        host = urllib.parse.urlsplit(url).hostname
        if self.netrc is None or not host:
            return ""
        with suppress(OSError, netrc.NetrcParseError, UnicodeDecodeError):
            login = netrc.netrc(str(self.netrc)).authenticators(host)
            if login:
                return _basic(login[0], login[2] or "")
        return ""


def origin_of(url: str) -> str:
    """``scheme://host:port`` of *url*."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
