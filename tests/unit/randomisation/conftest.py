"""What the randomisation tests share: one fixed secret and two equal arms."""

import pytest

from equipoise.randomisation import Secret, parse_method


@pytest.fixture(scope="session")
def secret() -> Secret:
    """The secret of the published draw vectors: bytes 00, 01, ..., 1f."""
    return Secret(bytes(range(32)))


@pytest.fixture(scope="session")
def two_arms():
    """`two_arms(name, **parameters)`: that method for arms A and B, 1:1."""

    def build(name, **parameters):
        return parse_method(name, ("A", "B"), {"A": 1, "B": 1}, **parameters)

    return build
