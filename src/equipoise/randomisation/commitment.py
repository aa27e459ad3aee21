"""Bind the trial to its secret before the first patient, without telling it.

Equation (commitment) in docs/methods/randomisation.md. The secret has 256 bits, so that nobody can find it by
trying; whoever holds it cannot find another that fits, so that the list cannot be made again to taste.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass

from equipoise.randomisation.methods import Method
from equipoise.randomisation.parsing import with_planned_number
from equipoise.randomisation.refusing import SecretRefused
from equipoise.randomisation.secret import Secret

_TAG = b"equipoise/commitment/1"


@dataclass(frozen=True, slots=True)
class Commitment:
    """The public hash of secret, protocol and method.

    Args:
        hex: 64 lower-case hexadecimal digits.

    Raises:
        SecretRefused: when it is anything else.
    """

    hex: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{64}", self.hex):
            remedy = "copy it whole from the event that holds it"
            raise SecretRefused("commitment", self.hex, "not 64 hexadecimal digits", remedy)

    def __str__(self) -> str:
        return self.hex


def commit(secret: Secret, protocol_hash: str, method: Method) -> Commitment:
    """The commitment to publish before the first patient.

    Args:
        secret: the trial's secret.
        protocol_hash: the hash of the protocol file in force, as the record writes it.
        method: the method with all its parameters.

    Raises:
        MethodRefused: when the method needs a number of places and has none: it would not be bound.
    """
    method_bytes = canonical(with_planned_number(method, None))
    hashed = hashlib.sha256(_TAG + b"\0")
    for part in (bytes.fromhex(secret.reveal()), protocol_hash.encode(), method_bytes):
        hashed.update(len(part).to_bytes(8, "big") + part)
    return Commitment(hashed.hexdigest())


def check_reveal(commitment: Commitment, secret: Secret, protocol_hash: str, method: Method) -> bool:
    """Whether a revealed secret, with this protocol and method, is the one committed to.

    Args:
        commitment: what was published.
        secret: what is revealed.
        protocol_hash: as given to `commit`.
        method: as given to `commit`.
    """
    return hmac.compare_digest(commit(secret, protocol_hash, method).hex, commitment.hex)


def canonical(method: Method) -> bytes:
    """The method's one spelling in bytes: ASCII JSON with sorted keys and no spaces."""
    body = {
        "arms": list(method.arms),
        "method": method.name,
        "parameters": method.parameters,
        "ratio": dict(zip(method.arms, method.ratio, strict=True)),
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")
