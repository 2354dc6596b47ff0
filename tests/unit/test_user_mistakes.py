"""What a user can get wrong: each mistake is named, with what to type next, before any work."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_arm64.cli import main
from unit.support import write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MOST_SECONDS = 2.0
"""Of processor time, which a busy machine does not stretch; nothing that is waited for answers."""


class Mistake(NamedTuple):
    """One command line, and what its refusal says."""

    command: str
    names: str
    """The wrong value, or what is missing."""
    next_step: str
    """A command, a valid value, or the word that was meant."""
    files: Mapping[str, str] = {}
    """Of the project; none in most."""


TEST = {"test_a.py": "def test_a(): pass\n"}
SIX = {"requirements.txt": "six==1.16.0\n"}
PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["six"]\n'
API = '[tool.pytest-arm64.service.api]\nrequirements = "requirements.txt"\n'
OWN = "[tool.pytest-arm64.targets.own]\n"
LAMBDA = "told:arm64:100ms --memory 512MB"
REPORT = "pytest --arm64 --arm64-report DIR"


def toml(text: str) -> dict[str, str]:
    """A project with one requirement and this ``pyproject.toml``."""
    return {**SIX, "pyproject.toml": text}


COMMANDS = (
    Mistake("audti", "'audti'", "did you mean 'audit'?"),
    Mistake("", "COMMAND", "pytest-arm64 --help"),
    Mistake("--frmat json audit", "'--frmat'", "options follow the command"),
    # audit: words of the command line
    Mistake("audit --ofline", "--ofline", "did you mean '--offline'?", SIX),
    Mistake("audit --offlin", "--offlin", "did you mean '--offline'?", SIX),
    Mistake("audit --target", "--target", "pytest-arm64 audit --help", SIX),
    Mistake("audit --target lamda-python3.13", "'lamda-", "did you mean 'lambda-python3.13'?", SIX),
    Mistake("audit --target ,", "','", "choose one of al2023-python3.11", SIX),
    Mistake("audit --format sarfi", "'sarfi'", "did you mean 'sarif'?", SIX),
    Mistake("audit --time-limit soon", "'soon'", "such as 60", SIX),
    Mistake("audit --time-limit -5", "'-5'", "such as 60", SIX),
    Mistake("audit --search-time nan", "'nan'", "such as 30", SIX),
    Mistake("audit --offline --refresh", "--offline and --refresh", "leave one of them out", SIX),
    Mistake("audit --report requirements.txt", "requirements.txt", "--report out", SIX),
    Mistake(
        "audit --write-baseline",
        "arm64-baseline.json cannot be read",
        "correct or remove arm64-baseline.json",
        {**SIX, "arm64-baseline.json": "{"},
    ),
    # audit: files
    Mistake("audit", "has no requirements.txt", "pytest-arm64 audit FILE"),
    Mistake(
        "audit",
        "below it there is deploy/reqs.txt, services/api/uv.lock",
        "pytest-arm64 audit deploy/reqs.txt, or pytest-arm64 setup --init",
        {"services/api/uv.lock": "", "deploy/reqs.txt": "six\n", "notes/frequent.txt": ""},
    ),
    Mistake(
        "audit",
        "below it there is prod-requirements.txt",
        "pytest-arm64 audit prod-requirements.txt",
        {"prod-requirements.txt": "six\n", ".venv/pyvenv.cfg": "", ".venv/requirements.txt": ""},
    ),
    Mistake("audit docs", "docs has no", "pytest-arm64 audit FILE", {"docs/a.md": ""}),
    Mistake("audit nosuch.txt", "nosuch.txt does not exist", "give a requirement file"),
    Mistake("audit requirement.txt", "requirement.txt", "did you mean 'requirements.txt'?", SIX),
    Mistake("audit", "lists no packages", "pytest-arm64 audit FILE", {"requirements.txt": "#\n"}),
    Mistake("audit package.json", "package.json", "a requirement file", {"package.json": "{}"}),
    Mistake("audit Pipfile.lock", "Pipfile.lock", "pipenv lock", {"Pipfile.lock": "{}"}),
    Mistake(
        "audit pdm.lock",
        "pdm.lock",
        "pdm lock --strategy inherit_metadata",
        {"pdm.lock": '[[package]]\nname = "six"\nversion = "1"\n'},
    ),
    Mistake("audit", "environment.yml", "requirements.txt", {"environment.yml": "name: a\n"}),
    Mistake("audit", "'six=1.16'", "NAME==1.0", {"requirements.txt": "six=1.16\n"}),
    Mistake(
        "audit",
        "base.txt' cannot be read",
        "did you mean 'bases.txt'?",
        {"requirements.txt": "-r base.txt\n", "bases.txt": ""},
    ),
    Mistake(
        "audit",
        "requirements.txt:1: '--indx-url",
        "did you mean '--index-url'?",
        {"requirements.txt": "--indx-url https://x/simple\nsix\n"},
    ),
    Mistake("audit", "--pin", "no such option", {"requirements.txt": "six\n--pin\n"}),
    Mistake(
        "audit", "'six --hsah=x'", "did you mean '--hash'?", {"requirements.txt": "six --hsah=x\n"}
    ),
    Mistake("audit uv.lock", "uv.lock is not TOML", "correct the file", {"uv.lock": "a ["}),
    Mistake("audit uv.lock", "format 99", "uv export", {"uv.lock": "version = 99\n"}),
    Mistake("audit poetry.lock", "no pyproject.toml", "poetry export", {"poetry.lock": ""}),
    Mistake("audit pylock.toml", "pylock.toml", "create it again", {"pylock.toml": "a = 1\n"}),
    Mistake("audit zip:shop.zip", "shop.zip is not a file", "build it"),
    Mistake("audit dir:bulid", "bulid is not a folder", "'build'", {"build/a": ""}),
    Mistake("audit image:", "'image:'", "image:shop/api:1.4"),
    Mistake("audit zip:requirements.txt", "requirements.txt", "a wheel, zip", SIX),
    Mistake(
        "audit --extra fats",
        "'fats'",
        "fast",
        {"pyproject.toml": PROJECT + '[project.optional-dependencies]\nfast = ["six"]\n'},
    ),
    Mistake(
        "audit --group wroker",
        "'wroker'",
        "worker",
        {"pyproject.toml": PROJECT + '[dependency-groups]\nworker = ["six"]\n'},
    ),
    # settings
    Mistake("audit", "pyproject.toml is not TOML", "correct the file", toml("[project\n")),
    Mistake("audit", "'taget'", "'target'", toml('[tool.pytest-arm64]\ntaget = "x"\n')),
    Mistake("audit", "3.21'", "did you mean", toml('[tool.pytest-arm64]\ntarget = "python3.21"\n')),
    Mistake("audit", "target = 3", "as a string", toml("[tool.pytest-arm64]\ntarget = 3\n")),
    Mistake("audit", "'srv/*'", "as a list", toml('[tool.pytest-arm64]\nservices = "srv/*"\n')),
    Mistake(
        "audit",
        "'srv/*'",
        "did you mean 'srvs'?",
        {**toml('[tool.pytest-arm64]\nservices = ["srv/*"]\n'), "srvs/api/requirements.txt": ""},
    ),
    Mistake(
        "audit",
        "requirement.txt is not a file",
        "did you mean 'requirements.txt'?",
        toml(API.replace("requirements.txt", "requirement.txt")),
    ),
    Mistake("audit", "'testes'", "did you mean 'tests'?", toml(API + 'testes = "t"\n')),
    Mistake("audit", "no requirements", "requirements =", toml(API.partition("\n")[0])),
    Mistake("audit", "'lots'", '"512MB"', toml(API + 'memory = "lots"\n')),
    Mistake("audit", "'A B'", "AWS_DEFAULT_REGION=", toml(API + 'env = ["A B"]\n')),
    Mistake("audit", "-3", "monthly-cost = 180.0", toml(API + "monthly-cost = -3\n")),
    Mistake("audit", "'rpm'", "'image' or 'zip'", toml(API + 'package = "rpm"\n')),
    Mistake("audit", "needs a migrat", "reason =", toml(API + 'boundary = { reason = "x" }\n')),
    Mistake("audit", "'a.zip'", "zip:FILE", toml(API + 'artifact = "a.zip"\n')),
    Mistake("audit", "'python' is missing", 'python = "3.12"', toml(OWN + 'image = "x"\n')),
    Mistake("audit", "'3'", "'3.12'", toml(OWN + 'image = "x"\npython = "3"\n')),
    Mistake(
        "audit",
        "'atp'",
        "did you mean 'apt'?",
        toml(OWN + 'image = "x"\npython = "3.12"\nrecipe = "atp"\n'),
    ),
    # abi
    Mistake("abi", "PATH", "pytest-arm64 abi --help"),
    Mistake("abi nosuch.whl", "nosuch.whl does not exist", "give a wheel"),
    Mistake("abi shop.whl", "shop.whl", "did you mean 'shop-1.whl'?", {"shop-1.whl": ""}),
    Mistake("abi a.whl", "a.whl cannot be read", "a wheel, zip", {"a.whl": "no wheel"}),
    Mistake("abi image:", "'image:'", "image:shop/api:1.4"),
    Mistake("abi . --target nosuch", "'nosuch'", "choose one of al2023-python3.11"),
    Mistake(
        "abi . --target al2023-python3.12,al2023-python3.13", "not 2", "--target al2023-python3.12"
    ),
    # cost
    Mistake("cost a.json", "--memory --instance", "pytest-arm64 cost --help"),
    Mistake("cost nosuch.json --memory 512MB", "nosuch.json", "--arm64-require-native"),
    Mistake("cost m.json --memory 512MB", "m.json", "--arm64-require-native", {"m.json": "{"}),
    Mistake("cost told:arm64:fast --memory 512MB", "'fast'", "told:arm64:100ms"),
    Mistake("cost told:sparc:1ms --memory 512MB", "'sparc'", "x86_64 or arm64"),
    Mistake("cost told:arm64:1ms --memory 5", "'5'", "512MB"),
    Mistake("cost told:arm64:1ms --memory 64MB", "64MB", "128MB to 10240MB"),
    Mistake("cost told:arm64:1ms --instance t4g.small", "t4g.small", "arm64=t4g.small"),
    Mistake("cost told:arm64:1ms --instance arm64=t9z.huge", "'t9z.huge'", "known: "),
    Mistake(f"cost {LAMBDA} --region eu-wset-1", "'eu-wset-1'", "known: us-east-1"),
    Mistake(f"cost {LAMBDA} --per-day 0", "--per-day 0", "--per-day 50000"),
    Mistake(f"cost {LAMBDA} --monthly-cost lots", "'lots'", "180"),
    Mistake(f"cost {LAMBDA} --other 65", "65", "NAME=65"),
    Mistake(
        f"cost {LAMBDA} --prices price.toml", "price.toml", "'prices.toml'", {"prices.toml": ""}
    ),
    # golden
    Mistake("golden lsit", "'lsit'", "did you mean 'list'?"),
    Mistake("golden list nosuch", "nosuch is not a folder", "the project's folder"),
    Mistake("golden prune --dryrun", "--dryrun", "did you mean '--dry-run'?"),
    # report
    Mistake("report", "report.json cannot be read", REPORT),
    Mistake("report uot", "uot cannot be read", "did you mean 'out'?", {"out/a": ""}),
    Mistake("report out", "out/report.json", REPORT, {"out/report.json": "{"}),
    Mistake("report out", "out/report.json", REPORT, {"out/report.json": '{"format": 99}'}),
    Mistake("report dif a b", "dif a b", "did you mean 'diff'?"),
    Mistake("report diff a", "two reports", "pytest-arm64 report diff A B"),
    Mistake("report merge a b", "a folder", "--output DIR"),
    Mistake("report out --chek", "--chek", "did you mean '--check'?"),
    Mistake("report out --format markdwon", "'markdwon'", "did you mean 'markdown'?"),
    # profile
    Mistake("profile nosuch.json", "nosuch.json", "perf script"),
    Mistake("profile perf.txt", "perf.txt", "perf script", {"perf.txt": "hello\n"}),
    Mistake("profile p.json", "p.json", "perf script", {"p.json": "{"}),
    Mistake("profile folder", "folder", "perf script", {"folder/a": ""}),
    # setup, doctor, trust
    Mistake("setup --inti", "--inti", "did you mean '--init'?"),
    Mistake("setup --init", "pyproject.toml", "correct the file", {"pyproject.toml": "[project\n"}),
    Mistake("doctor --format jsno", "'jsno'", "did you mean 'json'?"),
    Mistake("doctor", "'nosuch'", "choose one of", toml('[tool.pytest-arm64]\ntarget="nosuch"\n')),
    Mistake("trust --shwo", "--shwo", "did you mean '--show'?"),
    Mistake("trust --show --revoke", "--revoke", "pytest-arm64 trust --help"),
    # target
    Mistake("target shwo", "'shwo'", "did you mean 'show'?"),
    Mistake("target show al2023-python3.9", "'al2023-python3.9'", "did you mean"),
    Mistake("target learn nosuch.tar --output f.json", "nosuch.tar does not exist", "a tar of"),
    Mistake("target learn a.tar --output f.json", "a.tar cannot be read", "tar", {"a.tar": "x"}),
    Mistake("target learn a.tar --output d", "--output d", "facts.json", {"a.tar": "", "d/a": ""}),
    Mistake("target compare al2023-python3.12 f.json", "f.json", "target learn", {"f.json": "{"}),
    # advisories
    Mistake("advisories lsit", "'lsit'", "did you mean 'list'?"),
    Mistake("advisories show ARM-2026-9999", "ARM-2026-9999", "pytest-arm64 advisories list"),
    Mistake("advisories list --package trch", "trch", "did you mean 'torch'?"),
    # cache
    Mistake("cache inof", "'inof'", "did you mean 'info'?"),
    Mistake("cache prune", "a limit", "cache prune --size 5G"),
    Mistake("cache prune --size big", "'big'", "500M or 5G"),
    Mistake("cache prune --days nan", "'nan'", "such as 30"),
    Mistake("cache prune --days -1", "'-1'", "such as 30"),
    Mistake("cache prune --images -1", "'-1'", "such as 5"),
    Mistake("cache import cahe.tar", "cahe.tar", "did you mean 'cache.tar'?", {"cache.tar": ""}),
    Mistake("cache import a.tar", "a.tar cannot be read", "cache export FILE", {"a.tar": "x"}),
    Mistake("cache export nosuch/a.tar", "nosuch/a.tar", "a folder that exists"),
)

RUNS = (
    Mistake("--arm46", "--arm46", "did you mean: --arm64"),
    Mistake("--amr64-target x", "--amr64-target", "--arm64-target for --amr64-target"),
    Mistake("--arm64-taget x", "--arm64-taget", "--arm64-target for --arm64-taget"),
    Mistake("--arm64 --arm64-taget x", "--arm64-taget", "did you mean --arm64-target?"),
    Mistake("--arm64 --arm64-target nosuch", "'nosuch'", "choose one of al2023-python3.11"),
    Mistake("--arm64-target al2023-python3.12", "--arm64-target has no effect", "add --arm64"),
    Mistake("--arm64-require-native", "--arm64-require-native", "add --arm64"),
    Mistake("--arm64-marked --arm64-gate all", "--arm64-gate", "add --arm64"),
    Mistake("--arm64 --arm64-marked", "--arm64-marked and --arm64 exclude", "leave one"),
    Mistake("--arm64 --arm64-offline --arm64-refresh", "exclude each other", "leave one"),
    Mistake("--arm64 --arm64-cpu graviton9", "'graviton9'", "graviton2"),
    Mistake("--arm64 --arm64-gate al", "'al'", "'all'"),
    Mistake("--arm64 --arm64-installer uv", "'uv'", "'pip'"),
    Mistake("--arm64 --arm64-timeout soon", "soon", "such as 60"),
    Mistake("--arm64 --arm64-build-timeout 0", "0", "such as 60"),
    Mistake("--arm64 --arm64-memory lots", "'lots'", "512MB"),
    Mistake("--arm64 --arm64-shm-size 5", "'5'", "512MB"),
    Mistake(
        "--arm64 --arm64-requirements requirement.txt", "requirement.txt", "'requirements.txt'"
    ),
    Mistake("--arm64 --arm64-report requirements.txt", "requirements.txt", "name another folder"),
    Mistake("--arm64 --arm64-service apo", "apo", "did you mean 'api'?", toml(API)),
    Mistake("--arm64 arm64::apo::six", "arm64::apo::six", "did you mean 'api'?", toml(API)),
    Mistake("--arm64 tset_a.py", "tset_a.py", "did you mean 'test_a.py'?"),
    Mistake("--arm64", "'six=1.16'", "NAME==1.0", {"requirements.txt": "six=1.16\n"}),
    Mistake(
        "--arm64",
        "requirements.txt:2: '--indx-url",
        "did you mean '--index-url'?",
        {"requirements.txt": "six\n--indx-url https://x/simple\n"},
    ),
    Mistake(
        "--arm64",
        "base.txt' cannot be read",
        "did you mean 'bases.txt'?",
        {"requirements.txt": "-r base.txt\n", "bases.txt": ""},
    ),
    Mistake(
        "--arm64",
        "requirements-test.txt:2",
        "NAME==1.0",
        {"requirements-test.txt": "pytest\nmo to\n"},
    ),
    Mistake(
        "--arm64 --arm64-service api",
        "'six=1.16'",
        "NAME==1.0",
        {**toml(API), "requirements.txt": "six=1.16\n"},
    ),
    Mistake("--arm64 -p no:arm64", "-p no:arm64", "leave out -p no:arm64"),
    Mistake("--arm64", "'taget'", "'target'", toml("[tool.pytest-arm64]\ntaget = 1\n")),
    Mistake(
        "--arm64",
        "'graviton9'",
        "graviton2",
        {"pytest.ini": "[pytest]\naddopts=--arm64-cpu graviton9"},
    ),
)


def described(mistake: Mistake) -> str:
    return f"{mistake.command or 'nothing'}: {mistake.names}"


def snapshot(folder: Path) -> dict[str, bytes]:
    """All files below *folder*, with their content."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty repository."""
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    return folder


def test_the_table_has_at_least_61_mistakes_over_all_commands() -> None:
    assert len(COMMANDS) + len(RUNS) >= 61
    words = {mistake.command.partition(" ")[0] for mistake in COMMANDS}
    assert words >= {
        *("audit", "abi", "cost", "golden", "report", "profile"),
        *("setup", "target", "trust", "cache", "doctor"),
    }


@pytest.mark.parametrize("mistake", COMMANDS, ids=described)
def test_a_mistake_is_refused_with_what_to_type_next(
    mistake: Mistake,
    project: Path,
    caches: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def unasked() -> None:
        raise AssertionError("pip was asked for its configuration")

    monkeypatch.setattr("pytest_arm64.index.pip_config.host_pip_config", unasked)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    for name in ("PYTEST_ARM64_TARGET", "PYTEST_ARM64_IMAGE", "CI"):
        monkeypatch.delenv(name, raising=False)
    before = snapshot(write(project, mistake.files))
    monkeypatch.chdir(project)

    started = time.process_time()
    try:
        code: object = main(shlex.split(mistake.command))
    except SystemExit as stopped:  # argparse's way
        code = stopped.code
    spent = time.process_time() - started

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert mistake.names in said.err
    assert mistake.next_step in said.err
    assert "Traceback" not in said.err
    assert spent < MOST_SECONDS
    assert snapshot(project) == before
    assert not list(caches.glob("*"))


# One process imports pytest and the plugin, and each mistake is made in a copy of it.
FORKS = """
import json, os, sys
import pytest
import pytest_arm64.plugin, pytest_arm64.run.host, pytest_arm64.run.recorder  # before the copies
for line in sys.stdin:
    folder, output, arguments = json.loads(line)
    if not (child := os.fork()):
        os.chdir(folder)
        with open(output, "wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = pytest.main(["-p", "pytest_arm64.plugin", "-p", "no:cacheprovider", *arguments])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code))
    _, status, usage = os.wait4(child, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime]))
    sys.stdout.flush()
"""


@pytest.fixture(scope="module")
def forks() -> Iterator[subprocess.Popen[str]]:
    """A process that runs pytest for each line of its input: folder, file of the output, words."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV", "CI"))}
    environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environ |= {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", FORKS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
    ) as process:
        yield process


@pytest.mark.parametrize("mistake", RUNS, ids=described)
def test_a_run_is_refused_before_an_engine_is_asked(
    mistake: Mistake, project: Path, tmp_path: Path, forks: subprocess.Popen[str]
) -> None:
    before = snapshot(write(project, {**TEST, **SIX, **mistake.files}))
    output = tmp_path / "output"
    assert forks.stdin is not None
    assert forks.stdout is not None
    request = [str(project), str(output), ["--rootdir=.", *shlex.split(mistake.command)]]
    print(json.dumps(request), file=forks.stdin, flush=True)
    code, spent = json.loads(forks.stdout.readline())

    text = output.read_text()
    assert code == pytest.ExitCode.USAGE_ERROR, text
    assert mistake.names in text
    assert mistake.next_step in text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    assert "container engine" not in text
    assert spent < MOST_SECONDS
    assert snapshot(project) == before
