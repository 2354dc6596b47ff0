"""The function of a service for the fixture ``arm64_lambda``, in a cell and in a plain pytest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..config.lambda_limits import memory_size
from ..config.option_values import Given
from ..config.project import load_project
from ..config.services import ServiceConfig, service_of
from ..config.settings import Settings
from ..config.targets import ZIP
from ..environment.tree import TESTS
from ..inside.function.record import FunctionRecord

_REGION = "us-east-1"


def function_record(settings: Settings, service: ServiceConfig) -> FunctionRecord:
    """The function of *service* in a cell; *settings* are the service's."""
    return {
        "handler": service.handler,
        "root": task_root(settings, service),
        "timeout": service.lambda_timeout,
        "defaults": function_variables(settings, service),
        "environment": {},
        "hidden": [TESTS],
    }


def function_here(rootpath: Path, test: Path) -> FunctionRecord:
    """The function of the service that the file *test* belongs to, for a process of this machine.

    What is built for ARM already does not run here: the code of the project does.

    Raises:
        SettingsError: the project at *rootpath* says what cannot be used.
    """
    project = load_project(Given(), os.environ, rootpath=rootpath, cwd=rootpath)
    service = service_of(project.services.configured, test) or project.itself
    settings = replace(project.settings_of(service), artifact=None)
    return {**function_record(settings, service), "hidden": []}


def function_variables(settings: Settings, service: ServiceConfig) -> Mapping[str, str]:
    """What a function of *service* reads in its environment, but for credentials and the address
    of its runtime.

    Names and the folders: AWS, "Using Lambda environment variables" and "Creating Lambda container
    images", read 2026-11-30. The form of the log stream and the colon in ``TZ`` were not looked up
    there; published environments of functions have them.
    """
    name = "".join(letter if letter.isalnum() else "-" for letter in service.name)
    # Of a function that is an image, the documentation names no value.
    runtime = f"AWS_Lambda_python{settings.target.python}"
    execution = {"AWS_EXECUTION_ENV": runtime} if settings.target.package == ZIP else {}
    return {
        **execution,
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_REGION": _REGION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_size(settings.memory)),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "1970/01/01/[$LATEST]00000000000000000000000000000000",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": task_root(settings, service),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }


def task_root(settings: Settings, service: ServiceConfig) -> str:
    """The folder of the code of a function of *service*."""
    return "/var/task" if settings.artifact is not None else str(service.folder)
