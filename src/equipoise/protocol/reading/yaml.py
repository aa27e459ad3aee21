"""Read one YAML document from text."""

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from equipoise.protocol.faults.fault import Fault, ProtocolRefused
from equipoise.protocol.reading.building import Builder
from equipoise.protocol.reading.characters import text_of
from equipoise.protocol.reading.limits import LIMITS, Limits
from equipoise.protocol.reading.located import Located
from equipoise.protocol.reading.nodes import located
from equipoise.protocol.reading.syntax import syntax_fault


def read_yaml(text: str | bytes, name: str, limits: Limits = LIMITS) -> Located:
    """Read a file's text into plain values with their lines.

    Args:
        text: the file's content; bytes are read as UTF-8.
        name: the file as faults shall name it.
        limits: how much it may hold.

    Returns:
        The values with line, source text and quoting of each.

    Raises:
        ProtocolRefused: with every fault of the file that could be found.
    """
    builder = Builder(name, limits)
    content = text_of(text, name, limits)
    try:
        for event in YAML(typ="safe", pure=True).parse(content):
            builder.take(event)
    except MarkedYAMLError as error:
        raise ProtocolRefused([syntax_fault(error, name)]) from None
    except (YAMLError, ValueError, OverflowError):  # an escape beyond Unicode, a version that is no number
        raise ProtocolRefused([Fault(name, builder.line, "", "", "the line is not YAML", "correct it")]) from None
    return located(builder.finished(), name, content)
