"""The conformance suite: each case stands alone, and none is left out without a word."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LISTED = """
import importlib, json, sys
from collections import Counter
for name in sys.argv[1:]:
    sys.modules[name] = None
from pytest_arm64.conformance.case import LIBRARIES
counts = Counter()
names = []
PARTS = "images models native numpy science search stdlib tables texts"
for part in PARTS.split():
    module = importlib.import_module(f"pytest_arm64.conformance.test_{part}")
    counts.update(case.library for case in module.CASES)
    names += [case.name for case in module.CASES]
    assert all(case.cause and case.reference for case in module.CASES)
assert len(names) == len(set(names))
assert not any(name in sys.modules and sys.modules[name] for name in sys.argv[1:])
print(json.dumps(counts))
"""
THIRD_PARTY = (
    *("numpy", "scipy", "sklearn", "pandas", "polars", "pyarrow", "PIL", "cv2", "imagehash"),
    *("onnxruntime", "faiss", "usearch", "regex", "zstandard", "lz4", "xxhash"),
)
WITHOUT = "import sys\nfor name in {names!r}:\n    sys.modules[name] = None\n"


def run(folder: Path, *arguments: str, without: tuple[str, ...] = ()) -> str:
    """What the suite prints where it computes and nothing is compared, as the x86 side of a run."""
    (folder / "without.py").write_text(WITHOUT.format(names=without))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environ |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ARM64_OUT": str(folder / "out"),
        "PYTEST_ARM64_ROLE": "reference",
        "PYTHONPATH": str(folder),
    }
    command = [sys.executable, "-m", "pytest", "-pwithout", "-ppytest_arm64.plugin", "-rs"]
    done = subprocess.run(
        [*command, "-pno:cacheprovider", "--pyargs", "pytest_arm64.conformance", *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def documented() -> Counter[str]:
    """Cases by library, as docs/conformance.md has them."""
    text = (ROOT / "docs/conformance.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\w -]+) \| (\d+) \|", text, re.MULTILINE)
    return Counter({name: int(count) for name, count in rows})


def test_the_modules_import_nothing_of_what_they_test() -> None:
    """And have as many cases of each library as the documentation says."""
    done = subprocess.run(
        [sys.executable, "-c", LISTED, *THIRD_PARTY], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = Counter(json.loads(done.stdout))
    assert counts == documented()
    assert counts.total() >= 200


def test_a_library_that_is_missing_takes_no_case_of_another_along(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    pytest.importorskip("PIL")
    counts = documented()
    text = run(tmp_path, "-k", "images or science", without=("pandas", "imagehash", "cv2", "scipy"))
    lines = [line for line in text.splitlines() if line.startswith("arm64 conformance: ")]
    shown = "\n".join(lines)
    assert re.search(
        rf"Pillow [\d.]+: {counts['Pillow']} of {counts['Pillow']} ran, 0 differ as known, 0 worse",
        shown,
    ), text
    for library in ("pandas", "ImageHash", "OpenCV", "SciPy"):
        expected = f"arm64 conformance: {library}: not deployed, {counts[library]} cases not run"
        assert expected in lines
    assert "failed" not in text
    assert "error" not in text.splitlines()[-1]


def test_a_deployed_library_of_which_no_case_ran_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "regex.py").write_text("raise ImportError('libodd.so.1: no such file')\n")
    text = run(tmp_path, "-k", "texts and regex", without=("zstandard", "lz4", "xxhash"))
    assert "arm64 conformance: warning: regex: 0 of 2 ran, 0 differ as known, 2 worse" in text
    assert "libodd.so.1" in text


def test_every_case_runs_where_its_library_is(tmp_path: Path) -> None:
    counts = documented()
    text = run(tmp_path, "-k", "stdlib or numpy")
    assert f"{counts['Python']} of {counts['Python']} ran" in text
    assert f"{counts['NumPy']} of {counts['NumPy']} ran" in text
