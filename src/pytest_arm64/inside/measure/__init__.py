"""Latency, memory and hot spots, honest about what emulation can tell and what not.

Loaded on the host and in a cell: standard library and relative imports only, Python 3.9 and newer;
memray is imported where it is installed.
"""
