"""The trial's one secret: 256 bits that every allocation is drawn from, and that nothing shows by accident.

It lives in a file of its own, outside the trial's record and its backups, until it is revealed at lock.
"""

import hmac
import os
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NoReturn

from equipoise.randomisation.refusing import SecretRefused

SECRET_BYTES = 32


class Secret:
    """256 secret bits. Printing, formatting, copying and pickling never give them away.

    Args:
        key: 32 bytes.

    Raises:
        SecretRefused: when it is not 32 bytes.
    """

    __slots__ = ("_key",)
    __hash__: ClassVar[None]  # type: ignore[assignment]  # no hash: it would be a fingerprint in memory and logs
    _key: bytes

    def __init__(self, key: bytes) -> None:
        if not isinstance(key, bytes) or len(key) != SECRET_BYTES:
            raise SecretRefused(
                "secret", None, f"not {SECRET_BYTES} bytes long", "take it whole from the secret's file"
            )
        object.__setattr__(self, "_key", key)

    @classmethod
    def generate(cls, entropy: Callable[[int], bytes]) -> "Secret":
        """A new secret from a source of random bytes, in practice `os.urandom`.

        Args:
            entropy: gives as many unpredictable bytes as it is asked for.

        Raises:
            SecretRefused: when the source gives another number of bytes.
        """
        return cls(entropy(SECRET_BYTES))

    @classmethod
    def from_revealed(cls, text: str) -> "Secret":
        """The secret that `reveal` wrote.

        Args:
            text: 64 hexadecimal digits.

        Raises:
            SecretRefused: when it is anything else.
        """
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(text) != 2 * SECRET_BYTES or len(key) != SECRET_BYTES:
            remedy = "restore the file from the copy in the trial's safe"
            raise SecretRefused("secret", None, f"not {2 * SECRET_BYTES} hexadecimal digits", remedy)
        return cls(key)

    @classmethod
    def read(cls, path: Path) -> "Secret":
        """The secret in a file that only its owner can read.

        Args:
            path: a file written by `write`.

        Raises:
            SecretRefused: when there is no such plain file, when its group or others may touch it (where the
                system has file modes), or when it does not hold 64 hexadecimal digits.
        """
        try:
            with path.open("rb") as file:
                state = os.fstat(file.fileno())
                written = file.read(2 * SECRET_BYTES + 2)
        except OSError as error:
            raise SecretRefused(
                "secret", path, f"cannot be read ({error.strerror})", "give the secret's file"
            ) from None
        if os.name == "posix" and stat.S_IMODE(state.st_mode) & 0o077:
            mode = f"{stat.S_IMODE(state.st_mode):04o}"
            remedy = f"run chmod 600 {shlex.quote(str(path))}"
            raise SecretRefused("secret", path, f"others may reach the file (mode {mode})", remedy)
        return cls.from_revealed(written.decode("ascii", errors="replace").removesuffix("\n"))

    def write(self, path: Path) -> None:
        """Write the secret to a new file that only its owner can read (mode 0600), and make it durable.

        Args:
            path: where; nothing may be there yet.

        Raises:
            SecretRefused: when something is there already, or the file cannot be made.
        """
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            remedy = "keep that secret: a second one would draw other arms"
            raise SecretRefused("secret", path, "there is a file already", remedy) from None
        except OSError as error:
            raise SecretRefused("secret", path, f"cannot be written ({error.strerror})", "choose a folder") from None
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(self.reveal() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def digest(self, message: bytes) -> bytes:
        """HMAC-SHA256 of a message under the secret, 32 bytes."""
        return hmac.digest(self._key, message, "sha256")

    def reveal(self) -> str:
        """The secret itself as 64 hexadecimal digits: for its file, and for the reveal at lock."""
        return self._key.hex()

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._key, other._key)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a secret does not change")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise SecretRefused("secret", None, "is never copied or pickled", "read it from its file where it is needed")
