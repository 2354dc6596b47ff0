"""The network, built once a session."""

from pathlib import Path

import model
import pytest


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.build(tmp_path_factory.mktemp("model") / "textures.onnx")
