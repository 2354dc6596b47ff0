"""Root file systems and images as tar files, as docker and skopeo write them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def tar(files: Mapping[str, bytes | str | None]) -> bytes:
    """A tar file of *files*: a text is a link's target, None a folder."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def config(architecture: str = "arm64", variables: Sequence[str] = ()) -> bytes:
    """An image's configuration."""
    return json.dumps({"architecture": architecture, "config": {"Env": list(variables)}}).encode()


def docker_archive(path: Path, layers: Sequence[bytes], settings: bytes) -> Path:
    """As ``docker save`` before version 25 writes it."""
    files: dict[str, bytes | str | None] = {"config.json": settings}
    names = []
    for number, layer in enumerate(layers):
        names.append(f"{number}/layer.tar")
        files[names[-1]] = layer
    manifest = [{"Config": "config.json", "RepoTags": None, "Layers": names}]
    path.write_bytes(tar({**files, "manifest.json": json.dumps(manifest).encode()}))
    return path


def oci_archive(
    path: Path, images: Mapping[str, Sequence[bytes]], *, wrong_hash: bool = False
) -> Path:
    """As skopeo writes an ``oci-archive:``, an image by architecture; layers are compressed."""
    files: dict[str, bytes | str | None] = {}

    def blob(content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        files[f"blobs/sha256/{digest}"] = content + b" " * wrong_hash
        return {"digest": f"sha256:{digest}", "size": len(content)}

    manifests = []
    for architecture, layers in images.items():
        parts = [blob(gzip.compress(layer)) for layer in layers]
        manifest = {"config": blob(config(architecture)), "layers": parts}
        entry = blob(json.dumps(manifest).encode())
        manifests.append({**entry, "platform": {"os": "linux", "architecture": architecture}})
    index = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    path.write_bytes(tar({**files, "index.json": index}))
    return path
