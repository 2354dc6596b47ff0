"""No secret of an address gets out of an audit: through rows, notes, errors, files or caches."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.cli import main
from unit.support import write

SECRET = "c4n4ry"
HOST = f"u:{SECRET}@127.0.0.1:9"
LINES = {
    "an index": f"--index-url http://{HOST}/s?t={SECRET}\nshop",
    "a further index": f"--extra-index-url http://{SECRET}@127.0.0.1:9/s/#{SECRET}\nshop",
    "links": f"--find-links http://{HOST}/l?t={SECRET}\nshop",
    "a source distribution": f"shop @ http://{HOST}/shop-1.0.tar.gz?t={SECRET}",
    "a wheel": f"shop @ http://{HOST}/shop-1.0-py3-none-any.whl?t={SECRET}",
    "a wheel of another name": f"shop @ http://{HOST}/more-1.0-py3-none-any.whl?t={SECRET}",
    "an address alone": f"http://{HOST}/shop.whl?t={SECRET}",
    "a repository": f"shop @ git+http://{HOST}/a.git?t={SECRET}",
    "an editable repository": f"-e git+http://{HOST}/a.git?t={SECRET}#egg=shop",
    "another version control": f"shop @ hg+http://{HOST}/a?t={SECRET}",
    "a requirement file": f"-r http://{HOST}/x.txt?t={SECRET}",
    "a constraint file": f"-c http://{HOST}/x.txt?t={SECRET}",
    "a hash that is not valid": f"shop @ http://{HOST}/shop-1.0.tar.gz?t={SECRET}#sha256=zz",
    "a broken line": f"shop @@ http://{HOST}/a.whl?t={SECRET}",
    "a broken marker": f'shop @ http://{HOST}/a.whl?t={SECRET} ; python_version > "3',
    "a broken option": f"shop==1.0 --config-setting=http://{HOST}/x?t={SECRET}",
    "an unknown option": f"--indexurl http://{HOST}/?t={SECRET}",
    "a port that is not valid": f"shop @ http://{HOST}999999/a.whl?t={SECRET}",
    "a blank in an address": f"shop @ http://{HOST}/a b.whl?t={SECRET}",
}


CASES = [
    *(("requirements.txt", line) for line in LINES),
    *(("pyproject.toml", line) for line, text in LINES.items() if not text.startswith("-")),
]


@pytest.mark.parametrize(("file", "line"), CASES)
def test_no_secret_gets_out(
    tmp_path: Path,
    caches: Path,
    index_alone: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    line: str,
) -> None:
    text = LINES[line] + "\n"
    if file == "pyproject.toml":
        text = f'[project]\nname = "x"\nversion = "1"\ndependencies = [{LINES[line]!r}]\n'
    monkeypatch.chdir(write(tmp_path / "project", {file: text}))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    main(["audit", "--format", "json", "--report", "out"])
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err
    left = [*caches.rglob("*"), *(tmp_path / "project/out").rglob("*")]
    assert not [path for path in left if path.is_file() and SECRET.encode() in path.read_bytes()]
