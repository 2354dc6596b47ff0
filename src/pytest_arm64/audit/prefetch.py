"""Walks ahead of the resolver, so that its questions are answered before it asks them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial

from ..index.fetch import FetchError
from ..index.metadata import parse_requirement
from ..inputs.requirements import SourcedRequirement, sourced_requirement, with_extras
from .index_candidates import IndexCandidates

_MAXIMUM = 4_000


class Prefetcher:
    """Guesses which releases will be selected and fetches their pages and metadata.

    A wrong guess costs a request; what the resolver decides does not depend on any.
    """

    def __init__(self, candidates: IndexCandidates) -> None:
        self._candidates = candidates
        self._seen: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def explore(self, wishes: Iterable[SourcedRequirement]) -> None:
        """Fetch what *wishes* lead to, in the background."""
        for wish in wishes:
            key = (wish.name, wish.extra, str(wish.specifier))
            with self._lock:
                if wish.url or key in self._seen or len(self._seen) >= _MAXIMUM:
                    continue
                self._seen.add(key)
            if wish.name in self._candidates.locals:
                continue
            self._candidates.index.when_page(wish.name, partial(self._arrived, wish))

    def _arrived(self, wish: SourcedRequirement) -> None:
        candidates = self._candidates
        try:
            version = candidates.best(wish.name, [wish])
        except FetchError:
            return
        if version is None:
            return
        file = next(candidates.sources_of_metadata(wish.name, version), None)
        if file is None:
            return

        def follow(requirements: Iterable[str]) -> None:
            for text in requirements:
                requirement = parse_requirement(text)
                if requirement is not None and candidates.applies(requirement, wish.extra):
                    self.explore(with_extras(requirement, sourced_requirement(requirement, "")))

        candidates.index.when_metadata(wish.name, file, lambda metadata: follow(metadata.requires))
