"""Reads a project's own Python code, without running it, for places that assume x86."""
