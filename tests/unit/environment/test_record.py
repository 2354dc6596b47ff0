"""Install records: what pip reports, and what is read back from an image or a cache."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import Row, WheelMatrix
from pytest_arm64.decide.package_verdicts import ALL, verdicts
from pytest_arm64.environment.consistency import DistributionMetadata
from pytest_arm64.environment.record import (
    Installed,
    InstallRecord,
    from_pip_report,
    with_built_states,
)
from pytest_arm64.errors import InstallError
from unit.support import JSON, attempt

ARCHIVE = {"archive_info": {"hashes": {"sha256": "ab"}}}


def report(*items: dict[str, Any]) -> str:
    return json.dumps({"version": "1", "install": items})


def item(url: str, info: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "download_info": {"url": url, **(ARCHIVE if info is None else info)},
        "metadata": {"name": "pkg", "version": "1.0"},
        "requested": False,
        **more,
    }


def installed(url: str, info: dict[str, Any] | None = None, **more: Any) -> Installed:
    (found,) = from_pip_report(report(item(url, info, **more)), "deploy")
    return found


class TestState:
    @pytest.mark.parametrize(
        ("file", "state"),
        [
            ("pkg-1.0-py3-none-any.whl", "pure"),
            ("pkg-1.0-py2.py3-none-any.whl", "pure"),
            ("pkg-1.0-cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64.whl", "wheel"),
            ("pkg-1.0-py3-none-manylinux_2_17_aarch64.whl", "wheel"),
            ("pkg-1.0-cp312-abi3-linux_aarch64.whl", "wheel"),
            ("pkg-1.0-1any-py3-none-any.whl", "pure"),
            ("pkg-1.0%2Blocal-py3-none-any.whl", "pure"),
            ("pkg-1.0.tar.gz", "source"),
            ("pkg-1.0.zip", "source"),
            ("pkg-1.0-py3-none-any.whl.tar.gz", "source"),
        ],
    )
    def test_by_file(self, file: str, state: str) -> None:
        found = installed(f"https://host/packages/{file}")
        assert found.state == state
        assert found.file == file.replace("%2B", "+")

    @pytest.mark.parametrize(
        "info",
        [
            {"vcs_info": {"vcs": "git", "commit_id": "abc"}},
            {"dir_info": {}},
            {"dir_info": {"editable": True}},
        ],
    )
    @pytest.mark.parametrize("url", ["file:///x/pkg-1.0-py3-none-any.whl", "https://host/repo"])
    def test_repositories_and_folders_are_built(self, info: dict[str, Any], url: str) -> None:
        found = installed(url, info)
        assert (found.state, found.file, found.hash) == ("source", "", "")

    @pytest.mark.parametrize("tail", ["?X-Signature=SECRET", "#sha256=ab", "?a=SECRET#egg=x"])
    def test_signed_address_is_still_a_wheel(self, tail: str) -> None:
        found = installed("https://host/pkg-1.0-py3-none-any.whl" + tail)
        assert (found.state, found.file) == ("pure", "pkg-1.0-py3-none-any.whl")
        assert found.url == "https://host/pkg-1.0-py3-none-any.whl"

    def test_fields(self) -> None:
        url = "https://host/pkg-1.0.tar.gz"
        assert installed(url, requested=True) == Installed(
            "pkg", "1.0", "deploy", "source", "pkg-1.0.tar.gz", url, "sha256:ab", requested=True
        )

    def test_no_hash(self) -> None:
        assert installed("https://h/a.whl", {"archive_info": {}}).hash == ""
        assert installed("https://h/a.whl", {"archive_info": None}).hash == ""
        assert installed("https://h/a.whl", {"archive_info": {"hashes": {"md5": "x"}}}).hash == ""

    def test_order_and_scope(self) -> None:
        items = [
            item("https://h/a.whl", metadata={"name": name, "version": "1"}) for name in ("b", "a")
        ]
        found = from_pip_report(report(*items), "test")
        assert [(p.name, p.scope) for p in found] == [("b", "test"), ("a", "test")]
        assert from_pip_report(report(), "test") == []


@given(st.text(max_size=20), st.text(max_size=20))
@example("../../etc/passwd\n==1", "1\nnumpy==2")
def test_hostile_names_stay_data(name: str, version: str) -> None:
    found = installed("https://h/a.whl", metadata={"name": name, "version": version})
    assert (found.name, found.version) == (name, version)
    record = InstallRecord((found,), "pip 1", "2026-01-01T00:00:00+00:00", 1.0)
    assert InstallRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


@given(
    st.sampled_from(["https", "git+https", "git+ssh"]),
    st.text("abc:/%!=", max_size=6),
    st.sampled_from(["pkg-1.0-py3-none-any.whl", "pkg.git", "a/pkg-1.0.tar.gz"]),
    st.sampled_from(["", "?token=SECRET", "#SECRET", "?SECRET@x", "?a=b&SECRET=c#d"]),
)
def test_credentials_never_survive(scheme: str, noise: str, path: str, tail: str) -> None:
    url = f"{scheme}://user:SECRET{noise}@host/{path}{tail}"
    record = InstallRecord((installed(url),), "pip 1", "", 0)
    text = json.dumps(record.to_json())
    assert "SECRET" not in text
    # In what is no address at all, everything up to the last "@" goes.
    assert "@" in tail or f"host/{path}" in text


@given(st.text(max_size=40) | JSON.map(json.dumps))
@example("[" * 100_000)
@example('{"install": [{}]}')
@example('{"install": [{"download_info": {"url": "https://[x"}, "metadata": {}}]}')
@example('{"install": [null]}')
def test_foreign_report_is_refused_in_words(text: str) -> None:
    found = attempt(InstallError, lambda: from_pip_report(text, "deploy"))
    if isinstance(found, InstallError):
        assert "deploy scope cannot be read" in found.what
        assert found.why
        assert "--arm64-refresh" in found.next_step
    else:
        assert list(found) == []


PACKAGE = st.builds(
    Installed,
    name=st.text(max_size=5),
    version=st.text(max_size=5),
    scope=st.sampled_from(["deploy", "test"]),
    state=st.sampled_from(["pure", "wheel", "source"]),
    file=st.text(max_size=5),
    url=st.text(max_size=5),
    hash=st.text(max_size=5),
    requested=st.booleans(),
)
RECORD = st.builds(
    InstallRecord,
    packages=st.lists(PACKAGE, max_size=5).map(tuple),
    installer=st.text(max_size=5),
    made_at=st.text(max_size=5),
    seconds=st.floats(allow_nan=False),
)


@given(RECORD)
def test_round_trip(record: InstallRecord) -> None:
    assert InstallRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


@given(RECORD)
def test_counts(record: InstallRecord) -> None:
    for scope in ("deploy", "test"):
        states = [p.state for p in record.packages if p.scope == scope]
        counts = record.count(scope)
        assert sum(counts.values()) == len(states)
        assert all(counts[state] == states.count(state) > 0 for state in counts)


def damaged(change: dict[str, Any]) -> dict[str, Any]:
    package = installed("https://h/a-1-py3-none-any.whl")
    record: Any = InstallRecord((package,), "pip 1", "2026", 1.5).to_json()
    inner = change.pop("package", {})
    record["packages"] = [{**record["packages"][0], **inner}]
    return {k: v for k, v in {**record, **change}.items() if v != "absent"}


@pytest.mark.parametrize(
    "change",
    [
        {"format": 0},
        {"format": "1"},
        {"format": "absent"},
        {"packages": "absent"},
        {"packages": 3},
        {"packages": None},
        {"packages": ["x"]},
        {"packages": [{}]},
        {"packages": {"a": 1}},
        {"installer": None},
        {"made_at": 3},
        {"made_at": "absent"},
        {"seconds": "1"},
        {"seconds": None},
        {"package": {"name": None}},
        {"package": {"state": 3}},
        {"package": {"requested": "yes"}},
    ],
)
def test_damaged_record(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="install record"):
        InstallRecord.from_json(damaged(dict(change)))


def test_the_undamaged_one_is_fine() -> None:
    assert InstallRecord.from_json(damaged({})).installer == "pip 1"


@given(JSON)
def test_any_json_is_a_record_or_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match="install record"):
        InstallRecord.from_json(value)


@pytest.mark.parametrize(
    ("metadata", "state", "failed"),
    [
        (DistributionMetadata("Doc.opt", "0.6.2", (), portable=True), "pure", False),
        (DistributionMetadata("doc-opt", "0.6.2", (), portable=False), "source", True),
        (DistributionMetadata("other", "1", (), portable=True), "source", True),
    ],
)
def test_a_source_distribution_that_compiles_nothing_is_pure_once_it_is_built(
    metadata: DistributionMetadata, state: str, failed: bool
) -> None:
    package = installed("https://index/doc_opt-0.6.2.tar.gz")
    package = replace(package, name="doc-opt", version="0.6.2")
    (observed,) = with_built_states([package], [metadata])
    assert observed == replace(package, state=state)
    matrix = WheelMatrix("s", "t", (Row("doc-opt", "0.6.2", "source"),))
    states = {observed.name: observed.state}
    judged = verdicts(matrix, ALL, observed=states, today=date(2026, 11, 30))
    assert [verdict.failed for verdict in judged] == ([True] if failed else [])


def test_a_wheel_stays_what_it_is() -> None:
    package = replace(installed("https://index/pkg-1.0-cp312-cp312-linux_aarch64.whl"), name="pkg")
    assert list(with_built_states([package], [DistributionMetadata("pkg", "1", (), True)])) == [
        package
    ]
