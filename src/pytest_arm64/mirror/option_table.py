"""Every option of pytest, and of plugins that matter, by who obeys it; the tables of the docs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ..inside.options import OPTIONS, Who


@dataclass(frozen=True)
class Option:
    """One option with its other spellings."""

    names: tuple[str, ...]
    who: Who
    note: str = ""
    """What is special about it; for one that is refused, the reason."""
    dest: str = ""
    """Where pytest keeps its value; of options that are refused."""
    plugin: str = ""
    """The distribution that brings it; empty for pytest's own."""


def _inside(names: str, note: str = "", *, plugin: str = "") -> Option:
    return Option(tuple(names.split()), Who.INSIDE, note, plugin=plugin)


def _both(names: str, note: str = "") -> Option:
    return Option(tuple(names.split()), Who.BOTH, note)


def _host(names: str, note: str) -> Option:
    return Option(tuple(names.split()), Who.HOST, note)


def _refused(names: str, dest: str, note: str) -> Option:
    return Option(tuple(names.split()), Who.REFUSED, note, dest)


_TITLES = {
    Who.BOTH: "Obeyed by both sides",
    Who.INSIDE: "Obeyed by the session inside",
    Who.HOST: "Obeyed by the host alone",
    Who.REFUSED: "Refused",
}
_OBEYED = {Who.HOST: "the host", Who.BOTH: "both sides"}
_CACHE = "the session inside owns `.pytest_cache`, which lies in the project"
_DEBUGGER = (
    "a debugger needs a terminal in the container; `--arm64-keep` prints how to open a test there"
)
_LISTS = "it lists what this machine has"

PYTEST: tuple[Option, ...] = (
    _inside("-k"),
    _inside("-m"),
    _inside("--deselect"),
    _inside("--ignore"),
    _inside("--ignore-glob"),
    _inside("--pyargs", "packages are looked up inside"),
    _inside("--collect-in-virtualenv"),
    _inside("--keep-duplicates --keepduplicates"),
    _inside("--continue-on-collection-errors"),
    _both("--collect-only --collectonly --co", "the tree is made inside and printed as text"),
    _both("-x --exitfirst"),
    _both("--maxfail"),
    _inside("--runxfail"),
    _inside("--lf --last-failed", _CACHE),
    _inside("--ff --failed-first", _CACHE),
    _inside("--nf --new-first", _CACHE),
    _inside("--lfnf --last-failed-no-failures", _CACHE),
    _inside("--sw --stepwise", _CACHE),
    _inside("--sw-skip --stepwise-skip", _CACHE),
    _inside("--sw-reset --stepwise-reset", _CACHE),
    _inside("--cache-clear", _CACHE),
    _host("--cache-show", "nothing has to run for it"),
    _both("-v --verbose"),
    _both("-q --quiet"),
    _both("--verbosity"),
    _both("-r --report-chars"),
    _both("-l --showlocals"),
    _both("--no-showlocals"),
    _both("--tb"),
    _both("--xfail-tb"),
    _both("--full-trace --fulltrace", "shows the frames of the session inside"),
    _both("--show-capture"),
    _both("--color"),
    _both("--code-highlight"),
    _both("--no-header"),
    _both("--no-summary"),
    _both("--force-short-summary"),
    _both("--no-fold-skipped"),
    _both("--durations"),
    _both("--durations-min"),
    _both("--disable-warnings --disable-pytest-warnings"),
    _both("--max-warnings"),
    _both("--junit-xml --junitxml", "this process writes the file, from the mirrored reports"),
    _both("--junit-prefix --junitprefix"),
    _host("--pastebin", "sends what is shown here"),
    _inside("-s"),
    _inside("--capture", "with `-s` output is live"),
    _inside("-W --pythonwarnings", "warnings are filtered where they are raised"),
    _both("-p", "plugins are loaded on both sides; one that is not here is an error"),
    _both("--disable-plugin-autoload"),
    _both("-c --config-file", "`[tool.pytest-arm64]` is read beside pytest's rootdir"),
    _both("--rootdir", "what is mounted is the repository that it lies in"),
    _inside("--confcutdir"),
    _inside("--noconftest"),
    _both("-o --override-ini"),
    _inside("--strict-markers"),
    _inside("--strict-config", "keys of conftests and plugins are known inside only"),
    _inside("--strict"),
    _inside("--import-mode"),
    _inside("--assert"),
    _inside("--basetemp", "a path below the project; others do not exist inside"),
    _inside("--doctest-modules"),
    _inside("--doctest-report"),
    _inside("--doctest-glob"),
    _inside("--doctest-ignore-import-errors"),
    _inside("--doctest-continue-on-failure"),
    _inside("--setup-only --setuponly"),
    _inside("--setup-show --setupshow"),
    _inside("--log-level"),
    _inside("--log-format"),
    _inside("--log-date-format"),
    _inside("--log-cli-level", "live logs are shown as they come"),
    _inside("--log-cli-format"),
    _inside("--log-cli-date-format"),
    _inside("--log-file", "a path below the project"),
    _inside("--log-file-mode"),
    _inside("--log-file-level"),
    _inside("--log-file-format"),
    _inside("--log-file-date-format"),
    _inside("--log-auto-indent"),
    _inside("--log-disable"),
    _both("--trace-config --traceconfig"),
    _host("-h --help", "options of conftests are not listed"),
    _host("-V --version", "of this machine's pytest"),
    _host("--markers", "markers of conftests are not listed"),
    _host(
        "--pdb", "keeps the container of a failing test and prints the command that opens it in pdb"
    ),
    _inside("--pdbcls"),
    _refused("--trace", "trace", _DEBUGGER),
    _refused("--fixtures --funcargs", "showfixtures", _LISTS),
    _refused("--fixtures-per-test", "show_fixtures_per_test", _LISTS),
    _refused("--setup-plan --setupplan", "setupplan", "it runs nothing that could be mirrored"),
    _refused("--debug", "debug", "both sides would write the same file"),
)
"""pytest's own, of all versions since 7.0."""

PLUGINS: tuple[Option, ...] = (
    _inside(
        "-n --numprocesses --dist --tx --maxprocesses",
        "pytest-xdist distributes inside",
        plugin="pytest-xdist",
    ),
    _inside(
        "--cov --cov-report --cov-append --cov-fail-under",
        "pytest-cov measures inside",
        plugin="pytest-cov",
    ),
    _inside("--html", "pytest-html: the file is written inside, then here", plugin="pytest-html"),
    _host("--report-log", "pytest-reportlog: written here, from the mirrored reports"),
)
"""Of plugins; all that are not named go to both sides, where each knows them."""


def missing_plugins(words: Collection[str]) -> tuple[str, ...]:
    """Distributions that would bring options among *words*, arguments that nobody knew."""
    return tuple(
        option.plugin for option in PLUGINS if option.plugin and {*option.names} & {*words}
    )


def names_of(who: Who) -> Iterator[str]:
    """All spellings of the options that *who* obeys."""
    for option in (*PYTEST, *PLUGINS):
        if option.who is who:
            yield from option.names


def own_markdown() -> str:
    """The table of our own options in ``docs/options.md``."""
    lines = ["| option | obeyed by | needs | what it does |", "| --- | --- | --- | --- |"]
    for option in OPTIONS:
        usage = option.usage.replace("|", "\\|")
        needs = " or ".join(f"`{name}`" for name in option.needs)
        lines.append(f"| `{usage}` | {_OBEYED[option.who]} | {needs} | {option.help} |")
    return "\n".join([*lines, ""])


def markdown() -> str:
    """The tables of pytest's options in ``docs/options.md``."""
    lines = []
    for who, title in _TITLES.items():
        note = "reason" if who is Who.REFUSED else "note"
        lines += [f"#### {title}", "", f"| option | {note} |", "| --- | --- |"]
        for option in (*PYTEST, *PLUGINS):
            if option.who is who:
                names = ", ".join(f"`{name}`" for name in option.names)
                lines.append(f"| {names} | {option.note} |")
        lines.append("")
    return "\n".join(lines)
