"""What this room refuses, each with the field, the value and what to do.

No text here shows a secret, or an arm that has been drawn.
"""

from equipoise.refusals import Refusal


class MethodRefused(Refusal):
    """A method, or one of its parameters, that cannot be run as written."""


class AllocationRefused(Refusal):
    """An allocation that cannot be made: exhausted, or asked for with a past that cannot be."""


class SecretRefused(Refusal):
    """A secret, or a file holding one, that must not be used."""
