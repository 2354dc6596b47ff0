"""The wheel matrix as a table on a narrow terminal, and several targets beside each other."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from pytest_arm64.advisories.database import KnownDefect
from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.config.system_packages import PackageNames
from pytest_arm64.report.matrix_output import explanation, markdown, print_table, summary
from unit.decide import made


def shown(*matrices: WheelMatrix, width: int = 80) -> str:
    stream = io.StringIO()
    print_table(Console(file=stream, width=width), matrices, every=True)
    return stream.getvalue()


def test_beside_long_names_no_word_is_cut() -> None:
    long = "a-semantic-convention-of-some-length-and-more"
    rows = (replace(made.SOURCE, cause="source-everywhere"), replace(made.PURE, name=long))
    for width in (60, 80):
        text = shown(made.matrix(*rows), width=width)
        assert "…" not in text
        assert "source-everywhere" in "".join(text.split())
        assert all(len(line) <= width for line in text.splitlines())


def test_targets_are_compared_where_something_differs() -> None:
    other = replace(made.matrix(made.SOURCE), target="other")
    assert shown(made.matrix(made.SOURCE), other).splitlines()[-2].split() == [
        *("api", made.TARGET, "other")
    ]
    alike = shown(made.matrix(), replace(made.matrix(), target="other"))
    assert ["api", made.TARGET, "other"] not in [line.split() for line in alike.splitlines()]


def test_what_is_built_from_pure_sources_is_counted_and_ready() -> None:
    text = " ".join(shown(made.matrix(made.PURE, made.FROM_SOURCE), width=200).split())
    assert "2 packages: 2 pure Python (1 built from source)" in text
    assert "Ready: every package has a usable wheel or is pure Python." in text


def test_a_green_row_with_a_known_defect_is_shown_with_its_condition() -> None:
    open_ = KnownDefect("A-1", "abort", "it ends", "it runs on neoverse-n1", "2.1")
    certain = KnownDefect("A-2", "wrong-result", "it is wrong", grave=True)
    matrix = made.matrix(replace(made.WHEEL, advisories=(open_, certain)))
    stream = io.StringIO()
    print_table(Console(file=stream, width=200), [matrix], every=False)
    text = stream.getvalue()
    assert (
        "known-defect A-1 (abort): it ends; applies if it runs on neoverse-n1; not in 2.1"
    ) in text
    assert "known-defect A-2 (wrong-result): it is wrong; no fixed release is known" in text
    assert "Known defects: 2 (1 certain and grave)" in text
    assert "A-1" in markdown([matrix])


def test_system_packages_come_with_the_line_that_installs_them() -> None:
    psycopg2 = replace(
        made.SOURCE,
        system=("libpq-devel (dnf, at build time)", "libpq (dnf, at run time)"),
        system_packages=PackageNames(("libpq-devel",), ("libpq",)),
    )
    opencv = replace(
        made.WHEEL,
        name="opencv-python",
        system=("mesa-libGL (dnf, at run time)",),
        system_packages=PackageNames(run=("mesa-libGL",)),
    )
    own = '→ in pytest --arm64: system-packages = { build = ["libpq-devel"], run = ["libpq"] }'
    assert own in explanation(psycopg2)
    both = 'system-packages = { build = ["libpq-devel"], run = ["libpq", "mesa-libGL"] }'
    assert both in "\n".join(summary(made.matrix(psycopg2, opencv)))
    # One row says it itself.
    assert "system-packages" not in "\n".join(summary(made.matrix(psycopg2)))
    assert "system-packages" not in "\n".join(explanation(made.SOURCE))
