"""How functions are deployed on Lambda, as programs of CDK, Terraform and Serverless say it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..config.targets import IMAGE, ZIP
from .repository_files import lines_of

_TEXT = r"\s*[\"']([^\"'$\n]+)[\"']"
_CDK = {
    rf"from_image_asset\({_TEXT}": IMAGE,
    rf"Code\.from_asset\({_TEXT}": ZIP,
    rf"PythonFunction\([^()]*?\bentry\s*={_TEXT}": ZIP,
}
"""The API of ``aws_lambda`` and ``aws_lambda_python_alpha``; folders are relative to cdk.json."""
_PLACE = r"\s*\"(?:\$\{path\.(?:module|root|cwd)\}/)?([^\"$\n]+)\""
_TERRAFORM = {rf"\bsource_dir\s*={_PLACE}": ZIP, rf"\bsource_path\s*={_PLACE}": ZIP}
"""Of ``archive_file``, and of the module terraform-aws-modules/lambda."""
_TERRAFORM_IMAGE = {rf"\b(?:context|docker_build_root)\s*={_PLACE}": IMAGE}
_SERVERLESS = {
    r"(?m)^[ \t]+handler:[ \t]*[\"']?([\w./-]+)/[\w-]+\.\w+[\"']?[ \t]*$": ZIP,
    r"(?m)^[ \t]+path:[ \t]*[\"']?([\w./-]+)[\"']?[ \t]*$": IMAGE,
}
_FILES = re.compile(r".*\.tf|serverless\.ya?ml|.*\.py", re.IGNORECASE)


def function_packages(paths: Iterable[Path]) -> dict[Path, str]:
    """``image`` or ``zip`` by the folder of a function, where one of the files *paths* says it.

    Nothing is executed: the files are searched as text. A folder that is deployed both ways is
    left out.
    """
    listed = list(paths)
    apps = {path.parent for path in listed if path.name == "cdk.json"}
    found: dict[Path, set[str]] = {}
    for path in listed:
        if _FILES.fullmatch(path.name):
            for place, package in _named(path, apps):
                found.setdefault(place, set()).add(package)
    return {place: packages.pop() for place, packages in found.items() if len(packages) == 1}


def _named(path: Path, apps: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    base = path.parent
    if path.suffix == ".py":
        base = next((app for app in apps if app in path.parents), base)
        text = "\n".join(lines_of(path)) if base in apps else ""
        patterns = _CDK
    else:
        text = "\n".join(lines_of(path))
        patterns = _TERRAFORM if path.suffix == ".tf" else _SERVERLESS
        if re.search(r"\bpackage_type\s*=\s*\"Image\"", text):
            patterns = _TERRAFORM_IMAGE
    for pattern, package in patterns.items():
        for match in re.finditer(pattern, text):
            yield Path(os.path.normpath(base / match[1])), package
