"""The glossary holds every term that a room declares; the documents name no command that is not there."""

import ast
import re

import click
import pytest

from equipoise.cli.app import equipoise

TERM = re.compile(r"\*([^*]+)\* \(")
NAMED = re.compile(r"`equipoise ([^`\n]+)`|^\$ equipoise (.+)$|^(?:> )*equipoise (\S.*)$", re.MULTILINE)
OPTION = re.compile(r"(?<!\S)(--[a-z][a-z-]*)")


@pytest.fixture(scope="module")
def glossary(checkout):
    """The headwords."""
    lines = (checkout / "GLOSSARY.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row[0] for row in rows[1:]]


def declared_terms(checkout):
    """The terms of the rooms' `Terms:` lines, with where they stand; a single module's are its own notation."""
    for path in sorted((checkout / "src").rglob("__init__.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        _, found, terms = docstring.partition("Terms:")
        if found:
            yield from ((term, path.parent.name) for term in TERM.findall(" ".join(terms.split())))


def test_the_glossary_holds_every_declared_term(checkout, glossary):
    declared = list(declared_terms(checkout))
    assert len(declared) > 10
    assert [(term, where) for term, where in declared if term not in glossary] == []


def test_the_glossary_is_in_order_and_says_each_word_once(glossary):
    assert glossary == sorted(set(glossary), key=lambda word: word.replace("-", "").lower())


def pages(checkout):
    """The documents that people write; the reference is made from the code."""
    below = [page for page in (checkout / "docs").rglob("*.md") if page.parent.name != "reference"]
    return [*checkout.glob("*.md"), *below]


def named_commands(text):
    """What stands after `equipoise` wherever a text shows it as a command."""
    return [next(filter(None, found)).partition(" #")[0].strip() for found in NAMED.findall(text)]


def unknown_parts(line):
    """The commands and options of a line that the command line does not have."""
    command, words = equipoise, line.split()
    while isinstance(command, click.Group):
        name = words.pop(0) if words else ""
        if name.startswith("-") or name not in command.commands:
            known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
            return [] if name in known else [name]
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    return [option for option in OPTION.findall(" ".join(words)) if option not in known]


def test_every_command_and_option_in_the_documents_is_there(checkout):
    named = [(page.name, line) for page in pages(checkout) for line in named_commands(page.read_text(encoding="utf-8"))]
    assert len(named) > 50
    assert [(page, line) for page, line in named if unknown_parts(line)] == []


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("check my-trial", []),
        ("design randomisation first --n 20", []),
        ("--help", []),
        ("chek my-trial", ["chek"]),
        ("design blocks", ["blocks"]),
        ("report first --pdf", ["--pdf"]),
    ],
)
def test_a_command_that_is_not_there_is_found(line, unknown):
    assert unknown_parts(line) == unknown
