"""The protocol file as frozen, checked values.

`load` gives one `Protocol` or every fault at once, each with file, line, field, value and remedy. The keys are the
field's own (USDM, ICH M11, CDISC); what they map to is in docs/reference/protocol-keys.md.
"""

from equipoise.protocol.document import Protocol
from equipoise.protocol.faults import Fault, ProtocolRefused
from equipoise.protocol.loading import faults_in, load, parse
from equipoise.protocol.schema import json_schema

__all__ = ["Fault", "Protocol", "ProtocolRefused", "faults_in", "json_schema", "load", "parse"]
