"""Latency, memory, hot spots and cost, honest about what emulation can tell and what not.

Loaded on the host and in a cell: standard library and relative imports only; what is needed on
the host alone (``cost``, ``prices``, ``command``, ``cells``) is imported there alone.
"""
