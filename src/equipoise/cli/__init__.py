"""The command line: parse, make one call, show what came of it.

Nothing heavy is imported until a command needs it, so that `equipoise --help` answers at once.
Exit codes: 0 done; 1 refused, with the remedy; 2 the command was not understood; 3 the record is damaged; 130 stopped.
"""

from equipoise.cli.app import main

__all__ = ["main"]
