"""Whether an advisory applies on a target: surely, perhaps, or not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_arm64.advisories.conditions import Deployment, cores_of, open_condition
from pytest_arm64.config.facts import Facts
from pytest_arm64.config.targets import Target, shipped_targets
from pytest_arm64.inside.options import CORES
from unit.advisories.made_advisories import advisory

AL2023 = shipped_targets()["al2023-python3.12"]
LAMBDA = shipped_targets()["lambda-python3.12"]
ZIP = shipped_targets()["lambda-zip-python3.12"]
LARGE = replace(AL2023, facts=Facts(page_size=65536))
ALPINE = replace(AL2023, os="alpine 3.22", glibc="")
OTHER = replace(AL2023, os="", glibc="")


@pytest.mark.parametrize(
    ("condition", "target", "cores", "expected"),
    [
        ({}, AL2023, "", ""),
        ({"page_sizes": [65536]}, AL2023, "", None),
        ({"page_sizes": [16384, 65536]}, LARGE, "", ""),
        ({"libc": "musl"}, AL2023, "", None),
        ({"libc": "musl"}, ALPINE, "", ""),
        ({"libc": "glibc"}, ALPINE, "", None),
        ({"libc": "glibc"}, OTHER, "", "the target has glibc"),
        ({"targets": ["lambda"]}, AL2023, "", None),
        ({"targets": ["lambda"]}, LAMBDA, "", ""),
        ({"targets": ["lambda"]}, ZIP, "", ""),
        ({"cores": ["neoverse-n1"]}, AL2023, "", "it runs on neoverse-n1"),
        ({"cores": ["neoverse-n1"]}, AL2023, "graviton2", ""),
        ({"cores": ["neoverse-n1"]}, AL2023, "graviton3", None),
        ({"cores": ["neoverse-n1"]}, AL2023, "graviton3,graviton2", ""),
        ({"cores": ["neoverse-n1", "cortex-a72"]}, LAMBDA, "", "neoverse-n1 or cortex-a72"),
        ({"cores": ["cortex-a72"]}, LAMBDA, "", None),
        ({"cores": ["Neoverse-N1"]}, AL2023, "graviton2", ""),
        ({"use": "f is called"}, AL2023, "", "f is called"),
        (
            {"sandbox": "/sys is hidden", "import_order": "a first"},
            AL2023,
            "",
            "/sys is hidden and",
        ),
        ({"cores": ["neoverse-n1"], "use": "f is called"}, AL2023, "graviton2", "f is called"),
        ({"cores": ["neoverse-n1"], "use": "f is called"}, AL2023, "graviton4", None),
    ],
)
def test_a_condition_holds_is_open_or_does_not_hold(
    condition: dict[str, object], target: Target, cores: str, expected: str | None
) -> None:
    deployment = Deployment(target, cores_of(cores.split(",")))
    found = open_condition(advisory(**condition).condition, deployment)
    if expected:
        assert found is not None
        assert expected in found
    else:
        assert found == expected


def test_every_core_that_a_project_can_name_has_arms_name() -> None:
    assert len(set(cores_of(CORES))) == len(CORES)


def test_a_condition_in_words_leaves_nothing_out() -> None:
    made = advisory(cores=["a", "b"], page_sizes=[65536], targets=["lambda"], libc="glibc", use="f")
    assert str(made.condition) == ("on a or b; with pages of 65536 bytes; on lambda; with glibc; f")
    assert str(advisory().condition) == "always"
