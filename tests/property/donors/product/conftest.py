"""The product that the tests change."""

import importlib.util
from pathlib import Path

import pytest

KIT = Path(__file__).parents[3] / "unit" / "donors" / "product" / "product_kit.py"


@pytest.fixture(scope="session")
def kit():
    """The module `product_kit` of the unit tests."""
    spec = importlib.util.spec_from_file_location("product_kit", KIT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
