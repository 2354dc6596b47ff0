"""The probe: runs alone in any interpreter and tells the truth about this one."""

from __future__ import annotations

import builtins
import io
import json
import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.engine.probe import _complete
from pytest_arm64.inside import probe


def opened(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    """The file system has these files, and no others that the probe asks for."""
    original = builtins.open

    def fake(name: Any, mode: str = "r", **more: Any) -> Any:
        if str(name) in files:
            raw = io.BytesIO(files[str(name)])
            return raw if "b" in mode else io.TextIOWrapper(raw, **more)
        if str(name).startswith(("/etc", "/proc", "/lib", "/usr/lib", "/var")):
            raise FileNotFoundError(name)
        return original(name, mode, **more)

    monkeypatch.setattr(builtins, "open", fake)


def test_this_interpreter() -> None:
    source = Path(probe.__file__).read_text("utf-8")
    finished = subprocess.run(
        [sys.executable, "-I", "-c", source], capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    facts = json.loads(finished.stdout)
    assert _complete(facts)
    assert facts["machine"] == platform.machine()
    assert facts["page_size"] == os.sysconf("SC_PAGE_SIZE")
    python = facts["python"]
    assert python["executable"] == os.path.realpath(sys.executable)
    assert python["version"] == platform.python_version()
    assert python["minor"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert python["cache_tag"] == sys.implementation.cache_tag
    assert python["library"] == str(Path(os.__file__).parent)
    # Python 3.10 has no scheme of its own for virtual environments.
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix"
    site = sysconfig.get_path("purelib", scheme, {"base": "/somewhere"})
    assert f"/somewhere/{python['purelib']}" == site


def test_system_and_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    release = b'# comment\nID="amzn"\nVERSION_ID=\'2023\'\nPRETTY_NAME="Amazon Linux 2023"\nodd\n'
    processor = b"processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\nCPU part\t: 0xd40\n"
    opened(monkeypatch, {"/etc/os-release": release, "/proc/cpuinfo": processor})
    assert probe.os_release() == {
        "ID": "amzn",
        "VERSION_ID": "2023",
        "PRETTY_NAME": "Amazon Linux 2023",
    }
    assert probe.cpu() == {"implementer": "0x41", "part": "0xd0c"}
    facts = probe.facts()
    assert (facts["os"], facts["os_name"]) == ("amzn 2023", "Amazon Linux 2023")


def test_bare_system(monkeypatch: pytest.MonkeyPatch) -> None:
    opened(monkeypatch, {})
    facts = probe.facts()
    assert (facts["os"], facts["os_name"]) == ("unknown", "an unnamed system")
    assert facts["cpu"] == {"implementer": "", "part": ""}
    assert facts["libstdcxx"] == ""


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"/lib64/libstdc++.so.6": b"\0GLIBCXX_3.4.9\0GLIBCXX_3.4.29\0GLIBCXX_3.4.3"}, "3.4.29"),
        ({"/usr/lib64/libstdc++.so.6": b"GLIBCXX_3.4\0"}, ""),
        ({"/var/lang/lib/libstdc++.so.6": b"GLIBCXX_3.4.33"}, "3.4.33"),
    ],
)
def test_libstdcxx(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], version: str) -> None:
    opened(monkeypatch, files)
    assert probe.libstdcxx() == version


@pytest.mark.parametrize("answer", ["glibc 2.34", "", None, ValueError, OSError])
def test_glibc(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def confstr(name: str) -> Any:
        if isinstance(answer, type):
            raise answer
        return answer

    monkeypatch.setattr(os, "confstr", confstr)
    assert probe.glibc() == ("2.34" if answer == "glibc 2.34" else "")


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_in_the_systems_files(release: bytes, processor: bytes, library: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        files = {"/etc/os-release": b"ID=a\n" + release, "/proc/cpuinfo": processor}
        opened(patch, {**files, "/lib64/libstdc++.so.6": library})
        assert _complete(json.loads(json.dumps(probe.facts())))
