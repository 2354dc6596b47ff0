"""Dependencies that are declared elsewhere than in [project]: setuptools' files, uv's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.errors import SettingsError
from pytest_arm64.inputs.service import read_service
from unit.index.served import Project, joined, matrix_of_folder, release, serve
from unit.support import is_plain_text, write

pytestmark = pytest.mark.usefixtures("index_alone")

ANY = "py3-none-any"
PROJECTS: dict[str, Project] = {
    "app": release("app", "1.0", ANY, requires=["lib<2", "side ; os_name == 'posix'"]),
    "lib": joined(*(release("lib", version, ANY) for version in ("1.0", "2.0", "3.0"))),
    "side": joined(*(release("side", version, ANY) for version in ("1.0", "2.0"))),
    "more": release("more", "1.0", ANY),
}
DYNAMIC = '[project]\nname = "shop"\nversion = "1"\ndynamic = ["dependencies"]\n'
SETUP_CFG = "[metadata]\nname = shop\nversion = 1\n[options]\n"


def requirements(folder: Path, files: dict[str, str], **how: tuple[str, ...]) -> list[list[str]]:
    """Each requirement and where it is stated; there are no gaps."""
    service = read_service(write(folder, files), {}, **how)  # type: ignore[arg-type]
    assert not service.deploy.gaps
    return [[str(r), wish.origin] for r, wish in service.deploy.requirements]


class TestSetuptools:
    @pytest.mark.parametrize("spelled", ['"deps.in"', '["deps.in"]', '["deps.in", "more.in"]'])
    def test_files_of_dynamic_dependencies_are_read(self, tmp_path: Path, spelled: str) -> None:
        text = f"{DYNAMIC}[tool.setuptools.dynamic]\ndependencies = {{ file = {spelled} }}\n"
        files = {"pyproject.toml": text, "deps.in": "# ours\nlib>=1\n", "more.in": "more\n"}
        found = requirements(tmp_path, files)
        assert found[0] == ["lib>=1", "deps.in:2"]
        assert (["more", "more.in:1"] in found) is ("more.in" in spelled)

    def test_files_of_dynamic_extras_are_read(self, tmp_path: Path) -> None:
        text = (
            '[project]\nname = "shop"\nversion = "1"\ndependencies = ["lib"]\n'
            'dynamic = ["optional-dependencies"]\n'
            "[tool.setuptools.dynamic.optional-dependencies]\n"
            'web = { file = "web.in" }\n'
        )
        files = {"pyproject.toml": text, "web.in": "more\n"}
        assert requirements(tmp_path, files, extras=("web",)) == [
            ["lib", "pyproject.toml:4"],
            ["more", "web.in:1"],
        ]

    @pytest.mark.parametrize(
        "files",
        [
            {"setup.cfg": SETUP_CFG + "install_requires =\n    lib>=1\n    # no\n    more\n"},
            {"setup.cfg": SETUP_CFG + "install_requires = lib>=1; more\n"},
            {"setup.cfg": SETUP_CFG + "install_requires = lib>=1; more\n", "setup.py": "setup()"},
            {
                "setup.cfg": SETUP_CFG + "install_requires =\n    lib>=1\n    more\n",
                "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n',
            },
            {
                "setup.cfg": SETUP_CFG + "install_requires =\n    lib>=1\n    more\n",
                "pyproject.toml": DYNAMIC,
            },
            {
                "setup.cfg": SETUP_CFG + "install_requires = file: deps.in\n",
                "deps.in": "lib>=1\nmore",
            },
        ],
    )
    def test_setup_cfg_is_read(self, tmp_path: Path, files: dict[str, str]) -> None:
        found = requirements(tmp_path, files)
        assert [text for text, _ in found] == ["lib>=1", "more"]
        assert found[0][1].split(":")[0] in ("setup.cfg", "deps.in")
        assert read_service(tmp_path, {}).manifest in ("setup.cfg", "pyproject.toml")

    def test_extras_and_python_of_setup_cfg(self, tmp_path: Path) -> None:
        text = (
            SETUP_CFG
            + "install_requires = lib\npython_requires = >=3.13\n"
            + "[options.extras_require]\nweb = more\n"
        )
        found = requirements(tmp_path, {"setup.cfg": text}, extras=("web",))
        assert [name for name, _ in found] == ["lib", "more"]
        (limit,) = read_service(tmp_path, {}).pythons
        assert (limit.specifier, limit.origin) == (">=3.13", "setup.cfg:6")

    def test_a_local_project_with_declared_dependencies_is_certain(self, tmp_path: Path) -> None:
        files = {
            "requirements.txt": "-e ./lib\n",
            "lib/pyproject.toml": DYNAMIC.replace("shop", "lib")
            + '[tool.setuptools.dynamic]\ndependencies = { file = "deps.in" }\n',
            "lib/deps.in": "more\n",
        }
        (local,) = read_service(write(tmp_path, files), {}).deploy.locals
        assert (local.requires, local.doubt) == (("more",), "")

    @pytest.mark.parametrize("path", ["../deps.in", "gone.in", "/etc/hostname", "9" * 5000])
    def test_what_setuptools_would_not_read_is_a_gap(self, tmp_path: Path, path: str) -> None:
        text = f'{DYNAMIC}[tool.setuptools.dynamic]\ndependencies = {{ file = "{path}" }}\n'
        write(tmp_path, {"api/pyproject.toml": text, "deps.in": "lib\n"})
        service = read_service(tmp_path / "api", {})
        assert not service.deploy.requirements
        assert [gap for gap in service.deploy.gaps if "dynamic" in gap]

    def test_a_setup_script_that_may_add_dependencies_is_a_gap(self, tmp_path: Path) -> None:
        files = {
            "setup.cfg": SETUP_CFG + "install_requires = lib\n",
            "setup.py": "setup(install_requires=read())",
        }
        assert read_service(write(tmp_path, files), {}).deploy.gaps

    @pytest.mark.parametrize("content", ["[options\n", "install_requires = x\n", b"\xff\xfe[o]\n"])
    def test_a_broken_setup_cfg_is_refused_or_says_nothing(
        self, tmp_path: Path, content: str | bytes
    ) -> None:
        write(tmp_path, {"setup.cfg": content})
        with pytest.raises(SettingsError) as caught:
            read_service(tmp_path, {})
        assert is_plain_text(caught.value)


PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["app", "lib"]\n'


def matrix(folder: Path, more: str, index: str) -> WheelMatrix:
    return matrix_of_folder(folder, {"pyproject.toml": f"{PROJECT}{more}"}, index)


class TestUv:
    def test_its_indexes_are_used(self, tmp_path: Path) -> None:
        text = (
            "[[tool.uv.index]]\nname = 'a'\nurl = 'https://a.invalid/simple'\n"
            "[[tool.uv.index]]\nname = 'b'\nurl = 'https://b.invalid/simple'\ndefault = true\n"
            "[[tool.uv.index]]\nname = 'c'\nurl = 'wheels'\nformat = 'flat'\n"
        )
        write(tmp_path, {"pyproject.toml": PROJECT + text})
        deploy = read_service(tmp_path, {}).deploy
        assert deploy.index == "https://b.invalid/simple"
        assert deploy.extra_indexes == ("https://a.invalid/simple",)
        assert deploy.links == (str(tmp_path / "wheels"),)

    def test_its_older_settings_are_used(self, tmp_path: Path) -> None:
        text = (
            "[tool.uv]\nindex-url = 'https://b.invalid/s'\nfind-links = ['wheels']\n"
            "extra-index-url = ['https://a.invalid/s']\nno-index = true\nprerelease = 'allow'\n"
            "no-binary-package = ['app']\nno-build-package = ['lib']\n"
        )
        write(tmp_path, {"pyproject.toml": PROJECT + text})
        deploy = read_service(tmp_path, {}).deploy
        assert (deploy.index, deploy.extra_indexes) == (
            "https://b.invalid/s",
            ("https://a.invalid/s",),
        )
        assert (deploy.no_index, deploy.prereleases) == (True, True)
        assert deploy.links == (str(tmp_path / "wheels"),)
        assert deploy.formats.no_binary == frozenset(["app"])
        assert deploy.formats.only_binary == frozenset(["lib"])

    def test_sources_of_poetry_are_used(self, tmp_path: Path) -> None:
        text = (
            '[tool.poetry]\nname = "shop"\nversion = "1"\n[tool.poetry.dependencies]\nlib = "*"\n'
            "[[tool.poetry.source]]\nname = 'a'\nurl = 'https://a.invalid/simple'\n"
            "[[tool.poetry.source]]\nname = 'b'\nurl = 'https://b.invalid/simple'\n"
            "priority = 'supplemental'\n"
        )
        write(tmp_path, {"pyproject.toml": text})
        deploy = read_service(tmp_path, {}).deploy
        assert deploy.index == "https://a.invalid/simple"
        assert deploy.extra_indexes == ("https://b.invalid/simple",)

    def test_its_constraints_limit_versions(self, tmp_path: Path) -> None:
        text = "[tool.uv]\nconstraint-dependencies = ['side<2', 'lib<2']\n"
        with serve(PROJECTS) as index:
            found = matrix(tmp_path, text, index.url)
        assert (found["side"].version, found["lib"].version) == ("1.0", "1.0")
        assert found.ready

    @pytest.mark.parametrize(
        ("override", "lib"),
        [("lib>=3", "3.0"), ("lib==2", "2.0"), ("lib>=3 ; os_name == 'nt'", None)],
    )
    def test_its_overrides_replace_what_packages_ask_for(
        self, tmp_path: Path, override: str, lib: str | None
    ) -> None:
        text = f'[tool.uv]\noverride-dependencies = ["{override}"]\n'
        with serve(PROJECTS) as index:
            found = matrix(tmp_path, text, index.url)
        assert {row.name: row.version for row in found.deployed}.get("lib") == lib
        assert found.ready

    @pytest.mark.parametrize("key", ["constraint-dependencies", "override-dependencies"])
    def test_an_entry_that_is_no_requirement_is_refused(self, tmp_path: Path, key: str) -> None:
        write(tmp_path, {"pyproject.toml": f"{PROJECT}[tool.uv]\n{key} = ['???']\n"})
        with pytest.raises(SettingsError, match=r"\?\?\?"):
            read_service(tmp_path, {})
