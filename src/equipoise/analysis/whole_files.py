"""Write a file whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from equipoise.refusals import Refusal

SYSTEMS_OWN = (Path("/dev"), Path("/proc"))


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of the one of that name in one step when the block ends well.

    Whoever looks sees the old file or the new one, never a part. A link to a file gives way to the new one; what it
    pointed to stays as it is.

    Args:
        path: the file; its folder must be there.

    Raises:
        Refusal: when the path is a device, a pipe or a socket, which the file would replace.
        OSError: when the path is a folder, or its folder is not there or cannot be written to; the old file is then
            still there.
    """
    check_can_be_replaced(path)
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


def check_can_be_replaced(path: Path) -> None:
    """Let a path pass where a file may be put: there is none, or a file or a link to one.

    Raises:
        Refusal: when it is a device, a pipe or a socket, or a link of the system's to wherever output goes, such as
            /dev/stdout.
        IsADirectoryError: when it is a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if _is_systems_link(path) or (path.exists() and not path.is_file()):
        remedy = "name a file, then print or send that"
        raise Refusal("file", path, "is no file but a device or pipe, which one would replace", remedy)


def _is_systems_link(path: Path) -> bool:
    """Whether it is a link such as /dev/stdout, which leads to a file only where output was sent to one."""
    folder = path.parent.resolve()
    return path.is_symlink() and any(own in (folder, *folder.parents) for own in SYSTEMS_OWN)


def write_whole(path: Path, content: bytes) -> None:
    """Put content in a file's place as `whole_file` does; raises as it does."""
    with whole_file(path) as file:
        file.write(content)
