"""Exposure clipping: counts against a pixel loop, the two borders, and symmetries."""

import photos
import pytest
from PIL import Image, ImageOps

from technical_validator.exposure import BRIGHTEST, DARKEST, Clipping, Exposure, measure_exposure


def measure(image: Image.Image) -> Exposure:
    return measure_exposure(image, image.convert("L"))


def test_shares_match_a_count_pixel_by_pixel(coffee: Image.Image) -> None:
    crop = photos.exposed(coffee, 15).crop((200, 60, 320, 150))
    total = crop.width * crop.height
    expected = tuple(
        Clipping(
            sum(level <= DARKEST for level in band.tobytes()) / total,
            sum(level >= BRIGHTEST for level in band.tobytes()) / total,
        )
        for band in crop.split()
    )
    assert measure(crop).channels == expected
    assert expected[0].highlights > 0  # there is something to count


@pytest.mark.parametrize(
    ("level", "shadows", "highlights"),
    [(DARKEST, 1, 0), (DARKEST + 1, 0, 0), (BRIGHTEST - 1, 0, 0), (BRIGHTEST, 0, 1)],
)
def test_borders_of_the_clipped_ranges(level: int, shadows: float, highlights: float) -> None:
    flat = measure(Image.new("L", (7, 5), level))
    assert flat == Exposure(Clipping(shadows, highlights), (Clipping(shadows, highlights),))


def test_a_saturated_channel_shows_although_the_luma_is_fine() -> None:
    red = measure(Image.new("RGB", (8, 8), (255, 60, 60)))
    assert [channel.highlights for channel in red.channels] == [1, 0, 0]
    assert red.luma == Clipping(0, 0)


def test_a_negative_swaps_shadows_and_highlights(coffee: Image.Image) -> None:
    positive, negative = measure(coffee), measure(ImageOps.invert(coffee))
    swapped = tuple(Clipping(c.highlights, c.shadows) for c in positive.channels)
    assert negative.channels == swapped


def test_longer_exposure_never_recovers_highlights(coffee: Image.Image) -> None:
    steps = [measure(photos.exposed(coffee, tenths)) for tenths in (10, 15, 25, 40, 80, 2550)]
    highlights = [step.luma.highlights for step in steps]
    shadows = [step.luma.shadows for step in steps]
    assert highlights == sorted(highlights)
    assert shadows == sorted(shadows, reverse=True)
    assert highlights[-1] > highlights[0] + 0.5
