"""Matrices of services, from the last run where nothing that decides them has changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .. import __version__, cache
from ..advisories.database import Advisories, shipped_advisories
from ..config.targets import Target
from ..index.addresses import public
from ..index.pip_config import PipConfig
from ..inputs.service import Service
from .matrix import WheelMatrix

_KIND = "matrices"
_FRESH_SECONDS = 24 * 3600.0


def kept_matrices(
    asked: Sequence[tuple[Service, Target]],
    environ: Mapping[str, str],
    config: PipConfig,
    *,
    offline: bool = False,
    refresh: bool = False,
    advisories: Advisories | None = None,
) -> list[WheelMatrix]:
    """Matrices of services, each on a target, from the last run where nothing that decides them
    has changed.

    A lock settles its matrix for ever; what an index decided is kept for 24 hours. With
    ``CI`` set everything is asked again.
    """
    refresh = refresh or (bool(environ.get("CI")) and not offline)
    advisories = advisories or shipped_advisories()
    keys = [_key(service, target, config, advisories) for service, target in asked]
    cached = [
        None if refresh else _load(key, settled=service.lock is not None or offline)
        for key, (service, _) in zip(keys, asked, strict=True)
    ]
    if None not in cached:
        return [matrix for matrix in cached if matrix is not None]
    # Resolver and network client are loaded where they are needed.
    from .auditor import Auditor

    made: list[WheelMatrix] = []
    with Auditor(
        environ, offline=offline, refresh=refresh, config=config, advisories=advisories
    ) as auditor:
        for key, (service, target), matrix in zip(keys, asked, cached, strict=True):
            result = matrix or auditor.matrix(service, target)
            # One whose addresses are written without their tokens would not lead to the files.
            open_to_all = all(row.url == public(row.url) for row in result.packages)
            settled = result.complete and not result.unread_wheels
            if matrix is None and settled and open_to_all:
                cache.store(_KIND, key, {"made": time.time(), **result.to_json()})
            made.append(result)
    return made


def _load(key: str, *, settled: bool) -> WheelMatrix | None:
    kept = cache.load(_KIND, key)
    made = kept.get("made") if kept is not None else None
    if kept is None or not isinstance(made, float):
        return None
    age = time.time() - made
    if not (settled or 0 <= age < _FRESH_SECONDS):
        return None
    try:
        matrix = WheelMatrix.from_json(kept)
    except ValueError:
        return None
    return replace(matrix, index_age=matrix.index_age + max(0.0, age))


def _key(service: Service, target: Target, config: PipConfig, advisories: Advisories) -> str:
    """What two matrices must share to be the same."""
    return cache.digest(
        [
            *(__version__, service.fingerprint(), config.fingerprint(), advisories.fingerprint),
            *(target.name, target.python, target.glibc, target.recipe.name, target.package),
        ]
    )
