"""A real index that wants credentials, and has neither JSON nor separate metadata nor ranges."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_arm64.audit.matrix import PURE, SOURCE, UNKNOWN, WHEEL
from unit.index.served import matrix_of, sdist, wheel
from unit.support import write

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
USER, PASSWORD = "reader", "se:cr/et"
FILES = {
    f"zed-1.0-{ARM}.whl": wheel("zed", "1.0", ["leaf"], padding=300_000),
    "leaf-2.0-py3-none-any.whl": wheel("leaf", "2.0"),
    "raw-3.0.tar.gz": sdist("raw", "3.0", ["leaf<3"]),
    "setuptools-80.0-py3-none-any.whl": wheel("setuptools", "80.0"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a pypiserver with FILES, that answers 401 to strangers."""
    folder = write(tmp_path_factory.mktemp("packages"), FILES)
    program = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("pypi_server.py"))]
    with subprocess.Popen(
        [*program, str(folder), USER, PASSWORD],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/simple"
        process.terminate()


def test_credentials_are_sent_and_wheels_are_read_whole(tmp_path: Path, server: str) -> None:
    scheme, _, host = server.partition("://")
    address = f"{scheme}://{USER}:{PASSWORD.replace(':', '%3A').replace('/', '%2F')}@{host}"
    matrix = matrix_of(tmp_path, "zed\nraw", address)
    assert {row.name: row.state for row in matrix.deployed} == {
        "zed": WHEEL,
        "leaf": PURE,
        "raw": SOURCE,
    }
    assert matrix.complete
    assert matrix["zed"].hashes == (
        f"sha256:{hashlib.sha256(FILES[matrix['zed'].file]).hexdigest()}",
    )
    assert PASSWORD not in repr(matrix)
    assert "%2Fet" not in repr(matrix)


def test_netrc_has_credentials_too(tmp_path: Path, server: str) -> None:
    write(tmp_path, {"netrc": f"machine 127.0.0.1 login {USER} password {PASSWORD}\n"})
    environ = {"NETRC": str(tmp_path / "netrc")}
    assert matrix_of(tmp_path, "zed", server, environ=environ)["leaf"].state == PURE


def test_without_credentials_it_is_told_that_they_are_wanted(tmp_path: Path, server: str) -> None:
    matrix = matrix_of(tmp_path, "zed", server)
    assert matrix["zed"].state == UNKNOWN
    assert "401: credentials required" in matrix["zed"].detail


def program(folder: Path, text: str) -> dict[str, str]:
    """Variables with which a ``keyring`` program that is this shell script is found."""
    path = write(folder, {"bin/keyring": f"#!/bin/sh\n{text}\n"}) / "bin/keyring"
    path.chmod(0o755)
    return {"NETRC": str(folder / "none"), "PATH": f"{path.parent}:/usr/bin:/bin"}


def with_user(address: str) -> str:
    scheme, _, host = address.partition("://")
    return f"{scheme}://{USER}@{host}"


def test_a_keyring_program_is_asked_where_an_index_wants_credentials(
    tmp_path: Path, server: str
) -> None:
    told = tmp_path / "told"
    environ = program(tmp_path, f"echo \"$@\" >> {told}\n[ $3 = {USER} ] && echo '{PASSWORD}'")
    matrix = matrix_of(tmp_path, "zed\nraw", with_user(server), environ=environ)
    assert matrix.complete
    assert told.read_text("utf-8").splitlines() == [f"get {server} {USER}"]


@pytest.mark.parametrize("text", ["exit 1", "echo wrong", "kill -9 $$"])
def test_a_keyring_without_the_password_changes_nothing(
    tmp_path: Path, server: str, text: str
) -> None:
    environ = program(tmp_path, text)
    row = matrix_of(tmp_path, "zed", with_user(server), environ=environ)["zed"]
    assert row.state == UNKNOWN
    assert "403: the credentials were refused" in row.detail


def test_a_keyring_that_is_disabled_is_not_asked(tmp_path: Path, server: str) -> None:
    told = tmp_path / "told"
    environ = program(tmp_path, f"touch {told}")
    matrix = matrix_of(tmp_path, "zed", with_user(server), environ=environ, keyring="disabled")
    assert matrix["zed"].state == UNKNOWN
    assert not told.exists()


def test_a_keyring_library_is_asked_up_front_where_pip_would(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None]] = []

    def get_credential(place: str, user: str | None) -> Any:
        asked.append((place, user))
        return SimpleNamespace(username=USER, password=PASSWORD)

    library = SimpleNamespace(get_credential=get_credential)
    monkeypatch.setitem(sys.modules, "keyring", library)
    assert matrix_of(tmp_path, "zed", server, keyring="import").complete
    assert asked == [(server, None)]
