"""A fresh trial for each test."""

import pytest


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
