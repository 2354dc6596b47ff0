"""The published schema of ``[tool.pytest-arm64]`` says what the reader accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest

from pytest_arm64.config._toml import loads
from pytest_arm64.config.option_values import Given
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.services import services_at
from pytest_arm64.config.settings import load_settings
from pytest_arm64.config.targets import own_target
from pytest_arm64.decide.allowances import read_accepted_defects, read_allowances
from pytest_arm64.errors import SettingsError

SCHEMA: dict[str, Any] = json.loads(
    resources.files("pytest_arm64.resources").joinpath("settings.schema.json").read_text("utf-8")
)
VALID = jsonschema.Draft7Validator(SCHEMA)
DOCS = Path(__file__).parents[3] / "docs"
VALUES = {
    "string": '"text"',
    "number": "12.5",
    "boolean": "true",
    "list": '["a"]',
    "numbers": "[1]",
    "table": '{ a = "b" }',
    "tables": "[{ a = 1 }]",
}
SERVICE_KEYS = SCHEMA["definitions"]["service"]["properties"]


def as_json(value: object) -> object:
    """As editors hold TOML against a schema: a date is a string."""
    return json.loads(json.dumps(value, default=str))


def is_valid(table: str) -> bool:
    return bool(VALID.is_valid(as_json(loads(table)["tool"]["pytest-arm64"])))


def is_accepted(folder: Path, table: str) -> bool:
    """Whether the reader accepts *table*; files that it names exist."""
    (folder / "pyproject.toml").write_text(table, "utf-8")
    (folder / "a").touch()
    (folder / "text").touch()
    try:
        files = read_project_files(folder)
        services_at(files)
        load_settings(Given(), {}, files=files, cwd=folder)
        read_allowances(files.table)
        read_accepted_defects(files.table)
        for name, target in files.table.get("targets", {}).items():
            own_target(name, target)
    except SettingsError:
        return False
    return True


def wrong_types() -> Iterator[tuple[str, str]]:
    """Each key with each value of a type that it does not have."""
    for key, rule in SCHEMA["properties"].items():
        entry = SCHEMA["definitions"]["boundary"] if "$ref" in rule else rule
        types = {one.get("type") for one in entry.get("oneOf", [entry])}
        right = {"string": "string", "number": "number", "boolean": "boolean"}
        accepted = {right[word] for word in types & set(right)}
        accepted |= {"list", "tables"} if "array" in types else set()
        accepted |= {"table"} if "object" in types else set()
        yield from ((key, kind) for kind in VALUES if kind not in accepted)


def test_the_schema_keeps_to_its_own() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"].startswith("https://json.schemastore.org/partial-")


def test_the_schema_has_the_keys_of_the_reader(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest-arm64]\nnonsense = 1\n")
    with pytest.raises(SettingsError) as error:
        read_project_files(tmp_path)
    listed = str(error.value).partition("known keys: ")[2].split(", ")
    assert sorted(SCHEMA["properties"]) == [key.strip() for key in listed]


@pytest.mark.parametrize(("key", "kind"), list(wrong_types()))
def test_a_value_of_a_wrong_type_is_neither_valid_nor_accepted(
    tmp_path: Path, key: str, kind: str
) -> None:
    table = f"[tool.pytest-arm64]\n{key} = {VALUES[kind]}\n"
    assert not is_valid(table)
    assert not is_accepted(tmp_path, table)


@pytest.mark.parametrize(
    "lines",
    [
        'service.a = { requirements = "a" }',
        'service.a = { artifact = "image:shop/api:1" }',
        'service.a = { requirements = "a", target = "lambda-python3.12" }',
        'service.a = { requirements = ["a"], memory = "512MB", monthly-cost = 0 }',
        'boundary = { reason = "CUDA", migratable-when = "a CPU runtime", review = 2027-03-01 }',
        'targets.t = { image = "shop/base:1", python = "3.12", page-size = 65536 }',
        'allow-source = [{ package = "x", reason = "y", expires = 2027-06-30 }]',
        'allow-advisory = [{ id = "X-1", reason = "y", services = ["a*"] }]',
        'env = ["A=b", "HTTPS_PROXY"]\npackage = "zip"',
        'cross = "auto"\nhandler = "src/app.handler"\nlambda-timeout = 900',
    ],
)
def test_what_is_right_is_valid_and_accepted(tmp_path: Path, lines: str) -> None:
    table = f"[tool.pytest-arm64]\n{lines}\n"
    assert is_accepted(tmp_path, table)
    VALID.validate(as_json(loads(table)["tool"]["pytest-arm64"]))


@pytest.mark.parametrize(
    "lines",
    [
        "service.a = {}",
        'service.a = { requirements = "a", colour = "x" }',
        'service.a = { requirements = "a", target = ["a", 1] }',
        'service.a = { requirements = "a", memory = "much" }',
        'service.a = { requirements = "a", monthly-cost = -1 }',
        'boundary = { reason = "CUDA" }',
        'boundary = { reason = "CUDA", migratable-when = "never", until = 2027-03-01 }',
        'targets.t = { image = "shop/base:1" }',
        'targets.t = { image = "shop/base:1", python = "312" }',
        'allow-source = [{ package = "x" }]',
        'allow-advisory = [{ package = "x", reason = "y" }]',
        'env = ["1A=b"]',
        'package = "rpm"',
        'cross = "on"',
        "lambda-timeout = 901",
        'handler = "app"',
        'lambda-code = "none"',
        'artifact = "shop/api:1"',
        'cores = "graviton2"',
    ],
)
def test_what_is_wrong_is_neither_valid_nor_accepted(tmp_path: Path, lines: str) -> None:
    table = f"[tool.pytest-arm64]\n{lines}\n"
    assert not is_accepted(tmp_path, table)
    assert not is_valid(table)


def tables_of_the_documentation() -> Iterator[tuple[str, str]]:
    for page in sorted(DOCS.rglob("*.md")):
        for number, block in enumerate(
            re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.S)
        ):
            if re.search(r"^\[+tool\.pytest-arm64", block, re.MULTILINE):
                yield f"{page.stem}-{number}", block


@pytest.mark.parametrize(
    "block",
    [block for _, block in tables_of_the_documentation()],
    ids=[name for name, _ in tables_of_the_documentation()],
)
def test_every_table_of_the_documentation_is_valid(block: str) -> None:
    table = as_json(loads(block)["tool"]["pytest-arm64"])
    assert list(VALID.iter_errors(cast("dict[str, Any]", table))) == []
