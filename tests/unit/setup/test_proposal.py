"""What `setup --init` proposes of real-looking repositories, and that hostile ones do no harm."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_arm64.cli import main
from pytest_arm64.config.option_values import Given
from pytest_arm64.config.project import load_project
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.services import read_services
from pytest_arm64.errors import SettingsError
from pytest_arm64.setup.proposed_services import Proposed, proposed_services
from pytest_arm64.setup.pyproject_change import change_of
from pytest_arm64.setup.x86_pins import pins_in, x86_pins
from unit.support import write

TEMPLATE = """\
Resources:
  ApiFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/api/
      Handler: app.handler
      Runtime: python3.12
      MemorySize: 512
      Architectures: [x86_64]
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      CodeUri: nowhere/
  Other:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs20.x
      CodeUri: functions/node/
"""
FILES = {
    "template.yaml": TEMPLATE,
    "functions/api/requirements.txt": "boto3\n",
    "functions/api/tests/test_api.py": "",
    "functions/node/requirements.txt": "six\n",
    "worker/Dockerfile": "FROM --platform=linux/amd64 python:3.12\n"
    "COPY deploy/prod.txt .\nRUN pip install --no-cache-dir -r deploy/prod.txt\n",
    "worker/deploy/prod.txt": "numpy\n",
    "scheduler/pyproject.toml": "[project]\nname = 'scheduler'\nversion = '1'\n",
    "scheduler/requirements-test.txt": "moto\n",
    "tests/scheduler/test_it.py": "",
    "tools/requirements.txt": "ruff\n",
    ".venv/pyvenv.cfg": "",
    ".venv/requirements.txt": "numpy\n",
    "pyproject.toml": "[tool.ruff]\nline-length = 100\n",
}


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def test_functions_dockerfiles_and_manifests_are_services(tmp_path: Path) -> None:
    found = proposed_services(written(tmp_path, FILES))
    assert found == (
        Proposed(
            "api",
            "functions/api/requirements.txt",
            "",
            "functions/api/tests",
            "512MB",
            "template.yaml",
            "lambda-python3.12",
            "zip",
            "app.handler",
        ),
        Proposed(
            "node", "functions/node/requirements.txt", found="functions/node/requirements.txt"
        ),
        Proposed(
            "scheduler",
            "scheduler/pyproject.toml",
            "scheduler/requirements-test.txt",
            "tests/scheduler",
            "",
            "scheduler/pyproject.toml",
        ),
        Proposed("deploy", "worker/deploy/prod.txt", found="worker/Dockerfile"),
    )


def test_one_project_is_no_list_of_services(tmp_path: Path) -> None:
    written(tmp_path, {"requirements.txt": "six\n", "tests/requirements.txt": "pytest\n"})
    assert proposed_services(tmp_path) == ()


def test_folders_that_are_called_alike_are_told_apart(tmp_path: Path) -> None:
    files = {f"{place}/requirements.txt": "" for place in ("a/api", "b/api", "a-api", "c")}
    names = [service.name for service in proposed_services(written(tmp_path, files))]
    assert names == ["a-api", "a-api-2", "b-api", "c"]


def test_what_is_proposed_is_a_configuration(tmp_path: Path) -> None:
    root = written(tmp_path, FILES)
    change = change_of(root, proposed_services(root))
    assert change.before == FILES["pyproject.toml"]
    assert change.after.startswith(change.before)
    change.write()
    services = {service.name: service for service in read_services(read_project_files(root))}
    assert list(services) == ["api", "node", "scheduler", "deploy"]
    assert services["api"].memory == 512 * 2**20
    assert services["scheduler"].tests == (root / "tests/scheduler",)
    assert change_of(root, proposed_services(root)).diff == ""


def test_tables_that_are_there_are_left_alone(tmp_path: Path) -> None:
    mine = "[tool.pytest-arm64.service.mine]\r\nrequirements = 'functions/api/requirements.txt'\r\n"
    root = written(tmp_path, FILES)
    (root / "pyproject.toml").write_text(mine, "utf-8", newline="")
    change = change_of(root, proposed_services(root))
    assert change.after.startswith(mine)
    assert "service.api]" not in change.after
    assert "service.node]\r\n" in change.after
    (root / "pyproject.toml").write_text("[tool.pytest-arm64]\nservice = {}\n", "utf-8")
    with pytest.raises(SettingsError, match="add the tables by hand"):
        change_of(root, proposed_services(root))


def test_the_command_shows_the_diff_and_writes_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(written(tmp_path, FILES))
    assert main(["setup", "--init"]) == 0
    shown = capsys.readouterr().out
    assert "+[tool.pytest-arm64.service.api]" in shown
    assert "template.yaml:9: architecture: Architectures: [x86_64]" in shown
    assert "worker/Dockerfile:1: platform: FROM --platform=linux/amd64 python:3.12" in shown
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == FILES["pyproject.toml"]
    assert main(["setup", "--init", "--write"]) == 0
    assert "+[tool.pytest-arm64.service.api]" in capsys.readouterr().out
    assert "service.api]" in (tmp_path / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("FROM --platform=linux/amd64 python:3.12", "platform"),
        ("    platform: linux/amd64", "platform"),
        ("      Architectures: [x86_64]", "architecture"),
        ('  architectures = ["x86_64"]', "architecture"),
        ("        - x86_64", "architecture"),
        ("    architecture=lambda_.Architecture.X86_64,", "architecture"),
        ("FROM public.ecr.aws/lambda/python:3.12-x86_64", "image"),
        ("pip install --platform manylinux2014_x86_64 -t out .", "wheel"),
        ("RUN curl -LO https://example.org/tool_1.2_amd64.deb", "download"),
        ("ADD https://example.org/v1/kit-linux-x64.tar.gz /opt", "download"),
        ('extra_compile_args = ["-O3", "-mavx2"]', "compiler flag"),
        ("CFLAGS += -march=haswell", "compiler flag"),
        ("set(CMAKE_CXX_FLAGS -msse4.2)", "compiler flag"),
    ],
)
def test_x86_is_found(line: str, kind: str) -> None:
    (pin,) = pins_in([line], "file")
    assert (pin.kind, pin.line) == (kind, 1)
    assert pin.remedy


@pytest.mark.parametrize(
    "line",
    [
        "FROM --platform=$BUILDPLATFORM python:3.12",
        "platform: linux/arm64",
        "Architectures: [arm64]",
        "# -mavx2 would be faster",
        "curl -LO https://example.org/tool_1.2_arm64.deb",
        "torch==2.5.0; platform_machine == 'x86_64'",
        "--maven --mssql",
    ],
)
def test_what_is_no_pin_is_left_alone(line: str) -> None:
    assert list(pins_in([line], "file")) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "template.yaml",
                "Dockerfile",
                "a/requirements.txt",
                "a/pyproject.toml",
                "b/setup.py",
                "b/requirements.txt",
                "pyproject.toml",
                "serverless.yml",
            ]
        ),
        st.one_of(
            st.binary(max_size=200),
            st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace")),
        ),
    )
)
def test_no_files_stop_a_proposal(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name in ("template.yaml", "a/requirements.txt", "a/pyproject.toml"):
        (tmp_path / name).unlink(missing_ok=True)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    for pin in x86_pins(tmp_path):
        assert pin.line > 0
    try:
        change = change_of(tmp_path, proposed_services(tmp_path))
    except SettingsError:
        return
    assert change.after.startswith(change.before)


def test_odd_trees_do_no_harm(tmp_path: Path) -> None:
    written(
        tmp_path,
        {"a/requirements.txt": "", "b\n[x]/requirements.txt": "", 'c"/requirements.txt': ""},
    )
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "template.yaml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "Dockerfile")
    (tmp_path / "Makefile").write_text("-mavx" * 1_000_000, "utf-8")
    (tmp_path / "big.sh").write_text("a" * 500_000 + " amd64.deb", "utf-8")
    found = proposed_services(tmp_path)
    assert [service.requirements for service in found] == [
        "a/requirements.txt",
        'c"/requirements.txt',
    ]
    assert x86_pins(tmp_path) == ()
    change_of(tmp_path, found).write()
    assert [service.name for service in read_services(read_project_files(tmp_path))] == ["a", "c"]


SAM = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 3
    {shared}
Resources:
  HelloWorldFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello_world/
      Handler: app.lambda_handler
      {own}
      Events:
        HelloWorld:
          Type: Api
          Properties:
            Path: /hello
"""
SAM_FILES = {
    "hello_world/requirements.txt": "requests\n",
    "hello_world/app.py": "",
    "tests/requirements.txt": "pytest\nboto3\n",
    "tests/unit/test_handler.py": "",
    "tests/integration/test_api_gateway.py": "",
}


@pytest.mark.parametrize(
    ("shared", "own", "target"),
    [
        ("MemorySize: 128", "Runtime: python3.13", "lambda-python3.13"),
        ("Runtime: python3.12", "MemorySize: 128", "lambda-python3.12"),
        ("Runtime: python3.12", "Runtime: python3.14", "lambda-python3.14"),
        ("MemorySize: 128", "Runtime: python3.6", ""),
    ],
)
def test_what_sam_init_writes_is_proposed_with_its_tests_and_target(
    tmp_path: Path, shared: str, own: str, target: str
) -> None:
    files = {"template.yaml": SAM.format(shared=shared, own=own), **SAM_FILES}
    (service,) = proposed_services(written(tmp_path, files))
    assert service.requirements == "hello_world/requirements.txt"
    assert service.test_requirements == "tests/requirements.txt"
    assert service.tests == "tests/unit"
    assert (service.target, service.found) == (target, "template.yaml")
    change = change_of(tmp_path, [service])
    change.write()
    files_now = read_project_files(tmp_path)
    assert files_now.table.get("target", "") == target
    (configured,) = read_services(files_now)
    assert configured.name == "hello-world"


TWO_HANDLERS = """\
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello_world/
      Handler: {one}
      Timeout: {timeout}
      Runtime: python3.13
  Two:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello_world/
      Handler: {two}
      Timeout: 3
      Runtime: python3.13
"""


@pytest.mark.parametrize(
    ("one", "two", "timeout", "handler", "seconds"),
    [
        ("app.handler", "app.handler", "120", "app.handler", 120.0),
        ("src/app.handler", "src/app.handler", "0.5", "src/app.handler", 0.5),
        ("app.handler", "app.other", "120", "", 3.0),
        ("!Ref Handler", "!Ref Handler", "!Ref Timeout", "", 3.0),
        ("app", "app", "901", "", 3.0),
    ],
)
def test_the_handler_and_time_of_a_function_are_proposed_where_they_are_certain(
    tmp_path: Path, one: str, two: str, timeout: str, handler: str, seconds: float
) -> None:
    template = TWO_HANDLERS.format(one=one, two=two, timeout=timeout)
    (service,) = proposed_services(written(tmp_path, {"template.yaml": template, **SAM_FILES}))
    assert service.handler == handler
    change_of(tmp_path, [service]).write()
    (configured,) = read_services(read_project_files(tmp_path))
    assert (configured.handler, configured.lambda_timeout) == (handler, seconds)


PARJANYA = Path(__file__).parents[3] / "examples" / "parjanya"


def test_the_template_of_the_example_says_what_its_settings_say(tmp_path: Path) -> None:
    shutil.copytree(PARJANYA / "services", tmp_path / "services")
    shutil.copy(PARJANYA / "template.yaml", tmp_path)
    proposed = [s for s in proposed_services(tmp_path) if s.handler]
    assert {(s.target, s.package) for s in proposed} == {("lambda-python3.12", "zip")}
    change_of(tmp_path, proposed).write()

    def functions(folder: Path) -> dict[str, tuple[str, str, str, float, int]]:
        project = load_project(Given(), {}, rootpath=folder, cwd=folder)
        targets = {s.name: project.settings_of(s).target for s in project.services.configured}
        return {
            s.name: (
                *(targets[s.name].name, targets[s.name].package),
                *(s.handler, s.lambda_timeout, s.memory),
            )
            for s in project.services.configured
            if s.handler
        }

    assert functions(tmp_path) == functions(PARJANYA)
    assert len(functions(PARJANYA)) == 3


IMAGE_FUNCTION = """\
Resources:
  HelloWorldFunction:
    Type: AWS::Serverless::Function
    Properties:
      PackageType: Image
      MemorySize: 256
    Metadata:
      Dockerfile: Dockerfile
      DockerContext: ./hello_world
      DockerTag: python3.13-v1
"""


def test_a_function_of_sam_that_is_an_image_is_proposed_as_one(tmp_path: Path) -> None:
    (service,) = proposed_services(
        written(tmp_path, {"template.yaml": IMAGE_FUNCTION, **SAM_FILES})
    )
    assert (service.package, service.target, service.memory) == (
        "image",
        "lambda-python3.13",
        "256MB",
    )
    change_of(tmp_path, [service]).write()
    (configured,) = read_services(read_project_files(tmp_path))
    assert configured.package == "image"


CDK = """
from aws_cdk import aws_lambda as lambda_
lambda_.Function(self, "A", code=lambda_.Code.from_asset("a"), handler="app.handler")
lambda_.DockerImageFunction(
    self, "B", code=lambda_.DockerImageCode.from_image_asset(
        "services/b",
    )
)
PythonFunction(self, "C",
    entry="c/src", runtime=lambda_.Runtime.PYTHON_3_12,
)
"""
TERRAFORM = """
data "archive_file" "a" {
  type       = "zip"
  source_dir = "${path.module}/../a"
}
module "c" {
  source      = "terraform-aws-modules/lambda/aws"
  source_path = "../c/src"
}
"""
TERRAFORM_IMAGE = """
resource "docker_image" "b" {
  build { context = "${path.module}/../services/b" }
}
resource "aws_lambda_function" "b" {
  package_type = "Image"
  image_uri    = docker_image.b.name
}
"""
SERVERLESS = """
provider:
  name: aws
  ecr:
    images:
      b:
        path: ./services/b
functions:
  a:
    handler: a/app.handler
  b:
    image: {name: b}
  c:
    handler: 'c/src/app.handler'
"""


@pytest.mark.parametrize(
    "files",
    [
        {"cdk.json": "{}", "stacks/stack.py": CDK},
        {"infra/a.tf": TERRAFORM, "infra/b.tf": TERRAFORM_IMAGE},
        {"serverless.yml": SERVERLESS},
    ],
    ids=["CDK", "Terraform", "Serverless"],
)
def test_how_functions_are_deployed_is_proposed(tmp_path: Path, files: dict[str, str]) -> None:
    places = ("a", "services/b", "c", "d")
    written(tmp_path, {**files, **{f"{place}/requirements.txt": "six\n" for place in places}})
    services = proposed_services(tmp_path)
    packages = {service.name: service.package for service in services}
    assert packages == {"a": "zip", "b": "image", "c": "zip", "d": ""}
    change_of(tmp_path, services).write()
    configured = read_services(read_project_files(tmp_path))
    assert {service.name: service.package for service in configured} == packages


def test_what_contradicts_itself_or_is_no_program_of_cdk_proposes_nothing(tmp_path: Path) -> None:
    files = {f"{place}/requirements.txt": "six\n" for place in ("a", "services/b", "c")}
    both = 'lambda_.DockerImageCode.from_image_asset("a")\nCode.from_asset("${x}")\n'
    written(tmp_path, {**files, "stack.py": CDK})
    assert {service.package for service in proposed_services(tmp_path)} == {""}
    written(tmp_path, {"cdk.json": "{}", "more.py": both})
    found = {service.name: service.package for service in proposed_services(tmp_path)}
    assert found == {"a": "", "b": "image", "c": "zip"}


@pytest.mark.parametrize(
    ("before", "target"),
    [
        ("[tool.pytest-arm64]\ntarget = 'al2023-python3.12'\n", "al2023-python3.12"),
        ("[tool.pytest-arm64]  # ours\ninstall = 'none'\n", "lambda-python3.13"),
        ("[project]\nname = 'x'\n", "lambda-python3.13"),
    ],
)
def test_a_target_is_added_only_where_none_is_configured(
    tmp_path: Path, before: str, target: str
) -> None:
    template = SAM.format(shared="Tracing: Active", own="Runtime: python3.13")
    written(tmp_path, {"template.yaml": template, "pyproject.toml": before, **SAM_FILES})
    change_of(tmp_path, proposed_services(tmp_path)).write()
    files = read_project_files(tmp_path)
    assert files.table["target"] == target
    (service,) = read_services(files)
    own = service.target.name if service.target is not None else target
    assert own == "lambda-python3.13"


def test_functions_on_different_pythons_propose_a_target_each(tmp_path: Path) -> None:
    one = SAM.format(shared="Tracing: Active", own="Runtime: python3.13")
    other = one.partition("Resources:\n")[2].replace("hello_world", "other").replace("3.13", "3.12")
    other = other.replace("HelloWorldFunction", "Other")
    files = {"template.yaml": one + other, **SAM_FILES, "other/requirements.txt": "six\n"}
    services = proposed_services(written(tmp_path, files))
    assert {service.target for service in services} == {"lambda-python3.12", "lambda-python3.13"}
    assert [service.tests for service in services] == ["", ""]
    change_of(tmp_path, services).write()
    assert "target" not in read_project_files(tmp_path).table
    configured = read_services(read_project_files(tmp_path))
    assert {s.name: s.target.name for s in configured if s.target is not None} == {
        "hello-world": "lambda-python3.13",
        "other": "lambda-python3.12",
    }


@pytest.mark.parametrize("inner", ["src", "app"])
def test_code_beside_its_tests_is_called_by_their_folder(tmp_path: Path, inner: str) -> None:
    files = {
        f"svc/{inner}/requirements.txt": "six\n",
        "svc/tests/test_a.py": "",
        "svc/requirements_test.txt": "moto\n",
        "other/requirements.txt": "six\n",
        "other/requirements-dev.txt": "moto\n",
        "other/test/test_b.py": "",
    }
    other, svc = proposed_services(written(tmp_path, files))
    assert (svc.name, svc.tests) == ("svc", "svc/tests")
    assert svc.test_requirements == "svc/requirements_test.txt"
    assert (other.tests, other.test_requirements) == ("other/test", "other/requirements-dev.txt")


@pytest.mark.parametrize("mark", ["cdk.json", "Pulumi.yaml", "cdktf.json"])
def test_a_program_that_deploys_services_is_none(tmp_path: Path, mark: str) -> None:
    files = {
        f"infra/{mark}": "{}",
        "infra/requirements.txt": "aws-cdk-lib\n",
        "a/requirements.txt": "six\n",
        "b/requirements.txt": "six\n",
    }
    assert [service.name for service in proposed_services(written(tmp_path, files))] == ["a", "b"]


def test_an_image_with_musl_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"svc/Dockerfile": "FROM python:3.13-alpine\n", "svc/requirements.txt": "six\n"}
    monkeypatch.chdir(written(tmp_path, files))
    assert main(["setup", "--init"]) == 0
    assert "svc/Dockerfile:1: python:3.13-alpine has musl" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("serverless.yml", "\n"),
        ("serverless.yml", " \n"),
        ("main.tf", "\n"),
        ("main.tf", "context\n"),
    ],
)
def test_a_template_of_empty_lines_is_read_to_its_end(tmp_path: Path, name: str, line: str) -> None:
    files = {name: line * (900_000 // len(line))}
    files |= {f"{folder}/requirements.txt": "a" for folder in ("one", "two")}
    write(tmp_path, files)
    assert [service.name for service in proposed_services(tmp_path)] == ["one", "two"]
