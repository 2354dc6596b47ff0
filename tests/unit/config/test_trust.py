"""What a repository's files may not decide by themselves, and who can allow it."""

from __future__ import annotations

import json
from pathlib import Path

import platformdirs
import pytest

from pytest_arm64.config.project_files import ProjectFiles, read_project_files
from pytest_arm64.config.services import Services, services_at
from pytest_arm64.config.targets import own_target, shipped_targets
from pytest_arm64.config.trust import (
    VARIABLE,
    Widening,
    allowed_by,
    refuse_untrusted,
    revoke,
    trust,
    widenings,
)
from pytest_arm64.errors import SettingsError

HOST = {"SHOP_TOKEN": "secret", "PATH": "/usr/bin"}
OWN = '{ image = "evil:1", python = "3.12" }'
WIDENING = {
    "a variable of the host": ('env = ["A=b", "SHOP_TOKEN"]', 'env = "SHOP_TOKEN"'),
    "the host's network": ('network = "host"', 'network = "host"'),
    "another container's network": ('network = "container:db"', 'network = "container:db"'),
    "a network of the engine": ('network = "shop_default"', 'network = "shop_default"'),
    "an image": ('image = "evil:1"', 'image = "evil:1"'),
    "packages of the system": (
        'system-packages = { build = ["libpq-devel"], apt = { run = ["libpq5"] } }',
        'system-packages = { build = ["libpq-devel"], apt = { run = ["libpq5"] } }',
    ),
    "a service's packages of the system": (
        'service.api = { artifact = "dir:build", system-packages = { run = ["libpq"] } }',
        'system-packages = { run = ["libpq"] }',
    ),
    "network for builds": ("build-network = true", "build-network = true"),
    "a deployed image": ('artifact = "image:evil:1"', 'artifact = "image:evil:1"'),
    "a folder elsewhere": ('artifact = "dir:../keys"', 'artifact = "dir:'),
    "a folder behind a link": ('artifact = "dir:link"', 'artifact = "dir:'),
    "a shipped target": (
        f'target = "al2023-python3.12"\ntargets."al2023-python3.12" = {OWN}',
        "targets.al2023-python3.12",
    ),
    "a target of its own": (f'target = "mine"\ntargets.mine = {OWN}', "targets.mine"),
    "a target of its own for a service": (
        f'service.api = {{ requirements = "requirements.txt", target = "mine" }}\n'
        f"targets.mine = {OWN}",
        "targets.mine",
    ),
    "a target of a folder's own": ('services = ["of/*"]', "targets.theirs"),
    "a service's network": (
        'service.api = { requirements = "requirements.txt", network = "host" }',
        'network = "host"',
    ),
    "a service's variable": (
        'service.api = { requirements = "requirements.txt", env = ["SHOP_TOKEN"] }',
        'env = "SHOP_TOKEN"',
    ),
    "a folder's network": ('services = ["services/*"]', 'network = "host"'),
}
HARMLESS = (
    "",
    'env = ["A=b", "NOT_ON_THE_HOST"]',
    'network = "none"',
    "build-network = false",
    "system-packages = {}",
    "system-packages = { build = [], dnf = {} }",
    'network = "bridge"',
    'artifact = "dir:build"',
    f"targets.mine = {OWN}",
    'memory = "1GB"\nshm-size = "1GB"\ncpu = "graviton3"',
)


@pytest.fixture(autouse=True)
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(folder))
    return folder


def project(tmp_path: Path, table: str) -> tuple[ProjectFiles, Services]:
    root = tmp_path / "repository"
    for folder in (root / ".git", root / "build", root / "services/shop", tmp_path / "keys"):
        folder.mkdir(parents=True, exist_ok=True)
    if not (root / "link").is_symlink():
        (root / "link").symlink_to(tmp_path / "keys")
    (root / "requirements.txt").touch()
    (root / "services/shop/pyproject.toml").write_text('[tool.pytest-arm64]\nnetwork = "host"\n')
    (root / "of/shop").mkdir(parents=True, exist_ok=True)
    (root / "of/shop/pyproject.toml").write_text(
        f'[tool.pytest-arm64]\ntarget = "theirs"\ntargets.theirs = {OWN}\n'
    )
    (root / "pyproject.toml").write_text(f"[tool.pytest-arm64]\n{table}\n")
    files = read_project_files(root)
    return files, services_at(files)


@pytest.mark.parametrize(("table", "shown"), WIDENING.values(), ids=WIDENING)
def test_what_widens_access_is_refused_with_the_place_and_the_command(
    tmp_path: Path, table: str, shown: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        refuse_untrusted(*project(tmp_path, table), HOST)
    assert shown in refused.value.what
    assert "pyproject.toml:" in refused.value.what
    assert "pytest-arm64 trust" in refused.value.next_step
    assert VARIABLE in refused.value.next_step


@pytest.mark.parametrize("table", HARMLESS)
def test_what_widens_nothing_needs_no_trust(tmp_path: Path, table: str) -> None:
    assert refuse_untrusted(*project(tmp_path, table), HOST) == ()


@pytest.mark.parametrize(("table", "shown"), WIDENING.values(), ids=WIDENING)
def test_what_was_allowed_is_said_until_it_changes(tmp_path: Path, table: str, shown: str) -> None:
    files, services = project(tmp_path, table)
    trust(files, widenings(files, services))
    lines = refuse_untrusted(files, services, HOST)
    assert any(shown in line and "allowed by pytest-arm64 trust" in line for line in lines)
    changed = project(tmp_path, table + '\ntargets.other = { image = "x", python = "3.12" }')
    with pytest.raises(SettingsError):
        refuse_untrusted(*changed, HOST)
    refuse_untrusted(*project(tmp_path, "# a comment above changes nothing\n" + table), HOST)


def test_a_link_that_leads_elsewhere_now_needs_trust_again(tmp_path: Path) -> None:
    files, services = project(tmp_path, 'artifact = "dir:link"')
    trust(files, widenings(files, services))
    (files.root / "link").unlink()
    (tmp_path / "others").mkdir()
    (files.root / "link").symlink_to(tmp_path / "others")
    with pytest.raises(SettingsError, match="others"):
        refuse_untrusted(files, services, HOST)


def test_trust_can_be_taken_back(tmp_path: Path) -> None:
    files, services = project(tmp_path, 'network = "host"')
    trust(files, widenings(files, services))
    assert revoke(files)
    assert not revoke(files)
    with pytest.raises(SettingsError):
        refuse_untrusted(files, services, HOST)


def test_another_checkout_of_the_same_content_is_not_trusted(tmp_path: Path) -> None:
    files, services = project(tmp_path, 'network = "host"')
    trust(files, widenings(files, services))
    with pytest.raises(SettingsError):
        refuse_untrusted(*project(tmp_path / "another", 'network = "host"'), HOST)


@pytest.mark.parametrize(
    ("value", "allowed"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_the_variable_allows_everything(tmp_path: Path, value: str, allowed: bool) -> None:
    files, services = project(tmp_path, 'network = "host"')
    entries = widenings(files, services)
    assert bool(allowed_by(files, entries, {VARIABLE: value})) == allowed


def test_an_image_of_the_user_replaces_that_of_the_files(tmp_path: Path) -> None:
    files, services = project(tmp_path, f'image = "evil:1"\ntarget = "m"\ntargets.m = {OWN}')
    assert refuse_untrusted(files, services, HOST, image="mine:1") == ()


def test_a_shipped_target_that_was_redefined_needs_trust_whatever_the_image(tmp_path: Path) -> None:
    files, services = project(tmp_path, f'targets."al2023-python3.12" = {OWN}')
    with pytest.raises(SettingsError, match="al2023-python3"):
        refuse_untrusted(files, services, HOST, target="al2023-python3.12", image="mine:1")


def test_a_redefined_target_is_called_so_in_every_result() -> None:
    table = {"image": "evil:1", "python": "3.12"}
    for name in shipped_targets():
        assert own_target(name, table).name == f"{name} (own)"
    assert own_target("mine", table).name == "mine"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"settings": 1}', "[" * 99999, "\x00"])
def test_a_damaged_record_allows_nothing(tmp_path: Path, records: Path, text: str) -> None:
    files, services = project(tmp_path, 'network = "host"')
    path = trust(files, widenings(files, services))
    assert json.loads(path.read_text())["project"] == str(files.rootpath)
    path.write_text(text)
    with pytest.raises(SettingsError):
        refuse_untrusted(files, services, HOST)


def test_a_record_in_the_repository_is_neither_written_nor_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, services = project(tmp_path, 'network = "host"')
    path = trust(files, widenings(files, services))
    inside = files.root / "data"
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(inside))
    with pytest.raises(SettingsError, match="lies in the repository"):
        trust(files, widenings(files, services))
    (inside / "trusted").mkdir(parents=True)
    (inside / "trusted" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(SettingsError, match="more access than tests get"):
        refuse_untrusted(files, services, HOST)


def test_a_command_that_obeys_one_setting_refuses_no_other(tmp_path: Path) -> None:
    files, services = project(tmp_path, 'network = "host"')
    assert refuse_untrusted(files, services, HOST, only=("artifact",)) == ()


def test_a_widening_says_where_it_is() -> None:
    assert str(Widening("network", '"host"', "/p/pyproject.toml:2")) == (
        'network = "host" (/p/pyproject.toml:2)'
    )
