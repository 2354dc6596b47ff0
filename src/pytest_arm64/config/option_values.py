"""What was given for one run: one typed value of our options, before anything is checked."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass


@dataclass(frozen=True)
class Given:
    """Options as they were given; ``Given()`` is a run without any."""

    target: str = ""
    image: str = ""
    cpu: str = ""
    requirements: tuple[str, ...] = ()
    refresh: bool = False
    offline: bool = False
    copy: bool = False
    require_native: bool = False
    installer: str = ""
    build_network: bool = False
    build_timeout: str | None = None
    """None where it was not given."""
    cross: str = ""
    timeout: str | None = None
    """None where it was not given: an empty text is a mistake, which is reported."""
    memory: str = ""
    shm_size: str = ""
    compare: bool = False
    record: bool = False
    changes: tuple[str, ...] = ()
    """What ``--arm64-try`` names."""

    @classmethod
    def of(cls, option: Namespace) -> Given:
        """From pytest's ``config.option``."""
        return cls(
            target=option.arm64_target or "",
            image=option.arm64_image or "",
            cpu=option.arm64_cpu or "",
            requirements=tuple(option.arm64_requirements),
            refresh=option.arm64_refresh,
            offline=option.arm64_offline,
            copy=option.arm64_copy,
            require_native=option.arm64_require_native,
            installer=option.arm64_installer or "",
            build_network=option.arm64_build_network,
            build_timeout=option.arm64_build_timeout,
            cross=option.arm64_cross or "",
            timeout=option.arm64_timeout,
            memory=option.arm64_memory or "",
            shm_size=option.arm64_shm_size or "",
            compare=option.arm64_compare,
            record=option.arm64_record,
            changes=tuple(option.arm64_try),
        )
