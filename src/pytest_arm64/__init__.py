"""Which parts of a Python system run correctly on ARM64? ``pytest --arm64`` answers with evidence.

Data flows through the rooms in this order: config; inputs, index and audit (phase 1); engine,
environment and binary (phase 2); run, mirror and inside (phase 3); decide and cost (phases 4
and 5); report. ``docs/architecture.md`` has the drawing and the reasons.

PYTEST_DONT_REWRITE: ``pytest-arm64 run`` has imported this package before pytest starts.
"""

__version__ = "0.1.0"
