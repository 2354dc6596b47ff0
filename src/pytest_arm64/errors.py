"""Errors that a user meets: what happened, why it matters, what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .inside.errors import Arm64Error as Arm64Error  # noqa: PLC0414  (errors are imported from here)

if TYPE_CHECKING:
    from .inside.ran import Ran


class SettingsError(Arm64Error):
    """An option, a variable or ``[tool.pytest-arm64]`` says something that cannot be used."""


class NothingToReadError(SettingsError):
    """No file says what is deployed."""


class EmptyListError(NothingToReadError):
    """The file that says what is deployed lists nothing."""


class EngineError(Arm64Error):
    """The container engine is absent, refuses us, or failed to do what was asked."""


class OverdueCommandError(EngineError):
    """A command in a container took longer than it may; ``log`` has what it printed."""

    def __init__(self, what: str, *, why: str = "", next_step: str = "", log: str = "") -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.log = log


class ImageError(Arm64Error):
    """An image cannot be had, or is not what it was said to be."""


class ClockError(Arm64Error):
    """The engine's clock and this machine's disagree."""


class SpaceError(EngineError):
    """A disk is full, here or where the engine keeps its images."""


class EmulationError(Arm64Error):
    """A foreign architecture cannot be executed here, or not as the core that was asked for."""


class InstallError(Arm64Error):
    """The environment could not be made; ``log`` holds everything the installer printed."""

    def __init__(self, what: str, *, why: str = "", next_step: str = "", log: str = "") -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.log = log


class BuildError(InstallError):
    """A source distribution could not be built, for reasons of its own or of the builder's."""

    def __init__(
        self,
        package: str,
        version: str,
        *,
        what: str,
        kinds: tuple[str, ...],
        excerpt: str,
        why: str = "",
        next_step: str = "",
        log: str = "",
        seconds: float = 0.0,
    ) -> None:
        """*version* is empty where pip alone knows it; *excerpt* has the log's decisive lines."""
        super().__init__(what, why=why, next_step=next_step, log=log)
        self.package = package
        self.version = version
        self.kinds = kinds
        self.excerpt = excerpt
        self.seconds = seconds
        self.ran: Ran | None = None
        """The place that it was built for, where that is known."""


class OverdueBuildError(BuildError):
    """A build took longer than the user gives one: that says nothing about the package."""


class ProtocolError(Arm64Error):
    """The session inside said something that the host cannot make sense of."""


class ReportError(Arm64Error):
    """A report cannot be read, written, rendered or merged."""


class ArtifactError(Arm64Error):
    """A wheel, archive, folder or image that is to be looked at cannot be read."""


class PriceError(Arm64Error):
    """A price is not known, or what it would be multiplied with is no evidence."""
