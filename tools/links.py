"""Find the relative links of Markdown files that lead nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

FENCE = re.compile(r"^(```|~~~).*?^\1\s*?$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def project_pages(checkout: Path) -> list[Path]:
    """Every Markdown page of the project."""
    below = [page for folder in ("docs", "examples", "benchmarks") for page in (checkout / folder).rglob("*.md")]
    return sorted([*checkout.glob("*.md"), *below])


def broken_links(page: Path) -> list[str]:
    """The targets of a page's relative links that are not there, in the order of the page."""
    prose = INLINE_CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    return [
        target for target in LINK.findall(prose) if not ELSEWHERE.match(target) and not leads_somewhere(page, target)
    ]


def leads_somewhere(page: Path, target: str) -> bool:
    """Whether a relative link's file is there, and in a Markdown file its heading too."""
    name, _, anchor = target.partition("#")
    file = page.parent / unquote(name) if name else page
    if not file.exists():
        return False
    return not anchor or file.suffix != ".md" or anchor in anchors(file.read_text(encoding="utf-8"))


def anchors(markdown: str) -> set[str]:
    """The names by which a page's headings can be linked to: lower case, hyphens for spaces, no punctuation."""
    names: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", markdown)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        repeats = sum(known == name or re.fullmatch(rf"{re.escape(name)}-\d+", known) is not None for known in names)
        names.add(f"{name}-{repeats}" if repeats else name)
    return names
