"""The small trial of the unit tests."""

import importlib.util
from pathlib import Path

import pytest

KIT = Path(__file__).parents[2] / "unit" / "conduct" / "trial_kit.py"


@pytest.fixture(scope="session")
def trial_kit():
    """The module `trial_kit`."""
    spec = importlib.util.spec_from_file_location("trial_kit", KIT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def template(trial_kit, tmp_path_factory):
    """A trial of the small protocol, created and closed: the others are copies of it."""
    kit = trial_kit.Kit(tmp_path_factory.mktemp("template") / "trial")
    kit.trial.close()
    return kit
