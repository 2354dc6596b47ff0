"""Facts from photographs that Pillow has written, and from what is no photograph."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from exif import Facts, facts_of
from PIL import ExifTags, Image


def photograph(
    taken: str = "2024:05:17 06:30:00",
    latitude: tuple[float, ...] = (46.0, 30.0, 36.0),
    reference: str = "N",
) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Fuji "
    exif[ExifTags.Base.Model] = "X-T5"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitude] = latitude
    gps[ExifTags.GPS.GPSLatitudeRef] = reference
    gps[ExifTags.GPS.GPSLongitude] = (8.0, 0.0, 0.0)
    gps[ExifTags.GPS.GPSLongitudeRef] = "W"
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def test_everything_that_is_said() -> None:
    assert facts_of(photograph()) == Facts(datetime(2024, 5, 17, 6, 30), "Fuji X-T5", 46.51, -8.0)


@pytest.mark.parametrize("taken", ["", "0000:00:00 00:00:00", "yesterday", "2024:13:01 00:00:00"])
def test_a_time_that_is_none_is_not_guessed(taken: str) -> None:
    assert facts_of(photograph(taken)).taken is None


def test_south_is_negative_and_no_place_beyond_the_pole() -> None:
    assert facts_of(photograph(reference="S")).latitude == -46.51
    assert facts_of(photograph(latitude=(91.0, 0.0, 0.0))).latitude is None


@pytest.mark.parametrize(
    "content", [b"", b"no photograph", b"\xff\xd8\xff\xe1\x00\x04Exif", b"II*\0"]
)
def test_what_is_no_photograph_has_no_facts(content: bytes) -> None:
    assert facts_of(content) == Facts()


@pytest.mark.parametrize("length", range(10, 300, 29))
def test_a_photograph_that_was_cut_off_stops_nothing(length: int) -> None:
    assert isinstance(facts_of(photograph()[:length]), Facts)
