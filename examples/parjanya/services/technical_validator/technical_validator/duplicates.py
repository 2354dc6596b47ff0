"""Finds near-duplicates by Hamming distance through exact key lookups, without missing one.

A key-value table, such as DynamoDB with a secondary index, can only be asked for exact keys. Each
64-bit hash is therefore stored under four keys, one for each of its 16-bit chunks.

Why nothing within `THRESHOLD` = 8 is missed: let two hashes differ in at most 8 bits. These bits
are spread over four chunks, so some chunk holds at most 8 // 4 = 2 of them; were there 3 or more
in each, they would be 12 or more in all. A lookup probes, for each chunk, every key within 2 bits:
1 + 16 + 120 = 137. One of them is the other hash's stored key. (Probing only the chunk itself, the
one key at distance 0, would be complete no further than distance 3.)

Why nothing else is returned: what the probes fetch is only a candidate until its full distance,
over all 64 bits, has been counted.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

from .perceptual_hash import HASH_BITS, hamming

THRESHOLD = 8
CHUNKS = 4
CHUNK_BITS = HASH_BITS // CHUNKS
PROBE_RADIUS = THRESHOLD // CHUNKS


def _flips() -> tuple[int, ...]:
    """All chunk-wide masks of at most `PROBE_RADIUS` set bits."""
    bits = [1 << position for position in range(CHUNK_BITS)]
    return tuple(
        sum(chosen) for size in range(PROBE_RADIUS + 1) for chosen in combinations(bits, size)
    )


_FLIPS = _flips()


def chunks(value: int) -> tuple[int, ...]:
    """The 16-bit chunks of a hash, the most significant first."""
    mask = (1 << CHUNK_BITS) - 1
    return tuple(value >> shift & mask for shift in range(HASH_BITS - CHUNK_BITS, -1, -CHUNK_BITS))


def index_keys(value: int) -> tuple[str, ...]:
    """The four keys under which a hash is stored, such as `2#0f3c`: position and chunk."""
    return tuple(_key(position, chunk) for position, chunk in enumerate(chunks(value)))


def probe_keys(value: int) -> Iterator[str]:
    """The 4 * 137 keys, one of which leads to any hash within the threshold."""
    for position, chunk in enumerate(chunks(value)):
        for flip in _FLIPS:
            yield _key(position, chunk ^ flip)


def _key(position: int, chunk: int) -> str:
    return f"{position}#{chunk:0{CHUNK_BITS // 4}x}"


@dataclass
class HashIndex:
    """Named hashes behind chunk keys: the table and its secondary index, in memory."""

    _hashes: dict[str, int] = field(default_factory=dict)
    _names: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, name: str, value: int) -> None:
        """Store a hash; a name that is stored already is moved to its new hash."""
        if name in self._hashes:
            for key in index_keys(self._hashes[name]):
                self._names[key].discard(name)
        self._hashes[name] = value
        for key in index_keys(value):
            self._names[key].add(name)

    def near(self, value: int) -> dict[str, int]:
        """The distance of every stored hash that is within the threshold, by name."""
        candidates: set[str] = set()
        for key in probe_keys(value):
            candidates |= self._names.get(key, set())
        distances = {name: hamming(value, self._hashes[name]) for name in candidates}
        return {name: distance for name, distance in distances.items() if distance <= THRESHOLD}


@dataclass(frozen=True, order=True)
class Duplicate:
    """A stored photograph that both hashes find near; the nearest sorts first."""

    phash_distance: int
    dhash_distance: int
    name: str


@dataclass
class Catalogue:
    """The photographs seen so far, by both of their hashes."""

    phashes: HashIndex = field(default_factory=HashIndex)
    dhashes: HashIndex = field(default_factory=HashIndex)

    def add(self, name: str, phash: int, dhash: int) -> None:
        self.phashes.add(name, phash)
        self.dhashes.add(name, dhash)

    def duplicates_of(self, name: str, phash: int, dhash: int) -> tuple[Duplicate, ...]:
        """The other photographs within the threshold by pHash *and* by dHash.

        Both must agree, since a frame that is wrongly called a duplicate is a photograph lost. The
        name itself is left out: an upload that is tried again is no duplicate of its first try.
        """
        by_phash, by_dhash = self.phashes.near(phash), self.dhashes.near(dhash)
        both = by_phash.keys() & by_dhash.keys() - {name}
        return tuple(sorted(Duplicate(by_phash[n], by_dhash[n], n) for n in both))
