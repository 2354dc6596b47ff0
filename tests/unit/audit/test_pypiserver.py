"""A real index that wants credentials, and has neither JSON nor separate metadata nor ranges."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import PURE, SOURCE, UNKNOWN, WHEEL
from unit.audit.served import matrix_of, sdist, wheel
from unit.support import write

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
    assert "401: it wants credentials" in matrix["zed"].detail
