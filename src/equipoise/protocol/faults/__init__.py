"""Say what is wrong with a protocol file: file, line, field, value, problem, remedy.

A `Fault` is one thing to mend; `ProtocolRefused` carries all that were found, so that a person
mends the file once. `faults_of_validation` turns what the models refused into faults in plain words.
Terms: *path* (how to reach a value: `("visits", 1, "window")`), *field* (the same, as a person
writes it: `visits[1].window`).
"""

from equipoise.protocol.faults.fault import Fault, FieldFault, Path, ProtocolRefused, field_of, nearest
from equipoise.protocol.faults.validation import faults_of_validation

__all__ = [
    "Fault",
    "FieldFault",
    "Path",
    "ProtocolRefused",
    "faults_of_validation",
    "field_of",
    "nearest",
]
