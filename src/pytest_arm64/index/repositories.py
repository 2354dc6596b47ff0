"""Git repositories that requirements name: one commit of each as an archive, which is kept.

Nothing of a repository is run. The host's git fetches it, because it has the user's keys and
credentials; neither of them, nor git's own folder, is in the archive.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .. import cache
from ..isolation import program
from ..walking import walk_folders
from .addresses import scrubbed, shown, subdirectory_of
from .fetch import Deadline, FetchError
from .index import FRESH_SECONDS

KIND = "repositories"
_FORMAT = 1
_SCHEMES = frozenset(["https", "http", "ssh", "git", "file"])
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
# git itself decides what a name of a branch is; none begins with a dash, as an option does.
_REVISION = re.compile(r"[A-Za-z0-9_][^\s~^:?*\[\\]*\Z")
_MAXIMUM_MANIFEST = 2**20
_ARCHIVAL = ".git_archival.txt"
# A repository decides neither what is run here nor what else is asked.
_SAFE = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"),
    *("-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false"),
)
# Of a git that runs us, as a hook; they would lead to its own repository.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")


@dataclass(frozen=True)
class GitReference:
    """A place in a repository."""

    url: str
    """What git is asked for; it may hold credentials."""
    revision: str = ""
    """A commit, tag or branch; empty for the default branch."""
    subdirectory: str = ""


@dataclass(frozen=True)
class Checkout:
    """One commit of a repository."""

    commit: str
    archive: Path
    """A ``.tar.gz`` of everything, below one folder that begins with the project's name."""
    sha256: str
    manifest: str
    """The text of its ``pyproject.toml``; empty where it has none."""
    has_setup: bool
    """Whether it has a ``setup.py``."""


def reference_of(address: str) -> GitReference | None:
    """What *address*, ``git+https://host/path@revision#subdirectory=folder``, names.

    None where it names no git repository, or nothing that git should be asked for.
    """
    kind, plus, rest = address.partition("+")
    try:
        parts = urllib.parse.urlsplit(rest)
    except ValueError:
        return None
    if kind != "git" or not plus or parts.scheme not in _SCHEMES:
        return None
    path, at, revision = parts.path.rpartition("@")
    if not at:
        path, revision = parts.path, ""
    if revision and not _REVISION.match(revision):
        return None
    folder = subdirectory_of(rest)
    if "subdirectory=" in parts.fragment and not folder:
        return None
    url = urllib.parse.urlunsplit(parts._replace(path=path, fragment=""))
    return GitReference(url, revision, folder)


class Repositories:
    """Fetches each commit once, and finds it again without a network."""

    def __init__(
        self, environ: Mapping[str, str], deadline: Deadline, *, offline: bool, refresh: bool
    ) -> None:
        """*environ* is that of git; *refresh* asks anew where a branch or tag points to."""
        self._environ = environ
        self._deadline = deadline
        self._offline = offline
        self._refresh = refresh

    def checkout(self, name: str, reference: GitReference) -> Checkout:
        """The commit that *reference* names, for the project *name*.

        Raises:
            FetchError: it cannot be had; the text says why, without credentials.
        """
        key = cache.digest(
            [_FORMAT, name, shown(reference.url), reference.revision, reference.subdirectory]
        )
        cached = cache.load(KIND, key)
        checkout = _cached_checkout(cached) if cached is not None else None
        if checkout is not None and (self._offline or self._is_current(reference, cached)):
            with suppress(OSError):
                checkout.archive.touch()  # what was used last is pruned last
            return checkout
        if self._offline:
            raise FetchError(f"{shown(reference.url)} is not in the cache, and --offline was given")
        checkout = self._fetched(name, reference)
        record = {
            "commit": checkout.commit,
            "sha256": checkout.sha256,
            "manifest": checkout.manifest,
            "has_setup": checkout.has_setup,
            "fetched": time.time(),
        }
        cache.store(KIND, key, record)
        return checkout

    def _is_current(self, reference: GitReference, cached: Mapping[str, object] | None) -> bool:
        if _COMMIT.match(reference.revision):
            return True
        fetched = (cached or {}).get("fetched")
        age = time.time() - fetched if isinstance(fetched, float) else FRESH_SECONDS
        return 0 <= age < FRESH_SECONDS and not self._refresh

    def _fetched(self, name: str, reference: GitReference) -> Checkout:
        folder = cache.cache_folder() / KIND
        try:
            folder.mkdir(parents=True, exist_ok=True)
            place = Path(tempfile.mkdtemp(dir=folder, suffix=".part"))
        except OSError as error:
            raise FetchError(f"{folder} cannot be written: {error.strerror}") from None
        try:
            return self._archived(name, reference, place)
        except OSError as error:
            raise FetchError(f"{shown(reference.url)} could not be saved: {error}") from None
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _archived(self, name: str, reference: GitReference, place: Path) -> Checkout:
        tree = place / "tree"
        # The history names versions, and their files are not needed for that.
        options = ("--quiet", "--no-checkout", "--filter=blob:none")
        self._git(place, "clone", *options, "--", reference.url, str(tree))
        commit = self._commit(reference, tree)
        self._git(tree, "checkout", "--quiet", "--detach", commit)
        if (tree / ".gitmodules").is_file():
            self._git(tree, "submodule", "--quiet", "update", "--init", "--recursive")
        own = tree / reference.subdirectory
        if not own.is_dir() or not own.resolve().is_relative_to(tree.resolve()):
            raise FetchError(f"{shown(reference.url)} has no folder {reference.subdirectory!r}")
        seconds, described = self._described(tree, commit)
        for folder in {tree, own}:
            if _is_open(folder / _ARCHIVAL):
                (folder / _ARCHIVAL).unlink(missing_ok=True)
                (folder / _ARCHIVAL).write_text(described, "utf-8")
        top = "-".join([name, commit[:12], *PurePosixPath(reference.subdirectory).parts])
        made = place / "archive.tar.gz"
        sha256 = _pack(tree, made, top, seconds)
        manifest = own / "pyproject.toml"
        text = _text(manifest) if manifest.is_file() and not manifest.is_symlink() else ""
        archive = _place(sha256)
        made.replace(archive)
        return Checkout(commit, archive, sha256, text, os.path.lexists(own / "setup.py"))

    def _commit(self, reference: GitReference, tree: Path) -> str:
        wanted = reference.revision
        if not wanted:
            return self._git(tree, "rev-parse", "--verify", "HEAD^{commit}")
        for name in (f"refs/remotes/origin/{wanted}", f"refs/tags/{wanted}", wanted):
            commit = self._ask(tree, "rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
            if commit:
                return commit
        # Only what branches and tags lead to is cloned: not the head of a pull request.
        self._git(tree, "fetch", "--quiet", "origin", wanted)
        return self._git(tree, "rev-parse", "--verify", "FETCH_HEAD^{commit}")

    def _described(self, tree: Path, commit: str) -> tuple[int, str]:
        """Seconds of the commit, and what tools that name versions by tags read in an archive."""
        dated = self._git(tree, "log", "-1", "--format=%ct %cI", commit)
        seconds, _, date = dated.partition(" ")
        name = self._ask(tree, "describe", "--tags", "--match", "*[0-9]*", commit)
        lines = [f"node: {commit}", f"node-date: {date}"]
        if name:
            lines.append(f"describe-name: {name}")
        return int(seconds), "".join(f"{line}\n" for line in lines)

    def _ask(self, folder: Path, *arguments: str) -> str:
        """What git answers; empty where it refuses."""
        try:
            return self._git(folder, *arguments)
        except FetchError:
            return ""

    def _git(self, folder: Path, *arguments: str) -> str:
        git = program("git", self._environ)
        if git is None:
            raise FetchError("git is not installed on this machine, and a repository is wanted")
        self._deadline.check()
        environ = {k: v for k, v in self._environ.items() if k not in _FOREIGN}
        environ.update(LC_ALL="C", GIT_TERMINAL_PROMPT="0")
        environ.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        with subprocess.Popen(
            [git, *_SAFE, *arguments],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                output, complaint = process.communicate(timeout=self._deadline.left())
            except BaseException as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if isinstance(error, subprocess.TimeoutExpired):
                    self._deadline.check()
                raise
        if process.returncode != 0:
            raise FetchError(f"git {arguments[0]}: {_reason(complaint)}")
        return output.strip()


def _reason(complaint: str) -> str:
    """What git, and ssh and the other side before it, complain of, without credentials."""
    said: list[str] = []
    for line in filter(None, map(str.strip, complaint.splitlines())):
        said.append(line)
        if line.startswith("fatal:"):  # what follows is advice
            break
    text = "; ".join(said) or "no reason given"
    return scrubbed(text)[:300]


def _cached_checkout(record: Mapping[str, object]) -> Checkout | None:
    commit, sha256, manifest = (record.get(key) for key in ("commit", "sha256", "manifest"))
    if not (isinstance(commit, str) and isinstance(sha256, str) and isinstance(manifest, str)):
        return None
    archive = _place(sha256)
    if not archive.is_file():
        return None
    return Checkout(commit, archive, sha256, manifest, bool(record.get("has_setup")))


def _place(sha256: str) -> Path:
    return cache.cache_folder() / KIND / f"{sha256}.tar.gz"


def _text(path: Path) -> str:
    if path.stat().st_size > _MAXIMUM_MANIFEST:
        raise FetchError(f"its {path.name} is larger than {_MAXIMUM_MANIFEST >> 20} MiB")
    return path.read_text("utf-8", "replace")


def _is_open(archival: Path) -> bool:
    """Whether *archival* is absent, or still waits for an export to fill it in."""
    if not os.path.lexists(archival):
        return True
    return archival.is_file() and not archival.is_symlink() and "$Format" in _text(archival)


def _pack(tree: Path, target: Path, top: str, seconds: int) -> str:
    """Write *tree* without git's folders below *top* into *target*; its SHA-256.

    The same commit gives the same bytes on every machine.
    """
    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in _members(tree):
            status = path.lstat()
            member = tarfile.TarInfo((Path(top) / path.relative_to(tree)).as_posix())
            member.mtime, member.mode = seconds, 0o644
            if path.is_symlink():
                member.type, member.linkname = tarfile.SYMTYPE, str(path.readlink())
                archive.addfile(member)
            elif path.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member)
            elif path.is_file():
                member.size = status.st_size
                member.mode = 0o755 if status.st_mode & 0o100 else 0o644
                with path.open("rb") as content:
                    archive.addfile(member, content)
    digest = hashlib.sha256()
    with target.open("rb") as written:
        while chunk := written.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def _members(tree: Path) -> Iterator[Path]:
    yield tree
    for parent, folders, files in walk_folders(tree):
        folders[:] = sorted(name for name in folders if name != ".git")
        yield from (Path(parent, name) for name in sorted({*folders, *files} - {".git"}))
