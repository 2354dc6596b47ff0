"""Hostile repositories, each in a few files, by what it tries: the rows of the threat table.

``fidelity/test_hostile.py`` and ``docker/test_hostile.py`` run them on a host whose files,
variables and engine must be as they were; ``scripts/threat-table`` writes docs/security.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_arm64.config._toml import loads

PIPE = "\0pipe"
"""In place of a file's content: a named pipe, which blocks those who open it."""
_LINK = "\0link "
TABLE = "[tool.pytest-arm64]\n"
PASSES = "def test_it(): pass\n"


def link(target: str) -> str:
    """In place of a file's content: a link to *target*."""
    return f"{_LINK}{target}"


def target_of(content: str) -> str | None:
    """Where the link leads that stands in place of *content*; None where it is a file's."""
    return content.removeprefix(_LINK) if content.startswith(_LINK) else None


@dataclass(frozen=True)
class Repository:
    """One hostile repository; beside it lie ``../home`` and ``../other``, another project."""

    files: Mapping[str, str]
    """By relative path; ``{host}`` is the folder that the repository is in."""
    command: tuple[str, ...] = ("pytest", "--arm64")
    says: str = "next step: "
    """Part of what is printed."""
    code: int = 4
    """pytest's exit code for a usage error, unless it is another."""


def _settings(text: str, **files: str) -> Repository:
    return Repository({"test_it.py": PASSES, "pyproject.toml": text, **files})


def _addopts(words: str, **files: str) -> Repository:
    ini = f"[pytest]\naddopts = {words}\n"
    return Repository({"test_it.py": PASSES, "pytest.ini": ini, **files})


def _audited(files: Mapping[str, str], says: str = "outside the repository") -> Repository:
    return Repository(files, ("pytest-arm64", "audit"), says, 2)


_OWN_TARGET = '{ image = "evil:1", python = "3.12" }\n'
REFUSED: dict[str, Repository] = {
    "takes a secret variable": _settings(TABLE + 'env = ["SHOP_TOKEN"]\n'),
    "takes it for a service": _settings(
        TABLE + 'service.api = { requirements = "requirements.txt", env = ["SHOP_TOKEN"] }\n',
        **{"requirements.txt": ""},
    ),
    "joins the network of the host": _settings(TABLE + 'network = "host"\n'),
    "joins the network of a container": _settings(TABLE + 'network = "container:database"\n'),
    "chooses an image": _settings(TABLE + 'image = "evil:1"\n'),
    "deploys an image": _settings(TABLE + 'artifact = "image:evil:1"\n'),
    "deploys the keys of the host": _settings(TABLE + 'artifact = "dir:../home/.ssh"\n'),
    "deploys them through a link": _settings(
        TABLE + 'artifact = "dir:keys"\n', keys=link("../home/.ssh")
    ),
    "gives the name of a shipped target to another image": _settings(
        TABLE + f'targets."al2023-python3.12" = {_OWN_TARGET}target = "al2023-python3.12"\n'
    ),
    "brings a target": _settings(TABLE + f'targets.mine = {_OWN_TARGET}target = "mine"\n'),
    "installs a key": _settings(TABLE + 'requirements = "../home/.ssh/id"\n'),
    "installs a key through a link": _settings(
        TABLE + 'requirements = "keys/id"\n', keys=link("../home/.ssh")
    ),
    "chooses an image in addopts": _addopts("--arm64-image=evil:1"),
    "hides an image in addopts": _addopts("--arm64-image=evil:1 -o addopts="),
    "has a profile overwritten by the JUnit file": _addopts("--junitxml=../home/.bashrc"),
    "names it by a variable": _addopts("--junitxml=$HOME/.bashrc"),
    "names it through a link": _addopts("--junitxml=out/.bashrc -o addopts=", out=link("../home")),
    "runs on the host by taking our plugin away": _addopts(
        "-p no:arm64-host --doctest-glob=*.txt --ignore=test_it.py",
        **{"test_x.txt": ">>> open('{host}/home/.bashrc', 'w').write('owned')\n5\n"},
    ),
    "hides its findings by taking our gates away": _addopts("-p no:arm64-findings"),
    "has links followed by taking our writer away": _addopts("-pno:arm64-junit-file"),
    "has what is shown sent to a public site": _addopts("--pastebin=all"),
    "has the report written into the home folder": _addopts("--arm64-report=../home"),
    "has a profile overwritten by the file of --debug": _addopts("--debug=../home/.bashrc"),
    "installs a file of the host in addopts": _addopts("--arm64-requirements=../home/.ssh/id"),
}
"""What its files ask for: refused before an engine is asked."""

_PROJECT = '[project]\nname = "shop"\nversion = "1"\n'
_SETUP_PY = "open('{host}/home/.bashrc', 'w').write('owned')\n"
_MODULES = ("pip/__main__.py", "docker.py", "rich.py", "sitecustomize.py")
READ: dict[str, Repository] = {
    "includes a file of the host": _audited({"requirements.txt": "-r ../home/.ssh/id\n"}),
    "names a file of the host by a variable": _audited(
        {"requirements.txt": "-c ${HOME}/.ssh/id\n"}
    ),
    "has a link to it for its requirements": _audited(
        {"requirements.txt": link("../home/.ssh/id")}
    ),
    "installs from a folder of the host": _audited({"requirements.txt": "--find-links ../home\n"}),
    "installs another project": _audited({"requirements.txt": "-e ../other\n"}),
    "installs another project by uv's settings": _audited(
        {
            "pyproject.toml": _PROJECT
            + 'dependencies = ["other"]\n[tool.uv.sources]\nother = { path = "../other" }\n'
        }
    ),
    "installs another project by Poetry's settings": _audited(
        {
            "pyproject.toml": '[tool.poetry]\nname = "shop"\nversion = "1"\n'
            '[tool.poetry.dependencies]\nother = { path = "../other" }\n'
        }
    ),
    "takes other projects for its services": _audited(
        {"pyproject.toml": TABLE + 'services = ["../*"]\n'}
    ),
    "takes them by a way through a folder": _audited(
        {"pyproject.toml": TABLE + 'services = ["a/../../*"]\n', "a/b": ""}
    ),
    "has the settings of another project": _audited(
        {"pyproject.toml": link("../other/pyproject.toml")}
    ),
    "has the lock of another project": _audited(
        {"pyproject.toml": _PROJECT, "uv.lock": link("../other/pyproject.toml")}
    ),
    "has a pipe among its requirement files": _audited(
        {"requirements.txt": "-r more.txt\n", "more.txt": PIPE}, "not a regular file"
    ),
    "has an endless file for its Python version": Repository(
        {"pyproject.toml": _PROJECT, ".python-version": link("/dev/zero")},
        ("pytest-arm64", "audit"),
        "al2023-python3.12",
        0,
    ),
    "has an endless file for its baseline": Repository(
        {"pyproject.toml": _PROJECT, "arm64-baseline.json": link("/dev/zero")},
        ("pytest-arm64", "audit", "--write-baseline"),
        "not a regular file",
        2,
    ),
    "has a file of the host for its baseline": Repository(
        {"pyproject.toml": _PROJECT, "arm64-baseline.json": link("../home/.config/empty.json")},
        ("pytest-arm64", "audit", "--write-baseline"),
        "cannot be written: a link leads to",
        2,
    ),
    "has a file of the host for its settings": Repository(
        {"services/api/requirements.txt": "", "pyproject.toml": link("../home/.config/x.toml")},
        ("pytest-arm64", "setup", "--init", "--write"),
        "outside the repository",
        2,
    ),
    "has the goldens of another project removed": Repository(
        {"tests/arm64_golden/test_gone": link("{host}/other/arm64_golden/test_shop")},
        ("pytest-arm64", "golden", "prune"),
        "0 goldens without a test",
        0,
    ),
    "has a profile overwritten by an exported cache": Repository(
        {"cache.tar.part": link("../home/.bashrc")},
        ("pytest-arm64", "cache", "export", "cache.tar"),
        "",
        0,
    ),
    "has its setup.py run by an audit": Repository(
        {"setup.py": _SETUP_PY, "requirements.txt": ""},
        ("pytest-arm64", "audit"),
        "was not executed",
        3,
    ),
    "puts modules and programs in the way of an audit": Repository(
        {
            "pyproject.toml": _PROJECT,
            **dict.fromkeys(_MODULES, "raise SystemExit('it-ran')\n"),
            **{f"bin/{name}": "#!/bin/false\n" for name in ("git", "pip", "docker")},
        },
        ("pytest-arm64", "audit"),
        "",
        0,
    ),
}
"""What commands read and write in it that run no test."""

_LATE = ("traceback", "docker", "sitecustomize", "rich", "difflib", "pip", "json", "tarfile")
LEFT: dict[str, str] = {
    "writes modules that the host might load at the end": (
        f"for name in {_LATE!r}:\n"
        "    for folder in (ROOT, ROOT / 'src'):\n"
        "        (folder / f'{name}.py').write_text(\"raise SystemExit('it-ran')\")"
    ),
    "has git run a program by its configuration": (
        "(ROOT / '.git/config').write_text('[core]\\nfsmonitor = {host}/evil\\n'\n"
        "    '[filter \"evil\"]\\nclean = {host}/evil\\n')\n"
        "(ROOT / '.gitattributes').write_text('* filter=evil\\n')\n"
        "Path('{host}/evil').write_text('#!/bin/sh\\ntouch {host}/owned\\n')\n"
        "Path('{host}/evil').chmod(0o755)"
    ),
    "writes settings while it runs": (
        "(ROOT / 'pyproject.toml').write_text('[tool.pytest-arm64]\\nnetwork = 1\\n')"
    ),
    "replaces a folder of results by a link": (
        "out = ROOT / 'out'\nout.rename(ROOT / 'moved')\nout.symlink_to('{host}/home')"
    ),
    "leaves pipes where the host reads": (
        "import os\n"
        "for name in ('late.py', '.python-version', 'setup.cfg', 'pytest.ini'):\n"
        "    os.mkfifo(ROOT / name)"
    ),
}
"""Bodies of a test that leaves something for the host; ``{host}`` as above."""

_PLACES = "for folder in ('inside', 'env/bin', 'tests'): "
INSIDE: dict[str, str] = {
    "reads a key": "attempt((HOME / '.ssh/id').read_text)",
    "reads a key through the first process": (
        "attempt(Path(f'/proc/1/root{HOME}/.ssh/id').read_text)\n"
        "attempt(Path('/proc/1/cwd').readlink)"
    ),
    "prints all variables": (
        "print(dict(os.environ))\n"
        "for process in Path('/proc').glob('[0-9]*'):\n"
        "    attempt((process / 'environ').read_bytes)"
    ),
    "writes a profile": "put(HOME / '.bashrc')\nput(Path.home() / '.bashrc')",
    "writes the settings of git": "put(HOME / '.gitconfig', '[core]\\nfsmonitor = ./evil\\n')",
    "writes another project": "put(OTHER / 'conftest.py', EVIL)",
    "removes another project": "shutil.rmtree(OTHER, ignore_errors=True)",
    "writes the cache": "put(HOME / '.cache/pytest-arm64/built/evil.whl')",
    "trusts itself": "put(HOME / '.local/share/pytest-arm64/trusted/x.json', '{}')",
    "changes the user's own settings": "put(HOME / '.config/pytest-arm64/config.toml', 'x')",
    "writes hooks": (
        "put(ROOT / '.git/hooks/post-checkout')\n"
        "put(ROOT / '.git/config', '[core]\\nfsmonitor = ./evil\\n')"
    ),
    "replaces the repository": (
        "attempt(os.rename, ROOT / '.git', ROOT / 'moved')\nput(ROOT / '.git/config', 'x')"
    ),
    "filters files": "put(ROOT / '.gitattributes', '* filter=evil diff=evil\\n')",
    "writes pipelines": "put(ROOT / '.github/workflows/evil.yml', 'on: push\\n')",
    "writes an environment": (
        "put(ROOT / '.venv/bin/python')\nput(ROOT / '.venv/lib/evil.pth', 'import evil\\n')"
    ),
    "writes modules that the host needs": (
        "for name in ('docker', 'rich', 'requests', 'sitecustomize', 'usercustomize', 'shutil'):\n"
        "    put(ROOT / f'{name}.py', EVIL)\n"
        "    put(ROOT / 'src' / f'{name}.py', EVIL)"
    ),
    "writes programs": "for name in ('git', 'pip', 'ssh', 'docker'): put(ROOT / 'bin' / name)",
    "links the report": (
        "for name in ('report.json', 'report.part', 'measurements.json', 'report.html'):\n"
        "    link(ROOT / 'out' / name, HOME / '.bashrc')"
    ),
    "links the JUnit file": "link(ROOT / 'junit.xml', HOME / '.profile')",
    "links its results": (
        "link(OUT / 'key', HOME / '.ssh/id')\nlink(OUT / 'folder', HOME)\n"
        "put(OUT / 'folder/evil', 'x')"
    ),
    "links the folder of its goldens": "link(ROOT / 'arm64_golden', HOME)",
    "writes our code": _PLACES + "put(Path('/opt/pytest-arm64', folder, 'x'))",
    "asks the engine": (
        "for path in ('/var/run/docker.sock', '/run/docker.sock', ENGINE):\n"
        "    with socket.socket(socket.AF_UNIX) as asked:\n"
        "        attempt(asked.connect, path)\n"
        "        attempt(asked.sendall, b'GET /info HTTP/1.0\\r\\n\\r\\n')\n"
        "        attempt(asked.recv, 4096)"
    ),
    "mounts file systems": (
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "os.makedirs('/tmp/m', exist_ok=True)\n"
        "print(libc.mount(b'/dev/sda1', b'/tmp/m', b'ext4', 0, None))\n"
        "print(libc.mount(b'proc', b'/tmp/m', b'proc', 0, None))\n"
        "print(libc.unshare(0x00020000))"
    ),
    "makes devices": (
        "attempt(os.mknod, '/tmp/disk', 0o60666, os.makedev(8, 0))\n"
        "attempt(open, '/dev/mem', 'rb')\nattempt(open, '/proc/kcore', 'rb')"
    ),
    "sets the core pattern of the kernel": "put('/proc/sys/kernel/core_pattern', '|/tmp/evil')",
    "triggers the kernel": "put('/proc/sysrq-trigger', 'h')",
    "releases a control group": (
        "for path in Path('/sys/fs/cgroup').glob('*/release_agent'): put(path)\n"
        "put('/sys/fs/cgroup/evil/cgroup.procs', '0')"
    ),
    "stops the first process": "attempt(os.kill, 1, 19)",
}
"""Bodies of a test in a container."""


@dataclass(frozen=True)
class Threat:
    """A row of the table: what is tried, and the test that fails where it works."""

    section: str
    tries: str
    test: str
    """Below ``tests/``, as pytest names it, without parameters."""


_FIDELITY = "fidelity/test_hostile.py"
_ROWS = (
    (
        "What a repository's files ask for",
        f"{_FIDELITY}::test_what_files_ask_for_is_refused",
        REFUSED,
    ),
    (
        "What a repository's files ask for",
        f"{_FIDELITY}::test_a_command_reads_and_writes_nothing_else",
        READ,
    ),
    (
        "What a suite leaves for the host",
        f"{_FIDELITY}::test_what_a_test_leaves_changes_nothing",
        LEFT,
    ),
    (
        "What a suite does in its container",
        "docker/test_hostile.py::test_the_host_is_as_it_was",
        INSIDE,
    ),
)


def identifier(tries: str) -> str:
    """The name of a row among pytest's parameters."""
    return tries.replace(" ", "-")


def threats() -> Iterator[Threat]:
    """All that was tried, section by section."""
    text = (Path(__file__).parent / "data/threats.toml").read_text("utf-8")
    for title, others in loads(text).items():
        for section, test, rows in _ROWS:
            if section == title:
                yield from (Threat(title, tries, test) for tries in rows)
        yield from (Threat(title, tries, test) for tries, test in others.items())


def threat_tables() -> str:
    """All sections as Markdown."""
    lines, title = [], ""
    for threat in threats():
        if threat.section != title:
            title = threat.section
            lines += ["", f"### {title}", "", "| it | test |", "| --- | --- |"]
        lines.append(f"| {threat.tries} | `{threat.test}` |")
    return "\n".join([*lines[1:], ""])
