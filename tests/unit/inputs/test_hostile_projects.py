"""Files of a project to which anything has happened are read, or refused in plain text."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_arm64.errors import SettingsError
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.inputs.service import read_service
from unit.support import attempt, is_plain_text, settings_of, write

pytestmark = pytest.mark.usefixtures("index_alone")

FILES = {
    "pyproject.toml": """
[project]
name = "a"
version = "1"
requires-python = ">=3.9"
dynamic = ["dependencies", "optional-dependencies"]
dependencies = ["x>1; os_name=='a'"]
[tool.uv]
package = false
environments = ["os_name=='x'"]
constraint-dependencies = ["a"]
override-dependencies = ["b"]
index = [{ url = "x", default = true }]
[tool.uv.sources]
x = { path = "." }
y = { git = "https://h" }
[tool.poetry]
name = "a"
package-mode = false
[tool.poetry.dependencies]
python = "^3.9"
z = { path = "..", develop = true }
w = [{ version = "1", optional = true }]
[tool.poetry.extras]
e = ["w"]
[[tool.poetry.source]]
url = "https://h"
[tool.setuptools.dynamic]
dependencies = { file = ["r.txt"] }
[dependency-groups]
test = ["a", { include-group = "b" }]
b = ["c"]
""",
    "setup.cfg": """[metadata]
name = a
[options]
install_requires = file: r.txt
python_requires = >=3
[options.extras_require]
a = b
""",
    "requirements.txt": """-r "r.txt"
-c ${DIR}/c.txt
-e ./lib[x]
x @ https://h/x-1.whl#sha512=aa; os_name=="a"
y==1 --hash=sha256:aa \\
 --hash=sha512:bb
--index-url https://u:p@h/s
-f file:///x
""",
    "uv.lock": """version = 1
requires-python = ">=3"
supported-markers = ["os_name=='a'"]
conflicts = [[{ package = "a", extra = "b" }]]
[[package]]
name = "a"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "b", extra = ["c"], marker = "os_name=='x'" }]
[package.optional-dependencies]
c = [{ name = "b" }]
[[package]]
name = "b"
version = "1"
source = { registry = "https://h" }
wheels = [{ url = "https://h/b-1-py3-none-any.whl", hash = "sha256:aa", size = 1 }]
""",
    "poetry.lock": """[[package]]
name = "w"
version = "1"
python-versions = ">=3"
develop = true
files = [{ file = "w-1.tar.gz", hash = "md5:aa" }]
[package.dependencies]
x = [{ version = "1", optional = true, markers = "os_name=='a'" }]
[package.extras]
t = ["x (>1)"]
[package.source]
type = "directory"
url = ".."
[metadata]
python-versions = "^3"
""",
    "pylock.toml": """lock-version = "1.0"
created-by = "x"
environments = ["os_name=='a'"]
extras = ["a"]
dependency-groups = ["dev"]
[[packages]]
name = "b"
version = "1"
marker = "'a' in extras"
[[packages.wheels]]
url = "https://h/b-1-py3-none-any.whl"
hashes = { sha512 = "aa" }
""",
}
PIECES = st.sampled_from(
    [
        *("\0", "[", "]]", "{", "}", '"""', "'", "\\", "=", "\n", "${DIR}", "9" * 5_000, ".."),
        *("\u2028", "file://", "../../..", "true", "[]", "{}", "1e999", "#", "-r ", "-e ", "--"),
        *(" ; ", "@", "/", "https://[", ""),
    ]
)
MUTATIONS = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 15), PIECES), max_size=4)


@given(
    st.dictionaries(st.sampled_from(sorted(FILES)), MUTATIONS, min_size=1, max_size=3),
)
@example({"pyproject.toml": [(40, 3, "9" * 5_000)]})
@example({"requirements.txt": [(0, 200, "/")]})
def test_any_project_is_read_or_refused(
    changes: dict[str, list[tuple[int, int, str]]],
) -> None:
    files = {}
    for name, mutations in changes.items():
        text = FILES[name]
        for place, length, piece in mutations:
            start = place % (len(text) + 1)
            text = text[:start] + piece + text[start + length :]
        files[name] = text
    with tempfile.TemporaryDirectory() as folder:
        root = write(Path(folder) / "a" / "b", {**files, "r.txt": "a\n"})
        settings = settings_of(Path(folder))
        for found in (
            attempt(SettingsError, lambda: read_service(root, {}).fingerprint()),
            attempt(SettingsError, lambda: read_manifest(settings, root).fingerprint()),
        ):
            if isinstance(found, SettingsError):
                assert is_plain_text(found)
            else:
                assert json.dumps(found)
