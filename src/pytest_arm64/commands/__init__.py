"""The command ``pytest-arm64``: one module for each word, such as ``audit`` or ``report``."""
