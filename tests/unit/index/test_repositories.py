"""Repositories through the real git of this machine: which commit, which bytes, or why not."""

from __future__ import annotations

import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64 import cache
from pytest_arm64.audit.matrix import BUILD, PURE, UNKNOWN, WHEEL, WheelMatrix
from pytest_arm64.audit.sources import repository_project
from pytest_arm64.index.addresses import git_address
from pytest_arm64.index.fetch import Deadline, FetchError
from pytest_arm64.index.metadata import Metadata
from pytest_arm64.index.repositories import Checkout, GitReference, Repositories, reference_of
from pytest_arm64.index.simple import IndexFile
from pytest_arm64.inputs.requirements import LocalProject
from unit.index.served import matrix_of, release, serve
from unit.support import write

pytestmark = pytest.mark.usefixtures("index_alone")

MANIFEST = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "shelf"
version = "1.4"
dependencies = ["native>=2", "tool; extra == 'never'"]
"""
PERSON = ("-c", "user.name=a", "-c", "user.email=a@example.invalid")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *PERSON, "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()


def commit(folder: Path, files: Mapping[str, str], tag: str = "") -> str:
    """Commit *files* to the repository in *folder*, made where there is none; the commit."""
    if not (folder / ".git").exists():
        folder.mkdir(exist_ok=True)
        git(folder, "init", "--quiet", "--initial-branch=main")
    write(folder, dict(files))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=more")
    if tag:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    commit(folder, {"pyproject.toml": MANIFEST, "shelf.py": "A = 1\n"}, tag="v1.4")
    return folder


def repositories(
    environ: Mapping[str, str] | None = None,
    *,
    seconds: float = 60,
    offline: bool = False,
    refresh: bool = False,
) -> Repositories:
    return Repositories(environ or {}, Deadline(seconds), offline=offline, refresh=refresh)


def checkout(place: Path, revision: str = "", subdirectory: str = "") -> Checkout:
    return repositories().checkout("shelf", GitReference(place.as_uri(), revision, subdirectory))


def members(found: Checkout) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(found.archive) as archive:
        return {m.name.partition("/")[2]: m for m in archive if "/" in m.name}


def content(found: Checkout, name: str) -> str:
    with tarfile.open(found.archive) as archive:
        member = next(m for m in archive if m.name.partition("/")[2] == name)
        stream = archive.extractfile(member)
        assert stream is not None
        return stream.read().decode()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("git+https://h.invalid/a/b.git", GitReference("https://h.invalid/a/b.git")),
        ("git+https://h.invalid/a@v1#egg=b", GitReference("https://h.invalid/a", "v1")),
        ("git+ssh://git@h.invalid/a@b/c", GitReference("ssh://git@h.invalid/a", "b/c")),
        ("git+file:///a#subdirectory=b/c&egg=d", GitReference("file:///a", "", "b/c")),
        ("git+https://u:p@h.invalid/a@1", GitReference("https://u:p@h.invalid/a", "1")),
        ("git+https://h.invalid/a@--upload-pack=x", None),
        ("git+https://h.invalid/a#subdirectory=../b", None),
        ("git+https://h.invalid/a#subdirectory=/b", None),
        ("git+ext::sh -c x", None),
        ("git+--upload-pack=x", None),
        ("hg+https://h.invalid/a", None),
        ("https://h.invalid/a.git", None),
        ("git+https://[h/a", None),
    ],
)
def test_what_an_address_names(address: str, expected: GitReference | None) -> None:
    assert reference_of(address) == expected


WORD = st.from_regex(r"[a-z0-9_][a-z0-9_.]{0,8}", fullmatch=True).filter(lambda w: w.strip("."))


@given(WORD, WORD, st.lists(WORD, max_size=2).map("/".join))
def test_an_address_is_read_as_it_is_written(name: str, revision: str, folder: str) -> None:
    url = f"https://h.invalid/{name}"
    assert reference_of(git_address(url, revision, folder)) == GitReference(url, revision, folder)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = reference_of(f"git+{text}")
    assert found is None or not found.url.startswith("-")
    assert found is None or not found.revision.startswith("-")


def test_a_tag_a_branch_a_commit_and_the_default(shelf: Path) -> None:
    tagged = git(shelf, "rev-parse", "v1.4")
    git(shelf, "checkout", "--quiet", "-b", "side/way")
    side = commit(shelf, {"side.py": ""})
    git(shelf, "checkout", "--quiet", "main")
    newest = commit(shelf, {"more.py": ""})
    git(shelf, "update-ref", "refs/pull/7/head", side)
    found = {
        name: checkout(shelf, name).commit
        for name in ("", "v1.4", "side/way", tagged, tagged[:9], "refs/pull/7/head")
    }
    assert found == {
        "": newest,
        "v1.4": tagged,
        "side/way": side,
        tagged: tagged,
        tagged[:9]: tagged,
        "refs/pull/7/head": side,
    }
    assert "side.py" in members(checkout(shelf, "side/way"))


def test_an_archive_holds_the_files_and_nothing_of_git(shelf: Path) -> None:
    (shelf / "run.sh").write_text("#!/bin/sh\n")
    (shelf / "run.sh").chmod(0o755)
    (shelf / "link").symlink_to("/etc/hostname")
    (shelf / "folder").symlink_to("/etc")
    newest = commit(shelf, {"sub/dir/leaf.py": ""})
    found = checkout(shelf)
    listed = members(found)
    assert set(listed) == {
        *(".git_archival.txt", "pyproject.toml", "shelf.py", "run.sh", "link", "folder"),
        *("sub", "sub/dir", "sub/dir/leaf.py"),
    }
    assert listed["run.sh"].mode == 0o755
    assert listed["shelf.py"].mode == 0o644
    assert (listed["link"].issym(), listed["link"].linkname) == (True, "/etc/hostname")
    assert listed["folder"].issym()
    with tarfile.open(found.archive) as archive:
        tops = {m.name.partition("/")[0] for m in archive}
    assert tops == {f"shelf-{newest[:12]}"}
    assert (found.manifest, found.has_setup) == (MANIFEST, False)


def test_what_names_versions_by_tags_finds_the_tag(shelf: Path) -> None:
    newest = commit(shelf, {"more.py": ""})
    assert f"describe-name: v1.4-1-g{newest[:7]}" in content(checkout(shelf), ".git_archival.txt")
    commit(shelf, {".git_archival.txt": "node: $Format:%H$\n"}, tag="v2")
    assert "describe-name: v2\n" in content(checkout(shelf, "v2"), ".git_archival.txt")
    commit(shelf, {".git_archival.txt": "node: by hand\n"}, tag="v3")
    assert content(checkout(shelf, "v3"), ".git_archival.txt") == "node: by hand\n"


def test_the_same_commit_is_the_same_bytes(shelf: Path, tmp_path: Path) -> None:
    first = checkout(shelf)
    git(tmp_path, "clone", "--quiet", str(shelf), "copy")
    second = checkout(tmp_path / "copy")
    assert second.sha256 == first.sha256


def test_a_folder_of_a_repository(shelf: Path) -> None:
    other = MANIFEST.replace("shelf", "other").replace("1.4", "2")
    commit(shelf, {"libs/other/pyproject.toml": other, "libs/other/setup.py": ""})
    found = checkout(shelf, subdirectory="libs/other")
    assert (found.manifest, found.has_setup) == (other, True)
    assert "shelf.py" in members(found)
    assert found.sha256 != checkout(shelf).sha256
    (shelf / "out").symlink_to("/usr")
    commit(shelf, {"more.py": ""})
    for absent in ("nowhere", "shelf.py", "out/share"):
        with pytest.raises(FetchError, match=f"no folder '{absent}'"):
            checkout(shelf, subdirectory=absent)


def test_a_submodule_comes_along(shelf: Path, tmp_path: Path) -> None:
    commit(tmp_path / "inner", {"inner.py": "I = 1\n"})
    git(shelf, "submodule", "--quiet", "add", (tmp_path / "inner").as_uri(), "inner")
    git(shelf, "commit", "--quiet", "--message=with a submodule")
    environ = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "protocol.file.allow",
        "GIT_CONFIG_VALUE_0": "always",
    }
    found = repositories(environ).checkout("shelf", GitReference(shelf.as_uri()))
    assert "inner/inner.py" in members(found)
    assert not any(".git" in name.split("/") for name in members(found))


def test_a_commit_is_fetched_once_and_a_branch_once_a_day(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = commit(shelf, {"more.py": ""})
    pinned, moving = GitReference(shelf.as_uri(), first), GitReference(shelf.as_uri(), "main")
    for reference in (pinned, moving):
        assert repositories().checkout("shelf", reference).commit == first
    second = commit(shelf, {"again.py": ""})
    assert repositories().checkout("shelf", moving).commit == first
    assert repositories(refresh=True).checkout("shelf", moving).commit == second
    third = commit(shelf, {"third.py": ""})
    day = time.time() + 24 * 3600 + 1
    monkeypatch.setattr(time, "time", lambda: day)
    assert repositories(offline=True).checkout("shelf", moving).commit == second
    assert repositories().checkout("shelf", moving).commit == third
    nothing = {"PATH": "/nowhere"}
    assert repositories(nothing).checkout("shelf", pinned).commit == first
    with pytest.raises(FetchError, match="git is not installed"):
        repositories(nothing, refresh=True).checkout("shelf", moving)
    with pytest.raises(FetchError, match="not in the cache, and --offline"):
        repositories(offline=True).checkout("shelf", GitReference(shelf.as_uri(), "v9"))


@pytest.mark.parametrize("damage", ["archive", "record", "fields"])
def test_what_was_kept_and_is_damaged_is_fetched_again(shelf: Path, damage: str) -> None:
    before = checkout(shelf)
    folder = before.archive.parent
    (record,) = folder.glob("*.json")
    if damage == "archive":
        before.archive.unlink()
    elif damage == "record":
        record.write_text("{")
    else:
        cache.store(folder.name, record.stem, {"commit": 1})
    assert checkout(shelf) == before


def test_nothing_is_left_beside_what_is_kept(shelf: Path) -> None:
    folder = checkout(shelf).archive.parent
    with pytest.raises(FetchError, match="nowhere"):
        checkout(shelf, "nowhere")
    assert {path.suffix for path in folder.iterdir()} == {".gz", ".json"}


def test_a_git_that_runs_us_is_not_asked_for_its_own_repository(
    shelf: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    commit(other, {"x": ""})
    environ = {"GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": str(other / "index")}
    found = repositories(environ).checkout("shelf", GitReference(shelf.as_uri()))
    assert found.commit == git(shelf, "rev-parse", "HEAD")
    assert not (other / "index").exists()


def test_credentials_are_not_told() -> None:
    reference = GitReference("http://user:secret@127.0.0.1:1/private.git", "main")
    with pytest.raises(FetchError) as caught:
        repositories().checkout("private", reference)
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_silent_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []
        waiter = threading.Thread(target=lambda: held.append(server.accept()[0]))
        waiter.start()
        reference = GitReference(f"http://127.0.0.1:{server.getsockname()[1]}/x.git")
        with pytest.raises(FetchError, match=r"no answer within the 0\.5 s"):
            repositories(seconds=0.5).checkout("x", reference)
        waiter.join()
        held[0].close()


def test_what_ssh_complains_of_is_told(tmp_path: Path) -> None:
    refusal = tmp_path / "ssh"
    refusal.write_text("#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n")
    refusal.chmod(0o755)
    environ = {"GIT_SSH_COMMAND": str(refusal), "GIT_SSH_VARIANT": "ssh"}
    with pytest.raises(FetchError) as caught:
        repositories(environ).checkout("x", GitReference("ssh://git@host.invalid/x.git"))
    assert str(caught.value) == (
        "git clone: Host key verification failed.; fatal: Could not read from remote repository."
    )


def test_a_cache_that_cannot_be_written_is_told(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"file": ""})
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "file")
    with pytest.raises(FetchError, match="cannot be written"):
        checkout(shelf)


class TestProjects:
    def project(
        self, place: Path, ask: Callable[[str, IndexFile], Metadata | None], name: str = "shelf"
    ) -> LocalProject | None:
        address = f"git+{place.as_uri()}"
        return repository_project(name, address, repositories(), ask)

    def never(self, name: str, file: IndexFile) -> Metadata | None:
        raise AssertionError(f"{name} is certain, and {file} was asked about")

    def test_what_is_written_down_is_not_asked(self, shelf: Path) -> None:
        found = self.project(shelf, self.never)
        assert found is not None
        assert (found.name, found.version, found.native, found.doubt) == ("shelf", "1.4", False, "")
        assert found.requires == ("native>=2", 'tool; extra == "never"')
        assert found.uri == f"git+{shelf.as_uri()}@{git(shelf, 'rev-parse', 'HEAD')}"
        assert found.archive is not None
        assert found.archive.name == "shelf-1.4.tar.gz"

    @pytest.mark.parametrize(
        "manifest",
        ["", MANIFEST.replace("dependencies =", "dynamic = ['dependencies']\nnever =")],
    )
    def test_what_is_not_is_asked_of_a_build(self, shelf: Path, manifest: str) -> None:
        commit(shelf, {"pyproject.toml": manifest, "setup.py": "raise SystemExit(1)\n"})
        asked: list[str] = []

        def ask(name: str, file: IndexFile) -> Metadata:
            asked.append(f"{name} {file.name}")
            return Metadata(("tool",))

        found = self.project(shelf, ask)
        assert found is not None
        assert (found.requires, found.doubt, found.native) == (("tool",), "", not manifest)
        assert len(asked) == 1
        unknown = self.project(shelf, lambda *_: None)
        assert unknown is not None
        assert unknown.doubt.endswith("known after a build")

    def test_another_project_is_not_taken_for_it(self, shelf: Path) -> None:
        with pytest.raises(FetchError, match="holds the project 'shelf': ask for it by this"):
            self.project(shelf, self.never, "rack")

    @pytest.mark.parametrize("manifest", ["[", "[project]\nname='shelf'\ndependencies=['((']\n"])
    def test_a_file_that_cannot_be_read(self, shelf: Path, manifest: str) -> None:
        commit(shelf, {"pyproject.toml": manifest})
        with pytest.raises(FetchError, match="cannot be read"):
            self.project(shelf, self.never)

    def test_a_manifest_that_leads_elsewhere_is_not_read(self, shelf: Path, tmp_path: Path) -> None:
        write(tmp_path, {"outside.toml": MANIFEST.replace("native", "secret")})
        (shelf / "pyproject.toml").unlink()
        (shelf / "pyproject.toml").symlink_to(tmp_path / "outside.toml")
        commit(shelf, {"x": ""})
        found = self.project(shelf, lambda *_: None)
        assert found is not None
        assert found.requires == ()


ARM = "cp312-cp312-manylinux_2_17_aarch64"


class TestTrees:
    def matrix(self, folder: Path, text: str) -> WheelMatrix:
        native = release("native", "2.0", ARM)
        with serve({"native": native, "tool": release("tool", "1", "py3-none-any")}) as index:
            return matrix_of(folder, text, index.url)

    def test_what_a_repository_asks_for_is_part_of_the_tree(
        self, shelf: Path, tmp_path: Path
    ) -> None:
        text = f"-e git+{shelf.as_uri()}@v1.4#egg=shelf\n"
        matrix = self.matrix(tmp_path, text)
        assert {row.name: row.state for row in matrix.packages} == {"shelf": PURE, "native": WHEEL}
        assert matrix["native"].path == ("requirements.txt:1", "shelf", "native 2.0")
        assert matrix["shelf"].version == "1.4"
        assert matrix["shelf"].url == f"git+{shelf.as_uri()}@{git(shelf, 'rev-parse', 'HEAD')}"
        assert matrix.complete

    def test_what_its_build_needs_is_a_scope_of_its_own(self, shelf: Path, tmp_path: Path) -> None:
        system = "[build-system]\nrequires = ['tool']\n[project]\nname = 'shelf'\n"
        commit(shelf, {"pyproject.toml": system, "setup.py": ""})
        matrix = self.matrix(tmp_path, f"shelf @ git+{shelf.as_uri()}\n")
        built = [(row.name, row.path) for row in matrix.packages if row.scope == BUILD]
        assert built == [("tool", ("build of shelf", "tool 1"))]

    def test_a_repository_that_another_one_names(self, shelf: Path, tmp_path: Path) -> None:
        address = f"native @ git+{(tmp_path / 'absent').as_uri()} ; sys_platform == 'win32'"
        manifest = f"""[project]
name = "upper"
version = "1"
dependencies = ["shelf @ git+{shelf.as_uri()}@v1.4", "{address}"]
"""
        commit(tmp_path / "upper", {"pyproject.toml": manifest})
        matrix = self.matrix(tmp_path, f"upper @ git+{(tmp_path / 'upper').as_uri()}\n")
        assert {row.name for row in matrix.packages} == {"upper", "shelf", "native"}
        assert matrix["shelf"].path[1:] == ("upper", "shelf")
        assert matrix.complete

    def test_what_cannot_be_had_is_unknown_and_the_rest_is_known(
        self, shelf: Path, tmp_path: Path
    ) -> None:
        absent = (tmp_path / "absent").as_uri()
        text = f"gone @ git+{absent}\nshelf @ git+{shelf.as_uri()}\n"
        matrix = self.matrix(tmp_path, text)
        assert (matrix["gone"].state, matrix["native"].state) == (UNKNOWN, WHEEL)
        assert "git clone: fatal:" in matrix["gone"].detail
        assert not matrix.complete

    def test_two_addresses_of_one_project_are_no_answer(self, shelf: Path, tmp_path: Path) -> None:
        address = f"shelf @ git+{shelf.as_uri()}"
        matrix = self.matrix(tmp_path, f"{address}\n{address}@v1.4\n")
        assert matrix["shelf"].state == UNKNOWN
        assert matrix["shelf"].detail == "different URLs are requested"
