"""``pytest-arm64 trust`` in a project's folder."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from pytest_arm64.cli import main

TABLE = '[tool.pytest-arm64]\nnetwork = "host"\nenv = ["NAME"]\n'


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "data"))
    monkeypatch.delenv("PYTEST_ARM64_TRUST", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(TABLE)
    monkeypatch.chdir(folder)
    return folder


def test_show_lists_and_allows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["trust", "--show"]) == 1
        out = capsys.readouterr().out
        assert 'network = "host"' in out
        assert 'env = "NAME"' in out
        assert "Not allowed" in out


def test_what_is_allowed_is_shown_and_can_be_revoked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trust"]) == 0
    assert str(project) in capsys.readouterr().out
    assert main(["trust", "--show"]) == 0
    assert "Allowed by pytest-arm64 trust" in capsys.readouterr().out
    assert main(["trust", "--revoke"]) == 0
    assert main(["trust", "--show"]) == 1


def test_nothing_is_recorded_where_nothing_needs_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text("")
    assert main(["trust"]) == 0
    assert "Nothing in the files of this project needs trust" in capsys.readouterr().out
    assert not (project.parent / "data").exists()


def test_the_audit_reads_no_folder_elsewhere_without_trust(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.parent / "keys").mkdir()
    (project / "pyproject.toml").write_text('[tool.pytest-arm64]\nartifact = "dir:../keys"\n')
    assert main(["audit", "--offline"]) == 2
    assert "pytest-arm64 trust" in capsys.readouterr().err
