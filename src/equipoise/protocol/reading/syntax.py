"""What the YAML parser says, in the words of the person who has to mend the file."""

from ruamel.yaml.error import MarkedYAMLError

from equipoise.protocol.faults.fault import Fault
from equipoise.refusals import shown

# The parser's own problem text (its beginning), the fault's problem, its remedy, and whether the
# mistake is where the construct began rather than where the parser gave up.
KNOWN = (
    (
        "found character '\\t'",
        "a tab stands where only spaces may",
        "use spaces for indenting and after colons and dashes",
        False,
    ),
    (
        "mapping values are not allowed here",
        "a colon and a space stand inside a text, or the indenting is wrong",
        "put the text in quotes, or align the key with its neighbours",
        False,
    ),
    ("found unexpected end of stream", "a quotation mark is not closed", "close the quotation mark", True),
    (
        "found unexpected document separator",
        "a quotation mark is not closed",
        "close the quotation mark",
        True,
    ),
    ("expected ',' or ']'", "a bracket [ is not closed", "put a comma between entries and close it with ]", True),
    ("expected ',' or '}'", "a brace { is not closed", "put a comma between entries and close it with }", True),
    ("expected the node content", "a value is missing", "write a value, or close the bracket", False),
    (
        "could not find expected ':'",
        "the line is not a key, a colon, a space and a value",
        "write it as `key: value`, or indent it below its key",
        True,
    ),
    (
        "expected <block end>",
        "the line does not fit the indenting of the lines above it",
        "align it with the keys or dashes it belongs to",
        False,
    ),
    (
        "sequence entries are not allowed here",
        "a dash begins a list where none can stand",
        "put the list on the lines below its key",
        False,
    ),
    ("found unknown escape", "a backslash in double quotes begins an unknown escape", "use single quotes", False),
    (
        "found character",
        "a text begins with a character that has a meaning of its own in YAML",
        "put the text in quotes",
        False,
    ),
)


def syntax_fault(error: MarkedYAMLError, name: str) -> Fault:
    """A parser's error as a fault at the line to mend."""
    found = str(error.problem or error.context or "")
    for beginning, problem, remedy, at_beginning in KNOWN:
        if found.startswith(beginning):
            return Fault(name, _line(error, at_beginning=at_beginning), "", "", problem, remedy)
    return Fault(name, _line(error, at_beginning=False), "", "", f"the line is not YAML ({shown(found)})", "correct it")


def _line(error: MarkedYAMLError, *, at_beginning: bool) -> int:
    mark = error.context_mark if at_beginning and error.context_mark else error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark else 1
