"""What comes out of containers: frames of the session, goldens, reports, measurements."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Union, cast, get_args, get_origin, get_type_hints

from .damage import damaged
from .harness import Kind
from .packed import within_zip
from .refusals import arm64_errors, value_errors


def _golden_seeds() -> list[bytes]:
    import numpy as np

    from pytest_arm64.inside.golden.store import Golden, StoredValue, encode
    from pytest_arm64.inside.golden.values import stored

    values: dict[str, object] = {
        "array": np.arange(12.0).reshape(3, 4),
        "tree": {"a": [1, 2.5, None, "x"], "b": (True, b"raw")},
    }
    recorded = {name: StoredValue(stored(value), {"": 0.5}) for name, value in values.items()}
    files = encode(Golden("test_it", recorded, {}), "key")
    return [_joined(files[".json"], files[".npz"])]


def _joined(text: bytes, packed: bytes) -> bytes:
    """The two files of a golden as one: damage comes to either."""
    return len(text).to_bytes(4, "big") + text + packed


def _separated(data: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(data[:4], "big")
    return data[4 : 4 + length], data[4 + length :]


def _golden_parts(data: bytes, chance: Random) -> bytes:
    text, packed = _separated(data)
    if chance.random() < 0.6:
        text = damaged(text, chance, [text])
    else:
        packed = within_zip(packed, chance)
    return _joined(text, packed)


def _read_golden(data: bytes, folder: Path) -> None:
    from pytest_arm64.inside.golden.leaves import compare
    from pytest_arm64.inside.golden.policy import Policy
    from pytest_arm64.inside.golden.store import PROVENANCE, encode, read
    from pytest_arm64.inside.golden.values import stored

    text, packed = _separated(data)
    (folder / "test_it.json").write_bytes(text)
    (folder / "test_it.npz").write_bytes(packed)
    (folder / PROVENANCE).write_text('{"format": 1, "runs": {"key": {"cpu": "some"}}}')
    golden = read(folder, "test_it")
    if golden is not None:
        for kept in golden.values.values():
            compare("v", kept.value, stored([1, 2.5]), Policy())
        encode(golden, "key")


def _frame_seeds() -> list[bytes]:
    from pytest_arm64.inside.frames import Frame

    lines = [json.dumps([0, [f.__name__, *_fields(f)]]).encode() + b"\n" for f in get_args(Frame)]
    return [*lines, b"".join(lines), b"text \0arm64-nonce-1\0 more\n"]


def _fields(record: type) -> list[object]:
    """A value for each field of *record*, as its annotation wants it."""
    return [_sample(hint) for hint in get_type_hints(record).values()]


def _sample(hint: object) -> object:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _sample(arguments[0])
    if origin is list:
        return [_sample(arguments[0])]
    if origin is dict:
        return {"a": _sample(arguments[1])}
    if origin is tuple:
        return [_sample(argument) for argument in arguments]
    if isinstance(hint, type) and issubclass(hint, tuple):
        return _fields(hint)
    return {str: "a", int: 1, float: 1.5, bool: True}.get(cast(type, hint))


def _read_frame(data: bytes, folder: Path) -> None:
    from pytest_arm64.mirror.frames import Ordered

    ordered = Ordered("nonce")
    protocol = b"\0arm64-" not in data
    middle = len(data) // 2
    for part in (data[:middle], data[middle:]):
        list(ordered.feed(part, protocol=protocol))
    list(ordered.rest())


def _frame_refusals() -> tuple[type[Exception], ...]:
    from pytest_arm64.errors import ProtocolError

    return (ProtocolError,)


def _report_seeds() -> list[bytes]:
    from unit.report.made_reports import ordinary, shown

    return [json.dumps(report.to_json()).encode() for report in (ordinary(), shown())]


def _read_report(data: bytes, folder: Path) -> None:
    from pytest_arm64.report.compare import changes
    from pytest_arm64.report.document import read_report
    from pytest_arm64.report.markdown import report_markdown
    from pytest_arm64.report.merge import merge
    from pytest_arm64.report.page import html_page
    from pytest_arm64.report.sarif import report_sarif
    from pytest_arm64.report.spreadsheets import csv_text

    path = folder / "report.json"
    path.write_bytes(data)
    report = read_report(path)
    report_markdown(report)
    html_page(report)
    json.dumps(report_sarif(report)).encode()
    csv_text(report).encode()
    changes(report, merge([report, report], report.made_at))


def _measured_seeds() -> list[bytes]:
    from unit.cost.test_cost import EMULATED, measured

    return [measured(EMULATED).encode().encode()]


def _read_measured(data: bytes, folder: Path) -> None:
    from pytest_arm64.inside.measure.record import FOLDER
    from pytest_arm64.run.measurements import encoded_measurements, measured_below

    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / "a.json").write_bytes(data)
    encoded_measurements(list(measured_below(folder)))


def _profile_seeds() -> list[bytes]:
    from pytest_arm64.inside.measure.hotspots import SAMPLES, Function, Spent
    from pytest_arm64.inside.measure.profile_record import Profile
    from unit.cost.test_cost import EMULATED

    spent = {Function("app.py", 12, "work"): Spent(0.5), Function("", 0, "zlib"): Spent(0.25, 2)}
    return [json.dumps(Profile(EMULATED, SAMPLES, 1.0, spent).to_json()).encode()]


def _read_profile(data: bytes, folder: Path) -> None:
    from pytest_arm64.inside.measure.profile_record import Profile

    json.dumps(Profile.decode(data.decode("utf-8")).to_json()).encode()


SESSIONS: Mapping[str, Kind] = {
    "golden": Kind(_golden_seeds, _read_golden, arm64_errors, _golden_parts),
    "frame": Kind(_frame_seeds, _read_frame, _frame_refusals),
    "report": Kind(_report_seeds, _read_report, arm64_errors),
    "measured": Kind(_measured_seeds, _read_measured, arm64_errors),
    "profile": Kind(_profile_seeds, _read_profile, value_errors),
}
