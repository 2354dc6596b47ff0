"""Wheels laid out on the host: as pip lays them, and hostile ones not at all."""

from __future__ import annotations

import base64
import errno
import hashlib
import importlib.util
import io
import marshal
import os
import resource
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_arm64.environment import wheel_source
from pytest_arm64.environment.bytecode import Compiler, compiler_for
from pytest_arm64.environment.tree import ENV, PYTHON, TESTS
from pytest_arm64.environment.wheel_layer import Layer, layer_of, write_together
from pytest_arm64.errors import InstallError
from unit.lying_zips import LARGE, add, little_memory, state_packed
from unit.support import PYTHON as TARGET
from unit.support import is_plain_text

HERE = Compiler(sys.executable, importlib.util.MAGIC_NUMBER.hex())
SITE = f"{ENV}/{TARGET.purelib}"
METADATA = {
    "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\n",
    "demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def wheel(
    folder: Path,
    files: Mapping[str, str | bytes],
    *,
    record: str | None = None,
    modes: Mapping[str, int] | None = None,
    name: str = "demo-1.0-py3-none-any.whl",
    without: str = "",
) -> Path:
    """A wheel with *files*, *without* one; its RECORD is true unless it is given."""
    content = {
        name: text if isinstance(text, bytes) else text.encode()
        for name, text in {**METADATA, **files}.items()
    }
    if record is None:
        record = "".join(f"{n},sha256={digest(c)},{len(c)}\n" for n, c in content.items())
        record += "demo-1.0.dist-info/RECORD,,\n"
    path = folder / name
    content["demo-1.0.dist-info/RECORD"] = record.encode()
    content.pop(without, None)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in content.items():
            info = zipfile.ZipInfo(member)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (modes or {}).get(member, stat.S_IFREG | 0o644) << 16
            archive.writestr(info, data)
    return path


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def laid(path: Path, compiler: Compiler = HERE) -> tuple[Layer, dict[str, tarfile.TarInfo]]:
    layer = layer_of(path, "", ENV, TARGET, compiler)
    return layer, members(layer)


def members(layer: Layer) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(layer.path) as archive:
        return {f"/{member.name}": member for member in archive if not member.isdir()}


def content(layer: Layer, path: str) -> bytes:
    with tarfile.open(layer.path) as archive:
        stream = archive.extractfile(path.lstrip("/"))
        assert stream is not None
        return stream.read()


def test_every_scheme_is_laid_where_it_belongs(tmp_path: Path) -> None:
    files = {
        "demo/__init__.py": "VALUE = 1\n",
        "demo-1.0.data/platlib/demo/more.py": "",
        "demo-1.0.data/headers/demo.h": "// demo",
        "demo-1.0.data/data/share/demo.txt": "text",
        "demo-1.0.data/scripts/old": "#!python\nprint()\n",
        "demo-1.0.dist-info/entry_points.txt": "[console_scripts]\ndemo = demo.cli:main.run\n",
    }
    layer, found = laid(wheel(tmp_path, files), Compiler())
    assert set(found) == {
        f"{SITE}/demo/__init__.py",
        f"{SITE}/demo/more.py",
        f"{ENV}/include/site/python3.12/demo/demo.h",
        f"{ENV}/share/demo.txt",
        f"{ENV}/bin/old",
        f"{ENV}/bin/demo",
        *(
            f"{SITE}/demo-1.0.dist-info/{name}"
            for name in ("METADATA", "WHEEL", "RECORD", "INSTALLER", "entry_points.txt")
        ),
    }
    assert layer.name == "Demo"
    assert layer.names == set(found)
    assert layer.lies == ()
    assert found[f"{ENV}/bin/demo"].mode == found[f"{ENV}/bin/old"].mode == 0o755
    assert content(layer, f"{ENV}/bin/old") == f"#!{PYTHON}\nprint()\n".encode()
    launcher = content(layer, f"{ENV}/bin/demo").decode()
    assert launcher.startswith(f"#!{PYTHON}\nimport sys\nfrom demo.cli import main\n")
    assert "sys.exit(main.run())" in launcher
    record = content(layer, f"{SITE}/demo-1.0.dist-info/RECORD").decode()
    assert "../../../bin/demo,sha256=" in record
    assert "demo/__init__.py,sha256=" in record
    assert "demo-1.0.dist-info/RECORD,,\n" in record


def test_byte_code_is_what_the_interpreter_takes(tmp_path: Path) -> None:
    files = {"demo/__init__.py": "VALUE = 41 + 1\n", "demo/broken.py": "def", "demo/tests/t.py": ""}
    layer, found = laid(wheel(tmp_path, files))
    assert layer.compiled
    cached = [path for path in found if "__pycache__" in path]
    tag = sys.implementation.cache_tag
    assert cached == [f"{SITE}/demo/__pycache__/__init__.{tag}.pyc"]
    code = marshal.loads(content(layer, cached[0])[16:])
    assert code.co_filename == f"{SITE}/demo/__init__.py"
    target = tmp_path / "there"
    with (tmp_path / "all.tar").open("w+b") as together:
        write_together(together, [layer], None, bytes(1024))
        together.seek(0)
        with tarfile.open(fileobj=together) as archive:
            archive.extractall(target, filter="data")
    site = str(target) + SITE
    # -v says where a module's code came from: stale byte-code would be passed over in silence.
    finished = subprocess.run(
        [sys.executable, "-B", "-v", "-c", "import demo; assert demo.VALUE == 42"],
        env={**os.environ, "PYTHONPATH": site},
        check=True,
        capture_output=True,
        text=True,
    )
    assert f"__init__.{tag}.pyc matches {site}/demo/__init__.py" in finished.stderr
    pyc = Path(site, "demo/__pycache__", f"__init__.{tag}.pyc").read_bytes()
    assert int.from_bytes(pyc[8:12], "little") == int(
        Path(site, "demo/__init__.py").stat().st_mtime
    )


def test_packages_of_the_tests_have_byte_code_too(tmp_path: Path) -> None:
    """Their own folder is called ``tests``, as are those that are left out."""
    path = wheel(tmp_path, {"demo/__init__.py": "VALUE = 1\n", "demo/tests/t.py": ""})
    found = members(layer_of(path, "", TESTS, TARGET, HERE))
    cached = [name for name in found if "__pycache__" in name]
    tag = sys.implementation.cache_tag
    assert cached == [f"{TESTS}/{TARGET.purelib}/demo/__pycache__/__init__.{tag}.pyc"]


def test_without_an_interpreter_there_is_no_byte_code_and_it_is_said(tmp_path: Path) -> None:
    layer, found = laid(wheel(tmp_path, {"demo.py": ""}), Compiler("/nonexistent/python", "00"))
    assert not layer.compiled
    assert not any("__pycache__" in path for path in found)


def test_interpreters_are_chosen_by_their_magic_number() -> None:
    from dataclasses import replace

    magic = importlib.util.MAGIC_NUMBER.hex()
    assert compiler_for(replace(TARGET, magic=magic)) == HERE
    assert compiler_for(replace(TARGET, magic="00000000", minor="2.7")) == Compiler()


def test_a_layer_is_made_once_and_damage_is_noticed(tmp_path: Path) -> None:
    path = wheel(tmp_path, {"demo.py": ""})
    first, _ = laid(path)
    made = first.path.stat().st_ino
    assert laid(path)[0].path.stat().st_ino == made
    first.path.write_bytes(b"half of it")
    again, found = laid(path)
    assert again.path.stat().st_size > 10
    assert f"{SITE}/demo.py" in found


def test_of_two_packages_with_one_path_the_later_wins_and_it_is_told(tmp_path: Path) -> None:
    one = wheel(tmp_path, {"tests/__init__.py": "1"})
    (tmp_path / "b").mkdir()
    other = wheel(tmp_path / "b", {"tests/__init__.py": "2"})
    layers = [laid(one, Compiler())[0], laid(other, Compiler())[0]]
    with (tmp_path / "all.tar").open("w+b") as together:
        shared = write_together(together, layers, None, bytes(1024))
        together.seek(0)
        with tarfile.open(fileobj=together) as archive:
            archive.extractall(tmp_path / "there", filter="data")
    assert f"{SITE}/tests/__init__.py" in shared
    assert Path(f"{tmp_path}/there{SITE}/tests/__init__.py").read_text() == "2"


class TestHostile:
    @pytest.mark.parametrize(
        "name",
        [
            "../outside.py",
            "/etc/cron.d/job",
            "demo/../../outside.py",
            "demo//x.py",
            "demo/./x.py",
            "demo\\..\\x.py",
            "demo-1.0.data/scripts/../../../x",
            "demo-1.0.data/data/../../../etc/x",
        ],
    )
    def test_a_path_that_leads_outside(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InstallError, match="leads outside") as caught:
            laid(wheel(tmp_path, {name: "x"}))
        assert is_plain_text(caught.value)
        assert self.nothing_is_left(tmp_path)

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
    def test_links_and_devices(self, tmp_path: Path, kind: int) -> None:
        path = wheel(tmp_path, {"demo/x": "/etc/passwd"}, modes={"demo/x": kind | 0o777})
        with pytest.raises(InstallError, match="a link or a device"):
            laid(path)
        assert self.nothing_is_left(tmp_path)

    def test_a_bomb(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wheel_source, "_HARMLESS", 2**20)
        with pytest.raises(InstallError, match="zip bomb"):
            laid(wheel(tmp_path, {"demo/zeros": bytes(8 * 2**20)}))
        assert self.nothing_is_left(tmp_path)

    @pytest.mark.parametrize("stem", ["demo-1.0", "Demo-2!1", "demo-"])
    def test_a_file_in_the_place_of_the_folder_of_schemes(self, tmp_path: Path, stem: str) -> None:
        # `installer` would look for its folder for ever.
        files = {name.replace("demo-1.0", stem): text for name, text in METADATA.items()}
        path = tmp_path / "demo-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in {**files, f"{stem}.dist-info/RECORD": "", f"{stem}.data": ""}.items():
                archive.writestr(name, text)
        with pytest.raises(InstallError, match="is a file in the place of a folder") as caught:
            laid(path)
        assert is_plain_text(caught.value)
        assert self.nothing_is_left(tmp_path)

    def test_a_file_of_another_name_that_ends_like_it_is_installed(self, tmp_path: Path) -> None:
        _, laid_out = laid(wheel(tmp_path, {"words.data": "x"}))
        assert any(name.endswith("/words.data") for name in laid_out)

    def test_a_name_that_is_there_twice(self, tmp_path: Path) -> None:
        path = wheel(tmp_path, {"demo.py": "1"})
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("demo.py", "2")
        with pytest.raises(InstallError, match="twice"):
            laid(path)

    def test_an_entry_point_that_is_a_path(self, tmp_path: Path) -> None:
        text = "[console_scripts]\n../../../etc/x = demo:main\n"
        with pytest.raises(InstallError):
            laid(wheel(tmp_path, {"demo-1.0.dist-info/entry_points.txt": text}))
        assert self.nothing_is_left(tmp_path)

    @pytest.mark.parametrize("size", [0, 10, 200])
    def test_a_wheel_that_is_cut_off(self, tmp_path: Path, size: int) -> None:
        path = wheel(tmp_path, {"demo.py": "1"})
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(InstallError, match="cannot be unpacked"):
            laid(path)

    def test_one_without_metadata(self, tmp_path: Path) -> None:
        path = tmp_path / "demo-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("demo.py", "")
        with pytest.raises(InstallError, match="folders of metadata"):
            laid(path)

    def test_a_file_that_is_not_what_the_archive_says(self, tmp_path: Path) -> None:
        path = wheel(tmp_path, {"demo.py": "unmistakable" * 50})
        data = bytearray(path.read_bytes())
        place = data.index(b"demo.py") + len(b"demo.py") + 4
        data[place] ^= 0xFF
        path.write_bytes(bytes(data))
        with pytest.raises(InstallError):
            laid(path)

    @staticmethod
    def nothing_is_left(folder: Path) -> bool:
        written = [p for p in (folder / "cache").rglob("*") if p.is_file()]
        return not written and not (folder.parent / "outside.py").exists()


class TestRecords:
    def lies(self, folder: Path, record: str) -> tuple[str, ...]:
        return laid(wheel(folder, {"demo.py": "1"}, record=record), Compiler())[0].lies

    def test_a_wrong_hash_is_told_and_the_wheel_is_taken_as_pip_takes_it(
        self, tmp_path: Path
    ) -> None:
        assert "demo.py is not what RECORD says" in self.lies(tmp_path, "demo.py,sha256=AAAA,1\n")

    def test_a_wrong_size_is_told(self, tmp_path: Path) -> None:
        record = f"demo.py,sha256={digest(b'1')},7\n"
        assert "demo.py is not what RECORD says" in self.lies(tmp_path, record)

    def test_files_on_one_side_only(self, tmp_path: Path) -> None:
        lies = self.lies(tmp_path, "absent.py,,\n")
        assert "demo.py is not in RECORD" in lies
        assert "absent.py is in RECORD and not in the wheel" in lies


@settings(max_examples=150)
@given(place=st.integers(min_value=0), value=st.integers(0, 255), cut=st.booleans())
def test_damaged_wheels_are_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("wheel")
    path = wheel(
        folder, {"demo/__init__.py": "VALUE = 1\n" * 20, "demo-1.0.data/scripts/x": "#!python\n"}
    )
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place] = value
    path.write_bytes(bytes(data[: place + 1] if cut else data))
    target = io.BytesIO()
    try:
        layer = layer_of(path, "", ENV, TARGET, Compiler())
    except InstallError as error:
        assert is_plain_text(error)  # noqa: PT017
        return
    write_together(target, [layer], None, bytes(1024))
    assert all(path.startswith(f"{ENV}/") for path in members(layer))


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\ndemo = demo:main\ndemo = demo:other\n",
        "[console_scripts]\na = demo:main\n[console_scripts]\nb = demo:main\n",
        "demo = demo:main\n",
        "[console_scripts]\ndemo\n",
        "[console_scripts]\ndemo = not a reference\n",
        "[console_scripts\ndemo = demo:main\n",
    ],
)
def test_broken_entry_points_are_an_error_of_the_wheel(tmp_path: Path, text: str) -> None:
    path = wheel(tmp_path, {"demo-1.0.dist-info/entry_points.txt": text})
    with pytest.raises(InstallError, match=r"demo-1\.0") as caught:
        laid(path)
    assert is_plain_text(caught.value)


@pytest.mark.parametrize(
    "files",
    [
        {"demo/a.py": "A = 1\n", "demo-1.0.data/purelib/demo/a.py": "A = 2\n"},
        {"demo-1.0.data/purelib/demo/a.py": "", "demo-1.0.data/platlib/demo/a.py": ""},
        {"demo-1.0.data/scripts/demo": "#!python\n", "demo-1.0.data/data/bin/demo": ""},
        {"demo": "a file", "demo-1.0.data/purelib/demo/a.py": ""},
        {"demo/a.py": "", "demo-1.0.data/purelib/demo": "a file"},
    ],
)  # fmt: skip
def test_two_files_for_one_path_are_refused(tmp_path: Path, files: Mapping[str, str]) -> None:
    with pytest.raises(InstallError, match=r"two of its files|a file as well") as caught:
        laid(wheel(tmp_path, files))
    assert is_plain_text(caught.value)


def test_an_entry_point_wins_over_a_script_of_its_name_as_with_pip(tmp_path: Path) -> None:
    files = {
        "demo-1.0.data/scripts/demo": "#!python\nprint()\n",
        "demo-1.0.dist-info/entry_points.txt": "[console_scripts]\ndemo = demo:main\n",
    }
    layer, _ = laid(wheel(tmp_path, files))
    assert b"from demo import main" in content(layer, f"{ENV}/bin/demo")
    record = content(layer, f"{SITE}/demo-1.0.dist-info/RECORD").decode()
    assert record.count("../../../bin/demo,") == 1
    assert layer.lies == ()


def test_a_wheel_may_bring_the_name_of_its_installer(tmp_path: Path) -> None:
    layer, _ = laid(wheel(tmp_path, {"demo-1.0.dist-info/INSTALLER": "somebody\n"}))
    assert content(layer, f"{SITE}/demo-1.0.dist-info/INSTALLER") == b"pytest-arm64\n"


@pytest.mark.parametrize(
    "source",
    ["x = [" + "0," * 4_000_000 + "]", "x = {" + "1:2," * 3_000_000 + "}",
     "x = (" + "'a'," * 3_000_000 + ")"],
    ids=["list", "dict", "tuple"],
)  # fmt: skip
def test_a_long_list_is_left_out_instead_of_taking_gigabytes(tmp_path: Path, source: str) -> None:
    files = {"demo/__init__.py": "VALUE = 1\n", "demo/long.py": source}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    layer, found = laid(wheel(tmp_path, files))
    taken = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert layer.compiled
    assert importlib.util.cache_from_source(f"{SITE}/demo/__init__.py") in found
    assert taken <= max(before, 2**20), "kibibytes"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG])
def test_a_full_disk_is_not_blamed_on_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pytest_arm64.environment.wheel_layer.install", full)
    with pytest.raises(InstallError) as refused:
        laid(wheel(tmp_path, {}))
    assert os.strerror(number) in refused.value.what
    assert "cache prune" in refused.value.next_step
    assert "another release" not in refused.value.next_step


@pytest.mark.parametrize(
    ("member", "method"),
    [
        ("demo-1.0.dist-info/METADATA", zipfile.ZIP_DEFLATED),
        ("demo-1.0.dist-info/RECORD", zipfile.ZIP_DEFLATED),
        ("demo-1.0.dist-info/entry_points.txt", zipfile.ZIP_DEFLATED),
        ("demo-1.0.data/scripts/demo", zipfile.ZIP_DEFLATED),
        ("demo/data.bin", zipfile.ZIP_DEFLATED),
        ("demo/data.bin", zipfile.ZIP_BZIP2),
        ("demo/data.bin", zipfile.ZIP_LZMA),
    ],
)
def test_a_member_that_unpacks_to_more_than_stated_takes_little_memory(
    tmp_path: Path, member: str, method: int
) -> None:
    path = wheel(tmp_path, {}, without=member)
    add(path, member, LARGE, method=method, stated=100)
    with little_memory(), pytest.raises(InstallError) as refused:
        layer_of(path, "", ENV, TARGET, Compiler())
    assert is_plain_text(refused.value)


def test_a_member_of_which_more_bytes_are_stated_than_there_are(tmp_path: Path) -> None:
    member = "demo-1.0.dist-info/entry_points.txt"
    path = wheel(tmp_path, {})
    add(path, member, b"[console_scripts]\n", method=zipfile.ZIP_STORED)
    state_packed(path, member, 0x7FFFFFFF)
    with little_memory():
        laid(path, Compiler())
