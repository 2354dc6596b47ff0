"""Words of the command ``pytest-arm64`` that belong to no phase, or start one from outside."""
