"""The way to the engine: which one, and in which words it is said to be absent."""

from __future__ import annotations

import gc
import json
import os
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.engine import endpoint, patience
from pytest_arm64.engine.address import Address
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import Engine, _memory, open_engine
from pytest_arm64.errors import EngineError
from unit.support import Answer, PlayedEngine, is_plain_text, played_engine, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSION = {"ApiVersion": "1.47", "MinAPIVersion": "1.24", "Version": "27.3.1", "Os": "linux"}
INFO = {"Architecture": "x86_64", "InitBinary": "docker-init"}


def answers(
    version: Mapping[str, Any] = VERSION, info: Mapping[str, Any] = INFO
) -> dict[str, Answer]:
    return {
        "GET /version": (200, dict(version)),
        "GET /info": (200, dict(info)),
        "GET /containers/json": (200, []),
    }


@contextmanager
def an_ordinary_user() -> Iterator[None]:
    """Nobody refuses root anything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def engine(
    folder: Path, told: Mapping[str, Answer]
) -> Iterator[tuple[PlayedEngine, dict[str, str]]]:
    with played_engine(folder / "s.sock", told) as played:
        yield played, {"DOCKER_HOST": f"unix://{played.path}"}


def refused(environ: Mapping[str, str]) -> EngineError:
    with warnings.catch_warnings():
        # docker-py forgets its socket where a connection fails: collected here, not in a test.
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(EngineError) as caught, open_engine(environ):
            pass
        error = EngineError(
            caught.value.what, why=caught.value.why, next_step=caught.value.next_step
        )
        del caught
        gc.collect()
    assert is_plain_text(error)
    assert error.next_step
    return error


class TestOpen:
    def test_what_is_known_of_it(self, tmp_path: Path) -> None:
        with engine(tmp_path, answers()) as (_, environ), open_engine(environ) as found:
            assert (found.machine, found.version, found.has_init) == ("x86_64", "27.3.1", True)
            assert found.labels["pytest-arm64.session"] == found.session

    @pytest.mark.parametrize(
        ("told", "machine"),
        [("aarch64", "aarch64"), ("arm64", "aarch64"), ("amd64", "x86_64"), ("riscv64", "riscv64")],
    )
    def test_podman_names_machines_otherwise(self, tmp_path: Path, told: str, machine: str) -> None:
        info = {"Architecture": told}
        with engine(tmp_path, answers(info=info)) as (_, environ), open_engine(environ) as found:
            assert found.machine == machine
            assert not found.has_init

    def test_sessions_differ(self) -> None:
        one, other = (Engine(None, "x86_64", "1", has_init=True) for _ in range(2))  # type: ignore[arg-type]
        assert one.session != other.session
        assert one.labels != other.labels

    def test_containers_of_this_session_are_removed(self, tmp_path: Path) -> None:
        told = answers()
        told["GET /containers/json"] = (200, [{"Id": "abc"}])
        told["DELETE /containers/abc"] = (204, b"")
        with engine(tmp_path, told) as (played, environ):
            with pytest.raises(KeyboardInterrupt), open_engine(environ) as found:
                raise KeyboardInterrupt
            assert played.wait_for("DELETE", 1)  # by the watcher: nobody waits for it
            told["GET /containers/json"] = (200, [])
            filters = [q["filters"][0] for p, q in played.seen("GET") if p == "/containers/json"]
            (removed,) = played.seen("DELETE")
        label = f"pytest-arm64.session={found.session}"
        assert json.loads(filters[-1]) == {"label": [label]}
        assert removed == ("/containers/abc", {"v": ["1"], "force": ["1"]})

    def test_a_container_that_the_engine_cannot_remove_holds_nothing_up(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(endpoint, "_STUCK_SECONDS", 0.1)
        monkeypatch.setattr(patience, "BETWEEN_SECONDS", 0.02)
        told = answers()
        told["GET /_ping"] = (200, b"OK")
        told["POST /containers/create"] = (201, {"Id": "abc"})
        told["GET /containers/abc/json"] = (200, {"Id": "abc"})
        told["POST /containers/abc/start"] = (204, b"")
        told["DELETE /containers/abc"] = (0, None)
        plan = Plan(image="own:1", platform="linux/arm64")
        with engine(tmp_path, told) as (played, environ), open_engine(environ) as found:
            # Nothing answers the attachment of its standard input: it is removed again.
            with pytest.raises(EngineError, match="could not be started"):
                Container(found, plan).start()
            assert [path for path, _ in played.seen("DELETE")] == ["/containers/abc"]
            played.stuck.set()

    def test_engine_that_is_gone_at_the_end(self, tmp_path: Path) -> None:
        reached = []
        with engine(tmp_path, answers()) as (played, environ), open_engine(environ):
            reached.append(played.path)
            played.answers["GET /containers/json"] = (500, {"message": "shutting down"})
        assert reached


class TestRefusals:
    def test_absent(self, tmp_path: Path) -> None:
        error = refused({"DOCKER_HOST": f"unix://{tmp_path}/absent.sock"})
        assert f"no container engine answers at unix://{tmp_path}/absent.sock" in error.what
        assert "container" in error.why
        assert "scripts/engine env" in error.next_step

    def test_nobody_listens_any_more(self, tmp_path: Path) -> None:
        with engine(tmp_path, {}) as (_, environ):
            pass
        assert "no container engine answers" in refused(environ).what

    def test_something_else_listens(self, tmp_path: Path) -> None:
        with engine(tmp_path, {}) as (_, environ):
            assert "no container engine answers" in refused(environ).what

    def test_info_fails(self, tmp_path: Path) -> None:
        told = {**answers(), "GET /info": (500, {"message": "broken"})}
        with engine(tmp_path, told) as (_, environ):
            assert "no container engine answers" in refused(environ).what

    @pytest.mark.parametrize("api", ["", "one.two"])
    def test_version_that_is_none(self, tmp_path: Path, api: str) -> None:
        with engine(tmp_path, answers({**VERSION, "ApiVersion": api})) as (played, environ):
            assert played.path in refused(environ).what

    @pytest.mark.parametrize("api", ["1.40", "1.24", "1.9", "0.9", "1"])
    def test_too_old(self, tmp_path: Path, api: str) -> None:
        with engine(tmp_path, answers({**VERSION, "ApiVersion": api})) as (_, environ):
            error = refused(environ)
        assert "older than 1.41" in error.what
        assert "Docker Engine 20.10" in error.next_step

    @pytest.mark.parametrize("api", ["1.41", "1.100", "2.0"])
    def test_new_enough(self, tmp_path: Path, api: str) -> None:
        with (
            engine(tmp_path, answers({**VERSION, "ApiVersion": api})) as (_, environ),
            open_engine(environ) as found,
        ):
            assert found.version == "27.3.1"

    def test_permission_denied(self, tmp_path: Path) -> None:
        with engine(tmp_path, answers()) as (played, environ):
            Path(played.path).chmod(0o000)
            with an_ordinary_user():
                error = refused(environ)
        assert error.what.endswith(f"unix://{played.path} refuses this user: permission denied")
        assert "group 'docker'" in error.next_step

    def test_podman_is_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "podman").mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        monkeypatch.setattr(endpoint, "DEFAULT_SOCKET", "/there/is/none.sock")
        with played_engine(tmp_path / "podman" / "podman.sock", {}) as played:
            error = refused({"DOCKER_HOST": "unix:///there/is/none.sock"})
        assert f"export DOCKER_HOST=unix://{played.path}" in error.next_step

    @pytest.mark.parametrize("host", ["tcp://host:port", "tcp://", "nonsense://x", "unix:"])
    def test_no_address(self, host: str) -> None:
        assert host in refused({"DOCKER_HOST": host}).what

    def test_tls_without_certificates(self, tmp_path: Path) -> None:
        environ = {
            "DOCKER_HOST": "tcp://127.0.0.1:1",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(tmp_path),
        }
        error = refused(environ)
        assert "cannot be used" in error.what
        assert "DOCKER_CERT_PATH" in error.next_step


class TestContext:
    """Without ``DOCKER_HOST`` the current context names the engine."""

    @pytest.fixture
    def config(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "config"
        monkeypatch.setenv("DOCKER_CONFIG", str(folder))
        monkeypatch.setenv("HOME", str(tmp_path))
        return write(folder, {"config.json": "{}"})

    def add(self, config: Path, name: str, meta: str) -> None:
        from docker.context.config import get_context_id

        write(config, {f"contexts/meta/{get_context_id(name)}/meta.json": meta})

    def engine_context(self, config: Path, name: str, path: str) -> None:
        meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": f"unix://{path}"}}}
        self.add(config, name, json.dumps(meta))

    def test_of_the_configuration(self, tmp_path: Path, config: Path) -> None:
        write(config, {"config.json": '{"currentContext": "mine"}'})
        with engine(tmp_path, answers()) as (played, _):
            self.engine_context(config, "mine", played.path)
            with open_engine({}) as found:
                assert found.version == "27.3.1"

    def test_variable_beats_configuration(self, tmp_path: Path, config: Path) -> None:
        write(config, {"config.json": '{"currentContext": "absent"}'})
        with engine(tmp_path, answers()) as (played, _):
            self.engine_context(config, "mine", played.path)
            with open_engine({"DOCKER_CONTEXT": "mine"}) as found:
                assert found.version == "27.3.1"

    def test_absent_context_is_not_the_default_one(self, config: Path) -> None:
        error = refused({"DOCKER_CONTEXT": "absent"})
        assert "context cannot be read: no context has this name" in error.what
        assert "docker context ls" in error.next_step

    @pytest.mark.parametrize("meta", ["", "[]", "{}", '{"Endpoints": 3}', "nonsense"])
    def test_damaged_context(self, config: Path, meta: str) -> None:
        self.add(config, "mine", meta)
        assert "context cannot be read" in refused({"DOCKER_CONTEXT": "mine"}).what


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("", "/var/run/docker.sock"),
        ("unix:///run/user/1000/podman.sock", "/run/user/1000/podman.sock"),
        ("unix://run/x.sock", "/run/x.sock"),
        ("http+unix:///x", "/x"),
        ("tcp://127.0.0.1:2375", ""),
        ("ssh://host", ""),
        ("npipe:////./pipe/x", ""),
    ],
)
def test_unix_socket(host: str, path: str) -> None:
    assert Address(host).socket == path


@given(st.text(max_size=20))
def test_unix_socket_is_a_path_or_nothing(host: str) -> None:
    found = Address(host).socket
    assert found == "" or found.startswith("/")


def test_labels_are_the_products() -> None:
    assert endpoint.LABEL == "pytest-arm64"


@pytest.mark.parametrize(
    ("info", "memory"),
    [
        ({"MemTotal": 1000, "MemoryLimit": True}, 900),
        ({"MemTotal": 1000, "MemoryLimit": False}, 0),
        ({"MemTotal": 1000}, 0),
        ({"MemoryLimit": True}, 0),
        ({"MemoryLimit": True, "MemTotal": "much"}, 0),
    ],
)
def test_a_container_leaves_some_of_the_machines_memory(info: dict[str, Any], memory: int) -> None:
    assert _memory(info) == memory
