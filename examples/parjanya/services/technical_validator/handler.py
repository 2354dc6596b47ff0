"""AWS Lambda entry point: one event with one photograph in, one JSON-ready verdict out.

The event:

    {"name": "dawn.jpg",
     "image": "<the file, base64>",
     "known": [{"name": "…", "phash": "<16 hex digits>", "dhash": "<16 hex digits>"}, …]}

`known`, which may be left out, holds the stored photographs to compare with. The function reads
and writes no table: it hands back the keys under which the caller stores this photograph.

SQS hands over up to ten such events at once, each as the body of a message. The answer then has the
verdicts, and the messages that are wrong, which alone SQS delivers again.
"""

import base64
import binascii
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from technical_validator import Catalogue, UnreadableImageError, Verdict, validate
from technical_validator.duplicates import index_keys
from technical_validator.perceptual_hash import from_hex, to_hex


class EventError(ValueError):
    """The event itself is wrong: an error of the caller, not of the photograph."""


def handler(event: Mapping[str, Any], _context: object = None) -> dict[str, Any]:
    """Judge the photograph in the event; `status` is accepted, rejected or unreadable."""
    if "Records" in event:
        return _messages(event["Records"])
    name, data, catalogue = _parse(event)
    try:
        answer = _answer(validate(name, data, catalogue))
    except UnreadableImageError as error:
        answer = {"name": name, "status": "unreadable", "error": str(error)}
    _log(answer)
    return answer


def _messages(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Judge the photograph in each message of a queue."""
    verdicts, failures = [], []
    for record in records:
        try:
            verdicts.append(handler(json.loads(record["body"])))
        except ValueError as error:
            failures.append({"itemIdentifier": record["messageId"]})
            sys.stdout.write(
                json.dumps({"message": record["messageId"], "error": str(error)}) + "\n"
            )
    return {"verdicts": verdicts, "batchItemFailures": failures}


def _parse(event: Mapping[str, Any]) -> tuple[str, bytes, Catalogue]:
    """Take the event apart; whatever is missing or malformed becomes an `EventError`."""
    catalogue = Catalogue()
    try:
        name = event["name"]
        if not isinstance(name, str) or not name:
            raise EventError("name must be a non-empty string")
        data = base64.b64decode(event["image"], validate=True)
        for entry in event.get("known", ()):
            catalogue.add(entry["name"], from_hex(entry["phash"]), from_hex(entry["dhash"]))
    except KeyError as error:
        raise EventError(f"{error} is missing") from error
    except binascii.Error as error:
        raise EventError(f"image is not base64: {error}") from error
    except (TypeError, ValueError) as error:
        raise EventError(str(error)) from error
    return name, data, catalogue


def _answer(verdict: Verdict) -> dict[str, Any]:
    """The verdict in JSON's own types."""
    hashes = {"phash": verdict.phash, "dhash": verdict.dhash}
    return {
        "name": verdict.name,
        "status": "accepted" if verdict.accepted else "rejected",
        "reasons": [reason.value for reason in verdict.reasons],
        "exposure": asdict(verdict.exposure),
        "focus": asdict(verdict.focus),
        "hashes": {kind: to_hex(value) for kind, value in hashes.items()},
        "index_keys": {kind: index_keys(value) for kind, value in hashes.items()},
        "duplicates": [asdict(duplicate) for duplicate in verdict.duplicates],
    }


def _log(answer: Mapping[str, Any]) -> None:
    """One line a photograph, which CloudWatch takes from standard output."""
    line = {key: answer[key] for key in ("name", "status", "reasons") if key in answer}
    sys.stdout.write(json.dumps(line) + "\n")
