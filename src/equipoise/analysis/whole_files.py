"""Write a file whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of the one of that name in one step when the block ends well.

    Whoever looks sees the old file or the new one, never a part. A link of that name gives way to the file; what it
    pointed to stays as it is.

    Args:
        path: the file; its folder must be there.

    Raises:
        OSError: when the path is a folder, or its folder is not there or cannot be written to; the old file is then
            still there.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # its own, should two write at once
    part.unlink(missing_ok=True)  # of an earlier process with that number, which was killed
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Put content in a file's place as `whole_file` does; raises as it does."""
    with whole_file(path) as file:
        file.write(content)
