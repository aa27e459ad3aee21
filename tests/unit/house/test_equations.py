"""Every equation that the code cites stands in a method note."""

import re

CITED = re.compile(r"[Ee]quations? ((?:\([a-z0-9-]+\)(?:,? and |, | to )?)+)")
LABEL = re.compile(r"\(([a-z0-9-]+)\)")
NOTE = re.compile(r"docs/methods/([a-z-]+\.md)")


def citations(checkout):
    """(module, label, the notes that the module names), for each label cited in the statistics."""
    for path in sorted((checkout / "src/equipoise/stats").glob("*.py")):
        text = " ".join(path.read_text(encoding="utf-8").split())
        notes = sorted(set(NOTE.findall(text)))
        for labels in CITED.findall(text):
            for label in LABEL.findall(labels):
                yield path.name, label, notes


def test_the_code_cites_equations(checkout):
    assert len({label for _, label, _ in citations(checkout)}) > 60


def test_every_equation_cited_is_in_a_note_that_its_module_names(checkout):
    notes = {path.name: path.read_text(encoding="utf-8") for path in (checkout / "docs/methods").glob("*.md")}
    lost = [
        f"{module}: ({label})"
        for module, label, named in citations(checkout)
        if not any(f"({label})" in notes[note] for note in named)
    ]
    assert lost == []
