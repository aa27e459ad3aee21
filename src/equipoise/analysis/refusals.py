"""What an analysis refuses. `run` turns each into a sentence of the results; none becomes a number."""

from equipoise.refusals import Refusal


class CannotAnalyse(Refusal):
    """An analysis of the plan that the data do not admit."""
