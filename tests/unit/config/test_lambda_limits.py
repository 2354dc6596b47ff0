"""What a Lambda function may use, by its target's facts and the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.config.lambda_limits import LambdaLimits, in_words, memory_size
from pytest_arm64.config.option_values import Given
from pytest_arm64.config.project import load_project
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.errors import SettingsError

MB = 2**20
LAMBDA = 'target = "lambda-python3.12"\n'


def settings_of(folder: Path, table: str, service: str = "") -> Settings:
    (folder / "r.txt").touch()
    text = f"[tool.pytest-arm64]\n{table}"
    if service:
        text += f'[tool.pytest-arm64.service.fn]\nrequirements = "r.txt"\n{service}'
    (folder / "pyproject.toml").write_text(text, "utf-8")
    project = load_project(Given(), {}, rootpath=folder, cwd=folder)
    return project.settings_of(project.services.declared[0])


@pytest.mark.parametrize(
    "name", [name for name, target in shipped_targets().items() if target.package]
)
def test_each_lambda_target_has_a_functions_limits(name: str, tmp_path: Path) -> None:
    limits = settings_of(tmp_path, f'target = "{name}"\n').limits
    assert limits == LambdaLimits(open_files=1024, processes=1024, temporary=512 * MB)


@pytest.mark.parametrize(
    "table", ['target = "al2023-python3.12"\n', LAMBDA + "lambda-limits = false\n"]
)
def test_other_targets_and_those_that_switch_them_off_have_none(table: str, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, table + 'tmp-size = "1GB"\n')
    assert (settings.limits, settings.read_only, settings.copied) == (None, False, False)


def test_a_target_of_ones_own_has_none(tmp_path: Path) -> None:
    table = 'target = "x"\n[tool.pytest-arm64.targets.x]\nimage = "i"\npython = "3.12"\n'
    assert settings_of(tmp_path, table).limits is None


def test_what_a_service_says_goes_before_the_table(tmp_path: Path) -> None:
    table = LAMBDA + 'memory = "1769MB"\ntmp-size = "1GB"\n'
    limits = settings_of(tmp_path, table).limits
    assert limits is not None
    assert (limits.temporary, limits.processors) == (1024 * MB, 1.0)
    assert memory_size(limits.memory) == 1769
    own = 'memory = "512MB"\ntmp-size = "2GB"\nlambda-code = "copy"\n'
    settings = settings_of(tmp_path, table, own)
    assert settings.limits == LambdaLimits(1024, 1024, 2048 * MB, 512 * MB, "copy")
    assert (settings.read_only, settings.copied) == (False, True)


@pytest.mark.parametrize(
    ("table", "service", "words"),
    [
        (
            'lambda-code = "writable"\n',
            "",
            "'writable' must be one of read-only, copy",
        ),
        ("", 'lambda-code = "rw"\n', r"pyproject.toml:5: lambda-code = 'rw'"),
        ('tmp-size = "512"\n', "", "tmp-size = '512' is not an amount of memory"),
        ("", 'tmp-size = "x"\n', "tmp-size = 'x' is not an amount of memory"),
        ('lambda-limits = "no"\n', "", "lambda-limits = 'no' has a wrong type"),
    ],
)
def test_a_mistake_is_an_error_with_its_place(
    table: str, service: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_of(tmp_path, LAMBDA + table, service)


@pytest.mark.parametrize(
    ("limits", "processors", "expected"),
    [
        (LambdaLimits(1024, 1000, 512 * MB), 0.0, "only /tmp can be written, /tmp up to 512 MB"),
        (LambdaLimits(1024, 1000, 10240 * MB), 0.0, "/tmp up to 10,240 MB"),
        (LambdaLimits(1024, 1000, 1, code="copy"), 0.0, "/tmp and the copy of the project can be"),
        (LambdaLimits(1024, 1000, 1), 1.0, "1 processor"),
        (LambdaLimits(1024, 1000, 1), 1.7003, "1.7 processors"),
        (LambdaLimits(1024, 1000, 1), 0.0724, "0.072 processors"),
        (LambdaLimits(1024, 1000, 1), 0.0, "1,000 processes and threads"),
    ],
)
def test_limits_in_words(limits: LambdaLimits, processors: float, expected: str) -> None:
    words = "; ".join(in_words(limits, processors))
    assert expected in words
    assert ("processor" in words.replace("system/cpu", "")) == bool(processors)
