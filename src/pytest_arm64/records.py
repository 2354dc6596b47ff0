"""The JSON codec under its name on the host; why it is defined in ``inside`` is said there."""

from .inside.records import Layout, decode, encode, json_options, parse

__all__ = ["Layout", "decode", "encode", "json_options", "parse"]
