"""What is known of x86 against ARM comes out as known, in real containers: class, and hint."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docker_cases import RunPytest
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.inside.golden.hints import CAST, CHAR, EXACT_RESIZE, FLAG, FMA, NAN_SIGN

SAME, NOISE = ("identical",), ("dispatch noise", "within policy")
INTEGER, OUTCOME, FLOAT = ("integer/cast",), ("exception or signal changed",), ("beyond policy",)
TIES, IMAGE = ("tie order",), ("image level",)
Known = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""By case: the classes that it may come out as, and the hints that it gives then."""

C_AND_PYTHON: Known = {
    "copysign of a new NaN": (FLOAT, (NAN_SIGN,)),
    "os.O_DIRECT": (INTEGER, (FLAG,)),
    "sum of char[]": (INTEGER, (CHAR,)),
    "plain char": (INTEGER, ()),
    "wchar_t": (INTEGER, ()),
    "long double": (INTEGER, ()),
    "division by zero": (OUTCOME, ()),
    "aligned SIMD load of an unaligned address": (OUTCOME, ()),
    "unaligned atomic": (OUTCOME, ()),
    "a*b+c": (FLOAT, (FMA,)),
    "0/0": (FLOAT, (NAN_SIGN,)),
    "(int)3e9f": (INTEGER, (CAST,)),
    "(int)NAN": (INTEGER, (CAST,)),
    "(unsigned char)-2.0f": (INTEGER, (CAST,)),
    **dict.fromkeys(
        [
            *("byte order and sizes", "elementary functions", "logarithms and powers"),
            *("hashes and checksums", "shift by the width", "shuffle", "unaligned integer"),
            "sum of tenths",
        ],
        (SAME, ()),
    ),
}
NUMPY: Known = {
    "cast f4 to u1, scalar": (INTEGER, (CAST,)),
    "cast f4 to u1, vectors and a rest": (INTEGER, (CAST,)),
    "cast f4 to i4 of what does not fit": (INTEGER, (CAST,)),
    "cast f4 to i4 of what does not fit, vector": (INTEGER, (CAST,)),
    "cast f4 to u1 of what does not fit": (INTEGER, (CAST,)),
    "warning of a cast": (INTEGER, (CAST,)),
    "unstable argsort of ties": (TIES, ()),
    "exp of f4": (NOISE, ()),
    **dict.fromkeys(
        [
            *("cast f4 to u1, whole vectors", "stable argsort", "sum, mean, std"),
            *("cumulative sum and product", "generators"),
        ],
        (SAME, ()),
    ),
}
IMAGES_AND_LEARNING: Known = {
    "OpenCV: resize, linear": (IMAGE, (EXACT_RESIZE,)),
    "scikit-learn: SVC, decision function": (NOISE, ()),
    **dict.fromkeys(
        [
            *("OpenCV: resize, linear exact", "OpenCV: variance of the Laplacian"),
            *("Pillow: resize with all filters", "Pillow: JPEG, encoded", "Pillow: JPEG, decoded"),
            *("Pillow: PNG", "Pillow: PNG, encoded"),
            *("Pillow: WebP, decoded", "Pillow: WebP, encoded"),
            *("imagehash: four hashes", "scikit-learn: SVC, labels and support"),
        ],
        (SAME, ()),
    ),
}
LIBRARIES = "numpy\nscipy\nPillow\nopencv-python-headless\nscikit-learn\npandas\nimagehash\n"


def differing(run_pytest: RunPytest, folder: Path, known: Known, *options: str) -> dict[str, str]:
    """Cases that did not come out as *known*, in words."""
    junit = folder / "junit.xml"
    result = run_pytest(
        folder,
        *("--arm64", "--arm64-compare", "--arm64-cpu", "graviton2"),
        *("--pyargs", "pytest_arm64.conformance"),
        *(f"--junitxml={junit}", *options),
    )
    assert result.code == 0, result.out
    assert "0 differ" in result.out
    told = {}
    for found in ElementTree.parse(junit).iter("property"):
        if found.get("name") == "arm64_conformance":
            case = json.loads(found.get("value", ""))
            told[case["case"]] = (case.get("verdict", ""), tuple(case.get("hints", ())))
    return {
        name: f"{told.get(name)}, not {classes} with {hints}"
        for name, (classes, hints) in known.items()
        if told.get(name, ("", ()))[0] not in classes or told[name][1] != hints
    }


@pytest.fixture
def _natively(engine: Engine) -> None:
    if engine.machine != "x86_64":
        pytest.skip("the x86 side would be emulated, whose values say nothing about x86")


@pytest.mark.usefixtures("_natively")
def test_python_c_and_numpy(run_pytest: RunPytest, project: Callable[..., Path]) -> None:
    known = {**C_AND_PYTHON, **NUMPY}
    selected = ("-k", "stdlib or native or numpy")
    assert differing(run_pytest, project("numpy\n"), known, *selected) == {}


@pytest.mark.long
@pytest.mark.usefixtures("_natively")
def test_every_library(run_pytest: RunPytest, project: Callable[..., Path]) -> None:
    known = {**C_AND_PYTHON, **NUMPY, **IMAGES_AND_LEARNING}
    assert differing(run_pytest, project(LIBRARIES), known) == {}
