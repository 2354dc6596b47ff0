"""One requirement file as typed lines: split, joined and parsed as pip does it.

pip's own parser is private, reads variables of this process only and takes a time that grows
with the square of a line's length. It is the reference in the tests.
"""

from __future__ import annotations

import codecs
import optparse
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from ..config.suggestions import suggestion
from ..index.simple import STRONG_HASHES

INDEX_URL, EXTRA_INDEX_URL, NO_INDEX = "--index-url", "--extra-index-url", "--no-index"
FIND_LINKS, PRE, ALL_RELEASES = "--find-links", "--pre", "--all-releases"
NO_BINARY, ONLY_BINARY = "--no-binary", "--only-binary"

_REQUIREMENT, _CONSTRAINT, _EDITABLE = "--requirement", "--constraint", "--editable"
_HASH, _CONFIG_SETTINGS = "--hash", "--config-settings"
# As of pip 26.3.
_WITH_VALUE = (
    *((INDEX_URL, "-i", "--pypi-url"), (EXTRA_INDEX_URL,), (FIND_LINKS, "-f")),
    *((_REQUIREMENT, "-r"), (_CONSTRAINT, "-c"), (_EDITABLE, "-e")),
    *((NO_BINARY,), (ONLY_BINARY,), (ALL_RELEASES,), ("--only-final",)),
    *(("--trusted-host",), ("--use-feature",), (_HASH,), (_CONFIG_SETTINGS, "-C")),
)
_FLAGS = (NO_INDEX, "--prefer-binary", "--require-hashes", "--no-require-hashes", PRE)

# Each of these looks at a character once: `\s+#` would look at a row of blanks from each of them.
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_OPTIONS = re.compile(r"(?:^| )(?=-)")
_QUOTING = re.compile(r"[\"'\\]")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_CODING = re.compile(rb"#.*?coding[:=]\s*([-\w.]+)")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class RequirementLine:
    """A requirement, a path or an address, and what holds for it alone."""

    number: int
    text: str
    """As it is written, without options."""
    editable: bool = False
    hashes: tuple[str, ...] = ()
    """Like ``sha256:…``."""
    config_settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class IncludeLine:
    """Another file to read: ``-r`` or ``-c``."""

    number: int
    target: str
    """A path relative to the including file, or an address."""
    constraint: bool


@dataclass(frozen=True)
class OptionLine:
    """Options that hold for the whole installation, by their long names and in their order."""

    number: int
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RefusedLine:
    """A line that pip refuses."""

    number: int
    text: str
    problem: str


Line = RequirementLine | IncludeLine | OptionLine | RefusedLine


def parse_lines(content: bytes, environ: Mapping[str, str]) -> Iterator[Line]:
    """The lines of a requirement file, each with the number of its first physical one.

    Args:
        content: the file.
        environ: variables for ``${NAME}``; one that is not set stays as it is written.
    """
    for number, text in logical_lines(content):
        yield _parsed(number, _expanded(text, environ))


def variable_names(content: bytes) -> set[str]:
    """Names of the variables that *content* uses as ``${NAME}``, comments apart."""
    return {name for _, text in logical_lines(content) for name in _VARIABLE.findall(text)}


def logical_lines(content: bytes) -> Iterator[tuple[int, str]]:
    """Lines joined where they end in a backslash, without comments, with their first number."""
    pending: list[str] = []
    first = 0
    for number, line in enumerate([*_decoded(content).splitlines(), ""], 1):
        first = first if pending else number
        comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not comment:
            pending.append(line.strip("\\"))
            continue
        # A comment ends what was continued, and is one even where it follows without a space.
        joined = "".join([*pending, " " if comment else "", line])
        pending = []
        stripped = _COMMENT.sub("", joined, count=1).strip()
        if stripped:
            yield first, stripped


def _decoded(content: bytes) -> str:
    """Text of a requirement file by its byte order mark, its coding comment, or as UTF-8."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    for line in content.split(b"\n", 2)[:2]:
        coding = _CODING.match(line)
        if coding:
            try:
                return content.decode(coding[1].decode("ascii"), "replace")
            except (LookupError, ValueError):
                break
    return content.decode("utf-8", "replace")


def _expanded(text: str, environ: Mapping[str, str]) -> str:
    for name in dict.fromkeys(_VARIABLE.findall(text)):
        value = environ.get(name)
        if value:
            text = text.replace(f"${{{name}}}", value)
    return text


def _parsed(number: int, text: str) -> Line:
    start = _OPTIONS.search(text)
    body = (text[: start.start()] if start else text).strip()
    try:
        options = _options(text[start.end() :]) if start else ()
    except _RefusedError as error:
        return RefusedLine(number, text, str(error))

    def values(name: str) -> tuple[str, ...]:
        return tuple(value for option, value in options if option == name)

    editables = values(_EDITABLE)
    if body or editables:
        return RequirementLine(
            number,
            body or editables[0],
            editable=bool(editables),
            hashes=values(_HASH),
            config_settings=values(_CONFIG_SETTINGS),
        )
    for name in (_REQUIREMENT, _CONSTRAINT):
        for target in values(name)[:1]:
            return IncludeLine(number, target, constraint=name == _CONSTRAINT)
    return OptionLine(number, options)


class _RefusedError(Exception):
    """What pip would complain of."""


class _Values(optparse.Values):
    """Options in the order in which they are written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[str, str]] = []


class _Parser(optparse.OptionParser):
    """pip's own kind of parser, so that abbreviations and joined values are read alike."""

    def __init__(self) -> None:
        super().__init__(add_help_option=False)
        for name, *others in _WITH_VALUE:
            self.add_option(
                *others,
                name,
                action="callback",
                type="string",
                callback=_record,
                callback_args=(name,),
            )
        for name in _FLAGS:
            self.add_option(name, action="callback", callback=_record, callback_args=(name,))

    def error(self, msg: str) -> NoReturn:
        unknown = msg.partition("no such option: ")[2]
        names = (name for names in (*_WITH_VALUE, _FLAGS) for name in names)
        raise _RefusedError(msg + (suggestion(unknown, names) if unknown else ""))


def _record(
    _: optparse.Option, __: str, value: str | None, parser: optparse.OptionParser, name: str
) -> None:
    if name == _HASH:
        kind, colon, _digest = (value or "").partition(":")
        if not colon or kind not in STRONG_HASHES:
            raise _RefusedError(f"--hash needs {', '.join(STRONG_HASHES)} with a colon and a value")
    if name == _CONFIG_SETTINGS and "=" not in (value or ""):
        raise _RefusedError("--config-settings needs KEY=VALUE")
    assert isinstance(parser.values, _Values)
    parser.values.written.append((name, value or ""))


_PARSER = _Parser()


def _options(text: str) -> tuple[tuple[str, str], ...]:
    """The options that *text*, which begins with one, consists of."""
    if _QUOTING.search(text):
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise _RefusedError(str(error)) from None
    else:
        # The same, in a tenth of the time: locks have thousands of hashes.
        words = re.findall(r"[^ \t\r\n]+", text)
    values = _Values()
    _PARSER.parse_args(words, values)
    return tuple(values.written)
