"""Requirement files and pyproject.toml: read as pip reads them, and nothing is executed."""

from __future__ import annotations

import json
import optparse
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from pip._internal.req import req_file

from pytest_arm64 import cache
from pytest_arm64.errors import SettingsError
from pytest_arm64.inputs.manifest import (
    TEST_FILES,
    Manifest,
    Scope,
    project_dependencies,
    read_manifest,
)
from pytest_arm64.inputs.project import TEST_GROUPS
from unit.support import attempt, is_plain_text, settings_of, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Files = dict[str, "str | bytes"]


def manifest_of(folder: Path, files: Mapping[str, str | bytes] | None = None) -> Manifest:
    write(folder, files or {})
    return read_manifest(settings_of(folder), folder)


def named(folder: Path, text: str | bytes) -> set[str]:
    manifest = manifest_of(folder, {"requirements.txt": text})
    return manifest.requested(manifest.deploy)


@contextmanager
def fresh(files: Mapping[str, str | bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield write(Path(name).resolve(), files)


def pip_reads(path: Path) -> list[tuple[str, bool, bool]]:
    """What pip itself finds in *path*: requirement, editable, constraint."""
    from pip._internal.network.session import PipSession

    with PipSession() as session:
        return [
            (line.requirement.strip(), line.is_editable, line.constraint)
            for line in req_file.parse_requirements(str(path), session)
        ]


def is_invalid(text: str) -> bool:
    return isinstance(attempt(InvalidRequirement, lambda: Requirement(text)), InvalidRequirement)


class TestLines:
    """Each of these is also what pip makes of it; see ``test_names_are_those_of_pip``."""

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("numpy\nRequests\n", {"numpy", "requests"}),
            ("a_b\nc.d\nE--F\n", {"a-b", "c-d", "e-f"}),
            ("numpy # comment\n#scipy\n  # pandas\n", {"numpy"}),
            ("numpy==1.0 ; python_version > '3'\n", {"numpy"}),
            ("pkg[extra1,extra2]>=2\n", {"pkg"}),
            ("pkg @ https://host/pkg-1.0.zip#egg=x\n", {"pkg"}),
            (
                "numpy==1.0 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\nscipy\n",
                {"numpy", "scipy"},
            ),
            ("numpy==1.0 \\\r\n  --hash=sha256:aa\r\nscipy\r\n", {"numpy", "scipy"}),
            ("num\\\npy\n", {"numpy"}),
            ("# C:\\\nnumpy\n", {"numpy"}),
            ("numpy \\\n# comment\nscipy\n", {"numpy", "scipy"}),
            ("numpy \\", {"numpy"}),
            ("numpy --config-settings=a=b\n", {"numpy"}),
            ("--index-url https://x/simple\n-f links\nnumpy\n", {"numpy"}),
            ("\n\n   \n", set()),
            ("", set()),
            (b"\xef\xbb\xbfnumpy\nscipy", {"numpy", "scipy"}),
            ("\ufeffnumpy\r\nscipy\r\n".encode("utf-16-le"), {"numpy", "scipy"}),
            ("\ufeffnumpy\nscipy\n".encode("utf-16-be"), {"numpy", "scipy"}),
            ("\ufeffnumpy\n".encode("utf-32-le"), {"numpy"}),
            (b"# -*- coding: latin-1 -*-\n# M\xfcller\nnumpy\n", {"numpy"}),
            (b"# coding: no-such-thing\nnumpy\n", {"numpy"}),
            (b"# M\xfcller\nnumpy\n", {"numpy"}),
        ],
    )
    def test_names(self, tmp_path: Path, text: str | bytes, names: set[str]) -> None:
        assert named(tmp_path, text) == names

    @pytest.mark.parametrize(
        "text", [b"\x00\xff\xfe\nnumpy\n", "rich \\\nnumpy\n", "a/b\n", "...\n", "numpy=1.0\n"]
    )
    def test_what_pip_refuses(self, tmp_path: Path, text: str | bytes) -> None:
        with pytest.raises(SettingsError, match=r"requirements\.txt:1: .* is not a requirement"):
            named(tmp_path, text)

    LINES = st.sampled_from(
        [
            "numpy",
            "Scipy==1.0",
            "pandas>=2 # why",
            "# only this",
            "#",
            "six ; python_version > '3'",
            "attrs[extra] == 1.0",
            "rich \\",
            "  --hash=sha256:" + "a" * 64,
            "idna==3.20 --hash=sha256:" + "b" * 64,
            "--pre",
            "# ends in \\",
            "",
            "   ",
            "\\",
        ]
    )

    @given(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n"]))
    @example(["rich \\", "# ends in \\", "numpy"], "\n")
    @example(["rich \\", "numpy"], "\n")
    def test_names_are_those_of_pip(self, lines: list[str], end: str) -> None:
        with fresh({"requirements.txt": end.join(lines)}) as folder:
            expected = [text for text, _, _ in pip_reads(folder / "requirements.txt")]
            if any(map(is_invalid, expected)):
                assert isinstance(
                    attempt(SettingsError, lambda: manifest_of(folder)), SettingsError
                )
                return
            manifest = manifest_of(folder)
            names = manifest.requested(Scope(requirements=tuple(expected)))
            assert manifest.requested(manifest.deploy) == names

    @given(st.binary(max_size=80))
    @example(b"-r \x00\n-e \x00/\n./\x00\n")
    @example(b'-r "unbalanced\n-e "unbalanced\n')
    @example(b"x @ file://[\n")
    @example(b"file:\nfile://[::1\n")
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        with fresh({"requirements.txt": data}) as folder:
            manifest = attempt(SettingsError, lambda: manifest_of(folder))
            if isinstance(manifest, SettingsError):
                assert is_plain_text(manifest)
                assert "requirement" in manifest.what
            else:
                assert manifest.documents[folder / "requirements.txt"] == data
                assert json.dumps(manifest.fingerprint())


class TestIncludes:
    @pytest.mark.parametrize(
        "line",
        [
            "-r sub/more.txt",
            "-rsub/more.txt",
            "-r  sub/more.txt # why",
            "--requirement sub/more.txt",
            "--requirement=sub/more.txt",
            "-c sub/more.txt",
            "-csub/more.txt",
            "--constraint sub/more.txt",
            "--constraint=sub/more.txt",
            "-r 'sub/more.txt'",
            "-r sub/../sub/more.txt",
            "-r \\\n sub/more.txt",
        ],
    )
    def test_spelling(self, tmp_path: Path, line: str) -> None:
        manifest = manifest_of(tmp_path, {"requirements.txt": line, "sub/more.txt": "numpy\n"})
        assert set(manifest.documents) == {tmp_path / "requirements.txt", tmp_path / "sub/more.txt"}

    def test_relative_to_the_including_file(self, tmp_path: Path) -> None:
        manifest = manifest_of(
            tmp_path,
            {
                "requirements.txt": "-r sub/a.txt",
                "sub/a.txt": "-r b.txt\n-c ../c.txt",
                "sub/b.txt": "b",
                "c.txt": "c",
            },
        )
        names = {path.relative_to(tmp_path).as_posix() for path in manifest.documents}
        assert names == {"requirements.txt", "sub/a.txt", "sub/b.txt", "c.txt"}

    def test_name_with_a_space(self, tmp_path: Path) -> None:
        files = {"requirements.txt": '-r "my file.txt"\n', "my file.txt": "numpy"}
        manifest = manifest_of(tmp_path, files)
        assert manifest.requested(manifest.deploy) == {"numpy"}

    def test_address_is_left_to_pip(self, tmp_path: Path) -> None:
        manifest = manifest_of(tmp_path, {"requirements.txt": "-r https://host/x.txt\nnumpy"})
        assert list(manifest.documents) == [tmp_path / "requirements.txt"]

    @pytest.mark.parametrize("name", ["absent.txt", "sub", "."])
    def test_what_cannot_be_read_is_named(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "sub").mkdir()
        with pytest.raises(SettingsError) as caught:
            manifest_of(tmp_path, {"requirements.txt": f"-r {name}"})
        assert str((tmp_path / name).resolve()) in caught.value.what
        assert is_plain_text(caught.value)

    def test_endless_chain_is_refused(self, tmp_path: Path) -> None:
        files: Files = {f"{i}.txt": f"-r {i + 1}.txt" for i in range(600)}
        with pytest.raises(SettingsError, match="more than 500 requirement files"):
            manifest_of(tmp_path, {**files, "requirements.txt": "-r 0.txt", "600.txt": ""})

    @given(
        st.lists(
            st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=4),
            min_size=5,
            max_size=5,
        )
    )
    def test_any_graph_is_walked_once(self, graph: list[list[tuple[bool, int]]]) -> None:
        """Cycles included: every file is read, and what a ``-r`` names is required."""
        files = {
            f"{i}.txt": "".join(f"-{'c' if c else 'r'} {j}.txt\n" for c, j in edges) + f"name{i}\n"
            for i, edges in enumerate(graph)
        }

        everything: set[int] = set()
        pending = [0]
        while pending:
            node = pending.pop()
            if node not in everything:
                everything.add(node)
                pending += [j for _, j in graph[node]]
        # pip takes a ``-r`` for requirements in a file that is itself named by ``-c``, too.
        required = {0} | {j for i in everything for c, j in graph[i] if not c}

        with fresh({**files, "requirements.txt": "-r 0.txt"}) as folder:
            manifest = manifest_of(folder)
            assert set(manifest.documents) == {
                folder / "requirements.txt",
                *(folder / f"{i}.txt" for i in everything),
            }
            asked = manifest.requested(manifest.deploy)
            assert asked == {f"name{i}" for i in required}
            assert manifest.constrained() == {f"name{i}" for i in everything}


class TestLocalProjects:
    @pytest.mark.parametrize(
        "line",
        [
            "./lib",
            "./lib/",
            "./lib[extra]",
            "./lib ; python_version > '3'",
            "./lib#egg=lib",
            "lib/.",
            "-e ./lib",
            "-e./lib",
            "-e lib",
            "-e 'lib'",
            "-e lib[extra]",
            "-e ./lib#egg=lib",
            "--editable ./lib",
            "--editable=lib",
            "lib @ file://{root}/lib",
            "lib[extra] @ file://{root}/lib ; python_version > '3'",
            "file://{root}/lib",
            "{root}/lib",
        ],
    )
    def test_spelling(self, tmp_path: Path, line: str) -> None:
        text = line.replace("{root}", str(tmp_path))
        files = {"requirements.txt": text, "lib/pyproject.toml": ""}
        assert manifest_of(tmp_path, files).local == (tmp_path / "lib",)

    @pytest.mark.parametrize(
        "line",
        [
            "lib",
            "lib==1.0",
            "lib @ https://host/lib.zip",
            "git+https://host/lib",
            "-e git+https://host/lib#egg=lib",
            "--index-url ./lib",
            "# ./lib",
        ],
    )
    def test_what_is_none(self, tmp_path: Path, line: str) -> None:
        files = {"requirements.txt": line, "lib/pyproject.toml": ""}
        assert manifest_of(tmp_path, files).local == ()

    def test_relative_to_the_file_that_names_it(self, tmp_path: Path) -> None:
        files = {"requirements.txt": "-r s/a.txt", "s/a.txt": "-e ..\n-e ../lib", "lib/x": ""}
        assert manifest_of(tmp_path, files).local == (tmp_path, tmp_path / "lib")

    def test_the_project_itself_is_named_once(self, tmp_path: Path) -> None:
        files = {"requirements.txt": "-e .", "pyproject.toml": "[project]\nname='x'"}
        manifest = manifest_of(tmp_path, files)
        assert (manifest.project, manifest.local) == (tmp_path, ())


class TestScopes:
    def test_nothing(self, tmp_path: Path) -> None:
        manifest = manifest_of(tmp_path)
        assert manifest.deploy.empty
        assert manifest.test.empty
        assert (manifest.project, manifest.local, dict(manifest.documents)) == (None, (), {})

    @pytest.mark.parametrize("name", TEST_FILES)
    def test_usual_names_of_test_requirements(self, tmp_path: Path, name: str) -> None:
        manifest = manifest_of(tmp_path, {name: "pytest", "requirements.txt": ""})
        assert manifest.test.files == (tmp_path / name,)
        assert manifest.deploy.files == (tmp_path / "requirements.txt",)

    def test_deployed_file_is_no_test_file(self, tmp_path: Path) -> None:
        text = '[tool.pytest-arm64]\nrequirements = "requirements-dev.txt"\n'
        write(tmp_path, {"requirements-dev.txt": "", "requirements.txt": ""})
        manifest = read_manifest(settings_of(tmp_path, text), tmp_path)
        assert manifest.deploy.files == (tmp_path / "requirements-dev.txt",)
        assert manifest.test.empty

    def test_order_of_test_scopes(self, tmp_path: Path) -> None:
        group = "[dependency-groups]\ntest = ['of-group']\n"
        extra = "[project.optional-dependencies]\ntest = ['of-extra']\n"
        table = "[tool.pytest-arm64]\ntest-requirements = 'named.txt'\n"

        def scope(text: str) -> Scope:
            return read_manifest(settings_of(tmp_path, text), tmp_path).test

        write(tmp_path, {"named.txt": "", "requirements-dev.txt": ""})
        assert scope(group + extra + table) == Scope(files=(tmp_path / "named.txt",))
        assert scope(group + extra) == Scope(files=(tmp_path / "requirements-dev.txt",))
        (tmp_path / "requirements-dev.txt").unlink()
        assert scope(group + extra) == Scope(requirements=("of-group",))
        assert scope(extra) == Scope(requirements=("of-extra",))

    def test_a_group_of_poetry(self, tmp_path: Path) -> None:
        head = "[tool.poetry]\nname = 'shop'\n"
        group = (
            "[tool.poetry.group.Test.dependencies]\npython = '^3.10'\npytest = '^8.1'\n"
            "respx = {version = '~0.21', extras = ['x']}\nlocal = {path = '../local'}\n"
            "either = [{version = '1', python = '<3.11'}, {path = '../either'}]\n"
        )
        old = "[tool.poetry.dev-dependencies]\nmoto = '*'\n"

        def requirements(text: str) -> tuple[str, ...]:
            return manifest_of(tmp_path, {"pyproject.toml": text}).test.requirements

        assert requirements(head + group + old) == ("pytest<9,>=8.1", "respx[x]<0.22,>=0.21")
        assert requirements(head + old) == ("moto",)
        assert requirements("[dependency-groups]\ndev = ['x']\n" + head + group) == ("x",)
        by_path = "[tool.poetry.group.test.dependencies]\nlocal = {path = '../local'}\n"
        assert requirements(head + by_path + old) == ("moto",)

    @pytest.mark.parametrize("name", [*TEST_GROUPS, "Test", "TESTING"])
    def test_group_names_are_normalised(self, tmp_path: Path, name: str) -> None:
        text = f"[dependency-groups]\n{name} = ['x', {{include-group = 'Data_Sets'}}]\n"
        text += "data-sets = ['y']"
        assert manifest_of(tmp_path, {"pyproject.toml": text}).test.requirements == ("x", "y")

    def test_an_extra_that_names_the_project_means_its_other_extras(self, tmp_path: Path) -> None:
        text = (
            "[project]\nname = 'My.App'\n[project.optional-dependencies]\n"
            "test = ['pytest', 'my_app[web,S_3]', 'my-app[test]']\n"
            "web = ['flask', 'my-app[s-3]']\ns-3 = ['boto3', 'my-app[web]']\n"
        )
        found = manifest_of(tmp_path, {"pyproject.toml": text}).test.requirements
        assert set(found) == {"pytest", "flask", "boto3"}

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            (
                "[dependency-groups]\ntest=[{include-group='a'}]\na=[{include-group='test'}]",
                "Cyclic",
            ),
            ("[dependency-groups]\ntest=[{include-group='test'}]", "test includes itself"),
            (
                "[dependency-groups]\ntest=[{include-group='absent'}]",
                "group 'absent' not found",
            ),
            ("[dependency-groups]\ntest=[3]", "item: 3"),
            ("[dependency-groups]\ntest=[{include-group=3}]", "{'include-group': 3}"),
            ("[dependency-groups]\ntest='pytest'", "must be a list"),
            ("dependency-groups = 3", "must be a table"),
            ("project = 3", "must be a table"),
            ("[project]\noptional-dependencies = 3", "must be a table"),
            ("[project.optional-dependencies]\ntest = 3", "must be a list"),
            ("[project.optional-dependencies]\ntest = [3]", "entry '3'"),
            ("[project.optional-dependencies]\ntest = ['!']", "'!' is not a requirement"),
            ("x", "is not TOML"),
            ("x = " + "[" * 100_000, "nested too deeply"),
            ("x = " + "9" * 5_000, "too many digits"),
        ],
    )
    def test_hostile_pyproject(self, tmp_path: Path, text: str, part: str) -> None:
        settings = settings_of(tmp_path)
        write(tmp_path, {"pyproject.toml": text})
        with pytest.raises(SettingsError) as caught:
            read_manifest(settings, tmp_path)
        assert part in caught.value.what
        assert is_plain_text(caught.value)

    @pytest.mark.parametrize(
        ("files", "installable"),
        [
            ({"pyproject.toml": "[project]\nname='x'"}, True),
            ({"pyproject.toml": "[build-system]\nrequires=[]"}, True),
            ({"setup.py": "raise SystemExit('never executed')"}, True),
            ({"pyproject.toml": "[tool.x]"}, False),
            ({"setup.cfg": ""}, False),
        ],
    )
    def test_installable(self, tmp_path: Path, files: Files, installable: bool) -> None:
        assert (manifest_of(tmp_path, files).project == tmp_path) is installable

    def test_install_none(self, tmp_path: Path) -> None:
        text = "[project]\nname='x'\n[tool.pytest-arm64]\ninstall='none'"
        assert read_manifest(settings_of(tmp_path, text), tmp_path).project is None

    def test_dependencies_of_the_project(self, tmp_path: Path) -> None:
        text = "[project]\nname='x'\ndependencies = ['PyTest>=7', 'a.b; python_version>\"3\"', '!']"
        manifest = manifest_of(tmp_path, {"pyproject.toml": text})
        assert project_dependencies(manifest) == {"pytest", "a-b"}
        text = "[project]\ndependencies = 'pytest'"
        assert project_dependencies(manifest_of(tmp_path, {"pyproject.toml": text})) == set()
        assert project_dependencies(manifest_of(tmp_path / "absent")) == set()


class TestLinks:
    def test_folders_that_files_name(self, tmp_path: Path) -> None:
        (tmp_path / "wheels").mkdir()
        (tmp_path / "more").mkdir()
        text = f"-f wheels\n--find-links=file://{tmp_path}/more\n-f https://host/\n-f absent\n"
        found = manifest_of(tmp_path, {"requirements.txt": text}).links
        assert found == (tmp_path / "wheels", tmp_path / "more")


class TestFingerprint:
    FILES: ClassVar[Files] = {
        "requirements.txt": "-r more.txt\n-e ./editable\n./copied\n./some-1.0.whl\n",
        "more.txt": "numpy",
        "pyproject.toml": "[project]\nname='x'\n",
        "src/pkg/__init__.py": "",
        "editable/pyproject.toml": "",
        "editable/pkg/__init__.py": "",
        "copied/pyproject.toml": "",
        "copied/pkg/__init__.py": "",
        "some-1.0.whl": "bytes",
    }

    def key(self, folder: Path) -> str:
        return cache.digest(manifest_of(folder).fingerprint())

    def test_what_is_installed_as_a_wheel_is_told(self, tmp_path: Path) -> None:
        write(tmp_path, self.FILES)
        found = manifest_of(tmp_path)
        assert found.copied == (tmp_path / "copied", tmp_path / "some-1.0.whl")

    def test_two_readings_agree(self, tmp_path: Path) -> None:
        write(tmp_path, self.FILES)
        assert self.key(tmp_path) == self.key(tmp_path)

    @pytest.mark.parametrize(
        ("name", "content", "matters"),
        [
            ("requirements.txt", "numpy", True),
            ("more.txt", "numpy==1", True),
            ("pyproject.toml", "[project]\nname='y'\n", True),
            ("setup.cfg", "", True),
            ("src/other/__init__.py", "", True),
            ("src/pkg/__init__.py", "a = 1", False),
            ("test_it.py", "", False),
            ("editable/pyproject.toml", "[project]", True),
            ("editable/new/__init__.py", "", True),
            ("editable/pkg/__init__.py", "a = 1", False),
            ("copied/pkg/__init__.py", "a = 1", True),
            ("copied/pkg/data.json", "{}", True),
            ("copied/pkg/__pycache__/x.pyc", "", False),
            ("some-1.0.whl", "others", True),
        ],
    )
    def test_what_matters(self, tmp_path: Path, name: str, content: str, matters: bool) -> None:
        before = self.key(write(tmp_path, self.FILES))
        write(tmp_path, {name: content})
        assert (self.key(tmp_path) != before) is matters

    @pytest.mark.parametrize("line", ["/", "../.."])
    def test_a_folder_outside_the_repository_is_refused(self, tmp_path: Path, line: str) -> None:
        folder = write(tmp_path / "a" / "b", {"requirements.txt": line})
        with pytest.raises(SettingsError, match="outside the repository"):
            self.key(folder)

    def test_a_folder_that_is_no_project_is_not_read(self, tmp_path: Path) -> None:
        files: Files = {"requirements.txt": "./plain", "plain/data": "x" * 10}
        before = self.key(write(tmp_path / "a" / "b", files))
        write(tmp_path / "a" / "b", {"plain/data": "y"})
        assert self.key(tmp_path / "a" / "b") == before

    def test_project_in_a_folder_called_src(self, tmp_path: Path) -> None:
        files: Files = {"pyproject.toml": "[project]", "a/__init__.py": "", "src/b/__init__.py": ""}
        folder = write(tmp_path / "src", files)
        before = self.key(folder)
        write(folder, {"c/__init__.py": ""})
        assert self.key(folder) != before

    def test_two_checkouts_without_a_project_share(self, tmp_path: Path) -> None:
        files: Files = {"requirements.txt": "-r more.txt", "more.txt": "numpy"}
        keys = {self.key(write(tmp_path / name, files)) for name in ("one", "two")}
        assert len(keys) == 1


def test_pip_is_the_reference_for_include_options() -> None:
    """The spellings above are what pip's own option parser takes."""
    parser = req_file.build_parser()
    options: dict[str, Any] = {}
    for text in ("-rx", "-r x", "--requirement=x", "--requirement x"):
        values, rest = parser.parse_args(text.split(" "), optparse.Values(options))
        assert (values.requirements[-1], rest) == ("x", [])
    assert os.sep == "/"


class TestInstallMode:
    PROJECT = '[project]\nname = "a-b"\nversion = "1"\ndependencies = ["idna"]\n'

    @pytest.mark.parametrize(
        ("files", "mode"),
        [
            ({"pyproject.toml": ""}, "none"),
            ({"pyproject.toml": PROJECT}, "editable"),
            ({"pyproject.toml": '[build-system]\nbuild-backend = "mesonpy"\n'}, "wheel"),
            (
                {"pyproject.toml": '[build-system]\nbuild-backend = "flit_core.buildapi"'},
                "editable",
            ),
            ({"pyproject.toml": PROJECT + "[tool.setuptools]\next-modules = []\n"}, "wheel"),
            ({"setup.py": "setup(ext_modules=[Extension('a', ['a.c'])])"}, "wheel"),
            ({"setup.py": "setup(ext_modules=cythonize('a.pyx'))"}, "wheel"),
            ({"setup.py": "setup(name='a')"}, "editable"),
            ({"setup.py": b"\xff\xfe"}, "editable"),
        ],
    )
    def test_auto(self, tmp_path: Path, files: dict[str, str | bytes], mode: str) -> None:
        found = manifest_of(tmp_path, files)
        assert found.project == (tmp_path if mode == "editable" else None)
        assert found.whole == (tmp_path if mode == "wheel" else None)

    def test_a_wheel_is_built_of_all_that_the_project_holds(self, tmp_path: Path) -> None:
        folder = tmp_path / "ein Größenmaß"
        folder.mkdir()
        found = manifest_of(
            folder,
            {"pyproject.toml": self.PROJECT + '[tool.pytest-arm64]\ninstall = "wheel"\n'},
        )
        assert found.project is None
        assert found.whole == folder
        assert folder in found.local
        before = found.fingerprint()
        (folder / "code.py").write_text("x = 1")
        assert found.fingerprint() != before
