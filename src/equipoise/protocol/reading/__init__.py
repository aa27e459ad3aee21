"""Read a YAML file into plain values that know their lines, and refuse what is hostile or doubtful.

Nothing in the file makes a Python object: ruamel's events are counted against limits as they come
and built into dicts, lists and scalars of the YAML 1.2 core schema. Numbers are exact (`int`,
`Decimal`), dates stay text, keys are always text. Tags, merge keys, duplicate keys, several
documents, alias bombs and characters that nobody can see are refused with their line.
"""

from equipoise.protocol.reading.files import read_bytes
from equipoise.protocol.reading.limits import LIMITS, Limits
from equipoise.protocol.reading.located import Located
from equipoise.protocol.reading.yaml import read_yaml

__all__ = ["LIMITS", "Limits", "Located", "read_bytes", "read_yaml"]
