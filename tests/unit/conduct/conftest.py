"""A fresh trial for each test."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def trial_kit():
    """The module `trial_kit` beside this file."""
    path = Path(__file__).with_name("trial_kit.py")
    spec = importlib.util.spec_from_file_location("trial_kit", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def template(trial_kit, tmp_path_factory):
    """A trial of the small protocol, created and closed: the others are copies of it."""
    kit = trial_kit.Kit(tmp_path_factory.mktemp("template") / "trial")
    kit.trial.close()
    return kit


@pytest.fixture
def kit(trial_kit, template, tmp_path):
    """An open trial of the small protocol."""
    kit = trial_kit.Kit.copied(template, tmp_path / "trial")
    yield kit
    kit.trial.close()
