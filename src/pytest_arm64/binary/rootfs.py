"""Root file systems in files: a tar of one, or an image as docker, podman and skopeo save it.

Nothing is unpacked beside the archive and nothing of it is started. Archives come from strangers:
what they unpack to, how much is read and how deep their indexes lie is limited.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import posixpath
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..errors import ArtifactError
from ..records import parse
from .filetree import FileTree, reading_errors, tar_tree

MAXIMUM_LAYERS = 256
MAXIMUM_BYTES = 8 * 2**30
"""To which all layers together may unpack."""
_MAXIMUM_DOCUMENT = 4 * 2**20
_MAXIMUM_DATABASE = 256 * 2**20
_MAXIMUM_DEPTH = 4
_CHUNK = 2**20
_OPENERS: Mapping[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_ZSTD = b"\x28\xb5\x2f\xfd"
_ARM = ("arm64", "aarch64")
# Debian, Alpine and the two places of rpm's database.
PACKAGE_DATABASES = ("/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite")


@dataclass(frozen=True)
class RootFiles:
    """What of a root file system decides about compiled files."""

    tree: FileTree
    """The compiled files, links and texts, all layers laid over each other."""
    digest: str = ""
    """Of the image's manifest, where the archive has one."""
    library_path: str = ""
    """``LD_LIBRARY_PATH`` of the image."""
    databases: Mapping[str, bytes] = field(default_factory=dict)
    """rpm's database by its path, where there is one."""


class _Layer(NamedTuple):
    tree: FileTree
    names: frozenset[str]
    """Paths of all members that are no folders."""
    gone: frozenset[str]
    """Paths that it removes from the layers below."""
    emptied: frozenset[str]
    """Folders of which nothing below remains."""
    databases: Mapping[str, bytes]


def read_root(path: Path) -> RootFiles:
    """The root file system in *path*: a tar of it, or an image saved as a tar.

    Raises:
        ArtifactError: it is neither, is damaged, or unpacks to too much.
    """
    with reading_errors(path), ExitStack() as stack:
        budget = _Budget()
        archive = stack.enter_context(_plain(path.open("rb"), budget))
        members = _members(archive)
        document = _document(archive, members, "manifest.json")
        if document is not None:
            image = _docker_image(archive, members, document)
        elif "index.json" in members:
            image = _oci_image(archive, members)
        else:
            return _merged([_layer(archive)], _Image())
        layers = []
        for name in image.layers:
            with _plain(_member(archive, members, name), budget) as layer:
                layers.append(_layer(layer))
        return _merged(layers, image)


def read_root_stream(archive: IO[bytes], digest: str, library_path: str) -> RootFiles:
    """The root file system in the uncompressed tar *archive*, a file, of an image.

    Raises:
        ArtifactError: it cannot be read.
    """
    with reading_errors("the image"):
        return _merged([_layer(archive)], _Image((), digest, library_path))


class _Image(NamedTuple):
    layers: tuple[str, ...] = ()
    digest: str = ""
    library_path: str = ""


class _Budget:
    """How many bytes may still be unpacked."""

    def __init__(self) -> None:
        self.left = MAXIMUM_BYTES

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise ArtifactError(f"it unpacks to more than {MAXIMUM_BYTES >> 30} GiB")


@contextmanager
def _plain(stream: IO[bytes], budget: _Budget) -> Iterator[IO[bytes]]:
    """*stream*, unpacked into a file of its own."""
    with stream, tempfile.TemporaryFile() as target:
        head = stream.read(8)
        stream.seek(0)
        if head.startswith(_ZSTD):
            raise ArtifactError(
                "it is compressed with zstd", next_step="unpack it first: zstd -d FILE"
            )
        opener = next((o for magic, o in _OPENERS.items() if head.startswith(magic)), None)
        source = opener(stream) if opener is not None else stream
        while chunk := source.read(_CHUNK):
            budget.take(len(chunk))
            target.write(chunk)
        target.seek(0)
        yield target


def _members(archive: IO[bytes]) -> Mapping[str, tuple[int, int]]:
    """Offset and size of each file of the tar *archive*; empty if it is no tar of an image."""
    found: dict[str, tuple[int, int]] = {}
    with tarfile.open(fileobj=archive, mode="r:") as opened:
        for member in opened:
            name = posixpath.normpath(member.name)
            if member.isreg() and not member.issparse() and len(found) < 16 * MAXIMUM_LAYERS:
                found[name] = (member.offset_data, member.size)
            elif member.issym() and posixpath.dirname(name):
                # docker save before 25 links layers that two images share.
                target = posixpath.normpath(
                    posixpath.join(posixpath.dirname(name), member.linkname)
                )
                if target in found:
                    found[name] = found[target]
    archive.seek(0)
    return found


def _member(archive: IO[bytes], members: Mapping[str, tuple[int, int]], name: str) -> IO[bytes]:
    """A copy of the file *name* of *archive*; of a blob, with the hash that its name promises."""
    if name not in members:
        raise ArtifactError(f"the archive does not have {name!r:.120}")
    offset, size = members[name]
    target = tempfile.TemporaryFile()  # noqa: SIM115  (handed to the caller)
    digest = hashlib.sha256()
    archive.seek(offset)
    while size > 0 and (chunk := archive.read(min(size, _CHUNK))):
        size -= len(chunk)
        digest.update(chunk)
        target.write(chunk)
    if name.startswith("blobs/sha256/") and name.rpartition("/")[2] != digest.hexdigest():
        target.close()
        raise ArtifactError(f"{name} has another hash than its name")
    target.seek(0)
    return target


def _document(
    archive: IO[bytes], members: Mapping[str, tuple[int, int]], name: str
) -> object | None:
    """The JSON file *name*; None where it is missing."""
    if name not in members:
        return None
    if members[name][1] > _MAXIMUM_DOCUMENT:
        raise ArtifactError(f"{name} is larger than {_MAXIMUM_DOCUMENT >> 20} MiB")
    with _member(archive, members, name) as stream:
        return parse(stream.read())


def _docker_image(
    archive: IO[bytes], members: Mapping[str, tuple[int, int]], document: object
) -> _Image:
    """The only image of an archive by ``docker save``."""
    images = document if isinstance(document, list) else []
    if len(images) != 1:
        raise ArtifactError(
            f"the archive has {len(images)} images", next_step="save one image: docker save IMAGE"
        )
    image = _mapping(images[0])
    layers = _texts(image.get("Layers"))
    config = _mapping(_document(archive, members, str(image.get("Config"))))
    return _image(layers, "", config)


def _oci_image(archive: IO[bytes], members: Mapping[str, tuple[int, int]]) -> _Image:
    """The image of an OCI archive; of several platforms that for ARM64."""
    document, digest = _mapping(_document(archive, members, "index.json")), ""
    for _ in range(_MAXIMUM_DEPTH):
        entries = document.get("manifests")
        if not isinstance(entries, list):
            break
        chosen = [e for e in map(_mapping, entries) if _is_arm(_mapping(e.get("platform")))]
        chosen = chosen or [_mapping(entry) for entry in entries]
        if len(chosen) != 1:
            raise ArtifactError(f"the archive has {len(chosen)} images, not one for ARM64")
        digest = str(chosen[0].get("digest"))
        document = _mapping(_document(archive, members, _blob(digest)))
    layers = document.get("layers")
    named = [_mapping(layer) for layer in layers] if isinstance(layers, list) else []
    config = _mapping(document.get("config"))
    settings = _mapping(_document(archive, members, _blob(str(config.get("digest")))))
    return _image([_blob(str(layer.get("digest"))) for layer in named], digest, settings)


def _image(layers: list[str], digest: str, config: Mapping[str, object]) -> _Image:
    if not layers or len(layers) > MAXIMUM_LAYERS:
        raise ArtifactError(f"the image has {len(layers)} layers")
    machine = config.get("architecture")
    if machine not in (*_ARM, None):
        raise ArtifactError(f"the image is for {machine!r:.40}, not for arm64")
    variables = _texts(_mapping(config.get("config")).get("Env"))
    values = dict(variable.partition("=")[::2] for variable in variables)
    return _Image(tuple(layers), digest, values.get("LD_LIBRARY_PATH", ""))


def _is_arm(platform: Mapping[str, object]) -> bool:
    return platform.get("architecture") in _ARM and platform.get("os") == "linux"


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _layer(archive: IO[bytes]) -> _Layer:
    names, gone, emptied = set(), set(), set()
    databases: dict[str, bytes] = {}
    with tarfile.open(fileobj=archive, mode="r:") as opened:
        for member in opened:
            path = posixpath.normpath(f"/{member.name}").replace("//", "/")
            folder, name = posixpath.split(path)
            if name == ".wh..wh..opq":
                emptied.add(folder)
            elif name.startswith(".wh."):
                gone.add(posixpath.join(folder, name.removeprefix(".wh.")))
            elif not member.isdir():
                names.add(path)
            if path in PACKAGE_DATABASES and member.isreg() and member.size < _MAXIMUM_DATABASE:
                stream = opened.extractfile(member)
                databases[path] = stream.read() if stream is not None else b""
    return _Layer(
        tar_tree(archive, "/"), frozenset(names), frozenset(gone), frozenset(emptied), databases
    )


def _merged(layers: list[_Layer], image: _Image) -> RootFiles:
    tree = FileTree()
    databases: dict[str, bytes] = {}
    for layer in layers:
        tree = layer.tree.over(_without(tree, layer))
        databases = {**_remaining(databases, layer), **layer.databases}
    return RootFiles(tree, image.digest, image.library_path, databases)


def _without(tree: FileTree, layer: _Layer) -> FileTree:
    """What remains of *tree* below *layer*."""
    return FileTree(
        _remaining(tree.files, layer), _remaining(tree.links, layer), _remaining(tree.texts, layer)
    )


def _remaining(paths: Mapping[str, Any], layer: _Layer) -> dict[str, Any]:
    return {path: value for path, value in paths.items() if not _covers(layer, path)}


def _covers(layer: _Layer, path: str) -> bool:
    """Whether *layer* replaces or removes *path*, or a folder above it."""
    if path in layer.names or path in layer.gone:
        return True
    folder = posixpath.dirname(path)
    while folder != "/":
        if folder in layer.names or folder in layer.gone or folder in layer.emptied:
            return True
        folder = posixpath.dirname(folder)
    return "/" in layer.emptied
