"""Samples of numbers as the tests take them: checked, without the missing, in ascending order.

Sorting first makes every later sum the same to the last bit, whatever order the rows came in.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.stats.refusals import BadSample

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]
LARGEST = 1e100  # size of a number whose products with others a float still holds
SMALLEST = 1e-100  # difference whose products with others a float still holds


def sample(values: ArrayLike, name: str, least: int) -> tuple[Vector, int]:
    """The known values in ascending order, and how many were missing.

    Args:
        values: (n,), numbers; NaN or None where missing.
        name: the argument's name, for messages.
        least: the fewest known values that will do.

    Raises:
        BadSample: not one-dimensional, not numbers, infinite, beyond what a float holds the square of, or fewer known
            values than `least`.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadSample(name, None, "holds something that is not a number", "give numbers only") from None
    refuse_dates(values, name)
    if array.ndim != 1:
        raise BadSample(name, None, f"has {array.ndim} dimensions", "give one sequence of numbers")
    known = np.sort(array[~np.isnan(array)])
    if np.isinf(known).any():
        raise BadSample(name, None, "holds an infinite value", "correct it or mark it as missing")
    if known.size < least:
        raise BadSample(name, None, f"has {known.size} known of the {least} values needed at least", "give more values")
    refuse_extremes(known, name)
    return known, int(array.size - known.size)


def refuse_dates(values: ArrayLike, name: str) -> None:
    """Refuse dates and times, which NumPy would take for numbers of nanoseconds."""
    if np.asarray(values).dtype.kind in "mM":
        raise BadSample(name, None, "holds dates or times, not numbers", "give the time since a day, as a number")


def refuse_extremes(values: Vector, name: str) -> None:
    """Refuse values whose squares, or those of their differences, a float cannot hold.

    Args:
        values: (n,), finite; none at all will do.
        name: the argument's name, for messages.
    """
    if np.abs(values).max(initial=0.0) > LARGEST:
        raise BadSample(name, None, f"holds values beyond {LARGEST:g}", "give it in another unit")
    if values.size and 0 < np.ptp(values) < SMALLEST:
        raise BadSample(name, None, f"varies by less than {SMALLEST:g}", "give it in another unit")


def centred_moments(values: Vector) -> tuple[float, float]:
    """Mean and variance (divisor n - 1), the variance computed about the mean.

    The mean is taken of differences from the first value, so that a large common shift costs no digits.
    """
    origin = float(values[0])
    shifted = values - origin
    mean = float(shifted.mean())
    deviations = shifted - mean
    return origin + mean, float(deviations @ deviations) / (values.size - 1)
