"""The user's own ``config.toml``: what it decides, and that no repository can write it."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from pytest_arm64.config.services import services_at
from pytest_arm64.config.trust import widenings
from pytest_arm64.errors import SettingsError
from unit.support import project_of, settings_of, write

TABLE = "[tool.pytest-arm64]\n"


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_, **__: str(folder))
    return folder / "config.toml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project", {".git/HEAD": ""})


def test_without_it_everything_is_as_by_default(user: Path, project: Path) -> None:
    settings = settings_of(project)
    assert (settings.copy, settings.network, settings.env) == (False, "bridge", ())


def test_it_decides_what_needs_no_trust_then(user: Path, project: Path) -> None:
    user.write_text(
        'copy = true\nimage = "mine:1"\nnetwork = "host"\nenv = ["TOKEN", "A=b"]\n'
        "build-network = true\n"
    )
    run = project_of(project)
    settings = run.settings
    assert (settings.copy, settings.image, settings.network) == (True, "mine:1", "host")
    assert settings.env == ("TOKEN", "A=b")
    assert widenings(run.files, run.services) == ()
    shown = list(run.files.user.widened({"TOKEN": "x"}))
    assert len(shown) == 5
    assert settings.build_network
    assert all(str(user) in line for line in shown)
    assert not any("TOKEN" in line for line in run.files.user.widened({}))


def test_option_variable_and_project_come_before_it(user: Path, project: Path) -> None:
    user.write_text('image = "mine:1"\nnetwork = "host"\nenv = ["A=b"]\n')
    table = TABLE + 'image = "project:1"\nnetwork = "none"\nenv = ["C=d"]\n'
    settings = settings_of(project, table)
    assert (settings.image, settings.network) == ("project:1", "none")
    assert settings.env == ("A=b", "C=d")
    environ = {"PYTEST_ARM64_IMAGE": "variable:1"}
    assert settings_of(project, table, environ).image == "variable:1"
    assert settings_of(project, table, environ, arm64_image="option:1").image == "option:1"


def test_what_a_project_widens_needs_trust_all_the_same(user: Path, project: Path) -> None:
    user.write_text('network = "host"\n')
    run = project_of(project, TABLE + 'network = "container:database"\n')
    assert [entry.setting for entry in widenings(run.files, services_at(run.files))] == ["network"]


def test_a_target_of_the_user_is_one_of_each_project(user: Path, project: Path) -> None:
    user.write_text('[targets.mine]\nimage = "mine:1"\npython = "3.12"\n')
    run = project_of(project, TABLE + 'target = "mine"\n')
    assert run.settings.target.image == "mine:1"
    assert widenings(run.files, run.services) == ()


def test_a_variable_switches_its_copy_off(user: Path, project: Path) -> None:
    user.write_text("copy = true\n")
    assert not settings_of(project, environ={"PYTEST_ARM64_COPY": "0"}).copy
    assert settings_of(project, environ={"PYTEST_ARM64_COPY": "1"}).copy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("copy = 1", "wrong type"),
        ("images = 'x'", "did you mean"),
        ("env = [1]", "is not NAME"),
        ("= 1", "is not TOML"),
        ("[targets]\nmine = 1", "must be a table"),
    ],
)
def test_a_mistake_in_it_is_named_with_its_place(
    user: Path, project: Path, text: str, why: str
) -> None:
    user.write_text(text)
    with pytest.raises(SettingsError, match=why):
        settings_of(project, TABLE + 'target = "al2023-python3.12"\n')


@pytest.mark.parametrize("way", ["inside", "link"])
def test_one_that_lies_in_the_repository_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    folder = write(project / "config", {"config.toml": "copy = true\n"})
    if way == "link":
        (tmp_path / "config").symlink_to(folder)
        folder = tmp_path / "config"
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_, **__: str(folder))
    with pytest.raises(SettingsError, match="lies in the repository"):
        settings_of(project)
