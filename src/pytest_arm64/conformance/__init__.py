"""SIMD correctness cases for the versions that a project deploys.

Run as ``pytest --arm64 --arm64-compare --pyargs pytest_arm64.conformance``. Each case says what is
computed, why the architectures may differ, who says so, and which verdict is expected.
"""
