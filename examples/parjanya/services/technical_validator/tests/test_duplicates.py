"""Duplicate lookup: never misses, never invents; against full scans and the worst cases."""

from itertools import product
from math import comb
from random import Random

import oracles
import photos
import pytest
from PIL import Image

from technical_validator import Catalogue, Duplicate
from technical_validator.duplicates import (
    CHUNKS,
    THRESHOLD,
    HashIndex,
    chunks,
    index_keys,
    probe_keys,
)
from technical_validator.perceptual_hash import dhash, phash


def splits(total: int) -> list[tuple[int, ...]]:
    """All ways to spread `total` bits over the four chunks."""
    return [split for split in product(range(total + 1), repeat=CHUNKS) if sum(split) == total]


def differing(value: int, split: tuple[int, ...], random: Random) -> int:
    """The hash with as many bits flipped in each chunk as the split says."""
    for position, count in enumerate(split):
        for bit in random.sample(range(16), count):
            value ^= 1 << (48 - 16 * position + bit)
    return value


@pytest.fixture
def index() -> HashIndex:
    return HashIndex()


@pytest.mark.exhaustive
@pytest.mark.parametrize(("distance", "found"), [(7, True), (8, True), (9, False)])
def test_found_however_the_bits_are_spread(
    distance: int, found: bool, index: HashIndex, random: Random
) -> None:
    """The pigeonhole proof, tried: every split of the bits over the chunks, in every order."""
    value = random.getrandbits(64)
    for split in splits(distance):
        index.add(f"{split}", differing(value, split, random))
    assert len(index) == comb(distance + 3, 3)
    assert index.near(value) == (
        {f"{split}": distance for split in splits(distance)} if found else {}
    )


@pytest.mark.exhaustive
def test_lookup_equals_a_full_scan_of_clustered_hashes(index: HashIndex, random: Random) -> None:
    """Plain random hashes lie 32 bits apart; clusters put hundreds around the threshold."""
    centres = [random.getrandbits(64) for _ in range(30)]
    hashes = {
        f"{number}": oracles.flip(random.choice(centres), random.randrange(14), random)
        for number in range(1500)
    }
    for name, value in hashes.items():
        index.add(name, value)
    found = 0
    for centre in centres:
        query = oracles.flip(centre, random.randrange(5), random)
        expected = oracles.scan(hashes, query, THRESHOLD)
        assert index.near(query) == expected
        found += len(expected)
    assert 300 < found < 1500  # both outcomes are common


@pytest.mark.exhaustive
def test_probes_are_exactly_the_chunks_within_two_bits(random: Random) -> None:
    value = random.getrandbits(64)
    expected = {
        f"{position}#{other:04x}"
        for position, chunk in enumerate(chunks(value))
        for other in range(1 << 16)
        if f"{chunk ^ other:b}".count("1") <= 2
    }
    assert set(probe_keys(value)) == expected


def test_no_key_is_probed_twice(random: Random) -> None:
    keys = list(probe_keys(random.getrandbits(64)))
    assert len(keys) == len(set(keys)) == CHUNKS * (comb(16, 0) + comb(16, 1) + comb(16, 2))


def test_exact_chunks_alone_would_stop_at_distance_three(random: Random) -> None:
    """Why the neighbours are probed: one bit in each chunk, and no stored key is the same."""
    value = random.getrandbits(64)
    assert set(index_keys(value)) & set(index_keys(differing(value, (1, 1, 1, 0), random)))
    assert not set(index_keys(value)) & set(index_keys(differing(value, (1, 1, 1, 1), random)))


def test_keys_hold_the_whole_hash() -> None:
    assert index_keys(0x0123456789ABCDEF) == ("0#0123", "1#4567", "2#89ab", "3#cdef")


@pytest.mark.parametrize(("distance", "found"), [(7, True), (8, True), (9, False)])
def test_threshold_on_a_photograph_hash(
    distance: int, found: bool, index: HashIndex, coffee: Image.Image, random: Random
) -> None:
    value = phash(coffee.convert("L"))
    for _ in range(50):
        index.add("coffee", oracles.flip(value, distance, random))
        assert index.near(value) == ({"coffee": distance} if found else {})


def test_a_name_that_is_stored_again_moves(index: HashIndex) -> None:
    index.add("a", 0)
    index.add("a", (1 << 64) - 1)
    assert index.near(0) == {}
    assert index.near((1 << 64) - 1) == {"a": 0}
    assert len(index) == 1


@pytest.mark.parametrize(
    ("phash_distance", "dhash_distance", "found"),
    [(8, 8, True), (9, 0, False), (0, 9, False)],
)
def test_both_hashes_must_agree(
    phash_distance: int, dhash_distance: int, found: bool, catalogue: Catalogue, random: Random
) -> None:
    p, d = random.getrandbits(64), random.getrandbits(64)
    catalogue.add(
        "stored", oracles.flip(p, phash_distance, random), oracles.flip(d, dhash_distance, random)
    )
    expected = (Duplicate(phash_distance, dhash_distance, "stored"),) if found else ()
    assert catalogue.duplicates_of("new", p, d) == expected


def test_nearest_first_and_never_itself(catalogue: Catalogue) -> None:
    for name, bits in {"far": 0b111, "self": 0, "near": 0b1, "same": 0}.items():
        catalogue.add(name, bits, 0)
    names = [duplicate.name for duplicate in catalogue.duplicates_of("self", 0, 0)]
    assert names == ["same", "near", "far"]


def test_edits_are_found_exactly_up_to_the_threshold(file: str, catalogue: Catalogue) -> None:
    """Cropping more and more of a real photograph leads from a duplicate to a new picture."""
    original = photos.load(file).convert("L")
    catalogue.add(file, phash(original), dhash(original))
    outcomes = []
    for percent in (0, 1, 2, 3, 4, 6, 8, 12, 20, 40):
        edited = photos.cropped(original, percent)
        p = oracles.hamming(phash(edited), phash(original))
        d = oracles.hamming(dhash(edited), dhash(original))
        found = catalogue.duplicates_of("edited", phash(edited), dhash(edited))
        assert found == ((Duplicate(p, d, file),) if p <= 8 and d <= 8 else ())
        outcomes.append(bool(found))
    assert outcomes[:2] == [True, True]
    assert outcomes[-1] is False


def test_two_viewpoints_of_one_scene_are_two_photographs(catalogue: Catalogue) -> None:
    """A stereo pair: close, yet to be told apart."""
    left, right = (photos.load(f"motorcycle_{side}.png").convert("L") for side in ("left", "right"))
    catalogue.add("left", phash(left), dhash(left))
    assert catalogue.duplicates_of("right", phash(right), dhash(right)) == ()
