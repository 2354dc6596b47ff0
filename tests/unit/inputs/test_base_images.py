"""Base images of Dockerfiles: which of them have musl."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.inputs.base_images import base_image, musl_notes
from pytest_arm64.inputs.reading import Reading
from pytest_arm64.inputs.service import read_service
from unit.support import write


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM python:3.13-alpine\n", 1),
        ("# syntax\nfrom --platform=linux/arm64 python:3.13-alpine3.20 as base\n", 2),
        ("FROM alpine:3.20\n", 1),
        ("FROM registry.example:5000/team/alpine-python@sha256:00\n", 1),
        ("FROM quay.io/pypa/musllinux_1_2_aarch64\n", 1),
        ("FROM python:3.13-alpine AS base\nFROM base\nRUN true\n", 1),
        ("FROM python:3.13 AS build\nFROM python:3.13-alpine\nCOPY --from=build /a /a\n", 2),
    ],
)
def test_an_image_with_musl_is_a_note_on_its_line(tmp_path: Path, text: str, line: int) -> None:
    write(tmp_path, {"Dockerfile": text, "requirements.txt": "six\n"})
    (note,) = read_service(tmp_path, {}, root=tmp_path).notes
    assert note.startswith(f"Dockerfile:{line}: ")
    assert "has musl" in note


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FROM python:3.13\n",
        "FROM python:3.13-alpine AS build\nFROM python:3.13-slim\nCOPY --from=build /a /a\n",
        "# FROM python:3.13-alpine\n",
        "FROM ${BASE}\n",
        "FROM team/alpinist:1\n",
        "RUN echo FROM python:3.13-alpine\n",
        "FROM " + "a " * 100_000,
    ],
)
def test_other_images_get_no_note(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"Containerfile": text})
    assert list(musl_notes(tmp_path, Reading(tmp_path, {}))) == []


def test_stages_that_name_each_other_end() -> None:
    assert base_image("FROM a AS b\nFROM b AS a\nFROM a\n") == base_image("FROM a AS b\n")
