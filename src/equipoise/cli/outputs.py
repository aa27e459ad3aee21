"""Where a command may write: not over what it reads, nor into what is no file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from equipoise.refusals import Refusal


def check_out(out: Path, read: Iterable[Path | None]) -> None:
    """Let a command write to a file, asked before it reads and works.

    Args:
        out: what `--out` names.
        read: the files that the command reads; None where an option is not given.

    Raises:
        Refusal: when it is one of those, or no file that can be written whole.
    """
    from equipoise.analysis.whole_files import check_can_be_replaced

    for path in read:
        if path is not None and out.exists() and path.exists() and out.samefile(path):
            raise Refusal("--out", out, "is a file that this command reads", "give the result a name of its own")
    check_can_be_replaced(out)
