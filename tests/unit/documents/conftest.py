"""Follow a document in a folder of its own."""

import importlib.util
import shutil
from pathlib import Path

import pytest


def module_at(name, path):
    """The module in a file."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def following():
    """The module `following` beside this file."""
    return module_at("following", Path(__file__).with_name("following.py"))


@pytest.fixture
def follow(following, checkout, tmp_path):
    """`follow("docs/tutorial/x.md")`: do what that page shows, and say what differs from it."""

    def act(page, **variables):
        return following.differences(checkout / page, tmp_path, {"CHECKOUT": str(checkout)} | variables)

    return act


@pytest.fixture(scope="session")
def rehearsed(following, tmp_path_factory):
    """A folder in which `first` is the trial of the tutorial, rehearsed by the tutorial's own command."""
    folder = tmp_path_factory.mktemp("tutorial")
    lines = ("equipoise new first --example nk-hiv", "equipoise rehearse first --seed 6")
    following.outputs_of([following.Command(number, line) for number, line in enumerate(lines)], folder, {})
    return folder


@pytest.fixture
def first(rehearsed, tmp_path):
    """The trial of the tutorial, in the folder in which a page is followed."""
    shutil.copytree(rehearsed / "first", tmp_path / "first")


# The server of the store's tests: one to a process, and only where a test asks for it.
cluster = module_at("store_conftest", Path(__file__).parents[2] / "store" / "conftest.py").cluster
