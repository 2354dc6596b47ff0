"""The rules for code that assumes x86: ``resources/rules/*.toml``."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ..config._toml import loads
from ..config.suggestions import suggestion
from ..errors import SettingsError

LONGEST_TEXT = 1000
"""Characters of a text that are looked at: expressions may take time in the square of them."""


@dataclass(frozen=True)
class Rule:
    """What one kind of place looks like, why it matters and what to do."""

    id: str
    kind: str
    """Which matcher finds it."""
    what: str
    why: str
    fix: str
    references: tuple[str, ...]
    confidence: str
    """``high``, ``medium`` or ``low``: how often a place that is found really matters on ARM64."""
    words: tuple[tuple[bytes, ...], ...]
    """A file without a word of each of these is not parsed."""
    matches: tuple[str, ...]
    """Code in which the rule finds one place."""
    harmless: tuple[str, ...]
    """Code that looks similar, in which it finds nothing."""
    languages: tuple[str, ...] = ("python",)
    """Whose files it looks at."""
    calls: tuple[str, ...] = ()
    """Functions that are looked at, with their modules."""
    text: str = ""
    """A regular expression for a text that matters."""
    harmless_text: str = ""
    """One for texts that do not matter."""
    pattern: str = ""
    """Of C: a regular expression without which the code that ARM64 sees is not parsed."""
    query: str = ""
    """What tree-sitter looks for."""
    directive: str = ""
    """The preprocessor's directive that is looked at."""
    surely: bool = False
    """Whether a place counts only where ARM64 compiles it whatever else is configured."""
    once: bool = False
    """Whether one place in a function stands for all in it."""
    inside: bool = False
    """Whether only functions are looked at."""
    translated: bool = False
    """Whether it finds nothing in projects with a translation of x86's vector functions."""

    def may_match(self, source: bytes) -> bool:
        """Whether *source* has the words without which the rule finds nothing."""
        return all(any(word in source for word in words) for words in self.words)

    def has_text(self, text: str) -> bool:
        """Whether the beginning of *text* is what the rule looks for."""
        text = text[:LONGEST_TEXT]
        if re.search(self.text, text) is None:
            return False
        return not self.harmless_text or re.search(self.harmless_text, text) is None

    def search(self, text: str, first: int, last: int) -> re.Match[str] | None:
        """Where *text*, between two positions, has what the rule looks for."""
        return re.compile(self.text).search(text, first, last)

    def is_in(self, code: bytes) -> bool:
        """Whether *code* has what the rule does not do without."""
        return not self.pattern or re.search(self.pattern.encode(), code) is not None

    def explanation(self) -> str:
        """All of it as text."""
        lines = [f"{self.id}: {self.what}", "", f"Why: {self.why}", f"Fix: {self.fix}"]
        lines.append(f"Confidence: {self.confidence}")
        lines += [f"See: {reference}" for reference in self.references]
        for title, examples in (("A finding", self.matches), ("No finding", self.harmless)):
            for example in examples:
                lines += ["", f"{title}:"]
                lines += [f"    {line}".rstrip() for line in example.strip().splitlines()]
        return "\n".join(lines)


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    return tuple(map(_rule, _texts()))


@cache
def rules_fingerprint() -> str:
    """Changes with any rule."""
    return hashlib.sha256("\0".join(_texts()).encode()).hexdigest()


@cache
def _texts() -> tuple[str, ...]:
    folder = resources.files("pytest_arm64.resources").joinpath("rules")
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return tuple(file.read_text("utf-8") for file in sorted(files, key=lambda f: f.name))


@cache
def _by_id() -> dict[str, Rule]:
    return {rule.id: rule for rule in all_rules()}


def rule_named(name: str) -> Rule:
    """The rule *name*.

    Raises:
        SettingsError: there is no such rule.
    """
    rules = _by_id()
    if name not in rules:
        raise SettingsError(
            f"no rule {name!r}{suggestion(name, rules)}",
            next_step=f"name one of: {', '.join(rules)}",
        )
    return rules[name]


def _rule(text: str) -> Rule:
    values = loads(text)
    values["words"] = [tuple(map(str.encode, words)) for words in values["words"]]
    for key, value in values.items():
        if isinstance(value, list):
            values[key] = tuple(value)
    return Rule(**values)
