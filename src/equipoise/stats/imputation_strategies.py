"""What an intercurrent event does to a subject's distribution: the imputation strategies.

Up to the event a subject follows its own arm. From the event on each strategy says which mean and covariance hold.
Equations: docs/methods/imputation.md.
Shapes: D draws, m subjects who share arm and event, T visits.
"""

from dataclasses import dataclass

import numpy as np

from equipoise.stats.mmrm_structures import Array

STRATEGIES = ("mar", "jump-to-reference", "copy-reference", "copy-increments", "last-mean-carried-forward")
NEEDS_REFERENCE = ("jump-to-reference", "copy-reference", "copy-increments")
SENTENCES = {
    "mar": "missing at random",
    "jump-to-reference": "jump to reference",
    "copy-reference": "copy reference",
    "copy-increments": "copy increments in reference",
    "last-mean-carried-forward": "last mean carried forward",
}


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Normal distributions of all visits: `mean` (D, m, T) by subject, `covariance` (D, T, T) common to them."""

    mean: Array
    covariance: Array


def marginal(strategy: str, own: Distribution, reference: Distribution, event: int) -> Distribution:
    """The distribution that a strategy gives to subjects of one arm with one event; equation (strategies).

    Args:
        strategy: one of `STRATEGIES`.
        own: under the subjects' arm.
        reference: the same subjects under the reference arm.
        event: the first visit affected, T where there was no event.

    Source:
        Carpenter, Roger and Kenward (2013), Journal of Biopharmaceutical Statistics 23:1352-1371, section 4.
    """
    visits = own.mean.shape[-1]
    if strategy == "mar" or event >= visits:
        return own
    if strategy == "copy-reference" or (event == 0 and strategy in NEEDS_REFERENCE):
        return reference
    before, after = own.mean[..., :event], reference.mean[..., event:]
    last = before[..., -1:]
    if strategy == "last-mean-carried-forward":
        return Distribution(np.concatenate([before, np.broadcast_to(last, after.shape)], axis=-1), own.covariance)
    if strategy == "copy-increments":
        after = last + after - reference.mean[..., event - 1 : event]
    covariance = joined(own.covariance, reference.covariance, event)
    return Distribution(np.concatenate([before, after], axis=-1), covariance)


def joined(own: Array, reference: Array, event: int) -> Array:
    """(D, T, T), own covariance before the event, the reference's given the past after it; equation (joined)."""
    past, future = slice(None, event), slice(event, None)
    slope = np.swapaxes(np.linalg.solve(reference[..., past, past], reference[..., past, future]), -1, -2)
    cross = slope @ own[..., past, past]
    change = own[..., past, past] - reference[..., past, past]
    rest = reference[..., future, future] + slope @ change @ np.swapaxes(slope, -1, -2)
    top = np.concatenate([own[..., past, past], np.swapaxes(cross, -1, -2)], axis=-1)
    return np.concatenate([top, np.concatenate([cross, rest], axis=-1)], axis=-2)
