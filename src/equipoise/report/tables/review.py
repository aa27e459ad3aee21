"""The CONSORT checklist as a table: what is not answered yet stands first."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from equipoise.report.checklist import Answer
from equipoise.report.sections import Section
from equipoise.report.tables.model import Body, Head, Row, Table

LINK = Markup('<a href="#{}">{}</a>')
TITLE = "Title page"


def checklist_table(answers: Sequence[Answer], sections: Sequence[Section]) -> Table:
    """Item, its wording, and a link to the section that answers it."""
    titles = {section.id: section.title for section in sections} | {"title": TITLE}
    bodies = []
    for answered, title in ((False, "Not answered yet"), (True, "Answered")):
        rows = tuple(
            Row(
                answer.number,
                (
                    answer.text,
                    LINK.format(answer.section, titles[answer.section]) if answer.section else "to be written",
                ),
            )
            for answer in answers
            if (answer.section is not None) == answered
        )
        if rows:
            bodies.append(Body(rows, title))
    return Table(
        "table-checklist",
        "Items of CONSORT 2025 and where this report answers them",
        (tuple(Head(text, numeric=False) for text in ("Item", "What it asks", "Where")),),
        tuple(bodies),
        wordy=frozenset({0, 1}),
        listing=True,
    )
