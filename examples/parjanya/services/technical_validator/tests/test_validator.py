"""Verdicts: real photographs pass, each way of spoiling them gives its own reason."""

from dataclasses import FrozenInstanceError, replace

import photos
import pytest
from PIL import Image

from technical_validator import Catalogue, Limits, Reason, UnreadableImageError, validate
from technical_validator.perceptual_hash import dhash, phash


def reasons(image: Image.Image, catalogue: Catalogue | None = None) -> tuple[Reason, ...]:
    return validate("upload", photos.jpeg(image), catalogue or Catalogue()).reasons


def test_blurred_and_then_soft_as_well(photo: Image.Image) -> None:
    assert Reason.BLURRED in reasons(photos.blurred(photo, 3))
    assert reasons(photos.blurred(photo, 12)) == (Reason.BLURRED, Reason.SOFT)


def test_wrongly_exposed(photo: Image.Image) -> None:
    assert Reason.OVEREXPOSED in reasons(photos.exposed(photo, 100))
    assert Reason.UNDEREXPOSED in reasons(photos.exposed(photo, 0))


def test_noise_is_no_reason(coffee: Image.Image) -> None:
    assert reasons(photos.noisy(coffee, amplitude=15)) == ()


def test_accepted_once_and_a_duplicate_when_recompressed(
    photo: Image.Image, catalogue: Catalogue
) -> None:
    first = validate("first", photos.jpeg(photo), catalogue)
    assert first.accepted
    assert first.reasons == ()
    catalogue.add("first", first.phash, first.dhash)
    for quality in (75, 30):
        second = validate("second", photos.jpeg(photo, quality), catalogue)
        assert not second.accepted
        assert second.reasons == (Reason.DUPLICATE,)
        assert [duplicate.name for duplicate in second.duplicates] == ["first"]


def test_other_photographs_are_no_duplicates(catalogue: Catalogue) -> None:
    for file in photos.FILES:
        verdict = validate(file, photos.encode(photos.load(file)), catalogue)
        assert verdict.duplicates == ()
        luma = photos.load(file).convert("L")
        assert (verdict.phash, verdict.dhash) == (phash(luma), dhash(luma))
        catalogue.add(file, verdict.phash, verdict.dhash)


def test_all_reasons_are_given_at_once(catalogue: Catalogue) -> None:
    """Half black, half white, hardly an edge, and stored already: nothing is right with it."""
    halves = Image.new("L", (1200, 1200), 255)
    halves.paste(0, (0, 0, 1200, 620))
    data = photos.encode(halves)
    first = validate("first", data, catalogue)
    catalogue.add("first", first.phash, first.dhash)
    limits = Limits(laplacian_variance=200.0, gradient_energy=200.0)
    assert validate("second", data, catalogue, limits).reasons == tuple(Reason)


@pytest.mark.parametrize(
    ("limit", "reason", "nudge"),
    [
        ("shadows", Reason.UNDEREXPOSED, -1e-9),
        ("highlights", Reason.OVEREXPOSED, -1e-9),
        ("laplacian_variance", Reason.BLURRED, 1e-9),
        ("gradient_energy", Reason.SOFT, 1e-9),
    ],
)
def test_a_photograph_exactly_at_a_limit_passes(
    limit: str, reason: Reason, nudge: float, catalogue: Catalogue
) -> None:
    data = photos.jpeg(photos.load("astronaut.png"))
    measured = validate("upload", data, catalogue)
    values = {
        "shadows": measured.exposure.luma.shadows,
        "highlights": measured.exposure.luma.highlights,
        "laplacian_variance": measured.focus.laplacian_variance,
        "gradient_energy": measured.focus.gradient_energy,
    }
    at_limit = replace(Limits(), **{limit: values[limit]})
    beyond = replace(Limits(), **{limit: values[limit] * (1 + nudge)})
    assert validate("upload", data, catalogue, at_limit).reasons == ()
    assert validate("upload", data, catalogue, beyond).reasons == (reason,)


@pytest.mark.parametrize(
    ("size", "readable"), [((64, 64), True), ((63, 640), False), ((1, 1), False)]
)
def test_smallest_size(size: tuple[int, int], readable: bool, catalogue: Catalogue) -> None:
    data = photos.encode(Image.new("RGB", size, "grey"))
    if readable:
        assert Reason.BLURRED in validate("icon", data, catalogue).reasons
    else:
        with pytest.raises(UnreadableImageError, match="too small"):
            validate("icon", data, catalogue)


def test_an_upright_and_a_tagged_upload_get_the_same_verdict(coffee: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = coffee.transpose(Image.Transpose.ROTATE_90)
    tagged = validate("a", photos.encode(lying, exif=exif), Catalogue())
    assert tagged == validate("a", photos.encode(coffee), Catalogue())


def test_validating_reads_the_catalogue_only(coffee: Image.Image, catalogue: Catalogue) -> None:
    data = photos.encode(coffee)
    first, second = validate("a", data, catalogue), validate("b", data, catalogue)
    assert replace(second, name="a") == first
    assert len(catalogue.phashes) == len(catalogue.dhashes) == 0


def test_a_verdict_is_frozen(coffee: Image.Image, catalogue: Catalogue) -> None:
    verdict = validate("a", photos.encode(coffee), catalogue)
    with pytest.raises(FrozenInstanceError):
        verdict.name = "b"  # type: ignore[misc]
