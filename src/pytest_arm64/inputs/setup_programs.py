"""What a statement of a ``setup.py`` does outside of Python: programs, downloads, libraries."""

from __future__ import annotations

import ast
import re

# They build nothing of a package: version control, publication, tests.
_HARMLESS = frozenset(
    [
        *("git", "hg", "svn", "bzr", "python", "python3", "pip", "twine", "rm", "pandoc"),
        *("tox", "pytest", "py.test", "nosetests", "coverage", "flake8", "black", "sphinx-build"),
        *("echo", "open", "rst2html", "rst2html.py", "ls", "date", "pre-commit"),
    ]
)
_STARTING = frozenset(["check_call", "check_output", "Popen", "getoutput", "getstatusoutput"])
# Words that start something only as functions of these modules.
_STARTING_OF = {
    **dict.fromkeys(["subprocess", "sp"], frozenset(["run", "call"])),
    "os": frozenset(["system", "popen", "execv", "execvp", "spawnv", "spawnlp"]),
}
_NETWORK = frozenset(["urlopen", "urlretrieve", "urllib3", "requests", "HTTPConnection", "httpx"])
_SEPARATORS = re.compile(r"&&|\|\||[;|&\n]")


def outside_of(node: ast.AST) -> str:
    """What *node* itself does outside of Python; empty where it is nothing that builds."""
    if isinstance(node, ast.Call):
        return _started(node)
    names: list[str] = []
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = [alias.name for alias in node.names]
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    elif isinstance(node, ast.Attribute):
        names = [node.attr]
    if any(name in _NETWORK for name in names):
        return "downloads something"
    return "loads a library" if "ctypes" in names else ""


def _started(call: ast.Call) -> str:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else ""
    name = function.id if isinstance(function, ast.Name) else name
    module = function.value if isinstance(function, ast.Attribute) else None
    of_module = _STARTING_OF.get(module.id, frozenset()) if isinstance(module, ast.Name) else ()
    if name not in _STARTING and name not in of_module:
        return ""
    programs = _programs(call.args[0]) if call.args else [""]
    other = [program for program in programs if program not in _HARMLESS]
    return f"starts {other[0] or 'a program'}" if other else ""


def _programs(command: ast.expr) -> list[str]:
    """The programs that *command* starts; an empty name for one that is computed."""
    if isinstance(command, (ast.List, ast.Tuple)):
        first = _words(command.elts[0])[:1] if command.elts else []
        return first or [""]
    if isinstance(command, ast.BinOp):
        return _programs(command.left)
    if isinstance(command, ast.Call) and isinstance(command.func, ast.Attribute):
        # "git …".split(), "git {}".format(…)
        return _programs(command.func.value)
    parts = _SEPARATORS.split(" ".join(_words(command)))
    return [part.split()[0] for part in parts if part.split()] or [""]


def _words(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Attribute) and node.attr == "executable":
        return ["python"]
    if isinstance(node, ast.JoinedStr):
        node = node.values[0] if node.values else node
    if isinstance(node, ast.FormattedValue):
        return _words(node.value)
    return (
        node.value.split() if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
    )
