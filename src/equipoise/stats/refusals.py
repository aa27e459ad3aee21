"""What the statistics room will not compute, and why.

Each refusal names the argument, column or rows at fault and what to do. A number that cannot be
trusted is never returned in its place.
"""

import numbers

from equipoise.refusals import Refusal


class StatisticsRefusal(Refusal):
    """A computation that is refused."""


class UnknownChoice(StatisticsRefusal):
    """An option by a name that is not offered."""


class UnknownColumn(StatisticsRefusal):
    """A column that the data does not have."""


class BadFormula(StatisticsRefusal):
    """A model formula that cannot be read or evaluated."""


class BadSample(StatisticsRefusal):
    """Numbers that do not admit the computation: too few, constant, infinite or of the wrong shape."""


class MissingCovariate(StatisticsRefusal):
    """A row whose outcome is known but whose covariate, cluster or visit is not."""


class DuplicateVisit(StatisticsRefusal):
    """Two rows for one subject and visit."""


class RankDeficient(StatisticsRefusal):
    """A design in which a column repeats what others already say."""


class TooFewClusters(StatisticsRefusal):
    """No more subjects than there are coefficients."""


class NotIdentified(StatisticsRefusal):
    """A parameter that the data cannot determine."""


class Separation(StatisticsRefusal):
    """An outcome that the covariates predict perfectly, so that a coefficient runs to infinity."""


class NotConverged(StatisticsRefusal):
    """An iteration that did not settle."""


def choose(field: str, value: object, offered: tuple[str, ...]) -> str:
    """The value if it is one of the names offered.

    Raises:
        UnknownChoice: when it is not; the remedy lists what is offered.
    """
    if isinstance(value, str) and value in offered:
        return value
    raise UnknownChoice(field, value, "is not offered", f"choose one of {', '.join(offered)}")


def is_number(value: object) -> bool:
    """Whether a value is a real number, of Python or of NumPy; text and truth values are none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, of Python or of NumPy; truth values are none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def check_level(level: float) -> None:
    """Refuse a confidence level that is not strictly between 0 and 1."""
    if not (is_number(level) and 0 < level < 1):
        raise BadSample("level", level, "is not a confidence level", "give a number between 0 and 1, such as 0.95")
