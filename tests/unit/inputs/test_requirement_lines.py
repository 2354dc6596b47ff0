"""Requirement files are split, joined and parsed as pip does it: pip's own parser is the oracle."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pip._internal.exceptions import InstallationError
from pip._internal.network.session import PipSession
from pip._internal.req import req_file

from pytest_arm64.inputs.references import pep508, reference_in
from pytest_arm64.inputs.requirement_files import read_file, read_files
from pytest_arm64.inputs.requirement_lines import (
    IncludeLine,
    OptionLine,
    RefusedLine,
    RequirementLine,
    logical_lines,
    parse_lines,
    variable_names,
)
from unit.support import write

ENVIRON = {"DIR": "deep", "TOKEN": "s3cret", "EMPTY": "", "OTHER": "${TOKEN}"}

WORDS = st.sampled_from(
    [
        *("numpy", "six==1.16", "attrs[x] >= 1", "rich;os_name=='x'", "a @ https://h/a-1.0.zip"),
        *("./lib", "../lib[x]", "https://h/x-1.0-py3-none-any.whl; os_name == 'y'"),
        *("-r", "-c", "-e", "-f", "-i", "--requirement", "--constraint=", "--editable=", "-rx.txt"),
        *("--index-url", "--extra-index-url=", "--find-links", "--no-index", "--pre"),
        *("--hash=sha256:aa", "--hash sha512:bb", "--hash=md5:cc", "--config-settings=a=b"),
        *(
            "-Ca=b",
            "--require-hashes",
            "--prefer-binary",
            "--req",
            "--no-i",
            "--hash",
            "--nonsense",
        ),
        *('"a b.txt"', "'a b.txt'", "a\\ b.txt", "${DIR}/base.txt", '"${DIR}/a b.txt"', "base.txt"),
        *("${TOKEN}", "${EMPTY}", "${MISSING}", "${OTHER}${TOKEN}", "${lower}", "$DIR"),
        *("#", "# why", "#egg=x", "x#y", "\\", "\\\\", '"', "'", "--", "-", "=", ";", ""),
    ]
)
SPACES = st.sampled_from([" ", "  ", "\t", " \t ", "", "\u00a0", "\x0c"])
LINE = st.lists(st.tuples(WORDS, SPACES), max_size=5).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\\\n", " \\\r\n", "\u2028"])
TEXT = st.lists(st.tuples(LINE, ENDS), max_size=5).map(
    lambda pairs: "".join(line + end for line, end in pairs)
)
MARKS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"])


def ours(content: bytes) -> list[object]:
    """Each line in the words of ``pip_reads``."""
    found: list[object] = []
    for line in parse_lines(content, ENVIRON):
        if isinstance(line, RequirementLine):
            entry = (line.text, line.editable, line.hashes, line.config_settings)
            found.append((line.number, "requirement", entry))
        elif isinstance(line, IncludeLine):
            found.append((line.number, "-c" if line.constraint else "-r", line.target))
        elif isinstance(line, OptionLine):
            names = ("--index-url", "--extra-index-url", "--find-links", "--no-index", "--pre")
            options = {name: value for name, value in line.options if name in names}
            found.append((line.number, "options", options))
        else:
            return [*found, "refused"]
    return found


def pip_reads(content: bytes) -> list[object]:
    """What pip's own parser makes of each line of *content*."""
    found: list[object] = []
    parse = req_file.get_line_parser(None)
    text = req_file._decode_req_file(content, "r.txt")
    with mock.patch.dict(os.environ, ENVIRON, clear=True):
        for number, line in req_file.preprocess(text):
            try:
                args, opts = parse(line)
            except req_file.OptionParsingError:
                return [*found, "refused"]
            parsed = req_file.ParsedLine("r.txt", number, args, opts, constraint=False)
            found.append((number, *_of_pip(parsed)))
    return found


def _of_pip(line: req_file.ParsedLine) -> tuple[str, object]:
    opts = line.opts
    if line.requirement is not None:
        kinds = opts.hashes or {}
        hashes = tuple(f"{kind}:{value}" for kind, values in kinds.items() for value in values)
        settings = tuple(f"{k}={v}" for k, v in (opts.config_settings or {}).items())
        return "requirement", (line.requirement.strip(), line.is_editable, hashes, settings)
    if opts.requirements or opts.constraints:
        kind = "-r" if opts.requirements else "-c"
        return kind, (opts.requirements or opts.constraints)[0]
    options = {
        "--index-url": opts.index_url,
        "--extra-index-url": (opts.extra_index_urls or [None])[-1],
        "--find-links": (opts.find_links or [None])[-1],
        "--no-index": "" if opts.no_index else None,
        "--pre": "" if opts.pre else None,
    }
    return "options", {name: value for name, value in options.items() if value is not None}


@given(TEXT, MARKS)
@example("a \\\n# b\nc", "utf-8")
@example('-r "a b.txt"\n-r ${DIR}/base.txt\n', "utf-8-sig")
@example("numpy\t--hash=sha256:aa\n", "utf-8")
@example("-e . -r x.txt\n-r x.txt -i y\n--pre x -- -i y\n", "utf-8")
@example("-- --pre\n", "utf-8")
@example("a${OTHER}${TOKEN}${OTHER}\n", "utf-8")
def test_lines_are_those_of_pip(text: str, encoding: str) -> None:
    content = text.encode(encoding)
    assert ours(content) == pip_reads(content)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.lists(
                st.sampled_from(
                    [
                        *("one", "two==2", "./three", "# none", "--pre", "-r 'a b.txt'"),
                        *("-r ${DIR}/base.txt", "-c limits.txt", "-c ${DIR}/limits.txt"),
                        *('-r "${DIR}/a b.txt"', "-e ./four", "five \\", "-r base.txt"),
                    ]
                ),
                max_size=4,
            )
            for name in ("r.txt", "a b.txt", "base.txt", "limits.txt", "deep/base.txt")
        },
    )
)
def test_trees_of_files_are_those_of_pip(files: dict[str, list[str]]) -> None:
    """Where pip accepts a tree: it refuses cycles, of which each file is read once here."""
    texts = {name: "\n".join(lines) for name, lines in files.items()}
    defaults = dict.fromkeys(
        ("r.txt", "a b.txt", "base.txt", "limits.txt", "deep/base.txt", "deep/a b.txt"), ""
    )
    with tempfile.TemporaryDirectory() as name, PipSession() as session:
        folder = write(Path(name).resolve(), {**defaults, "deep/limits.txt": "", **texts})
        top = folder / "r.txt"
        with mock.patch.dict(os.environ, ENVIRON):
            try:
                expected = list(req_file.parse_requirements(str(top), session))
            except InstallationError:
                return
        files_read = read_files([top], ENVIRON, folder)
        places = {
            (f"{path}:{line.number}", line.text, line.editable)
            for path, file in files_read.items()
            for line in file.requirements()
        }
    assert places == {
        (
            line.comes_from.split(" ", 1)[1].replace(" (line ", ":").rstrip(")"),
            line.requirement.strip(),
            line.is_editable,
        )
        for line in expected
    }


@given(st.binary(max_size=200))
def test_any_bytes_give_lines(content: bytes) -> None:
    for line in parse_lines(content, {}):
        assert line.number > 0
        assert isinstance(line, RequirementLine | IncludeLine | OptionLine | RefusedLine)


def test_variables_in_comments_are_not_used() -> None:
    assert variable_names(b"a${ONE} # ${TWO}\n# ${THREE}\n-i https://${FOUR}@h/\n") == {
        "ONE",
        "FOUR",
    }


def test_a_line_has_the_number_of_its_first_physical_line() -> None:
    content = b"\n# top\none \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\ntwo\n"
    assert [number for number, _ in logical_lines(content)] == [3, 6]


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ('https://h/x-1.0-py3-none-any.whl; python_version >= "3.9"', 'python_version >= "3.9"'),
        ('https://h/x-1.0-py3-none-any.whl ; python_version >= "3.9"', 'python_version >= "3.9"'),
        ('git+https://h/x.git@v1; python_version >= "3.9"', 'python_version >= "3.9"'),
        ("https://h/x-1.0.zip?a;b", ""),
        ("./x-1.0.zip;os_name=='posix'", "os_name=='posix'"),
        ("file:///x/x-1.0.zip; os_name == 'posix'", "os_name == 'posix'"),
    ],
)
def test_a_marker_after_a_reference(text: str, marker: str) -> None:
    reference = reference_in(text, Path("/base"))
    assert reference is not None
    assert reference.marker == marker
    assert ";" not in reference.address.replace("a;b", "")


def test_a_marker_directly_after_the_address_of_a_named_requirement() -> None:
    parsed = pep508("x @ https://h/x-1.0.zip; os_name == 'posix'")
    assert parsed is not None
    assert (parsed.url, str(parsed.marker)) == ("https://h/x-1.0.zip", 'os_name == "posix"')


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="gone") as caught:
        read_file(tmp_path / "gone.txt", {}, tmp_path)
    assert "requirement file" in str(caught.value)
