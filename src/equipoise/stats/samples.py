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


def sample(values: ArrayLike, name: str, least: int) -> tuple[Vector, int]:
    """The known values in ascending order, and how many were missing.

    Args:
        values: (n,), numbers; NaN or None where missing.
        name: the argument's name, for messages.
        least: the fewest known values that will do.

    Raises:
        BadSample: not one-dimensional, not numbers, infinite, or fewer known values than `least`.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadSample(name, None, "holds something that is not a number", "give numbers only") from None
    if array.ndim != 1:
        raise BadSample(name, None, f"has {array.ndim} dimensions", "give one sequence of numbers")
    known = np.sort(array[~np.isnan(array)])
    if np.isinf(known).any():
        raise BadSample(name, None, "holds an infinite value", "correct it or mark it as missing")
    if known.size < least:
        raise BadSample(name, None, f"has {known.size} known of the {least} values needed at least", "give more values")
    return known, int(array.size - known.size)


def centred_moments(values: Vector) -> tuple[float, float]:
    """Mean and variance (divisor n - 1), the variance computed about the mean.

    The mean is taken of differences from the first value, so that a large common shift costs no digits.
    """
    origin = float(values[0])
    shifted = values - origin
    mean = float(shifted.mean())
    deviations = shifted - mean
    return origin + mean, float(deviations @ deviations) / (values.size - 1)
