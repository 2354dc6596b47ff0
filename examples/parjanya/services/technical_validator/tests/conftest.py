"""Fixtures: every real photograph in turn, and a few ready-made companions."""

from pathlib import Path
from random import Random

import photos
import pytest
from PIL import Image

from technical_validator import Catalogue


@pytest.fixture(params=photos.FILES, ids=lambda file: Path(file).stem)
def file(request: pytest.FixtureRequest) -> str:
    """The name of each photograph in turn."""
    return str(request.param)


@pytest.fixture
def photo(file: str) -> Image.Image:
    """Each photograph in turn, RGB or L."""
    return photos.load(file)


@pytest.fixture
def luma(photo: Image.Image) -> Image.Image:
    """The luma of each photograph in turn."""
    return photo.convert("L")


@pytest.fixture
def coffee() -> Image.Image:
    """One colour photograph, for tests that need only one."""
    return photos.load("coffee.png")


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture
def random() -> Random:
    """Random numbers that are the same in every run and on every machine."""
    return Random(20230)
