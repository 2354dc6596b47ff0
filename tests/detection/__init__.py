"""Cases that say how well differences from x86 are found: the tests and benchmarks/detection.py."""
