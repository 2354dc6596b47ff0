"""Services: what their tables say, whose tests are whose, and the line of every mistake."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.system import declared_system
from pytest_arm64.config.declared_boundary import Boundary
from pytest_arm64.config.option_values import Given
from pytest_arm64.config.project import load_project
from pytest_arm64.config.project_files import ProjectFiles, read_project_files
from pytest_arm64.config.service_names import own_name
from pytest_arm64.config.services import (
    ServiceConfig,
    read_services,
    service_of,
    services_at,
)
from pytest_arm64.config.toml_files import TomlFiles
from pytest_arm64.errors import SettingsError
from unit.support import attempt, is_plain_text, write

TABLES = """\
[tool.pytest-arm64]
services = ["services/*"]

[tool.pytest-arm64.service.worker]
requirements = ["worker/requirements.txt", "worker/more.txt"]
test-requirements = "worker/requirements-test.txt"
tests = "worker/tests"
memory = "512MB"
env = ["REGION=eu-west-1", "TOKEN"]
network = "none"
monthly-cost = 180.5

[tool.pytest-arm64.service."vlm worker"]
requirements = "vlm/requirements.txt"
boundary = { reason = " CUDA ", migratable-when = "not", review = 2027-03-01, packages = ["A_b"] }
"""
FILES = {
    "worker/requirements.txt": "",
    "worker/more.txt": "",
    "worker/requirements-test.txt": "",
    "worker/tests/test_it.py": "",
    "vlm/requirements.txt": "",
    "services/one/requirements.txt": "",
    "services/two/requirements.txt": "",
    "services/two/pyproject.toml": "[tool.pytest-arm64]\nmemory = '1GiB'\ncpu = 'graviton3'\n",
}


def services(folder: Path, pyproject: str = TABLES) -> dict[str, ServiceConfig]:
    write(folder, {**FILES, "pyproject.toml": pyproject})
    return {service.name: service for service in read_services(read_project_files(folder))}


def test_tables_and_folders_are_services(tmp_path: Path) -> None:
    found = services(tmp_path)
    assert list(found) == ["worker", "vlm worker", "services/one", "services/two"]
    worker = found["worker"]
    assert worker.folder == tmp_path / "worker"
    assert [path.name for path in worker.requirements] == ["requirements.txt", "more.txt"]
    assert [path.name for path in worker.test_requirements] == ["requirements-test.txt"]
    assert worker.tests == (tmp_path / "worker" / "tests",)
    assert (worker.memory, worker.network, worker.monthly_cost) == (512 * 2**20, "none", 180.5)
    assert worker.env == ("REGION=eu-west-1", "TOKEN")
    assert (worker.named, worker.where) == (True, f"{tmp_path / 'pyproject.toml'}:4")
    assert found["vlm worker"].boundary == Boundary("CUDA", "not", date(2027, 3, 1), ("a-b",))
    assert found["services/two"].memory == 2**30
    assert found["services/one"].boundary is None


def test_a_folder_that_has_a_table_is_no_second_service(tmp_path: Path) -> None:
    table = TABLES.replace('["services/*"]', '["worker", "services/*", "services/one"]')
    assert list(services(tmp_path, table)) == [
        *("worker", "vlm worker", "services/one", "services/two")
    ]


def test_without_a_table_the_repository_is_the_service(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    services = services_at(read_project_files(folder))
    assert services.configured == ()
    assert services.declared == (services.itself,)
    assert (services.itself.name, services.itself.of_folder) == ("shop", True)
    write(folder, {"pyproject.toml": "[tool.pytest-arm64]\nmonthly-cost = 7\n"})
    assert services_at(read_project_files(folder)).itself.monthly_cost == 7.0


def test_a_test_belongs_to_the_longest_prefix(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    outer = ServiceConfig("outer", folder, tests=(folder,))
    inner = ServiceConfig("inner", folder, tests=(folder / "b" / "tests",))
    plain = ServiceConfig("plain", tmp_path / "c")
    found = (outer, inner, plain)

    def name(path: str) -> str | None:
        service = service_of(found, tmp_path / path)
        return service.name if service is not None else None

    assert name("a/test_x.py") == "outer"
    assert name("a/b/tests/test_x.py") == "inner"
    assert name("a/b/tests_more/test_x.py") == "outer"
    assert name("c/tests/test_x.py") == "plain"
    assert name("d/test_x.py") is None


WORKER = '[tool.pytest-arm64.service.worker]\nrequirements = "worker/requirements.txt"\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (WORKER + 'memroy = "1GB"', 3, "did you mean"),
        (WORKER + "memory = 512", 3, "wrong type"),
        (WORKER + 'memory = "much"', 3, "not an amount of memory"),
        (WORKER + "monthly-cost = -1", 3, "not an amount"),
        (WORKER + 'package = "docker"', 3, "must be 'image' or 'zip'"),
        (WORKER + "package = 1", 3, "wrong type"),
        (WORKER + 'handler = "app"', 3, "handler = 'app' is not MODULE.FUNCTION"),
        (WORKER + 'handler = "../app.run"', 3, "is not MODULE.FUNCTION"),
        (WORKER + 'handler = "src/app"', 3, "is not MODULE.FUNCTION"),
        (WORKER + 'handler = "app.run\\n"', 3, "is not MODULE.FUNCTION"),
        (WORKER + "handler = 1", 3, "wrong type"),
        (WORKER + "lambda-timeout = 0", 3, "is not a number of seconds up to 900"),
        (WORKER + "lambda-timeout = 901", 3, "is not a number of seconds up to 900"),
        (WORKER + "lambda-timeout = nan", 3, "is not a number of seconds up to 900"),
        (WORKER + "lambda-timeout = '3'", 3, "write lambda-timeout as a number"),
        (WORKER + "monthly-cost = nan", 3, "not an amount"),
        (WORKER + "monthly-cost = true", 3, "wrong type"),
        (WORKER + 'tests = "absent"', 3, "is not a file or folder"),
        (WORKER + 'env = ["1=2"]', 3, "not NAME or NAME=VALUE"),
        (WORKER + "env = [1]", 3, "list of strings"),
        (WORKER + 'boundary = "x86"', 3, "wrong type"),
        (WORKER + 'boundary = { reason = "r" }', 3, "needs a migratable-when"),
        (WORKER + 'boundary = { reason = " ", migratable-when = "m" }', 3, "needs a reason"),
        (WORKER + 'boundary = { reasno = "r" }', 3, "has no key 'reasno'"),
        (WORKER + 'boundary = { reason = "r", migratable-when = "m", review = "soon" }', 3, "date"),
        (WORKER + 'boundary = { reason = "r", migratable-when = "m", packages = 1 }', 3, "names"),
        ('[tool.pytest-arm64.service.worker]\nrequirements = "no.txt"', 2, "is not a file"),
        ("[tool.pytest-arm64.service.worker]\nmemory = '1GB'", 1, "names no requirements"),
        ('[tool.pytest-arm64.service]\nworker = "x"', 2, "must be a table"),
        ('[tool.pytest-arm64]\nservices = ["absent/*"]', 2, "names no folder"),
        ('[tool.pytest-arm64]\nservices = ["/etc"]', 2, "not a pattern"),
        ('[tool.pytest-arm64]\n# one\nservices = ["**/*/../x"]', 3, "services"),
        ('[tool.pytest-arm64.service."a::b"]\nrequirements = "x"', 1, "cannot be the name"),
    ],
)
def test_a_mistake_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        services(tmp_path, text + "\n")
    assert is_plain_text(caught.value)
    assert f"pyproject.toml:{line}: [tool.pytest-arm64" in str(caught.value)
    assert words in str(caught.value)


def test_a_mistake_in_a_services_own_file_names_that_file(tmp_path: Path) -> None:
    write(
        tmp_path, {"services/one/pyproject.toml": "\n[tool.pytest-arm64]\nmemory = 'x'\n", **FILES}
    )
    with pytest.raises(SettingsError, match=r"services/one/pyproject\.toml:3: "):
        services(tmp_path)


VALUES = st.recursive(
    st.text(max_size=5) | st.integers(-5, 5) | st.booleans() | st.floats(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@given(
    st.sampled_from(
        ["memory", "tests", "env", "network", "monthly-cost", "boundary", "requirements"]
    ),
    VALUES,
)
def test_no_value_of_a_key_is_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    folder = tmp_path_factory.mktemp("project")
    lines = [WORKER if key != "requirements" else WORKER.splitlines()[0], f"{key} = {toml(value)}"]
    found = attempt(SettingsError, lambda: services(folder, "\n".join(lines)))
    assert not isinstance(found, SettingsError) or is_plain_text(found)


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
    return repr(value)


@pytest.mark.parametrize(
    ("pyproject", "name"),
    [
        ("[project]\nname = 'Shop.Api'\n", "Shop.Api"),
        ("[project]\nname = ''\n", "folder"),
        ("[project]\nname = 3\n", "folder"),
        ("[project]\nname = 'a::b'\n", "folder"),
        ("", "folder"),
    ],
)
def test_a_project_is_called_by_its_own_name(tmp_path: Path, pyproject: str, name: str) -> None:
    write(tmp_path / "folder", {"pyproject.toml": pyproject})
    services = services_at(read_project_files(tmp_path / "folder"))
    assert services.itself.name == name
    assert services.itself.of_folder is (name == "folder")
    assert services.named(name) is services.named("repository") is services.itself
    assert services.named("other") is None


def test_no_two_services_have_one_name(tmp_path: Path) -> None:
    tables = "".join(
        f"[tool.pytest-arm64.service.{name}]\nrequirements = 'requirements.txt'\n"
        for name in ("shop", "folder", "repository")
    )
    for count, name in ((0, "shop"), (1, "folder"), (2, "repository"), (3, "repository-2")):
        text = "[project]\nname = 'shop'\n" + "".join(tables.splitlines(keepends=True)[: 2 * count])
        write(tmp_path / "folder", {"pyproject.toml": text, "requirements.txt": ""})
        services = services_at(read_project_files(tmp_path / "folder"))
        assert services.itself.name == name
    repository = services.named("repository")
    assert repository is not None
    assert not repository.itself


@given(st.text(max_size=12), st.sets(st.text(max_size=4), max_size=4))
def test_a_name_is_never_empty_and_never_taken(name: str, taken: set[str]) -> None:
    folder = Path("/somewhere/folder")
    files = ProjectFiles(folder, folder, TomlFiles(), {}, {"name": name})
    own = own_name(files, taken | {"folder", "repository"})
    assert own.strip()
    assert "::" not in own
    assert own not in taken | {"folder", "repository"}


def test_a_folder_that_a_pattern_names_may_be_the_project_itself(tmp_path: Path) -> None:
    table = "[project]\nname = 'shop'\n[tool.pytest-arm64]\nservices = ['**']\n"
    write(tmp_path, {"pyproject.toml": table, "a/requirements.txt": ""})
    services = services_at(read_project_files(tmp_path))
    assert [service.name for service in services.configured] == ["shop", "a"]
    assert services.itself.name == tmp_path.name


def test_how_a_service_is_installed_is_checked_in_its_own_file(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "[tool.pytest-arm64]\nservices = ['a']\n"})
    write(tmp_path, {"a/pyproject.toml": "[tool.pytest-arm64]\ninstall = 'wheel'\n"})
    (service,) = read_services(read_project_files(tmp_path))
    assert service.install == "wheel"
    write(tmp_path, {"a/pyproject.toml": "[tool.pytest-arm64]\ninstall = 'wheels'\n"})
    with pytest.raises(SettingsError, match=r"a/pyproject\.toml: install must be one of auto"):
        read_services(read_project_files(tmp_path))


def test_one_repository_has_functions_in_images_and_in_zips(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(
        tmp_path,
        {
            "a/requirements.txt": "",
            "b/requirements.txt": "",
            "pyproject.toml": '[tool.pytest-arm64]\ntarget = "lambda-python3.12"\n'
            '[tool.pytest-arm64.service.a]\nrequirements = "a/requirements.txt"\npackage = "zip"\n'
            '[tool.pytest-arm64.service.b]\nrequirements = "b/requirements.txt"\n',
        },
    )
    project = load_project(Given(), {}, rootpath=tmp_path, cwd=tmp_path)
    targets = {s.name: project.settings_of(s).target for s in project.services.declared}
    assert {name: target.package for name, target in targets.items()} == {"a": "zip", "b": "image"}
    assert {target.name for target in targets.values()} == {"lambda-python3.12"}
    assert declared_system(targets["a"]).name == "declared data of lambda-python3.12 as zip"
    assert declared_system(targets["b"]).name == "declared data of lambda-python3.12"


@pytest.mark.parametrize("handler", ["app.run", "src/app.run", "pkg.sub.app.run", "a-b/app.run"])
def test_a_service_says_how_its_function_is_called(tmp_path: Path, handler: str) -> None:
    text = f'{WORKER}handler = "{handler}"\nlambda-timeout = 2'
    service = services(tmp_path, text)["worker"]
    assert (service.handler, service.lambda_timeout) == (handler, 2.0)


ON_TARGETS = """
[tool.pytest-arm64]
target = "al2023-python3.13"
image = "base:{arch}"
services = ["c"]
[tool.pytest-arm64.targets.mine]
image = "mine:1"
python = "3.11"
[tool.pytest-arm64.service.a]
requirements = "a/requirements.txt"
target = "lambda-python3.12"
[tool.pytest-arm64.service.b]
requirements = "b/requirements.txt"
[tool.pytest-arm64.service.d]
requirements = "b/requirements.txt"
target = "mine"
"""
OF_A_FOLDER = """
[tool.pytest-arm64]
target = "al2023-python3.12"
targets."al2023-python3.12" = { image = "other:2", python = "3.12" }
"""


def targets(folder: Path, given: Given, environ: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Target and image by the name of the service."""
    files = {"a/requirements.txt": "", "b/requirements.txt": "", "pyproject.toml": ON_TARGETS}
    write(folder, {**files, "c/pyproject.toml": OF_A_FOLDER, ".git/HEAD": ""})
    project = load_project(given, environ, rootpath=folder, cwd=folder)
    settings = {s.name: project.settings_of(s) for s in project.services.declared}
    return {name: (s.target.name, s.base) for name, s in settings.items()}


def test_a_service_has_the_target_of_its_table_else_that_of_the_project(tmp_path: Path) -> None:
    found = targets(tmp_path, Given(), {})
    assert {name: target for name, (target, _) in found.items()} == {
        "a": "lambda-python3.12",
        "b": "al2023-python3.13",
        "c": "al2023-python3.12 (own)",
        "d": "mine",
    }
    # The image of the table belongs to the target of the table.
    assert found["b"][1] == "base:{arch}"
    assert found["a"][1].startswith("amazon/aws-lambda-python:3.12")
    assert (found["c"][1], found["d"][1]) == ("other:2", "mine:1")


@pytest.mark.parametrize(
    ("given", "environ"),
    [
        (Given(target="lambda-python3.13"), {"PYTEST_ARM64_TARGET": "mine"}),
        (Given(), {"PYTEST_ARM64_TARGET": "lambda-python3.13"}),
    ],
)
def test_option_and_variable_choose_the_target_of_all_services(
    tmp_path: Path, given: Given, environ: dict[str, str]
) -> None:
    found = targets(tmp_path, given, environ)
    assert {target for target, _ in found.values()} == {"lambda-python3.13"}


def test_an_image_that_the_user_chose_is_that_of_all_services(tmp_path: Path) -> None:
    found = targets(tmp_path, Given(), {"PYTEST_ARM64_IMAGE": "stand-in:1"})
    assert {image for _, image in found.values()} == {"stand-in:1"}


def test_no_further_core_is_chosen_by_code_for_a_service_on_lambda(tmp_path: Path) -> None:
    targets(tmp_path, Given(), {})
    project = load_project(Given(), {}, rootpath=tmp_path, cwd=tmp_path)
    by_code = {s.name: project.settings_of(s).cores_by_code for s in project.services.declared}
    assert by_code == {"a": False, "b": True, "c": True, "d": True}


@pytest.mark.parametrize("name", ["lambda-python3.9", "nowhere", "mine"])
def test_an_unknown_target_of_a_service_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    text = f"[tool.pytest-arm64.service.a]\nrequirements = 'r.txt'\ntarget = '{name}'\n"
    write(tmp_path, {"pyproject.toml": text, "r.txt": ""})
    with pytest.raises(SettingsError, match=rf"pyproject\.toml:3: .*no target '{name}'"):
        services_at(read_project_files(tmp_path))
