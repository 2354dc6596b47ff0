"""Errors that several kinds of files are refused with."""

from __future__ import annotations


def arm64_errors() -> tuple[type[Exception], ...]:
    from pytest_arm64.errors import Arm64Error

    return (Arm64Error,)


def value_errors() -> tuple[type[Exception], ...]:
    return (ValueError,)
