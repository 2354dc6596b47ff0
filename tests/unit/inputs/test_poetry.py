"""Projects of Poetry: what its lock and its tables mean, as Poetry itself installs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import PURE, SOURCE
from pytest_arm64.environment.lock_requirements import lock_requirements
from pytest_arm64.inputs.service import read_service
from unit.index.served import Project, matrix_of_folder, release, serve
from unit.support import AL2023, write

pytestmark = pytest.mark.usefixtures("index_alone")

ANY = "py3-none-any"
PROJECTS: dict[str, Project] = {
    name: release(name, "1.0", ANY) for name in ("coverage", "tomli", "idna", "common")
}
METADATA = '[metadata]\nlock-version = "2.1"\npython-versions = "^3.11"\n'


def locked(name: str, more: str = "") -> str:
    return (
        f'[[package]]\nname = "{name}"\nversion = "1.0"\noptional = false\n'
        f'python-versions = ">=3.8"\n{more if more.startswith("files") else FILES.format(name)}'
        f"{'' if more.startswith('files') else more}\n"
    )


FILES = 'files = [{{file = "{0}-1.0-py3-none-any.whl", hash = "sha256:aa"}}]\n'


def project(*dependencies: str, more: str = "") -> str:
    head = '[tool.poetry]\nname = "shop"\nversion = "1"\n[tool.poetry.dependencies]\n'
    return "\n".join([head + 'python = "^3.11"', *dependencies, more, ""])


class TestExtras:
    @pytest.mark.parametrize(
        "entry",
        ['"tomli"', '"tomli (>=1.1)"', '"tomli ; python_full_version <= \\"3.11.0a6\\""'],
    )
    def test_a_dependency_of_an_extra_that_poetry_dropped_is_not_missing(
        self, tmp_path: Path, entry: str
    ) -> None:
        files = {
            "pyproject.toml": project('coverage = {version = "^1", extras = ["toml"]}'),
            "poetry.lock": locked("coverage", f"[package.extras]\ntoml = [{entry}]\n") + METADATA,
        }
        with serve(PROJECTS) as index:
            matrix = matrix_of_folder(tmp_path, files, index.url)
        assert [(row.name, row.state) for row in matrix.deployed] == [("coverage", PURE)]
        assert matrix.ready

    def test_all_rows_of_an_optional_dependency_count(self, tmp_path: Path) -> None:
        """Poetry writes one row for each marker; the last one alone was read."""
        more = (
            "[package.dependencies]\ntomli = [\n"
            '  {version = ">=1", optional = true, markers = "python_version >= \\"3.11\\""},\n'
            '  {version = "<1", optional = true, markers = "python_version < \\"3.11\\""},\n'
            ']\n[package.extras]\ntoml = ["tomli"]\n'
        )
        files = {
            "pyproject.toml": project('coverage = {version = "^1", extras = ["toml"]}'),
            "poetry.lock": locked("coverage", more) + locked("tomli") + METADATA,
        }
        with serve(PROJECTS) as index:
            matrix = matrix_of_folder(tmp_path, files, index.url)
        assert {row.name for row in matrix.deployed} == {"coverage", "tomli"}

    def test_an_extra_of_the_project_keeps_the_limits_of_its_dependency(
        self, tmp_path: Path
    ) -> None:
        more = '[tool.poetry.extras]\nold = ["tomli"]\nweb = ["idna"]\n'
        files = {
            "pyproject.toml": project(
                'tomli = {version = "^1", optional = true, python = "<3.11"}',
                'idna = {version = "^1", optional = true}',
                more=more,
            ),
            "poetry.lock": locked("idna") + METADATA,
        }
        with serve(PROJECTS) as index:
            matrix = matrix_of_folder(tmp_path, files, index.url, extras=("old", "web"))
        assert [row.name for row in matrix.deployed] == ["idna"]
        assert matrix["idna"].path[0] == "pyproject.toml:7"


COMMON = (
    '[tool.poetry]\nname = "common"\nversion = "1.0"\n[tool.poetry.dependencies]\nidna = "*"\n'
    '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
)
BY_PATH = 'files = []\n[package.source]\ntype = "{}"\nurl = "{}"\n'


class TestPaths:
    @pytest.mark.parametrize("develop", [True, False])
    def test_a_folder_of_a_lock_is_a_local_project(self, tmp_path: Path, develop: bool) -> None:
        word = str(develop).lower()
        entry = "files = []\ndevelop = true\n" if develop else "files = []\n"
        source = '[package.source]\ntype = "directory"\nurl = "../../libs/common"\n'
        needs = '[package.dependencies]\nidna = "*"\n'
        files = {
            ".git/HEAD": "",  # both folders are of one repository
            "libs/common/pyproject.toml": COMMON,
            "services/api/pyproject.toml": project(
                f'common = {{path = "../../libs/common", develop = {word}}}'
            ),
            "services/api/poetry.lock": locked("common", entry + needs + source)
            + locked("idna")
            + METADATA,
        }
        with serve(PROJECTS) as index:
            matrix = matrix_of_folder(tmp_path, files, index.url, path="services/api")
        row = matrix["common"]
        assert (row.state, row.editable) == (PURE, develop)
        assert row.path[0] == "services/api/pyproject.toml:6"
        assert matrix.ready
        lock = read_service(tmp_path / "services/api", {}).lock
        assert lock is not None
        assert lock.locals["common"].uri == (tmp_path / "libs/common").as_uri()

    def test_a_folder_with_a_build_script_may_compile(self, tmp_path: Path) -> None:
        files = {
            "common/pyproject.toml": '[build-system]\nbuild-backend = "setuptools.build_meta"\n',
            "common/setup.py": "raise SystemExit",
            "pyproject.toml": project('common = {path = "common"}'),
            "poetry.lock": locked("common", BY_PATH.format("directory", "common")) + METADATA,
        }
        with serve(PROJECTS) as index:
            matrix = matrix_of_folder(tmp_path, files, index.url)
        assert matrix["common"].state == SOURCE

    @pytest.mark.parametrize(
        ("kind", "url"),
        [("file", "dist/common-1.0-py3-none-any.whl"), ("url", "https://h.invalid/d/{}")],
    )
    def test_a_file_has_its_address(self, tmp_path: Path, kind: str, url: str) -> None:
        name = "common-1.0-py3-none-any.whl"
        files: dict[str, str | bytes]
        entry = f'files = [{{file = "{name}", hash = "sha256:aa"}}]\n[package.source]\n'
        entry += f'type = "{kind}"\nurl = "{url.format(name)}"\n'
        files = {
            "pyproject.toml": project(f'common = {{path = "dist/{name}"}}'),
            "poetry.lock": locked("common", entry) + METADATA,
            f"dist/{name}": b"",
        }
        write(tmp_path, files)
        lock = read_service(tmp_path, {}).lock
        assert lock is not None
        (file,) = lock.releases["common"][0].files
        expected = (tmp_path / "dist" / name).as_uri() if kind == "file" else url.format(name)
        assert file.url == expected

    @pytest.mark.parametrize("table", ["poetry", "uv"])
    def test_a_path_without_a_lock_is_not_looked_for_in_the_index(
        self, tmp_path: Path, table: str
    ) -> None:
        poetry = project('common = {path = "../common", develop = true}')
        uv = (
            '[project]\nname = "shop"\nversion = "1"\ndependencies = ["common"]\n'
            '[tool.uv.sources]\ncommon = {path = "../common", editable = true}\n'
        )
        files = {
            "api/pyproject.toml": poetry if table == "poetry" else uv,
            "common/pyproject.toml": COMMON,
        }
        with serve(PROJECTS) as index:
            matrix = matrix_of_folder(tmp_path, files, index.url, path="api")
            assert not [path for path in index.asked() if "common" in path]
        assert (matrix["common"].state, matrix["common"].editable) == (PURE, True)
        assert matrix["idna"].state == PURE

    @pytest.mark.parametrize("table", ["poetry", "uv"])
    def test_a_wheel_named_by_path_is_that_wheel(self, tmp_path: Path, table: str) -> None:
        name = "common-1.0-cp312-cp312-manylinux_2_17_aarch64.whl"
        poetry = project(f'common = {{path = "dist/{name}"}}')
        uv = (
            '[project]\nname = "shop"\nversion = "1"\ndependencies = ["common"]\n'
            f'[tool.uv.sources]\ncommon = {{path = "dist/{name}"}}\n'
        )
        write(tmp_path, {"pyproject.toml": poetry if table == "poetry" else uv, f"dist/{name}": ""})
        ((requirement, _),) = read_service(tmp_path, {}).deploy.requirements
        assert requirement.url == (tmp_path / "dist" / name).as_uri()


class TestHashes:
    @pytest.mark.parametrize("kind", ["sha512", "sha384"])
    def test_a_strong_hash_of_a_lock_is_given_to_pip(self, tmp_path: Path, kind: str) -> None:
        from pytest_arm64.audit.platform import platform_of

        files = f'files = [{{file = "idna-1.0-py3-none-any.whl", hash = "{kind}:ab"}}]\n'
        write(
            tmp_path,
            {
                "pyproject.toml": project('idna = "*"'),
                "poetry.lock": locked("idna", files) + METADATA,
            },
        )
        service = read_service(tmp_path, {})
        assert service.lock is not None
        lines = lock_requirements(service.lock, platform_of(AL2023), tmp_path)
        assert lines == f"idna==1.0 --hash={kind}:ab\n"
        assert not service.deploy.gaps

    @pytest.mark.parametrize("kind", ["md5", "blake2b"])
    def test_a_weak_hash_of_a_lock_is_reported(self, tmp_path: Path, kind: str) -> None:
        files = f'files = [{{file = "idna-1.0-py3-none-any.whl", hash = "{kind}:ab"}}]\n'
        write(
            tmp_path,
            {
                "pyproject.toml": project('idna = "*"'),
                "poetry.lock": locked("idna", files) + METADATA,
            },
        )
        (gap,) = read_service(tmp_path, {}).deploy.gaps
        assert gap == f"poetry.lock: its {kind} hashes are not checked"


class TestSources:
    LEGACY = '[package.source]\ntype = "legacy"\nurl = "{}"\nreference = "ours"\n'

    def lock_of(self, folder: Path, *sources: str) -> tuple[str, tuple[str, ...]]:
        rows = [
            locked(f"p{number}", self.LEGACY.format(url) if url else "")
            for number, url in enumerate(sources)
        ]
        write(
            folder,
            {
                "pyproject.toml": project(*(f'p{number} = "*"' for number in range(len(sources)))),
                "poetry.lock": "".join(rows) + METADATA,
            },
        )
        service = read_service(folder, {})
        assert service.lock is not None
        return service.lock.index, service.deploy.extra_indexes

    def test_the_index_of_all_packages_is_that_of_the_lock(self, tmp_path: Path) -> None:
        url = "https://ours.invalid/simple"
        assert self.lock_of(tmp_path, url, url) == (url, ())

    def test_an_index_of_some_packages_is_a_further_one(self, tmp_path: Path) -> None:
        first, second = "https://a.invalid/simple", "https://b.invalid/simple"
        assert self.lock_of(tmp_path / "a", first, "") == ("", (first,))
        assert self.lock_of(tmp_path / "b", first, second) == ("", (first, second))

    def test_a_lock_without_sources_is_of_the_configured_index(self, tmp_path: Path) -> None:
        assert self.lock_of(tmp_path, "", "") == ("", ())
