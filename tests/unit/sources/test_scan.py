"""Which files are read, what is said of them, and what hostile ones can do: nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_arm64
from pytest_arm64 import cache
from pytest_arm64.sources import reader, result_cache
from pytest_arm64.sources import scan as scanning
from pytest_arm64.sources.budget import UnreadableSourceError
from pytest_arm64.sources.findings import FileResult
from pytest_arm64.sources.languages import Language
from pytest_arm64.sources.reader import findings_in
from pytest_arm64.sources.rules import all_rules
from pytest_arm64.sources.scan import scan
from unit.support import attempt, write

REFUSES = """\
import platform

if platform.machine() != "x86_64":{comment}
    raise RuntimeError("only x86_64")
"""
PLAIN = REFUSES.format(comment="")
DEEP = 'arch = "x86_64"  # platform.machine()\n'


def findings(text: str) -> list[tuple[str, int, str]]:
    return [(f.rule, f.line, f.note) for f in findings_in(text.encode(), "a.py", all_rules())]


def test_a_finding_names_file_line_and_code(tmp_path: Path) -> None:
    folder = write(tmp_path, {"services/api/app/main.py": PLAIN}) / "services/api"
    seen = scan("api", folder, tmp_path)
    (finding,) = seen.findings
    assert (finding.rule, finding.place) == ("refuses-arm", "services/api/app/main.py:3")
    assert finding.code == 'if platform.machine() != "x86_64":'
    assert (seen.service, seen.files, seen.lines, seen.unread) == ("api", 1, 4, 0)


@pytest.mark.parametrize(
    ("comment", "note"),
    [
        ("  # arm64: ignore[refuses-arm] runs on the x86 build machine only", None),
        ("  # arm64: ignore[long-double, refuses-arm] no other machine", None),
        ("  # arm64: ignore[refuses-arm]", "needs a reason"),
        ("  # arm64: ignore[long-double] not this rule", ""),
    ],
)
def test_a_comment_with_a_reason_ignores_its_line(comment: str, note: str | None) -> None:
    seen = findings(REFUSES.format(comment=comment))
    if note is None:
        assert seen == []
    else:
        ((rule, _, said),) = seen
        assert rule == "refuses-arm"
        assert note in said
        assert bool(said) is bool(note)


def test_ignored_places_are_counted(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": REFUSES.format(comment="  # arm64: ignore[refuses-arm] as agreed")})
    seen = scan("s", tmp_path, tmp_path)
    assert (seen.findings, seen.ignored) == ((), 1)


def test_a_comment_may_stand_on_any_line_of_a_condition() -> None:
    text = (
        "import platform\nif (\n    platform.machine()\n"
        '    != "x86_64"  # arm64: ignore[refuses-arm] as agreed\n):\n    raise RuntimeError\n'
    )
    assert findings(text) == []


def test_installed_packages_and_other_services_are_left_out(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "own.py": PLAIN,
            ".venv/lib/a.py": PLAIN,
            "env/pyvenv.cfg": "",
            "env/lib/a.py": PLAIN,
            "lib/site-packages/a.py": PLAIN,
            "node_modules/gyp/a.py": PLAIN,
            "services/api/a.py": PLAIN,
        },
    )
    apart = [tmp_path, tmp_path / "services/api"]
    assert [f.path for f in scan("s", tmp_path, tmp_path, apart).findings] == ["own.py"]


def test_files_that_git_does_not_track_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"own.py": PLAIN})
    for command in (["init", "-q"], ["add", "own.py"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    write(tmp_path, {"build/lib/own.py": PLAIN})
    assert [f.path for f in scan("s", tmp_path, tmp_path).findings] == ["own.py"]


@pytest.mark.parametrize(
    "content",
    [
        DEEP.encode() + b"(" * 100_000,
        DEEP.encode() + b"x = " + b"-" * 100_000 + b"1",
        DEEP.encode() + b"x = 1\0",
        DEEP.encode() + b"x = '\xff\xfe'",
        DEEP.encode() + b"print 'Python 2'",
        b"# coding: no-such-codec\n" + DEEP.encode(),
        DEEP.encode() + b"x = " + b"9" * 10_000,
        DEEP.encode() + b"#" * (1 << 20),
    ],
    ids=lambda content: repr(content[-12:]),
)
def test_a_file_that_cannot_be_parsed_is_counted(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.py").write_bytes(content)
    write(tmp_path, {"good.py": PLAIN})
    seen = scan("s", tmp_path, tmp_path)
    assert seen.unread == 1
    assert [f.path for f in seen.findings] == ["good.py"]


@pytest.mark.parametrize("nested", ["x = " + "a." * 100_000 + "b", "x = " + "1 + " * 100_000 + "1"])
def test_a_tree_too_deep_for_this_python_is_counted_and_another_is_read(
    tmp_path: Path, nested: str
) -> None:
    """Python 3.10 reads trees of any depth."""
    write(tmp_path, {"good.py": PLAIN, "deep.py": f"{PLAIN}\n{nested}\n"})
    seen = scan("s", tmp_path, tmp_path)
    read = ["deep.py"] if sys.version_info < (3, 11) else []
    assert [f.path for f in seen.findings] == [*read, "good.py"]
    assert seen.unread == 1 - len(read)


def test_no_link_is_followed_and_no_pipe_is_waited_for(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"own.py": PLAIN})
    write(tmp_path, {"outside/secret.py": PLAIN})
    (root / "link.py").symlink_to(tmp_path / "outside/secret.py")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe.py")
    assert [f.path for f in scan("s", root, root).findings] == ["own.py"]


def test_a_folder_that_became_a_link_after_it_was_tracked_is_not_read(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"package/own.py": PLAIN})
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", root, *command], check=True)
    (root / "package").rename(tmp_path / "outside")
    (root / "package").symlink_to(tmp_path / "outside")
    seen = scan("s", root, root)
    assert (seen.findings, seen.unread) == ((), 1)


@pytest.mark.parametrize(
    "line",
    [
        "a{0} = a{1} + a{1} + a{1}",
        "a{0} = [a{1}, a{1}, a{1}]",
        "a{0} = a{1} and a{1} or a{1}",
        'a{0} = f"{{a{1}}}{{a{1}}}"',
        "def a{0}(): return a{1}() + a{1}()",
    ],
)
def test_names_that_multiply_do_not_take_long(line: str) -> None:
    lines = [line.format(number, number + 1) for number in range(60)]
    ends = 'a60 = platform.machine()\nimport platform, os\nos.system(a0)\nos.system("x86")'
    assert findings("\n".join([*lines, ends, "if a0: raise ValueError"])) == []


@pytest.mark.parametrize(
    ("inner", "around"),
    [
        ("a", "({0} and a) or b"),
        ("a", "not ({0} == a)"),
        ("a", "(a if {0} else b)"),
        ("a", "[{0}][0]"),
        ("a", "{{a: {0}}}.get(a, b)"),
    ],
)
def test_nested_conditions_do_not_take_long(inner: str, around: str) -> None:
    for _ in range(60):
        inner = around.format(inner)
    text = f"import platform\nx86 = a = platform.machine()\nif {inner}:\n    raise ValueError"
    findings(text)


def test_names_that_lead_to_themselves_are_unknown() -> None:
    text = "import platform\na = b\nb = a\ndef c(): return c()\n"
    assert findings(text + 'if a == "x86_64" or c() == platform.machine(): raise ValueError') == []


def test_more_files_or_bytes_than_the_limits_are_counted_as_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {f"{name}.py": f"{PLAIN}# {name}" for name in "abc"})
    assert reader.MOST_PARSED == 32 << 20
    monkeypatch.setattr(reader, "MOST_PARSED", len(PLAIN) + 3)
    assert scan("s", tmp_path, tmp_path).unread == 2
    monkeypatch.setattr(scanning, "MOST_FILES", 2)
    assert scan("s", tmp_path, tmp_path).unread == 1, "the one that was read is not read again"


def test_this_package_which_names_x86_often_assumes_nothing() -> None:
    folder = Path(pytest_arm64.__file__).parent
    seen = scan("pytest-arm64", folder, folder)
    assert seen.files > 300
    assert {finding.path for finding in seen.findings} == {"conformance/cases.c"}
    assert seen.unread == 0


EXAMPLES = [text for rule in all_rules() for text in (*rule.matches, *rule.harmless)]
LINES = [line for text in EXAMPLES for line in text.splitlines()]


@given(
    st.lists(st.sampled_from(LINES) | st.text(max_size=20), max_size=12).map("\n".join)
    | st.tuples(st.sampled_from(EXAMPLES), st.integers(0, 80), st.text(max_size=5)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    )
)
def test_whatever_a_file_says_it_is_read_or_refused(text: str) -> None:
    source = text.encode("utf-8", "surrogatepass")
    read = attempt(UnreadableSourceError, lambda: findings_in(source, "a.py", all_rules()))
    if isinstance(read, list):
        assert all(1 <= finding.line <= len(text.splitlines()) + 1 for finding in read)


DOUBLING = {
    "added": "{0}['a'] + {0}['a']",
    "given": "{0}.get('a') or {0}.get('a')",
    "branches": "{0}['a'] if {0}['a'] else {0}['a']",
}


@pytest.mark.parametrize("value", DOUBLING.values(), ids=DOUBLING)
def test_tables_that_double_with_each_are_not_evaluated_to_their_end(
    tmp_path: Path, value: str
) -> None:
    tables = "d0 = {'a': ''}\n" + "".join(
        f"d{number} = {{'a': {value.format(f'd{number - 1}')}}}\n" for number in range(1, 60)
    )
    hostile = f"import platform\nplatform.machine() == 'x86_64'\n{tables}x = d59['a']\n"
    write(tmp_path, {"hostile.py": hostile, "plain.py": PLAIN})
    seen = scan("s", tmp_path, tmp_path)
    assert (seen.files, seen.unread) == (2, 1)
    assert [finding.path for finding in seen.findings] == ["plain.py"]


def test_what_all_files_may_cause_has_a_limit_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {f"{name}.py": f"{PLAIN}# {name}" for name in "abc"})
    monkeypatch.setattr(reader, "MOST_STEPS", 10)
    seen = scan("s", tmp_path, tmp_path)
    assert 0 < seen.unread < 3
    assert len(seen.findings) == 3 - seen.unread


@pytest.mark.parametrize(
    "code",
    [
        "urllib.request.urlopen('{}')".format("://" * 300_000),
        "urllib.request.urlopen('{}')\n".format("://x86_64/" * 90) * 900,
    ],
    ids=["one long text", "many texts"],
)
def test_texts_in_which_every_character_may_begin_an_address_come_to_an_end(code: str) -> None:
    source = f"import urllib.request\n# linux x86_64\n{code}".encode()
    attempt(UnreadableSourceError, lambda: findings_in(source, "a.py", all_rules()))


def test_many_places_that_share_many_lines_are_refused() -> None:
    nested = "numpy.longdouble(" * 60 + "\n" * 90_000 + ")" * 60
    source = f"import numpy\nx = {nested}\n".encode()
    with pytest.raises(UnreadableSourceError):
        findings_in(source, "a.py", all_rules())


def parsed_contents(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every content that is parsed from now on."""
    parsed: list[bytes] = []

    def noting(language: Language, source: bytes, *rest: Any) -> FileResult:
        parsed.append(source)
        return read(language, source, *rest)

    read = Language.read
    monkeypatch.setattr(Language, "read", noting)
    return parsed


def test_a_content_that_was_read_before_is_not_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored = REFUSES.format(comment="  # arm64: ignore[refuses-arm] as agreed")
    write(tmp_path, {"a.py": PLAIN, "b.py": ignored, "c.py": f"{PLAIN}(", "d.py": "pass\n"})
    parsed = parsed_contents(monkeypatch)
    first = scan("s", tmp_path, tmp_path)
    assert len(parsed) == 3
    assert scan("s", tmp_path, tmp_path) == first
    assert len(parsed) == 3
    (tmp_path / "a.py").rename(tmp_path / "moved.py")
    (moved,) = scan("s", tmp_path, tmp_path).findings
    assert (moved.path, len(parsed)) == ("moved.py", 3)
    write(tmp_path, {"d.py": PLAIN.replace("only", "but")})
    assert [f.path for f in scan("s", tmp_path, tmp_path).findings] == ["d.py", "moved.py"]
    assert len(parsed) == 4


def test_other_rules_read_everything_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.py": PLAIN})
    scan("s", tmp_path, tmp_path)
    parsed = parsed_contents(monkeypatch)
    monkeypatch.setattr(result_cache, "rules_fingerprint", lambda: "others")
    scan("s", tmp_path, tmp_path)
    assert parsed == [PLAIN.encode()]


@pytest.mark.parametrize("found", [{"x": 1}, {"x": {"places": [{"line": "no number"}]}}, []])
def test_a_cache_of_another_shape_is_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: object
) -> None:
    write(tmp_path, {"a.py": PLAIN})
    record = {"clean": [result_cache.content_hash(PLAIN.encode())], "found": found}
    if not isinstance(found, list):
        monkeypatch.setattr(cache, "load", lambda *_: record)
        assert len(scan("s", tmp_path, tmp_path).findings) == 1
    monkeypatch.setattr(cache, "load", lambda *_: {"clean": 1, "found": found})
    assert len(scan("s", tmp_path, tmp_path).findings) == 1
