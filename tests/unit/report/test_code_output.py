"""What is said of code that assumes x86."""

from __future__ import annotations

import pytest

from pytest_arm64.report.code_output import code_markdown, heading, summary_lines
from pytest_arm64.sources.findings import CodeBranch
from pytest_arm64.sources.scan import CodeScan

BRANCHES = (CodeBranch("a.c", 1, 3, arm=False), CodeBranch("a.c", 5, 9, arm=True))


@pytest.mark.parametrize(
    ("scan", "lines"),
    [
        (
            CodeScan("s", branches=BRANCHES),
            ["2 branches for x86, 1 of them without a way for ARM64"],
        ),
        (CodeScan("s", branches=BRANCHES[1:]), ["1 branch for x86, with a way for ARM64"]),
        (CodeScan("s", branches=BRANCHES[:1]), ["1 branch for x86, without a way for ARM64"]),
        (
            CodeScan("s", unparsed=3),
            ["3 files of C, C++ or Rust not read: pip install 'pytest-arm64[code]'"],
        ),
    ],
)
def test_branches_and_files_without_a_parser_are_summed_up(
    scan: CodeScan, lines: list[str]
) -> None:
    assert summary_lines(scan) == lines
    assert heading(scan)
    assert lines[0].partition("[")[0] in code_markdown([scan])


def test_of_a_service_without_such_code_nothing_is_said() -> None:
    assert code_markdown([CodeScan("s", files=3, lines=99)]) == ""
