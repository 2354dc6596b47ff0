"""pip's configuration: what pip itself would use, without what cannot work in a container."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_arm64.errors import SettingsError
from pytest_arm64.index.pip_config import (
    PipConfig,
    _merge,
    host_pip_config,
    strip_credentials,
)
from unit.support import write

if TYPE_CHECKING:
    from collections.abc import Callable

SECTIONS = ("global", "install", ":env:")
KEYS = st.sampled_from(["index-url", "timeout", "pre", "trusted-host"])
VALUES = st.text(max_size=8)


def nobody(name: str) -> str:
    raise AssertionError(f"pip was requested for {name}")


def listing(settings: dict[str, dict[str, str]]) -> str:
    """As ``pip config list`` prints them."""
    return "".join(
        f"{section}.{key}={value!r}\n"
        for section, values in settings.items()
        for key, value in values.items()
    )


class TestMerge:
    @given(
        st.dictionaries(
            st.sampled_from([*SECTIONS, "download", "wheel"]), st.dictionaries(KEYS, VALUES)
        )
    )
    def test_pips_order(self, settings: dict[str, dict[str, str]]) -> None:
        expected = {}
        for section in SECTIONS:
            expected.update({k: v for k, v in settings.get(section, {}).items() if v})
        assert _merge(listing(settings), nobody) == expected

    @given(st.text(max_size=60))
    @example("global.a=" + "(" * 10_000)
    @example("global.a=3\nglobal.b\n=x\n.a='x'\nglobal.c='x\n")
    def test_any_text(self, text: str) -> None:
        found = _merge(text, lambda _: "asked")
        assert all(isinstance(value, str) and value for value in found.values())

    def test_no_output(self) -> None:
        assert _merge("", nobody) == {}

    def test_where_two_files_disagree_pip_decides(self) -> None:
        text = "global.index-url='https://b'\nglobal.index-url='https://a'\nglobal.pre='1'\n"
        asked = []

        def ask(name: str) -> str:
            asked.append(name)
            return "https://b"

        assert _merge(text, ask) == {"index-url": "https://b", "pre": "1"}
        assert asked == ["global.index-url"]

    def test_where_two_files_agree_nobody_is_asked(self) -> None:
        assert _merge("global.pre='1'\nglobal.pre='1'\n", nobody) == {"pre": "1"}


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PipConfig]:
    """``pip(settings, environ)``: the configuration that is made of what a pip prints."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def configured(
        settings: dict[str, dict[str, str]], environ: dict[str, str] | None = None
    ) -> PipConfig:
        def run(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
            assert command == [sys.executable, "-I", "-X", "utf8", "-m", "pip", "config", "list"]
            return subprocess.CompletedProcess(command, 0, listing(settings), "")

        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "run", run)
            return host_pip_config(environ or {})

    return configured


class TestHost:
    def test_what_belongs_to_this_machine_stays_here(self, pip: Callable[..., PipConfig]) -> None:
        kept = {"timeout": "60", "pre": "1", "trusted-host": "a b"}
        left = dict.fromkeys(
            ["cache-dir", "config-file", "target", "user", "prefix", "root", "python", "log"],
            "x",
        )
        assert pip({"global": {**kept, **left}}).settings == kept

    def test_environment_beats_files(self, pip: Callable[..., PipConfig]) -> None:
        found = pip({"global": {"timeout": "1"}, ":env:": {"timeout": "3"}})
        assert found.settings == {"timeout": "3"}

    def test_empty_variable_is_no_setting(self, pip: Callable[..., PipConfig]) -> None:
        """As for pip: ``PIP_INDEX_URL=`` does not send it back to the public index."""
        found = pip({"global": {"index-url": "https://own"}, ":env:": {"index-url": ""}})
        assert found.settings == {"index-url": "https://own"}

    def test_local_indexes_are_listed(self, pip: Callable[..., PipConfig], tmp_path: Path) -> None:
        for name in ("more/simple", "wheels", "umläute"):
            (tmp_path / name).mkdir(parents=True)
        index = f"file://{tmp_path}/more/simple"
        links = f"{tmp_path}/wheels {tmp_path}/absent https://host/links {tmp_path}/wheels"
        found = pip({"global": {"extra-index-url": f"https://host/ {index}", "find-links": links}})
        assert found.folders == (f"{tmp_path}/wheels", f"{tmp_path}/more/simple")
        assert found.settings["extra-index-url"] == f"https://host/ {index}"
        assert found.settings["find-links"].split() == [
            f"{tmp_path}/wheels",
            "https://host/links",
            f"{tmp_path}/wheels",
        ]
        quoted = (tmp_path / "umläute").as_uri()
        assert pip({"global": {"find-links": quoted}}).folders == (str(tmp_path / "umläute"),)

    def test_links_that_are_not_there_leave_nothing(self, pip: Callable[..., PipConfig]) -> None:
        assert pip({"global": {"find-links": "/absent"}}).settings == {}

    def test_constraints_come_along(self, pip: Callable[..., PipConfig], tmp_path: Path) -> None:
        write(tmp_path, {"a.txt": "numpy<2", "b.txt": "six"})
        entry = f"{tmp_path}/a.txt https://host/c.txt {tmp_path}/absent {tmp_path}/b.txt"
        found = pip({"global": {"constraint": entry}})
        assert found.constraints == {tmp_path / "a.txt": b"numpy<2", tmp_path / "b.txt": b"six"}
        assert parsed(found)["constraint"].split() == [
            "https://host/c.txt",
            f"{tmp_path}/a.txt",
            f"{tmp_path}/b.txt",
        ]

    @pytest.mark.parametrize(
        "name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "cert"]
    )
    def test_certificates(self, pip: Callable[..., PipConfig], tmp_path: Path, name: str) -> None:
        write(tmp_path, {"ca.pem": "CA"})
        path = str(tmp_path / "ca.pem")
        found = pip({":env:": {"cert": path}}) if name == "cert" else pip({}, {name: path})
        assert found.ca == b"CA"
        assert "cert" not in found.settings

    def test_own_certificate_setting_beats_variables(
        self, pip: Callable[..., PipConfig], tmp_path: Path
    ) -> None:
        write(tmp_path, {"ca.pem": "CA", "other.pem": "other"})
        found = pip(
            {"global": {"cert": f"{tmp_path}/ca.pem"}}, {"SSL_CERT_FILE": f"{tmp_path}/other.pem"}
        )
        assert found.ca == b"CA"

    @pytest.mark.parametrize("ca", ["/absent", "/", ""])
    def test_certificates_that_are_not_there(self, pip: Callable[..., PipConfig], ca: str) -> None:
        assert pip({}, {"SSL_CERT_FILE": ca}).ca == b""

    def test_netrc(self, pip: Callable[..., PipConfig], tmp_path: Path) -> None:
        assert pip({}).netrc == b""
        write(tmp_path, {".netrc": "machine a", "other": "machine b"})
        assert pip({}).netrc == b"machine a"
        assert pip({}, {"NETRC": f"{tmp_path}/other"}).netrc == b"machine b"

    def test_user_without_a_home(
        self, pip: Callable[..., PipConfig], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A number that the system has no name for, as in many CI containers."""
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
        assert pip({}).netrc == b""

    def test_configuration_that_pip_cannot_read_is_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Otherwise packages would silently come from the public index."""

        def run(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
            return subprocess.CompletedProcess(command, 1, "", "Traceback\nERROR: line 3 is bad\n")

        monkeypatch.setattr(subprocess, "run", run)
        with pytest.raises(SettingsError) as caught:
            host_pip_config({})
        assert caught.value.what == "pip's configuration cannot be read: ERROR: line 3 is bad"
        assert "another index" in caught.value.why
        assert caught.value.next_step == "see: pip config debug"

    def test_real_pip(self, tmp_path: Path) -> None:
        """Two files that disagree are listed by name; what pip uses is the file of the user."""
        for name, host in (
            ("z-all-users/pip/pip.conf", "all"),
            ("home/.config/pip/pip.conf", "own"),
        ):
            write(tmp_path, {name: f"[global]\nindex-url = https://{host}/simple\ntimeout = 7\n"})
        environ = {
            "HOME": str(tmp_path / "home"),
            "XDG_CONFIG_DIRS": str(tmp_path / "z-all-users"),
            "PIP_TRUSTED_HOST": "müller.example",
        }
        found = host_pip_config(environ)
        assert found.settings["index-url"] == "https://own/simple"
        assert found.settings["timeout"] == "7"
        assert found.settings["trusted-host"] == "müller.example"

    def test_nothing_of_the_project_is_executed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        canary = tmp_path / "executed"
        code = f"open({str(canary)!r}, 'w').close()\n"
        names = ("pip/__init__.py", "pip/__main__.py", "ast.py", "sitecustomize.py", "start.py")
        write(tmp_path, {f"project/{name}": code for name in names})
        project = tmp_path / "project"
        monkeypatch.chdir(project)
        for python_path in ("", ".", str(project)):
            environ = {"PYTHONPATH": python_path, "PYTHONSTARTUP": "start.py", "PYTHONINSPECT": ""}
            host_pip_config({"HOME": str(tmp_path), **environ})
            assert not canary.exists(), f"PYTHONPATH={python_path}"

    def test_a_relative_configuration_file_is_that_of_the_caller(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, {"ci/pip.conf": "[global]\ntimeout = 8\n"})
        monkeypatch.chdir(tmp_path)
        environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": "ci/pip.conf"}
        assert host_pip_config(environ).settings["timeout"] == "8"


def parsed(config: PipConfig) -> dict[str, str]:
    """The file as pip reads it."""
    parser = configparser.RawConfigParser()
    parser.read_string(config.as_file())
    return dict(parser["global"])


class TestFile:
    @given(
        st.dictionaries(
            KEYS, st.lists(st.text("abc:/%$#;=[]@\u00fc", min_size=1, max_size=9), min_size=1)
        )
    )
    def test_values_survive(self, settings: dict[str, list[str]]) -> None:
        values = {
            key: [word for word in words if not word.startswith(("#", ";"))] or ["x"]
            for key, words in settings.items()
        }
        config = PipConfig({k: " ".join(v) for k, v in values.items()}, {}, ())
        assert {k: v.split() for k, v in parsed(config).items()} == values

    def test_nothing(self) -> None:
        assert parsed(PipConfig({}, {}, ())) == {}


class TestFingerprint:
    def test_credentials_do_not_count(self) -> None:
        one, other = (
            PipConfig({"index-url": f"https://{user}host/simple"}, {}, ())
            for user in ("me:secret@", "")
        )
        assert one.fingerprint() == other.fingerprint()
        assert "secret" not in json.dumps(one.fingerprint())

    def test_what_changes_the_outcome_counts(self) -> None:
        plain = PipConfig({"index-url": "https://a"}, {Path("/c"): b"six"}, ())
        others = [
            PipConfig({"index-url": "https://b"}, plain.constraints, ()),
            PipConfig(plain.settings, {Path("/c"): b"six<2"}, ()),
            PipConfig({**plain.settings, "pre": "1"}, plain.constraints, ()),
        ]
        assert all(other.fingerprint() != plain.fingerprint() for other in others)


SAFE = st.text("abcXYZ019._~-", min_size=1, max_size=8)
SECRET = st.text("abcXYZ019._~-:/@%!$&'()*+,;=", max_size=8).map(lambda s: f"SECRET{s}SECRET")
SCHEME = st.sampled_from(["https", "http", "git+https", "git+ssh", "ssh", "file", "svn+http"])


class TestCredentials:
    @given(SCHEME, SAFE, SECRET, SAFE, SAFE)
    @example("https", "user", "SECRET/SECRET", "host", "path")
    @example("https", "user", "SECRET@SECRET", "host", "path")
    def test_never_survive(self, scheme: str, user: str, secret: str, host: str, path: str) -> None:
        found = strip_credentials(f"{scheme}://{user}:{secret}@{host}/{path}")
        assert found == f"{scheme}://{host}/{path}"

    @given(SCHEME, SAFE, SAFE)
    def test_token_alone(self, scheme: str, host: str, path: str) -> None:
        assert strip_credentials(f"{scheme}://SECRET@{host}/{path}") == f"{scheme}://{host}/{path}"

    @pytest.mark.parametrize(
        "url",
        [
            "https://host/simple",
            "https://host:8080/simple/",
            "https://[::1]:8080/simple",
            "git+https://host/repo.git@v1.0",
            "git+https://host/repo.git@v1.0#subdirectory=a",
            "file:///home/me@work/wheels",
            "/opt/wheels",
            "./wheels@2",
            "",
        ],
    )
    def test_others_are_left_alone(self, url: str) -> None:
        assert strip_credentials(url) == url

    @pytest.mark.parametrize(
        "url", ["https://user:SECRET@[::1/x", "https://user:SECRET@host:port/x", "//u:SECRET@h/x"]
    )
    def test_what_is_no_address(self, url: str) -> None:
        assert "SECRET" not in strip_credentials(url)

    @given(st.text(max_size=30))
    def test_any_text(self, text: str) -> None:
        assert len(strip_credentials(text)) <= len(text)
