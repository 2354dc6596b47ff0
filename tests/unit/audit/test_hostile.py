"""Indexes and files that fail, lie or attack: each ends in a row or a message, in bounded time."""

from __future__ import annotations

import base64
import gzip
import io
import json
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import PURE, SOURCE, UNKNOWN
from pytest_arm64.errors import SettingsError
from pytest_arm64.index.archives import (
    ArchiveError,
    RangeFile,
    sdist_member_from_tar,
    wheel_metadata,
)
from pytest_arm64.index.metadata import MetadataError, parse_metadata
from pytest_arm64.index.releases import Releases
from pytest_arm64.index.simple import PageError, checked_listing, file_of, parse_page
from unit.index.served import (
    JSON_TYPE,
    Answer,
    Project,
    matrix_of,
    metadata,
    release,
    sdist,
    serve,
    wheel,
)
from unit.support import attempt

pytestmark = pytest.mark.usefixtures("index_alone")

ANY = "py3-none-any"
WHEEL = "zed-1.0-py3-none-any.whl"
ZED = {"zed": release("zed", "1.0", ANY, requires=["leaf"]), "leaf": release("leaf", "1.0", ANY)}


@pytest.mark.parametrize(
    ("status", "word"),
    [(401, "credentials"), (403, "refused"), (429, "429: too many"), (500, "500")],
)
def test_an_index_that_refuses_is_named(tmp_path: Path, status: int, word: str) -> None:
    with serve(ZED) as index:
        index.answers["/simple/zed/"] = (status, {"Retry-After": "0"}, b"no")
        matrix = matrix_of(tmp_path, "zed\nleaf", index.url)
    assert matrix["zed"].state == UNKNOWN
    assert word in matrix["zed"].detail
    assert matrix["leaf"].state == PURE
    assert matrix.exit_code == 3


def test_what_answers_429_once_is_asked_again(tmp_path: Path) -> None:
    refusals = ["/simple/zed/"]
    with serve(ZED) as index:
        honest = index.answer

        def answer(path: str, headers: dict[str, str]) -> Answer | None:
            if path in refusals:
                refusals.remove(path)
                return 429, {"Retry-After": "0"}, b""
            return honest(path, headers)

        index.answer = answer  # type: ignore[method-assign, assignment]
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert matrix.ready, matrix
    assert not refusals


def test_a_long_retry_after_is_not_waited_for(tmp_path: Path) -> None:
    with serve(ZED) as index:
        index.answers["/simple/zed/"] = (429, {"Retry-After": "86400"}, b"")
        start = time.process_time()
        matrix = matrix_of(tmp_path, "zed", index.url, time_limit=1.0)
    assert matrix["zed"].state == UNKNOWN
    assert time.process_time() - start < 5


def test_an_index_that_never_answers_ends_with_the_time_limit(tmp_path: Path) -> None:
    with serve(ZED) as index:
        index.answers["/simple/zed/"] = None
        start = time.process_time()
        matrix = matrix_of(tmp_path, "zed\nleaf", index.url, time_limit=1.0)
    assert time.process_time() - start < 5
    assert matrix.exit_code == 3


def test_an_answer_that_drips_ends_with_the_time_limit(tmp_path: Path) -> None:
    with serve(ZED) as index:
        index.dripping.add("/simple/zed/")
        start = time.process_time()
        matrix = matrix_of(tmp_path, "zed", index.url, time_limit=1.0)
    assert time.process_time() - start < 5
    assert matrix.exit_code == 3


def test_metadata_that_never_arrive_end_with_the_time_limit(tmp_path: Path) -> None:
    with serve(ZED) as index:
        index.answers[f"/files/zed/{WHEEL}.metadata"] = None
        start = time.process_time()
        matrix = matrix_of(tmp_path, "zed", index.url, time_limit=1.0)
    assert time.process_time() - start < 5
    assert matrix.exit_code == 3


def test_nobody_listens(tmp_path: Path) -> None:
    matrix = matrix_of(tmp_path, "zed\nleaf", "http://127.0.0.1:9/simple", time_limit=5)
    assert {row.state for row in matrix.packages} == {UNKNOWN}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON_TYPE, b"{"),
        (JSON_TYPE, b"[]"),
        (JSON_TYPE, b'{"files": 3}'),
        (JSON_TYPE, b"[" * 100_000),
        ("text/html", b"\xff\xfe<a href="),
        ("text/html", b"<![if x]<a>"),
    ],
)
def test_a_page_that_is_none(tmp_path: Path, kind: str, body: bytes) -> None:
    with serve(ZED) as index:
        index.answers["/simple/zed/"] = (200, {"Content-Type": kind}, body)
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert matrix.exit_code == 3


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=12),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["files", "filename", "url", "hashes", "yanked", "requires-python"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    )
)
def test_any_json_is_a_page_or_an_error(page: object) -> None:
    found = attempt(
        PageError,
        lambda: parse_page("zed", json.dumps(page).encode(), JSON_TYPE, "https://i.invalid/zed/"),
    )
    if not isinstance(found, PageError):
        releases = Releases("zed", [found])
        assert all(file.version for files in releases.values() for file in files)


@given(st.lists(st.lists(st.none() | st.booleans() | st.text(max_size=8), max_size=8), max_size=4))
def test_any_kept_listing_is_one_or_is_left_out(rows: list[object]) -> None:
    listing = checked_listing({"1.0": rows, "x" * 300: rows, "2": 7})
    assert all(isinstance(files, tuple) for files in Releases("zed", [listing]).values())


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "zed-1.0-py3-none-any.whl\x1b[2J",
        "zed-1.0-py3-none-any.whl\n",
        "other-1.0-py3-none-any.whl",
        "zed-1.0.exe",
        "zed-1.0-py3.whl",
        "-1.0.tar.gz",
        "zed-" + "9" * 300 + ".tar.gz",
        "zed",
        "",
    ],
)
def test_hostile_file_names_are_no_files(name: str) -> None:
    assert file_of("zed", name, "https://i.invalid/f", {}) is None


def test_a_page_of_the_network_does_not_lead_to_files_of_this_machine() -> None:
    page = json.dumps({"files": [{"filename": WHEEL, "url": f"file:///etc/{WHEEL}"}]}).encode()
    assert not parse_page("zed", page, JSON_TYPE, "https://i.invalid/zed/")


@pytest.mark.parametrize(
    "address", ["https://[::1/x", "https://h.invalid:port/x", "http://", "gopher://h/x", "//[", "?"]
)
def test_addresses_that_are_none(tmp_path: Path, address: str) -> None:
    page = json.dumps({"files": [{"filename": WHEEL, "url": address}]}).encode()
    with serve(ZED) as index:
        index.answers["/simple/zed/"] = (200, {"Content-Type": JSON_TYPE}, page)
        assert matrix_of(tmp_path, "zed", index.url).exit_code == 3


def test_an_index_address_that_is_none_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="address"):
        matrix_of(tmp_path, "zed", "https://[::1/simple")


def test_versions_that_are_none_are_passed_over(tmp_path: Path) -> None:
    zed = release("zed", "1.0", ANY)
    zed.files += [("zed-banana-py3-none-any.whl", "", False), ("zed-1.0-final-x.tar.gz", "", False)]
    with serve({"zed": zed}) as index:
        assert matrix_of(tmp_path, "zed", index.url)["zed"].version == "1.0"


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "twice", "text"])
def test_a_wheel_that_is_broken_leaves_its_dependencies_in_doubt(
    tmp_path: Path, damage: str
) -> None:
    good = wheel("zed", "1.0", ["leaf"])
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("zed-1.0.dist-info/METADATA", metadata("zed", "1.0"))
        archive.writestr("ZED-1.0.dist-info/METADATA", metadata("zed", "1.0"))
    content = {
        "cut": good[: len(good) // 2],
        "empty": b"",
        "other": wheel("other", "1.0"),
        "twice": twice.getvalue(),
        "text": b"not a zip " * 50,
    }[damage]
    with serve(ZED, core_metadata=False, files={WHEEL: content}) as index:
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert matrix["zed"].state == PURE
    assert matrix["zed"].doubt
    assert matrix.exit_code == 3


@pytest.mark.parametrize("lie", ["ignores", "shifts", "shortens", "invents"])
def test_a_server_that_lies_about_ranges_is_not_believed(tmp_path: Path, lie: str) -> None:
    content = wheel("zed", "1.0", ["leaf"], padding=300_000)
    with serve(ZED, core_metadata=False, files={WHEEL: content}) as index:
        honest = index.answer

        def answer(path: str, headers: dict[str, str]) -> Answer | None:
            found = honest(path, headers)
            if not path.endswith(".whl") or found is None or found[0] != 206:
                return found
            status, marks, body = found
            size = len(content)
            return {
                "ignores": (200, {}, content),
                "shifts": (status, {"Content-Range": f"bytes 0-{len(body) - 1}/{size}"}, body),
                "shortens": (status, marks, body[:-5]),
                "invents": (status, {"Content-Range": f"bytes 0-9/{10**14}"}, body),
            }[lie]

        index.answer = answer  # type: ignore[method-assign, assignment]
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert {row.name for row in matrix.packages} == {"zed", "leaf"}
    assert matrix.complete


def test_of_a_large_wheel_only_the_end_is_fetched(tmp_path: Path) -> None:
    content = wheel("zed", "1.0", ["leaf"], padding=2_000_000)
    with serve(ZED, core_metadata=False, files={WHEEL: content}) as index:
        assert matrix_of(tmp_path, "zed", index.url, contents=False).complete
        ranges = [h.get("Range") for path, h in index.requests if path.endswith(WHEEL)]
    assert ranges == ["bytes=-131072"]


def test_separate_metadata_with_a_wrong_hash_are_not_used(tmp_path: Path) -> None:
    with serve(ZED) as index:
        page = {
            "files": [
                {
                    "filename": WHEEL,
                    "url": f"../../files/zed/{WHEEL}",
                    "core-metadata": {"sha256": "0" * 64},
                }
            ]
        }
        index.answers["/simple/zed/"] = (
            200,
            {"Content-Type": JSON_TYPE},
            json.dumps(page).encode(),
        )
        index.answers[f"/files/zed/{WHEEL}.metadata"] = (200, {}, metadata("zed", "1.0", ["evil"]))
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert {row.name for row in matrix.packages} == {"zed", "leaf"}


def test_a_wheel_with_another_hash_than_the_index_says_is_not_read(tmp_path: Path) -> None:
    with serve(ZED, core_metadata=False, ranges=False) as index:
        page = {
            "files": [
                {
                    "filename": WHEEL,
                    "url": f"../../files/zed/{WHEEL}",
                    "hashes": {"sha256": "0" * 64},
                }
            ]
        }
        index.answers["/simple/zed/"] = (
            200,
            {"Content-Type": JSON_TYPE},
            json.dumps(page).encode(),
        )
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert "hash" in matrix["zed"].doubt


def test_the_code_of_a_source_distribution_never_runs(tmp_path: Path) -> None:
    trap = tmp_path / "it-ran"
    code = f"open({str(trap)!r}, 'w').close()\n".encode()
    files = {"setup.py": code, "zed/__init__.py": code, "conftest.py": code}
    backend = b'[build-system]\nrequires = []\nbuild-backend = "setup"\nbackend-path = ["."]\n'
    old = sdist("zed", "1.0", ["leaf"], edition="2.1", files={**files, "pyproject.toml": backend})
    zed = Project([("zed-1.0.tar.gz", "", False)])
    with serve({**ZED, "zed": zed}, files={"zed-1.0.tar.gz": old}) as index:
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert matrix["zed"].state == SOURCE
    assert "PEP 643" in matrix["zed"].doubt
    assert not matrix.complete
    assert not trap.exists()


@pytest.mark.parametrize(
    ("edition", "extra", "certain"),
    [
        ("2.2", "", True),
        ("2.4", "Dynamic: License\n", True),
        ("2.2", "Dynamic: requires-dist\n", False),
    ],
)
def test_static_metadata_of_a_source_distribution_are_believed(
    tmp_path: Path, edition: str, extra: str, certain: bool
) -> None:
    content = sdist("zed", "1.0", ["leaf"], edition=edition, extra=extra)
    zed = Project([("zed-1.0.tar.gz", "", False)])
    with serve({**ZED, "zed": zed}, files={"zed-1.0.tar.gz": content}) as index:
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert matrix.complete is certain
    assert {row.name for row in matrix.deployed} == {"zed", "leaf"}


def test_a_tar_that_unpacks_to_too_much_is_left() -> None:
    bomb = gzip.compress(b"\0" * 1024 + b"x" * (64 * 2**20))
    found = attempt(
        ArchiveError, lambda: sdist_member_from_tar(io.BytesIO(bomb), "zed-1.0.tar.gz", "zed")
    )
    assert isinstance(found, ArchiveError)


@given(st.binary(max_size=400), st.integers(0, 200))
def test_any_bytes_are_metadata_or_an_error(noise: bytes, cut: int) -> None:
    good = wheel("zed", "1.0")
    spoilt = good[:cut] + noise + good[cut + len(noise) :]
    for content in (noise, spoilt):
        found = attempt(ArchiveError, lambda c=content: wheel_metadata(io.BytesIO(c), "zed"))  # type: ignore[misc]
        assert isinstance(found, bytes | ArchiveError)
    archive = sdist("zed", "1.0")
    spoilt = archive[:cut] + noise + archive[cut + len(noise) :]
    tar = attempt(
        ArchiveError, lambda: sdist_member_from_tar(io.BytesIO(spoilt), "zed-1.0.tar.gz", "zed")
    )
    assert isinstance(tar, bytes | ArchiveError)


@given(st.binary(max_size=300))
def test_any_metadata_are_parsed_or_refused(content: bytes) -> None:
    file = file_of("zed", WHEEL, "https://i.invalid/f", {})
    assert file is not None
    lines = b"Metadata-Version: 2.1\nName: zed\nVersion: 1.0\nRequires-Dist: " + content
    found = attempt(MetadataError, lambda: parse_metadata(lines, "zed", file))
    if not isinstance(found, MetadataError):
        assert len(found.parsed()) == len(found.requires) or found.doubt


def test_a_remote_archive_cannot_be_read_piece_by_piece_for_ever() -> None:
    remote = RangeFile(10**9, b"", lambda start, end: b"\0" * (end - start))
    places = iter(range(0, 10**9, 10**6))

    def read_on() -> None:
        for position in places:
            remote.seek(position)
            remote.read(10)

    with pytest.raises(ArchiveError):
        read_on()
    assert next(places) < 50 * 10**6


def test_a_requirement_that_is_none_leaves_a_doubt(tmp_path: Path) -> None:
    zed = release("zed", "1.0", ANY, requires=["leaf", "what is this >>"])
    with serve({**ZED, "zed": zed}) as index:
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert "what is this" in matrix["zed"].doubt
    assert matrix["leaf"].state == PURE


def test_credentials_of_the_address_are_sent_up_front_and_never_shown(tmp_path: Path) -> None:
    expected = "Basic " + base64.b64encode(b"user:p@ss").decode()
    with serve(ZED, credentials=expected, core_metadata=False) as index:
        secret = index.url.replace("http://", "http://user:p%40ss@")
        assert matrix_of(tmp_path, "zed", secret).ready
        index.answers["/simple/leaf/"] = (500, {"Retry-After": "0"}, b"")
        matrix = matrix_of(tmp_path, "zed", secret, refresh=True)
    assert "p@ss" not in json.dumps(matrix.to_json())
    assert "p%40ss" not in json.dumps(matrix.to_json())
    assert "user" not in json.dumps(matrix.to_json())


def test_a_redirect_is_followed_without_credentials(tmp_path: Path) -> None:
    with serve({}) as first, serve(ZED) as second:
        for name in ZED:
            moved = second.url + f"/{name}/"
            first.answers[f"/simple/{name}/"] = (301, {"Location": moved}, b"")
        secret = first.url.replace("http://", "http://user:pass@")
        assert matrix_of(tmp_path, "zed", secret).ready, "links are relative to where the page is"
    assert all("Authorization" in headers for _, headers in first.requests)
    assert not any("Authorization" in headers for _, headers in second.requests)


def test_a_redirect_in_a_circle_ends(tmp_path: Path) -> None:
    with serve(ZED) as index:
        index.answers["/simple/zed/"] = (302, {"Location": "/simple/zed/"}, b"")
        matrix = matrix_of(tmp_path, "zed", index.url)
    assert "redirects" in matrix["zed"].detail


def test_credentials_of_a_netrc_are_sent(tmp_path: Path) -> None:
    expected = "Basic " + base64.b64encode(b"me:secret").decode()
    netrc = tmp_path / "my-netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    with serve(ZED, credentials=expected) as index:
        environ = {"NETRC": str(netrc)}
        assert matrix_of(tmp_path, "zed", index.url, environ=environ).ready
        assert all(headers.get("Authorization") for _, headers in index.requests)


def test_a_page_is_kept_and_revalidated_when_asked_anew(tmp_path: Path) -> None:
    with serve(ZED) as index:
        first = matrix_of(tmp_path, "zed", index.url)
        count = len(index.requests)
        assert matrix_of(tmp_path, "zed", index.url).packages == first.packages
        assert len(index.requests) == count
        assert matrix_of(tmp_path, "zed", index.url, refresh=True).packages == first.packages
        assert [h.get("If-None-Match") for p, h in index.requests[count:] if "/simple/" in p]
        assert len(index.asked("/simple/")) == 4


def test_offline_uses_what_is_kept_and_nothing_else(tmp_path: Path) -> None:
    with serve(ZED) as index:
        before = matrix_of(tmp_path, "zed", index.url, offline=True)
        assert before["zed"].state == UNKNOWN
        assert "--offline" in before["zed"].detail
        assert not index.requests
        matrix_of(tmp_path, "zed", index.url)
        count = len(index.requests)
        assert matrix_of(tmp_path, "zed", index.url, offline=True).ready
        assert len(index.requests) == count


def test_a_cache_that_was_tampered_with_is_no_end(tmp_path: Path, caches: Path) -> None:
    with serve(ZED) as index:
        matrix_of(tmp_path, "zed", index.url)
        for number, path in enumerate(sorted(caches.rglob("*.json"))):
            path.write_text(['{"fetched": "x", "files": 3}', "[", '{"fetched": 1e18}'][number % 3])
        assert matrix_of(tmp_path, "zed", index.url).ready


def test_a_page_that_another_version_kept_is_asked_for_anew(tmp_path: Path, caches: Path) -> None:
    with serve(ZED) as index:
        matrix_of(tmp_path, "zed", index.url)
        for path in caches.rglob("index-pages/*.json"):
            path.write_text(json.dumps({"fetched": time.time(), "etag": "", "files": []}))
        assert matrix_of(tmp_path, "zed", index.url).ready
