"""Golden outputs: values of x86 kept beside the tests, and what differs from them on ARM64.

Loaded on the host and in a cell: standard library and relative imports only, Python 3.9 and newer;
NumPy and its like are imported where a value of theirs is at hand.
"""
