"""How the documentation is built: ``sphinx-build -W -n docs docs/_build``."""

import re
from pathlib import Path

project = "pytest-arm64"
author = "The pytest-arm64 developers"
_package = Path(__file__).parent.parent / "src" / "pytest_arm64" / "__init__.py"
release = version = re.search(r'__version__ = "(.+?)"', _package.read_text("utf-8"))[1]

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"pytest-arm64 {release}"
html_show_copyright = False
html_theme_options = {"top_of_page_buttons": []}
# sphinx-build -b man docs build/man: the man page of the command.
man_pages = [
    ("commands", "pytest-arm64", "find out what of a Python system runs on ARM64", author, 1)
]
