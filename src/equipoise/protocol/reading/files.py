"""Read a file's bytes, never more of them than a protocol may have."""

from pathlib import Path

from equipoise.protocol.reading.limits import LIMITS, Limits
from equipoise.refusals import Refusal


def read_bytes(path: Path, limits: Limits = LIMITS) -> bytes:
    """The bytes of a file; of one that is too large just enough for `read_yaml` to refuse it.

    Raises:
        Refusal: when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(limits.size + 1)
    except FileNotFoundError:
        raise Refusal("file", path, "does not exist", "check the name and the folder") from None
    except IsADirectoryError:
        raise Refusal("file", path, "is a folder", "name the file in it") from None
    except OSError as error:
        raise Refusal("file", path, f"cannot be read ({error.strerror})", "check who may read it") from None
