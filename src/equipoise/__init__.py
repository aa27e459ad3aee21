"""Run a small randomised longitudinal trial from one protocol file.

Importing the package loads none of its rooms, so that a command line answers at once.
"""

__version__ = "0.1.0"
