"""Write the pages that are made from the code, and check every link.

    python tools/docs.py            write docs/reference/ and docs/decisions/README.md anew
    python tools/docs.py --check    write nothing; name the pages that are not what the code would make

Either way a link that leads nowhere is named and the exit code is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

from command_line import command_line_page
from links import broken_links, project_pages
from protocol_keys import protocol_page, schema_file

CHECKOUT = Path(__file__).resolve().parents[1]
REFERENCE = Path("docs/reference")
DECISIONS = Path("docs/decisions")


def made_pages() -> dict[Path, str]:
    """Every page that is made from the code, by its path in the checkout."""
    return {
        REFERENCE / "command-line.md": command_line_page(),
        REFERENCE / "protocol-keys.md": protocol_page(),
        REFERENCE / "protocol.schema.json": schema_file(),
        DECISIONS / "README.md": decisions_page(),
    }


def decisions_page() -> str:
    """The list of decisions, by the titles that they give themselves."""
    records = sorted((CHECKOUT / DECISIONS).glob("[0-9]*.md"))
    titles = [(record.name, record.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")) for record in records]
    lines = [f"- [{title}]({name})" for name, title in titles]
    opening = (
        "What was decided, why, and what was left out. A decision that falls is not rewritten: the next one says so."
    )
    return "\n".join(["# Decisions", "", opening, "", *lines, ""])


def stale(pages: dict[Path, str]) -> list[Path]:
    """The made pages whose file is absent or says something else."""
    return [
        path
        for path, text in pages.items()
        if not (CHECKOUT / path).is_file() or (CHECKOUT / path).read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    """Write or check, then follow the links; return the exit code."""
    check = arguments == ["--check"]
    pages = made_pages()
    behind = stale(pages)
    for path in behind:
        if check:
            print(f"{path} is not what the code makes: run `make docs` and commit it")
        else:
            (CHECKOUT / path).parent.mkdir(parents=True, exist_ok=True)
            (CHECKOUT / path).write_text(pages[path], encoding="utf-8")
            print(f"Wrote {path}")
    broken = [(page, target) for page in project_pages(CHECKOUT) for target in broken_links(page)]
    for page, target in broken:
        print(f"{page.relative_to(CHECKOUT)}: the link {target} leads nowhere")
    return 1 if broken or (check and behind) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
