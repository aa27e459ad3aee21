"""Write a file whole or not at all."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Put content in a file's place in one step: whoever looks sees the old file or the new one, never a part.

    A link of that name gives way to the file; what it pointed to stays as it is.

    Args:
        path: the file; its folder must be there.
        content: all of it.

    Raises:
        OSError: when the folder cannot be written to; the old file is then still there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # its own, should two write at once
    part.unlink(missing_ok=True)  # of an earlier process with that number, which was killed
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
