"""Which parts of a Python system already run correctly on ARM64, told with evidence."""

__version__ = "0.1.0"
