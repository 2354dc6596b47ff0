"""``python -m pytest_arm64`` is the command ``pytest-arm64``."""

import sys

from .cli import main

sys.exit(main())
