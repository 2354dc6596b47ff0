"""Places in a repository that name x86: they will be in the way of a migration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .repository_files import files_below, lines_of

_NAMES = re.compile(
    r"(Dockerfile|Containerfile|Makefile|CMakeLists\.txt|Jenkinsfile|Procfile|meson\.build)"
    r"|(.*[-.])?template\.json|cdk\.json|package\.json"
    r"|.+\.(dockerfile|ya?ml|toml|cfg|ini|txt|in|sh|bash|tf|hcl|cmake|mk|py)",
    re.IGNORECASE,
)
# Code names x86 for good reasons; of Python files only those that build or deploy are read.
_SCRIPTS = ("setup.py", "noxfile.py", "tasks.py", "fabfile.py", "app.py", "stack.py", "build.py")
_LOCKS = ("uv.lock", "poetry.lock", "pylock.toml")


@dataclass(frozen=True)
class Pattern:
    """One way to name x86."""

    kind: str
    expression: re.Pattern[str]
    remedy: str


PATTERNS = (
    Pattern(
        "platform",
        re.compile(r"platform\s*[=:]?\s*[\"']?linux/(amd64|x86_64)", re.IGNORECASE),
        "remove the platform, or build for linux/arm64 too",
    ),
    Pattern(
        "architecture",
        re.compile(
            r"architectures?\s*[\"']?\s*[=:]\s*\[?\s*[\"']?(x86_64|amd64)\b"
            r"|Architecture\.X86_64|^\s*-\s*[\"']?x86_64[\"']?\s*$",
            re.IGNORECASE,
        ),
        "arm64",
    ),
    Pattern(
        "image",
        re.compile(r"^\s*(FROM|image:)\s+\S+[:/-](x86_64|amd64)\b", re.IGNORECASE),
        "name the image without an architecture: its index has both",
    ),
    Pattern(
        "wheel",
        re.compile(r"(manylinux\w*|linux)_x86_64\b"),
        "manylinux2014_aarch64, or no platform at all",
    ),
    Pattern(
        "download",
        re.compile(
            r"(?<![A-Za-z0-9])(?:amd64|x86_64|x86-64|linux64|x64)[\w.${}-]*"
            r"\.(?:deb|rpm|tar(?:\.\w+)?|tgz|zip|gz|xz|bz2|whl|so|AppImage|sh|jar)\b"
        ),
        "pick the download by architecture (`uname -m`)",
    ),
    Pattern(
        "compiler flag",
        re.compile(
            r"(?<![\w-])-m(avx\w*|sse[\w.]*|ssse3|fma|bmi2?|aes|64)\b"
            r"|-m(?:arch|tune|cpu)=(x86-64\S*|haswell|broadwell|skylake\S*|core2|core-avx\S*|"
            r"icelake\S*|cascadelake|nehalem|sandybridge|ivybridge|znver\d|corei7\S*)"
            r"|/arch:AVX\w*"
        ),
        "use it on x86 only; on ARM -march=armv8.2-a, -mcpu=neoverse-n1 on Graviton2",
    ),
)


@dataclass(frozen=True)
class Pin:
    """One place that names x86."""

    path: str
    """Relative to the repository, with ``/``."""
    line: int
    kind: str
    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {self.text}"


def x86_pins(root: Path) -> tuple[Pin, ...]:
    """Where files below *root* name x86: those that build, package, deploy or fetch something.

    It is a search for words. A condition around them is not seen, and neither is what a program
    puts together when it runs.
    """
    paths = [path for path in files_below(root) if _is_read(path)]
    return tuple(
        pin for path in paths for pin in pins_in(lines_of(path), path.relative_to(root).as_posix())
    )


def pins_in(lines: Iterable[str], path: str) -> Iterator[Pin]:
    """The pins in the *lines* of one file, at most one a line."""
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith(("#", "//")):
            continue
        for pattern in PATTERNS:
            found = pattern.expression.search(line)
            if found is not None:
                text = " ".join(line.split())
                yield Pin(path, number, pattern.kind, text[:120], pattern.remedy)
                break


def _is_read(path: Path) -> bool:
    if path.name in _LOCKS:
        return False
    if path.suffix == ".py":
        return path.name in _SCRIPTS
    return _NAMES.fullmatch(path.name) is not None or path.name.startswith("Dockerfile.")
