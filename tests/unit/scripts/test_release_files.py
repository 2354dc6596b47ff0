"""What a package index, a citation and other repositories read of this one."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path

import pytest

from pytest_arm64.commands.audit import add_arguments

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ADDRESS: str = PROJECT["project"]["urls"]["Source"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
MINORS = [f"3.{minor}" for minor in range(10, 15)]


def readme_of_the_index() -> str:
    """``README.md`` as the build changes it for a package index."""
    text = (ROOT / "README.md").read_text("utf-8")
    hook = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for change in hook["substitutions"]:
        text = re.sub(change["pattern"], change["replacement"], text)
    return text


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = [
        name for name in LINK.findall((ROOT / "README.md").read_text("utf-8")) if ":" not in name
    ]
    assert len(links) > 10
    assert not [name for name in links if not (ROOT / name.partition("#")[0]).exists()]


def test_on_an_index_every_link_of_the_readme_is_absolute() -> None:
    links = LINK.findall(readme_of_the_index())
    assert not [link for link in links if not link.startswith(("https://", "#"))]
    files = [link for link in links if link.startswith(f"{ADDRESS}/blob/main/")]
    assert len(files) > 10
    raw = ADDRESS.replace("github.com", "raw.githubusercontent.com") + "/main/"
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme_of_the_index())
    assert pictures
    for picture in pictures:
        assert picture.startswith(raw)
        assert (ROOT / picture.removeprefix(raw)).is_file()


def test_every_classified_python_is_tested() -> None:
    said = re.findall(r"Python :: (3\.\d+)\b", "\n".join(PROJECT["project"]["classifiers"]))
    assert said == MINORS
    workflow = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    assert f"python: {MINORS}".replace("'", '"') in workflow


@pytest.mark.parametrize(
    "name",
    ["CITATION.cff", ".github/ISSUE_TEMPLATE/config.yml", "action.yml", "CODE_OF_CONDUCT.md"],
)
def test_a_file_names_the_project_by_one_address(name: str) -> None:
    named = set(re.findall(r"https://github\.com/[\w-]+/[\w-]+", (ROOT / name).read_text("utf-8")))
    assert named <= {ADDRESS}


def hook() -> dict[str, str]:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    return dict(re.findall(r"^[- ] (\w+): (.+)$", text, re.MULTILINE))


def test_the_hook_runs_a_command_that_there_is() -> None:
    program, command, *words = shlex.split(hook()["entry"])
    assert (program, command) == ("pytest-arm64", "audit")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args([*words, "a/requirements.txt"]).path == ["a/requirements.txt"]


@pytest.mark.parametrize(
    ("name", "audited"),
    {
        "requirements.txt": True,
        "services/api/requirements-test.txt": True,
        "pyproject.toml": True,
        "services/api/uv.lock": True,
        "pylock.dev.toml": True,
        "docs/requirements.md": False,
        "my-pyproject.toml": False,
        "requirements.in": False,
    }.items(),
)
def test_the_hook_takes_manifests_and_locks(name: str, *, audited: bool) -> None:
    assert bool(re.search(hook()["files"], name)) is audited
