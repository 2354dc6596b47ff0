"""Files of kinds that are not read are named, with the command that exports them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.errors import NothingToReadError, SettingsError
from pytest_arm64.inputs.service import read_service
from unit.support import is_plain_text, write

PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = []\n'


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("Pipfile", "pipenv lock"),
        ("environment.yml", "conda run -n NAME python -m pip list --format=freeze"),
        ("conda-lock.yml", "conda run -n NAME python -m pip list --format=freeze"),
        ("pixi.lock", "pixi run python -m pip list --format=freeze > requirements.txt"),
        ("pixi.toml", "pixi run python -m pip list --format=freeze > requirements.txt"),
        ("setup.py", "folder"),
        ("package.json", "requirement file"),
        ("docker-compose.yaml", "requirement file"),
        ("README.md", "requirement file"),
        ("other.lock", "requirement file"),
        ("dist/x-1.0-py3-none-any.whl", "requirement file"),
        ("Dockerfile", "requirement file"),
    ],
)
def test_an_unsupported_file_is_named(tmp_path: Path, name: str, command: str) -> None:
    write(tmp_path, {name: '{"_meta": {}}\nname: x\n'})
    with pytest.raises(SettingsError) as caught:
        read_service(tmp_path / name, {})
    assert Path(name).name in caught.value.what
    assert "is not a requirement" not in str(caught.value)
    assert command in str(caught.value.next_step)
    assert is_plain_text(caught.value)


@pytest.mark.parametrize("name", ["requirements.in", "deploy.txt", "constraints", "x.pip"])
def test_a_requirement_file_may_be_called_otherwise(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: "one==1\n"})
    assert [str(r) for r, _ in read_service(tmp_path / name, {}).deploy.requirements] == ["one==1"]


@pytest.mark.parametrize("name", ["conda-lock.yml", "pixi.lock"])
@pytest.mark.parametrize("manifest", ["pyproject.toml", "requirements.txt"])
def test_a_lock_beside_what_is_read_is_named_as_not_read(
    tmp_path: Path, name: str, manifest: str
) -> None:
    write(tmp_path, {manifest: PROJECT if manifest.endswith(".toml") else "", name: "[metadata]\n"})
    notes = read_service(tmp_path, {}).notes
    assert [note for note in notes if note.startswith(f"{name} was not read")]


@pytest.mark.parametrize("name", ["Pipfile", "environment.yml", "pixi.lock"])
def test_a_folder_with_nothing_else_names_the_file(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: ""})
    with pytest.raises(NothingToReadError, match=name):
        read_service(tmp_path, {})
