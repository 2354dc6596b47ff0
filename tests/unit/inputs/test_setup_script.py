"""What a ``setup.py`` says, read without running it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inputs.requirements import RequirementSet
from pytest_arm64.inputs.service import read_service
from pytest_arm64.inputs.setup_script import MAXIMUM_BYTES, SetupScript, read_setup_script
from unit.support import write


def script(text: str, *beside: str) -> SetupScript:
    return read_setup_script(f"from setuptools import setup\n{text}\n".encode(), beside)


@pytest.mark.parametrize(
    ("text", "requires"),
    [
        ("setup()", ()),
        ("setup(install_requires=['a>=1', 'b'])", (("", "a>=1"), ("", "b"))),
        ("setup(install_requires=('a',) + ('b',))", (("", "a"), ("", "b"))),
        ("setup(install_requires='''\n a  # why\n b\n''')", (("", "a"), ("", "b"))),
        ("R = ['a']\nM = R + ['b']\nsetup(install_requires=M)", (("", "a"), ("", "b"))),
        ("K = dict(install_requires=['a'])\nsetup(name='x', **K)", (("", "a"),)),
        ("setup(**{'install_requires': ['a']})", (("", "a"),)),
        ("if __name__ == '__main__':\n    setup(install_requires=['a'])", (("", "a"),)),
        ("setup(extras_require={'x': ['a'], 'y': 'b'})", (("x", "a"), ("y", "b"))),
        ("R = ['a']\nsetup(install_requires=[*R, 'b'])", (("", "a"), ("", "b"))),
        ("K = {'x': ['b']}\nsetup(extras_require={**K, 'y': ['c']})", (("x", "b"), ("y", "c"))),
        (
            "T = [line for line in open('t.txt')]\n"
            "setup(install_requires=['a'], extras_require={'t': T, 'x': ['b']})",
            (("", "a"), ("x", "b")),
        ),
        (
            "E = {'x': ['b']}\nE['all'] = sum(E.values(), [])\n"
            "setup(install_requires=['a'], extras_require=E)",
            (("", "a"), ("x", "b")),
        ),
        (
            "setup(extras_require={':python_version<\"3\"': ['a'], 'x:os_name==\"nt\"': ['b']})",
            (("", 'a; python_version < "3"'), ("x", 'b; os_name == "nt"')),
        ),
        (
            'setup(extras_require={\':os_name=="nt"\': [\'a; python_version<"3" or extra=="q"\']})',
            (("", 'a; (python_version < "3" or extra == "q") and os_name == "nt"'),),
        ),
    ],
)
def test_requirements_that_are_written_down_are_read(
    text: str, requires: tuple[tuple[str, str], ...]
) -> None:
    assert script(text).requires == requires


@pytest.mark.parametrize(
    "text",
    [
        "pass",
        "setup(install_requires=open('r.txt').read().split())",
        "R = ['a']\nif new:\n    R.append('b')\nsetup(install_requires=R)",
        "R = ['a']\nR += ['b']\nsetup(install_requires=R)",
        "R = ['a']\nR[0] = 'b'\nsetup(install_requires=R)",
        "R = ['a']\nadd_more(R)\nsetup(install_requires=R)",
        "R = ['a']\nR = ['b']\nsetup(install_requires=R)",
        "if new:\n    R = ['a']\nelse:\n    R = ['b']\nsetup(install_requires=R)",
        "K = {}\nK['install_requires'] = ['a']\nsetup(**K)",
        "setup(**read())",
        "setup(*read())",
        "setup(install_requires=['a', version()])",
        "setup(install_requires=['no requirement?'], extras_require={':bad(': ['a']})",
        "setup(extras_require=read())",
        "setup(pbr=True)",
        "if old:\n    setup(install_requires=['a'])\nelse:\n    setup()",
        "def f(R):\n    setup(install_requires=R)\nR = ['a']\nf(['b'])",
        "K = {'install_requires': ['a']}\nK['install_requires'].append('b')\nsetup(**K)",
        "K = {'a': {'install_requires': ['a']}}\nK['a']['b'] = 1\nsetup(**K)",
        "E = {'x': ['b']}\nfor n in E:\n    E[n] = read(n)\nsetup(extras_require=E)",
        "E = {}\nE[':os_name == \"posix\"'] = read()\nsetup(extras_require=E)",
        "R = read()\nsetup(install_requires=['a', *R])",
    ],
)
def test_requirements_that_are_computed_are_not_guessed(text: str) -> None:
    assert script(text).requires is None


@pytest.mark.parametrize(
    "text",
    [
        "setup(ext_modules=[Extension('a', ['a.c'])])",
        "import setuptools\nsetup(ext_modules=[setuptools.Extension('a', [])])",
        "setup(cffi_modules=['build.py:ffi'])",
        "from Cython.Build import cythonize",
        "def later():\n    import pybind11",
        "setup(setup_requires=['CFFI>=1'])",
        "class B(build_ext):\n    pass",
        "setup(distclass=D)\nclass D:\n    def has_ext_modules(self): return True",
        "setup(rust_extensions=[x])",
        "setup(libraries=[('z', {})])",
        "from helper import modules\nK = {}\nK['ext_modules'] = modules()\nsetup(**K)",
        "from helper import modules\nsetup(**{'cffi_modules': modules()})",
    ],
)
def test_a_script_that_compiles_says_so(text: str) -> None:
    assert script(text).compiles
    assert not script(text).optional


@pytest.mark.parametrize(
    "text",
    [
        "setup(ext_modules=[], cffi_modules=None, libraries=())",
        "setup(description='needs no Extension and no build_ext', keywords=['cython', 'cffi'])",
        "setup(classifiers=['Programming Language :: Cython', 'Programming Language :: Rust'])",
        "# ext_modules\nsetup()",
    ],
)
def test_words_in_texts_do_not_compile(text: str) -> None:
    assert not script(text).compiles
    assert not script(text).unclear


OPTIONAL = """
class Try(build_ext):
    def build_extension(self, extension):
        try:
            build_ext.build_extension(self, extension)
        except CompileError:
            {then}
"""


@pytest.mark.parametrize(
    "text",
    [
        OPTIONAL.format(then="print('slow')"),
        "setup(ext_modules=[Extension('a', [], optional=True)])",
        "setup(ext_modules=[Extension('a', [], optional=not force)])",
        "try:\n    setup(ext_modules=e)\nexcept SystemExit:\n    setup()",
        "try:\n    run_setup(Extension)\nexcept F:\n    if s:\n        raise\n    run_setup()",
    ],
)
def test_an_extension_that_may_fail_is_optional(text: str) -> None:
    assert script(text).optional


@pytest.mark.parametrize(
    "text",
    [
        OPTIONAL.format(then="raise"),
        "setup(ext_modules=[Extension('a', [], optional=False)])",
        "try:\n    c.compile(['a.c'])\nexcept CompileError:\n    flags = []\nsetup(ext_modules=e)",
        "try:\n    subprocess.run(['git'])\nexcept OSError:\n    pass\nsetup(ext_modules=e)",
        "try:\n    run_setup()\nexcept Failed:\n    pass",
        "try:\n    run_setup(Extension)\nexcept F:\n    modules.remove(a)\n    run_setup(modules)",
    ],
)
def test_what_only_probes_the_compiler_is_not_optional(text: str) -> None:
    assert not script(text).optional


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import subprocess\nsubprocess.run(['make'])", "starts make"),
        (
            "import subprocess\nsubprocess.check_call('cd x && ./configure', shell=True)",
            "starts cd",
        ),
        ("import os\nos.system('git pull; make all')", "starts make"),
        ("from subprocess import Popen\nPopen(command)", "starts a program"),
        ("from urllib.request import urlopen", "downloads something"),
        ("import requests", "imports requests"),
        ("import ctypes", "loads a library"),
        ("import imp", "imports imp"),
        ("from pip.req import parse_requirements", "imports pip"),
        ("setup(use_2to3=True)", "translates Python 2"),
        ("K = {'use_2to3': True}\nsetup(**K)", "translates Python 2"),
        ("print 'a'", "is too large, or not valid"),
    ],
)
def test_what_a_script_does_besides_is_said(text: str, reason: str) -> None:
    assert script(text).unclear.startswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        "import subprocess, sys\nsubprocess.call([sys.executable, 'tables.py'])",
        "import subprocess\nv = subprocess.check_output('git describe'.split())",
        "import os, sys\nif sys.argv[-1] == 'publish':\n    os.system('python setup.py sdist')",
        "import os\nos.system(f'git tag {v}')",
        "try:\n    import magic\nexcept ImportError:\n    magic = None",
        "class T:\n    def run(self):\n        import pytest",
        "if sys.version_info < (3,):\n    import __builtin__",
        "import versioneer\nsetup(cmdclass=versioneer.get_cmdclass())",
        "import platform\nplatform.system()",
        "from own import __version__",
        "from package.version import v",
        "setup(use_2to3=False)",
    ],
)
def test_what_builds_nothing_is_no_doubt(text: str) -> None:
    assert script(text, "own.py", "package").unclear == ""


@pytest.mark.parametrize(
    ("text", "repeatable"),
    [
        ("setup(install_requires=open('r.txt').read().split())", True),
        ("import sys\nr = sys.version_info\nsetup(install_requires=f(r))", False),
        ("import os\nsetup(install_requires=f(os.environ))", False),
        ("import platform\nsetup(install_requires=f())", False),
    ],
)
def test_what_depends_on_the_machine_is_not_repeatable(text: str, repeatable: bool) -> None:
    assert script(text).repeatable is repeatable


@pytest.mark.parametrize(
    "source",
    [
        b"\x00",
        b"# coding: no-such\n",
        b"\xff\xfe",
        b"a" + b".b" * 60_000,
        b"-" * 60_000 + b"1",
        b"(" * 5_000,
        b"#" * (MAXIMUM_BYTES + 1),
        b"setup(install_requires=" + b"[" * 150 + b"]" * 150 + b")",
    ],
)
def test_hostile_scripts_are_read_in_bounds(source: bytes) -> None:
    read = read_setup_script(source)
    assert read.requires is None or read.requires == ()
    assert isinstance(read.compiles, str)
    assert isinstance(read.unclear, str)


LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(arguments=st.dictionaries(st.sampled_from(["install_requires", "extras_require"]), LITERALS))
def test_any_literal_is_read_or_left_open(arguments: dict[str, object]) -> None:
    text = f"from setuptools import setup\nsetup(**{arguments!r})\n"
    try:
        ast.parse(text)
    except ValueError:
        return  # a lone surrogate
    requires = read_setup_script(text.encode("utf-8", "replace")).requires
    assert requires is None or all(isinstance(text, str) for each in requires for text in each)


def test_setup_is_followed_under_the_name_that_it_is_imported_by() -> None:
    text = """
from setuptools import setup as _setup

def setup():
    _setup(name='app', install_requires=['a'])

setup()
"""
    assert read_setup_script(text.encode()).requires == (("", "a"),)
    own = "def setup(**how):\n    build(install_requires=['a'])\nsetup()"
    assert read_setup_script(own.encode()).requires is None


def test_an_extra_that_is_computed_is_a_gap_only_where_it_is_deployed(tmp_path: Path) -> None:
    text = "setup(name='app', install_requires=['a'], extras_require={'more-tests': read()})"
    write(tmp_path, {"setup.py": text})
    assert read(tmp_path).gaps == ()
    deploy = read_service(tmp_path, {}, root=tmp_path, extras=("More_Tests",)).deploy
    assert [str(r) for r, _ in deploy.requirements] == ["a"]
    assert deploy.gaps == (
        "setup.py was not executed; what its extra More_Tests requires is unknown",
    )


def read(folder: Path) -> RequirementSet:
    return read_service(folder, {}, root=folder).deploy


def test_a_folder_with_a_plain_script_alone_has_its_requirements(tmp_path: Path) -> None:
    write(
        tmp_path, {"setup.py": "setup(name='app', install_requires=['a>=1'],\n extras_require={})"}
    )
    deploy = read(tmp_path)
    assert [str(r) for r, _ in deploy.requirements] == ["a>=1"]
    assert deploy.requirements[0][1].origin == "setup.py:1"
    assert deploy.gaps == ()


def test_a_script_that_computes_leaves_a_gap(tmp_path: Path) -> None:
    write(tmp_path, {"setup.py": "setup(name='app', install_requires=read())"})
    deploy = read(tmp_path)
    assert deploy.requirements == ()
    (gap,) = deploy.gaps
    assert gap.startswith("setup.py: its dependencies are dynamic")


def test_a_script_beside_requirement_files_adds_what_it_states(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"requirements.txt": "b\n", "setup.py": "setup(name='app', install_requires=['a'])"},
    )
    deploy = read(tmp_path)
    assert [str(r) for r, _ in deploy.requirements] == ["b", "a"]
    assert deploy.gaps == ()


def test_a_local_project_is_native_only_where_its_script_compiles(tmp_path: Path) -> None:
    scripts = {
        "plain": "setup(name='plain', install_requires=['a'])",
        "built": "setup(name='built', ext_modules=[Extension('a', [])])",
        "odd": "import subprocess\nsubprocess.run(['make'])\nsetup(name='odd')",
    }
    write(tmp_path, {f"{name}/setup.py": text for name, text in scripts.items()})
    write(tmp_path, {"requirements.txt": "".join(f"./{name}\n" for name in scripts)})
    deploy = read(tmp_path)
    assert {local.name: local.native for local in deploy.locals} == {
        "plain": False,
        "built": True,
        "odd": True,
    }
