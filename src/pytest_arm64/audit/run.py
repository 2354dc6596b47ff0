"""The audit of services for targets: files in, wheel matrices out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from ..environment.manifests import numbered_lines
from ..environment.pipconfig import PipConfig, host_pip_config
from ..targets import Target
from .classify import Judge
from .environment import platform_of
from .fetch import Clock
from .index import Index, Sources
from .matrix import WheelMatrix
from .read import read_wishes
from .tree import resolve
from .wishes import Wish, wish_of

TIME_LIMIT = 300.0


def audit(
    paths: Iterable[Path],
    targets: Iterable[Target],
    *,
    environ: Mapping[str, str] = os.environ,
    offline: bool = False,
    refresh: bool = False,
    time_limit: float = TIME_LIMIT,
    config: PipConfig | None = None,
) -> Iterator[WheelMatrix]:
    """A matrix for each of *paths* and each of *targets*.

    Args:
        paths: requirement files, ``pyproject.toml`` files or project folders.
        targets: what they are deployed to.
        environ: the host's variables, which pip and the index client read.
        offline: ask no network; pages that were kept do, however old.
        refresh: ask the indexes anew about what was kept.
        time_limit: seconds for everything; what is not answered by then is ``unknown``.
        config: pip's configuration; that of this host by default.

    Raises:
        SettingsError: a file or a target cannot be used.
    """
    services = [read_wishes(path, environ) for path in paths]
    chosen = list(targets)
    platforms = [(platform_of(t), platform_of(t, "amd64")) for t in chosen]
    clock = Clock(time_limit)
    config = config or host_pip_config(environ)
    limits = tuple(_configured_constraints(config))
    open_indexes: dict[Sources, Index] = {}
    try:
        for wishes in services:
            sources = Sources.of_host(
                config,
                index=wishes.index,
                extra=wishes.extra_indexes,
                links=wishes.links,
                no_index=wishes.no_index,
                environ=environ,
            )
            index = open_indexes.get(sources)
            if index is None:
                index = Index(sources, clock, offline=offline, refresh=refresh)
                open_indexes[sources] = index
            for target, (arm, x86) in zip(chosen, platforms, strict=True):
                tree, provider = resolve(index, arm, wishes, limits)
                yield WheelMatrix(
                    service=wishes.service,
                    target=target.name,
                    packages=Judge(provider, arm, x86).rows(tree),
                    problems=(*wishes.gaps, *tree.problems),
                    index_age=max(0.0, time.time() - index.oldest),
                )
    finally:
        for index in open_indexes.values():
            index.close()


def _configured_constraints(config: PipConfig) -> Iterator[tuple[Requirement, Wish]]:
    """Constraint files that pip's own configuration names."""
    for path, content in config.constraints.items():
        for number, line in numbered_lines(content):
            try:
                requirement = Requirement(line)
            except InvalidRequirement:
                continue
            yield requirement, wish_of(requirement, f"{path.name}:{number}", direct=True)
