"""Makes a pytest that is started by hand in a kept place the session inside, less its mirror.

Named by ``-p`` in ``PYTEST_ADDOPTS``; ``PYTEST_ARM64_TASK`` is the path of the session's task.
"""

from __future__ import annotations

import json
import os

with open(os.environ["PYTEST_ARM64_TASK"], encoding="utf-8") as _stream:
    os.environ["PYTEST_ARM64_FACTS"] = json.dumps(json.load(_stream)["facts"])

pytest_plugins = [f"{__package__}.plugin"]
