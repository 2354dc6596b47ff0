"""Calls of the compiled parts of much used packages, each with a known answer.

Run as ``pytest --arm64 --pyargs pytest_arm64.smoke``. Each deployed package that has a check is one
test; the other checks are left out.
"""
