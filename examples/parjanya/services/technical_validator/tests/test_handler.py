"""The Lambda entry point: JSON in, JSON out, one log line, and errors laid at the right door."""

import base64
import json
from pathlib import Path
from typing import Any

import photos
import pytest
from PIL import Image

from handler import EventError, handler


def event(data: bytes, name: str = "upload", **more: Any) -> dict[str, Any]:
    return {"name": name, "image": base64.b64encode(data).decode(), **more}


@pytest.fixture
def upload(tmp_path: Path, coffee: Image.Image) -> Path:
    """A photograph on disk, as a client would have it."""
    path = tmp_path / "coffee.jpg"
    coffee.save(path, quality=92)
    return path


def test_an_accepted_photograph(upload: Path) -> None:
    answer = handler(event(upload.read_bytes(), upload.name))
    assert (answer["name"], answer["status"], answer["reasons"]) == ("coffee.jpg", "accepted", [])
    assert answer["duplicates"] == []


def test_the_answer_survives_json(upload: Path) -> None:
    answer = handler(event(upload.read_bytes()))
    assert json.loads(json.dumps(answer)).keys() == answer.keys()
    assert json.loads(json.dumps(answer))["exposure"]["luma"] == answer["exposure"]["luma"]


def test_index_keys_spell_the_hashes(upload: Path) -> None:
    answer = handler(event(upload.read_bytes()))
    for kind, digits in answer["hashes"].items():
        keys = answer["index_keys"][kind]
        assert [key[:2] for key in keys] == ["0#", "1#", "2#", "3#"]
        assert "".join(key[2:] for key in keys) == digits


def test_a_known_photograph_is_a_duplicate(upload: Path, coffee: Image.Image) -> None:
    first = handler(event(upload.read_bytes(), "first"))
    known = [{"name": "first", **first["hashes"]}]
    second = handler(event(photos.jpeg(coffee, quality=50), "second", known=known))
    assert (second["status"], second["reasons"]) == ("rejected", ["duplicate"])
    assert second["duplicates"][0]["name"] == "first"


def test_a_retry_is_not_its_own_duplicate(upload: Path) -> None:
    first = handler(event(upload.read_bytes()))
    known = [{"name": "upload", **first["hashes"]}]
    assert handler(event(upload.read_bytes(), known=known)) == first


def test_one_log_line_a_photograph(upload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handler(event(upload.read_bytes(), "straße.jpg"))
    handler(event(b"no image", "broken.jpg"))
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"name": "straße.jpg", "status": "accepted", "reasons": []},
        {"name": "broken.jpg", "status": "unreadable"},
    ]


def test_an_unreadable_photograph_is_an_answer_not_an_error() -> None:
    answer = handler(event(b"GIF89a"))
    assert answer["status"] == "unreadable"
    assert "not a readable image" in answer["error"]


KNOWN = {"name": "a", "phash": "0" * 16, "dhash": "0" * 16}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "name"),
        ({"image": "AAAA!"}, "base64"),
        ({"image": None}, "bytes"),
        ({"known": [{**KNOWN, "phash": "xyz"}]}, "invalid literal"),
        ({"known": [{**KNOWN, "dhash": "0"}]}, "64-bit"),
        ({"known": [{"name": "a"}]}, "'phash' is missing"),
    ],
)
def test_a_malformed_event_is_the_callers_error(change: dict[str, Any], message: str) -> None:
    with pytest.raises(EventError, match=message):
        handler({**event(b"never read"), **change})


def test_a_missing_key_is_named() -> None:
    with pytest.raises(EventError, match="'image' is missing"):
        handler({"name": "a"})
