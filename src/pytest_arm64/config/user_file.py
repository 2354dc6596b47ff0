"""The user's own ``config.toml``: what they allow in each of their projects, before any repository.

Nothing of ours writes it, and no file of a repository can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SettingsError
from ._toml import Table
from .suggestions import suggestion
from .toml_files import TomlFiles

NAME = "config.toml"
_KEYS: dict[str, type] = {
    "copy": bool,
    "image": str,
    "network": str,
    "env": list,
    "targets": dict,
    "build-network": bool,
}


@dataclass(frozen=True)
class UserFile:
    """What it says; each value counts where neither an option, a variable nor a project does."""

    path: Path | None = None
    """None where there is no such file."""
    copy: bool = False
    """Whether tests get a copy of the project."""
    image: str = ""
    network: str = ""
    build_network: bool = False
    env: tuple[str, ...] = ()
    """In addition to those of a project."""
    targets: Mapping[str, Table] = field(default_factory=dict)

    def widened(self, environ: Mapping[str, str]) -> Iterator[str]:
        """What it gives the tests of a run, for the header."""
        if self.network:
            yield f"network = {self.network!r} ({self.path})"
        if self.build_network:
            yield f"build-network = true ({self.path})"
        if self.image:
            yield f"image = {self.image!r} ({self.path})"
        for entry in self.env:
            name, equals, _ = entry.partition("=")
            if equals or name in environ:
                yield f"env = {name!r} ({self.path})"


def user_folder() -> Path:
    """The user's configuration folder for this product, whether it exists or not."""
    import platformdirs

    return Path(platformdirs.user_config_dir("pytest-arm64", appauthor=False))


def read_user_file(toml: TomlFiles, root: Path) -> UserFile:
    """The user's file, for a project in the repository *root*.

    Raises:
        SettingsError: it lies in the repository, is not TOML, or has a key or value that cannot be.
    """
    path = user_folder() / NAME
    file = toml.find(path.resolve())  # yours may be a link, as managers of such files have it
    if file is None:
        return UserFile()
    if path.resolve().is_relative_to(root.resolve()):
        raise SettingsError(
            f"{path} lies in the repository",
            why="its tests, or a pull request, could allow themselves everything",
            next_step="set XDG_CONFIG_HOME to a folder outside of the repository",
        )
    for key, value in file.data.items():
        if key not in _KEYS:
            raise SettingsError(
                f"{path} has no key {key!r}{suggestion(key, _KEYS)}",
                next_step="known keys: " + ", ".join(sorted(_KEYS)),
            )
        if not isinstance(value, _KEYS[key]):
            raise SettingsError(f"{path}: {key} = {value!r} has a wrong type")
    data = file.data
    return UserFile(
        path,
        copy=data.get("copy", False),
        image=data.get("image", ""),
        network=data.get("network", ""),
        build_network=data.get("build-network", False),
        env=tuple(data.get("env", ())),
        targets=data.get("targets", {}),
    )
