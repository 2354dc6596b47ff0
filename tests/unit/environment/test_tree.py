"""Tar streams: what goes in comes out, whatever the project's folder looks like."""

from __future__ import annotations

import os
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.environment import tree
from pytest_arm64.environment.tree import TarEntry, copy_of, tar_of, with_parents
from pytest_arm64.errors import InstallError
from pytest_arm64.inputs.project_files import SKIPPED
from pytest_arm64.inputs.project_files import walk as walk_project
from unit.support import unpacked, write

SEGMENT = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda s: s not in (".", ".."))
PATH = st.lists(SEGMENT, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
ENTRY = st.builds(
    TarEntry,
    content=st.none() | st.binary(max_size=2000),
    mode=st.sampled_from([0o600, 0o644, 0o755, 0o1777]),
    uid=st.integers(0, 2**31),
    gid=st.integers(0, 2**31),
) | st.builds(TarEntry, link=PATH)


@given(st.dictionaries(PATH, ENTRY, max_size=6))
def test_tar_of(entries: dict[str, TarEntry]) -> None:
    found = unpacked(tar_of(entries))
    assert list(found) == [name.lstrip("/") for name in entries]
    for name, entry in entries.items():
        info, content = found[name.lstrip("/")]
        assert (info.uid, info.gid) == (entry.uid, entry.gid)
        if entry.link:
            assert info.issym()
            assert info.linkname == entry.link
        elif entry.content is None:
            assert info.isdir()
            assert info.mode == (0o755 if entry.mode == 0o644 else entry.mode)
        else:
            assert info.isreg()
            assert (info.mode, content) == (entry.mode, entry.content)


def test_long_names_and_surrogates_survive() -> None:
    names = ["/" + "/".join(["ordner mit ümlauten"] * 30), "/latin-\udcfc.txt"]
    assert list(unpacked(tar_of({name: TarEntry(b"x") for name in names}))) == [
        name.lstrip("/") for name in names
    ]


@given(st.dictionaries(PATH, ENTRY, max_size=6))
def test_with_parents(entries: dict[str, TarEntry]) -> None:
    found = with_parents(entries)
    assert {name: found[name] for name in entries} == entries
    added = {name: entry for name, entry in found.items() if name not in entries}
    assert all(entry == TarEntry(mode=0o755) for entry in added.values())
    needed = {str(p) for name in entries for p in PurePosixPath(name).parents} - {"/"}
    assert set(added) == needed - set(entries)
    order = list(found)
    for name in found:
        for parent in map(str, PurePosixPath(name).parents):
            if parent in added:
                assert order.index(parent) < order.index(name)


def copied(
    folder: Path, *, uid: int = 0, gid: int = 0, writable: bool = True
) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    return unpacked(copy_of(folder, below=folder, uid=uid, gid=gid, writable=writable))


class TestCopy:
    def test_everybody_can_read_a_read_only_copy_and_nobody_write(self, tmp_path: Path) -> None:
        write(tmp_path, {"in/secret": "1", "in/program": "2"})
        (tmp_path / "in/secret").chmod(0o600)
        (tmp_path / "in/program").chmod(0o744)
        (tmp_path / "in").chmod(0o700)
        modes = {name: info.mode for name, (info, _) in copied(tmp_path, writable=False).items()}
        assert {name: modes[name] for name in modes if name.startswith("in")} == {
            "in": 0o555,
            "in/secret": 0o444,
            "in/program": 0o555,
        }

    def test_names_are_absolute_without_the_slash(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.py": "1"})
        start = str(tmp_path).lstrip("/")
        assert list(unpacked(copy_of(tmp_path))) == [start, f"{start}/a.py"]

    def test_names_below_another_folder(self, tmp_path: Path) -> None:
        write(tmp_path, {"in/a.py": "1"})
        assert list(unpacked(copy_of(tmp_path / "in", below=tmp_path))) == ["in", "in/a.py"]

    @given(
        st.dictionaries(
            st.lists(SEGMENT, min_size=1, max_size=3).map("/".join), st.binary(max_size=64)
        )
    )
    def test_any_names_and_contents(self, files: dict[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            written = {}
            for path, content in files.items():
                # A folder with that file is a virtual environment, which is left out.
                if not {*SKIPPED, "pyvenv.cfg"}.intersection(path.split("/")):
                    try:
                        write(folder, {path: content})
                    except OSError:  # too long, or a file where a folder is wanted
                        continue
                    written[path] = content
            found = copied(folder)
            assert {k: v for k, (info, v) in found.items() if info.isreg()} == written

    def test_spaces_umlauts_and_bytes(self, tmp_path: Path) -> None:
        names = ["mit leer zeichen/ä ö.py", "日本/x", os.fsdecode(b"latin-\xfc.txt")]
        write(tmp_path, dict.fromkeys(names, "x"))
        assert set(names) <= set(copied(tmp_path))

    def test_parents_come_first(self, tmp_path: Path) -> None:
        write(tmp_path, {"b/c/d.py": "", "a/x": "", "b/a": ""})
        order = list(copied(tmp_path))
        for name in order[1:]:
            assert order.index(PurePosixPath(name).parent.as_posix()) < order.index(name)

    def test_owner_and_mode(self, tmp_path: Path) -> None:
        write(tmp_path, {"run.sh": ""})
        (tmp_path / "run.sh").chmod(0o751)
        info, _ = copied(tmp_path, uid=1234, gid=99)["run.sh"]
        assert (info.uid, info.gid, info.uname, info.gname) == (1234, 99, "", "")
        assert info.mode == 0o751

    def test_links_stay_links(self, tmp_path: Path) -> None:
        write(tmp_path, {"real/a.py": "1", "b.py": "2"})
        (tmp_path / "folder").symlink_to("real")
        (tmp_path / "file.py").symlink_to("b.py")
        (tmp_path / "dangling").symlink_to("nowhere")
        (tmp_path / "loop").symlink_to(".")
        found = copied(tmp_path)
        links = {name: info.linkname for name, (info, _) in found.items() if info.issym()}
        expected = {"folder": "real", "file.py": "b.py", "dangling": "nowhere", "loop": "."}
        assert links == expected
        assert "folder/a.py" not in found

    def test_the_folder_itself_may_be_a_link(self, tmp_path: Path) -> None:
        write(tmp_path, {"real/a.py": "1"})
        (tmp_path / "link").symlink_to("real")
        found = unpacked(copy_of(tmp_path / "link", below=tmp_path))
        assert found["link"][0].isdir()
        assert found["link/a.py"][1] == b"1"

    def test_hard_links_are_all_there(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.py": "content"})
        (tmp_path / "b.py").hardlink_to(tmp_path / "a.py")
        found = copied(tmp_path)
        assert set(found) == {".", "a.py", "b.py"}
        info, content = found["b.py"]
        assert content == b"content" or (info.islnk() and info.linkname == "a.py")

    @pytest.mark.parametrize("name", [".git", "__pycache__", "node_modules", ".venv", ".tox"])
    def test_what_is_left_out(self, tmp_path: Path, name: str) -> None:
        write(tmp_path, {f"{name}/x": "", f"sub/{name}/x": "", "sub/kept": ""})
        assert set(copied(tmp_path)) == {".", "sub", "sub/kept"}

    def test_a_virtual_environment_under_any_name(self, tmp_path: Path) -> None:
        write(
            tmp_path, {"my env/pyvenv.cfg": "", "my env/bin/python": "", "pyvenv.cfg": "", "a": ""}
        )
        assert set(copied(tmp_path)) == {".", "pyvenv.cfg", "a"}

    def test_sockets_and_pipes_are_no_files(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert set(copied(tmp_path)) == {"."}

    @pytest.mark.parametrize("length", [10, 3_000_000])
    def test_a_file_that_grows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
    ) -> None:
        self.changed_while_opened(tmp_path, monkeypatch, b"a" * length, b"a" * (length + 5000))
        found = copied(tmp_path)
        assert found["a.log"][1] == b"a" * length
        assert found["b.py"][1] == b"after"

    @pytest.mark.parametrize("length", [10, 3_000_000])
    def test_a_file_that_shrinks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
    ) -> None:
        self.changed_while_opened(tmp_path, monkeypatch, b"a" * length, b"a")
        found = copied(tmp_path)
        assert found["a.log"][1] == b"a" + b"\0" * (length - 1)
        assert found["b.py"][1] == b"after"

    def changed_while_opened(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, before: bytes, after: bytes
    ) -> None:
        write(folder, {"a.log": before, "b.py": b"after"})
        original = tarfile.TarFile.gettarinfo

        def looked_at(archive: tarfile.TarFile, path: Path, name: str) -> tarfile.TarInfo:
            info = original(archive, path, name)
            if path.name == "a.log":
                path.write_bytes(after)
            return info

        monkeypatch.setattr(tarfile.TarFile, "gettarinfo", looked_at)

    def test_a_file_that_vanishes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path, {"a": "", "b": "kept"})
        original = walk_project

        def walk(folder: Path) -> object:
            for path in original(folder):
                if path.name == "a":
                    path.unlink()
                yield path

        monkeypatch.setattr(tree, "walk", walk)
        assert set(copied(tmp_path)) == {".", "b"}

    def test_too_much_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tree, "MAXIMUM_COPY", 2**20)
        write(tmp_path, {"a": b"x" * 2**19, "b": b"x" * 2**19})
        monkeypatch.setattr(tree, "MAXIMUM_COPY", 2**20 - 1)
        with pytest.raises(InstallError, match="is larger than 0 MiB"):
            copied(tmp_path)
        monkeypatch.setattr(tree, "MAXIMUM_COPY", 2**20)
        assert set(copied(tmp_path)) == {".", "a", "b"}

    def test_absent_folder(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="absent"):
            copied(tmp_path / "absent")
