"""Refusals of rules: a text that is no rule, values that a rule cannot use."""

from equipoise.refusals import Refusal


class RuleRefused(Refusal):
    """A rule that cannot be read, or that met values of the wrong kind.

    Args:
        text: the rule.
        problem: what is wrong, with the column where one is to blame.
        remedy: what to write.
    """

    def __init__(self, text: str, problem: str, remedy: str) -> None:
        super().__init__("rule", text or None, problem, remedy)


class Mismatch(Exception):
    """Values of kinds that do not go together; becomes a `RuleRefused` where the rule's text is known.

    Args:
        problem: what is wrong, in kinds and names only: values may be a participant's.
        remedy: what to do.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem, remedy)
