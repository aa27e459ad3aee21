"""The product that the tests change."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def kit():
    """The module `product_kit` beside this file."""
    spec = importlib.util.spec_from_file_location("product_kit", Path(__file__).with_name("product_kit.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
