"""The fence around a project: nothing of it is imported, nothing of it is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import pytest_arm64
from pytest_arm64.isolation import Fence, program
from unit.support import write

OURS = str(Path(pytest_arm64.__file__).parents[1])


def run(folder: Path, code: str, **variables: str) -> list[object]:
    """What *code* prints, as JSON, in a process that has *folder* as its project."""
    begin = f"""
        import json, os, sys
        sys.path.append({OURS!r})
        from pathlib import Path
        from pytest_arm64.isolation import Fence, keep_out
        ROOT = Path({str(folder)!r})
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(begin) + dedent(code)],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: list[object] = json.loads(done.stdout)
    return answer


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with modules that must not be loaded."""
    names = ("docker.py", "src/urllib3/__init__.py", "space/part.py", "linked/brotlicffi.py")
    write(tmp_path, {f"project/{name}": "raise SystemExit('executed')" for name in names})
    write(
        tmp_path,
        {
            "project/named.py": "",
            "project/named_too.py": "",
            "project/named_package/__init__.py": "",
        },
    )
    return tmp_path / "project"


def test_no_entry_of_the_path_leads_into_the_project(project: Path) -> None:
    code = """
        sys.path[:0] = ["", ".", "src", str(ROOT), str(ROOT / "src"), str(ROOT / "a" / ".." / "b")]
        keep_out(Fence.around(ROOT))
        print(json.dumps(sys.path))
    """
    entries = run(project, code, PYTHONPATH=f"{project / 'src'}:.")
    assert not [entry for entry in entries if str(entry).startswith(str(project))]
    assert OURS in entries


def test_a_link_into_the_project_is_followed(project: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").symlink_to(project / "linked")
    code = """
        keep_out(Fence.around(ROOT))
        sys.path.insert(0, str(ROOT.parent / "elsewhere"))
        try:
            import brotlicffi
        except ModuleNotFoundError as error:
            print(json.dumps([error.name]))
    """
    assert run(project, code) == ["brotlicffi"]


def test_what_a_finder_of_an_editable_installation_finds_is_refused(project: Path) -> None:
    code = """
        import importlib.util
        class Editable:
            @staticmethod
            def find_spec(name, path=None, target=None):
                file = ROOT / f"{name}.py"
                return importlib.util.spec_from_file_location(name, file) if file.exists() else None
        sys.meta_path.insert(0, Editable)
        keep_out(Fence.around(ROOT))
        names = []
        for name in ("named", "named_too"):
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                names.append(error.name)
        import colorsys
        print(json.dumps([*names, colorsys.__name__]))
    """
    assert run(project, code) == ["named", "named_too", "colorsys"]


def test_an_installed_module_is_found_behind_one_of_the_project(project: Path) -> None:
    code = """
        keep_out(Fence.around(ROOT))
        sys.path[:0] = [str(ROOT), ""]
        import docker
        print(json.dumps([docker.__file__]))
    """
    (file,) = run(project, code)
    assert "site-packages" in str(file)


def test_a_namespace_with_a_part_in_the_project_is_refused(project: Path) -> None:
    code = """
        keep_out(Fence.around(ROOT))
        sys.path.insert(0, str(ROOT))
        try:
            import space.part
        except ModuleNotFoundError as error:
            print(json.dumps([error.name]))
    """
    assert run(project, code) == ["space"]


def test_what_the_user_has_named_stays(project: Path) -> None:
    code = """
        keep_out(Fence.around(ROOT), but=["named_package"])
        sys.path.insert(0, str(ROOT))
        import named_package
        print(json.dumps([named_package.__name__]))
    """
    assert run(project, code) == ["named_package"]


def test_no_byte_code_is_written_where_modules_of_the_project_stay(project: Path) -> None:
    code = """
        sys.path.insert(0, str(ROOT))
        sys.dont_write_bytecode = True
        import named_package
        sys.dont_write_bytecode = False
        keep_out(Fence.around(ROOT), but=["named_package"])
        print(json.dumps([sys.dont_write_bytecode]))
    """
    assert run(project, code) == [True]


def test_programs_and_python_paths_of_the_project_go(project: Path) -> None:
    path = os.pathsep.join([".", "", str(project / "bin"), str(project), "/usr/bin", "tools"])
    code = """
        keep_out(Fence.around(ROOT))
        print(json.dumps([os.environ["PATH"], os.environ["PYTHONPATH"]]))
    """
    assert run(project, code, PATH=path, PYTHONPATH=f"{project}:/opt/site:src") == [
        "/usr/bin",
        "/opt/site",
    ]


def test_what_is_installed_below_the_project_is_no_code_of_it(tmp_path: Path) -> None:
    site = tmp_path / ".venv/lib/python3.11/site-packages"
    fence = Fence(frozenset([str(tmp_path)]), frozenset([str(site)]))
    assert not fence.holds(site / "docker/__init__.py")
    assert fence.holds(tmp_path / ".venv/lib/python3.11/site-packages-2/docker.py")
    assert fence.holds(site / "../docker.py")
    assert not fence.holds(tmp_path.with_name(tmp_path.name + "-2") / "docker.py")


def test_a_program_of_the_working_directory_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"git": "#!/bin/sh\n", "bin/git": "#!/bin/sh\n"})
    for name in ("git", "bin/git"):
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert program("git", {"PATH": ".::bin"}) is None
    assert program("git", {"PATH": f".:{tmp_path / 'bin'}"}) == str(tmp_path / "bin/git")
