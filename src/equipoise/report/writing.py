"""Write the report to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.analysis.results import Results
from equipoise.analysis.whole_files import write_whole
from equipoise.protocol.document import Protocol
from equipoise.report.page import page

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

FILE_NAME = "report.html"


def write(protocol: Protocol, snapshot: Snapshot, results: Results, folder: Path) -> Path:
    """Write `report.html`, one self-contained page, into the folder, which is made if it is not there.

    Args:
        protocol: that the trial follows.
        snapshot: of the trial; what the listings and the participants' lines show.
        results: of `analysis.run` on that snapshot; every other number is looked up in them by its id.
        folder: where the page goes; a page of an earlier run is replaced in one step.

    Returns:
        The page's path. The same arguments give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    write_whole(path, page(protocol, snapshot, results).encode())
    return path
