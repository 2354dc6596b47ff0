"""The order in which pip would install packages, which is seen where two bring one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def installation_order(parents: Mapping[str, Iterable[str]]) -> list[str]:
    """Names in the order in which pip installs them: what depends on nothing that is left first.

    Of equals, the last by name comes first. *parents* are by name those that depend on it.
    """
    waiting: dict[str, set[str]] = {name: set() for name in parents}
    for name, above in parents.items():
        for parent in above:
            waiting[parent].add(name)
    order: list[str] = []
    while waiting:
        # In a cycle nobody is free: then all that are left.
        free = [name for name, on in waiting.items() if not on] or list(waiting)
        order += sorted(free, reverse=True)
        for name in free:
            del waiting[name]
        for on in waiting.values():
            on.difference_update(free)
    return order
