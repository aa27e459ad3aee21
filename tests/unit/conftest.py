"""The small trial that unit tests of several rooms act on."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def trial_kit():
    """The module `trial_kit` of the conduct tests."""
    path = Path(__file__).parent / "conduct" / "trial_kit.py"
    spec = importlib.util.spec_from_file_location("trial_kit", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
