"""Every output of the service against what x86-64 gives: `arm64_golden` of pytest-arm64.

The values in `arm64_golden/` were recorded on x86-64 with `pytest --arm64 --arm64-record`; they are
compared wherever these tests run. All of it is integer arithmetic, so nothing may differ at all.
"""

import base64
import io
from typing import Any

import photos
import pytest
from PIL import Image

from handler import handler
from technical_validator import Limits
from technical_validator.exposure import measure_exposure
from technical_validator.focus import measure_focus
from technical_validator.perceptual_hash import HASH_BITS, dhash, phash, to_hex

LIMITS = Limits()


def answer(image: Image.Image, **more: Any) -> dict[str, Any]:
    event = {"name": "upload", "image": base64.b64encode(photos.jpeg(image)).decode(), **more}
    return handler(event)


def test_answer(photo: Image.Image, arm64_golden: Any) -> None:
    """What the handler says of a photograph as it is, and spoilt in each way."""
    first = answer(photo)
    arm64_golden.check(first, "as it is", exact=True)
    known = [{"name": "first", **first["hashes"]}]
    arm64_golden.check(answer(photo, known=known), "again", exact=True)
    arm64_golden.check(answer(photos.blurred(photo, 12)), "blurred", exact=True)
    arm64_golden.check(answer(photos.exposed(photo, 100)), "overexposed", exact=True)
    arm64_golden.check(answer(photos.exposed(photo, 0)), "underexposed", exact=True)


def test_decisions(luma: Image.Image, arm64_golden: Any) -> None:
    """The scores may not cross a limit, whatever becomes of their last bits."""
    for radius in (0, 1, 3, 12):
        focus = measure_focus(photos.blurred(luma, radius))
        arm64_golden.check(
            focus.laplacian_variance,
            f"variance, blurred by {radius}",
            decision=LIMITS.laplacian_variance,
        )
        arm64_golden.check(
            focus.gradient_energy, f"energy, blurred by {radius}", decision=LIMITS.gradient_energy
        )


def test_exposure(photo: Image.Image, luma: Image.Image, arm64_golden: Any) -> None:
    arm64_golden.check(measure_exposure(photo.convert("RGB"), luma), exact=True)


@pytest.mark.parametrize("quality", [95, 30])
def test_hashes(photo: Image.Image, quality: int, arm64_golden: Any) -> None:
    """Decoded and hashed: the pictures that the hashes are made of, and the hashes."""
    with Image.open(io.BytesIO(photos.jpeg(photo, quality))) as upload:
        luma = upload.convert("L")
    arm64_golden.check(luma.resize((32, 32), Image.Resampling.BOX), "thumbnail", exact=True)
    for name, kind in (("phash", phash), ("dhash", dhash)):
        digits = to_hex(kind(luma))
        assert len(digits) * 4 == HASH_BITS
        arm64_golden.check(digits, name, hamming=0)
