"""Chain events: each one's hash covers its content and the hash before it."""

from hashlib import sha256

DOMAIN = b"equipoise/event/1\n"
"""Sets these hashes apart from every other SHA-256 of the same bytes."""

GENESIS = bytes(32)
"""What stands before the first event."""


def link_hash(prev: bytes, body: bytes) -> bytes:
    """SHA-256 over the domain tag, then the length (8 bytes, big-endian) and bytes of `prev`, then of `body`."""
    return sha256(
        DOMAIN + len(prev).to_bytes(8, "big") + prev + len(body).to_bytes(8, "big") + body,
    ).digest()
