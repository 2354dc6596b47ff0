"""Where an advisory holds: what a target decides, and what it leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..config.facts import PAGES
from ..config.suggestions import suggestion
from ..config.targets import Target

# AWS's names of processors, and ARM's of their real cores (engine/emulation.py has qemu's nearest).
CORES = {
    "graviton2": "neoverse-n1",
    "graviton3": "neoverse-v1",
    "graviton4": "neoverse-v2",
    "graviton5": "neoverse-v3",
}
GLIBC, MUSL = "glibc", "musl"
LAMBDA = "lambda"
_LISTS = ("cores", "page-sizes", "targets")
_TEXTS = ("libc", "sandbox", "import-order", "use")
_MOST, _LONGEST_NAME = 50, 40


@dataclass(frozen=True)
class Condition:
    """All of it has to hold; what is empty always does."""

    cores: tuple[str, ...] = ()
    """ARM's names, such as ``neoverse-n1``."""
    page_sizes: tuple[int, ...] = ()
    """Bytes."""
    targets: tuple[str, ...] = ()
    """Kinds of targets: ``lambda``."""
    libc: str = ""
    """``glibc`` or ``musl``."""
    sandbox: str = ""
    """What the surroundings hide or forbid, in words."""
    import_order: str = ""
    """What has to be imported before, in words."""
    use: str = ""
    """What has to be called, in words."""

    def __str__(self) -> str:
        words = [
            f"on {_either(self.cores)}" if self.cores else "",
            f"with pages of {_either(self.page_sizes)} bytes" if self.page_sizes else "",
            f"on {_either(self.targets)}" if self.targets else "",
            f"with {self.libc}" if self.libc else "",
            *self.open_words(),
        ]
        return "; ".join(filter(None, words)) or "always"

    def open_words(self) -> Iterator[str]:
        """What no target decides."""
        yield from filter(None, (self.sandbox, self.import_order, self.use))


@dataclass(frozen=True)
class Deployment:
    """What is known of where a service will run."""

    target: Target
    cores: tuple[str, ...] = ()
    """ARM's names of the cores that the project says it runs on; empty where it says none."""

    @property
    def libc(self) -> str:
        """``glibc`` or ``musl``; empty where the target says neither."""
        if self.target.glibc:
            return GLIBC
        return MUSL if self.target.os.startswith("alpine") else ""

    @property
    def on_lambda(self) -> bool:
        return bool(self.target.package) or self.target.recipe.name == LAMBDA


def cores_of(names: Iterable[str]) -> tuple[str, ...]:
    """ARM's names of the processors called *names*, such as ``graviton2``."""
    return tuple(CORES[name] for name in names if name in CORES)


def open_condition(condition: Condition, deployment: Deployment) -> str | None:
    """What has to hold besides, in words; empty where *condition* holds; None where it does not."""
    if condition.targets and not (LAMBDA in condition.targets and deployment.on_lambda):
        return None
    if condition.page_sizes and deployment.target.facts.page_size not in condition.page_sizes:
        return None
    if condition.libc and deployment.libc and condition.libc != deployment.libc:
        return None
    unknown = [] if deployment.libc or not condition.libc else [f"the target has {condition.libc}"]
    if condition.cores:
        possible = deployment.cores or (tuple(CORES.values()) if deployment.on_lambda else ())
        if possible and not set(possible) & set(condition.cores):
            return None
        if not deployment.cores and not (possible and set(possible) <= set(condition.cores)):
            unknown.append(f"it runs on {_either(condition.cores)}")
    return " and ".join([*unknown, *condition.open_words()])


def read_condition(table: Mapping[str, object]) -> Condition:
    """The ``condition`` of an advisory.

    Raises:
        ValueError: a key or a value that does not exist.
    """
    for key in table:
        if key not in (*_LISTS, *_TEXTS):
            raise ValueError(
                f"condition has no key {key[:40]!r}{suggestion(key, (*_LISTS, *_TEXTS))}"
            )
    texts = {key: _text(table, key) for key in _TEXTS}
    if texts["libc"] not in ("", GLIBC, MUSL):
        raise ValueError(f"condition: libc must be {GLIBC} or {MUSL}")
    targets = _names(table, "targets")
    if set(targets) - {LAMBDA}:
        raise ValueError(f"condition: targets can only name {LAMBDA!r}")
    return Condition(
        _names(table, "cores"),
        _pages(table.get("page-sizes", [])),
        targets,
        texts["libc"],
        texts["sandbox"],
        texts["import-order"],
        texts["use"],
    )


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or len(value) > 400:
        raise ValueError(f"condition: {key} is not a text of at most 400 characters")
    return value


def _names(table: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if isinstance(value, list) and len(value) <= _MOST:
        texts = [item for item in value if isinstance(item, str)]
        names = tuple(text.lower() for text in texts if 0 < len(text) <= _LONGEST_NAME)
        if len(names) == len(value):
            return names
    raise ValueError(f"condition: {key} is not a list of names")


def _pages(value: object) -> tuple[int, ...]:
    if isinstance(value, list):
        sizes = tuple(size for size in PAGES if size in value)
        if len(sizes) == len(value):
            return sizes
    raise ValueError(f"condition: page-sizes must be among {', '.join(map(str, PAGES))}")


def _either(values: Iterable[object]) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} or {last}" if first else last
