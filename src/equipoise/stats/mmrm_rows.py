"""From subjects and visits to the few rows that carry their cross-products.

A design column that is a covariate of the subject times a function of the visit needs the covariate alone; a column
that varies otherwise needs one covariate for each visit. So subject i has covariates z_i (r,), and the design at visit
a is F_a' z_i. Within a missingness pattern the subjects' (z, y) are replaced by the triangle of their QR
decomposition: as many rows as covariates, the same sums of cross-products. Equations: docs/methods/mmrm.md, (rows).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.mmrm_engine import Index, transposed
from equipoise.stats.mmrm_structures import Array
from equipoise.stats.samples import Matrix, Vector

LOOKED_AT = 500  # subjects on whom a factorisation is tried before all are
ROUNDING = 1e-13  # relative difference between a column and its factors
ROWS_A_BLOCK = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Factored:
    """A design as covariates by functions of the visit: at visit a, F_a' z_i = `functions[:, a]` and `covariates[i]`.

    `covariates` (n, r) are orthogonal with mean square one, and the functions (r, T, p) have orthonormal columns.
    Coefficients of the original columns are `back` (p, p) times those of this design.
    """

    covariates: Matrix
    functions: Array
    back: Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Subjects by group and missingness pattern: `of_subject` (n,), and `seen` (K, T), `group` and `count` (K,)."""

    of_subject: Index
    seen: NDArray[np.bool_]
    group: Index
    count: Index


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What stands for the subjects: `design` (S, T, p), `outcome` (S, T), `cell` (S,); `rest` (K, T, T) by cell."""

    design: Array
    outcome: Matrix
    cell: Index
    rest: Array


def factored(columns: Iterator[Matrix], seen: NDArray[np.bool_]) -> Factored:
    """Find the covariates and functions of a design.

    Args:
        columns: each (n, T), zero where not seen.
        seen: (n, T), which visits each subject has.
    """
    subjects, visits = seen.shape
    covariates: list[Vector] = [np.ones(subjects)]
    entries: list[list[tuple[int, Vector]]] = []
    for column in columns:
        place, function = known_factor(column, covariates, seen)
        if function is None:
            new, function = own_factor(column, seen)
            if function is not None:
                place = len(covariates)
                covariates.append(new)
        if function is not None:
            entries.append([(place, function)])
        else:
            entries.append([(len(covariates) + visit, row) for visit, row in enumerate(np.eye(visits))])
            covariates.extend(column.T)
    functions = np.zeros((len(covariates), visits, len(entries)))
    for at, entry in enumerate(entries):
        for place, function in entry:
            functions[place, :, at] = function
    return orthogonal(np.stack(covariates, axis=-1), functions)


def orthogonal(covariates: Matrix, functions: Array) -> Factored:
    """The same design with orthogonal covariates and functions; a common shift or scale then costs no digits."""
    subjects, (_, visits, p) = len(covariates), functions.shape
    scale = np.abs(covariates).max(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    q, upper = np.linalg.qr(covariates / scale)
    across = (upper * scale) @ functions.reshape(len(functions), -1) / np.sqrt(subjects)
    turned, triangle = np.linalg.qr(across.reshape(-1, p))
    size = np.sqrt(visits)
    return Factored(q * np.sqrt(subjects), size * turned.reshape(-1, visits, p), size * np.linalg.inv(triangle))


def known_factor(column: Matrix, covariates: Sequence[Vector], seen: NDArray[np.bool_]) -> tuple[int, Vector | None]:
    """Which covariate a column (n, T) is a multiple of at each visit, and the multiples (T,); None if none is."""
    for place, covariate in enumerate(covariates):
        for rows in (slice(0, LOOKED_AT), slice(None)):
            function = multiples(column[rows], covariate[rows], seen[rows])
            if function is None:
                break
        if function is not None:
            return place, function
    return -1, None


def multiples(column: Matrix, covariate: Vector, seen: NDArray[np.bool_]) -> Vector | None:
    """(T,), what times the covariate (n,) gives the column (n, T) wherever seen, or None."""
    usable = seen & (covariate != 0)[:, np.newaxis]
    first = usable.argmax(axis=0)
    places = np.arange(column.shape[1])
    found = usable.any(axis=0)
    function = np.where(found, column[first, places] / np.where(found, covariate[first], 1.0), 0.0)
    left = np.abs(column - covariate[:, np.newaxis] * function)
    return function if (left[seen] <= ROUNDING * np.abs(column).max()).all() else None


def own_factor(column: Matrix, seen: NDArray[np.bool_]) -> tuple[Vector, Vector | None]:
    """A covariate (n,) and its multiples (T,) that give the column, or None if there are none."""
    active = (column != 0).any(axis=0)
    full = (column != 0)[:, active].all(axis=1)
    if not full.any():
        return column[:, 0], None
    profile = np.where(active, column[int(full.argmax())], 0.0)
    function = profile / profile[active][0]
    usable = seen & active
    first = usable.argmax(axis=1)
    rows = np.arange(len(column))
    covariate = np.where(usable.any(axis=1), column[rows, first] / np.where(active, function, 1.0)[first], 0.0)
    left = np.abs(column - covariate[:, np.newaxis] * function)[seen]
    return covariate, function if (left <= ROUNDING * np.abs(column).max()).all() else None


def cells_of(seen: NDArray[np.bool_], group: Index) -> Cells:
    """Subjects (n,) by their group (n,) and by which visits (n, T) they have."""
    groups = np.ascontiguousarray(group, dtype=np.int64).view(np.uint8).reshape(len(group), -1)
    key = np.column_stack([groups, np.packbits(seen, axis=1)])
    whole = np.ascontiguousarray(key).view(np.dtype((np.void, key.shape[1]))).ravel()
    _, first, of_subject, count = np.unique(whole, return_index=True, return_inverse=True, return_counts=True)
    return Cells(of_subject.astype(np.intp), seen[first], group[first].astype(np.intp), count)


def compressed(design: Factored, outcome: Matrix, cells: Cells) -> Rows:
    """The rows that stand for the subjects; equation (rows).

    Args:
        design: of n subjects.
        outcome: (n, T), zero where not seen.
        cells: of the n subjects.
    """
    r, visits, p = design.functions.shape
    order = np.argsort(cells.of_subject, kind="stable")
    begins = np.cumsum(cells.count) - cells.count
    triangles = np.zeros((len(cells.count), r + visits, r + visits))
    for several in alike_in_size(cells.count):
        if cells.count[several[0]] > ROWS_A_BLOCK:
            place = int(several[0])
            own = order[begins[place] : begins[place] + cells.count[place]]
            triangles[place] = triangle_of(design.covariates, outcome, own)
            continue
        ahead = np.arange(cells.count[several].max())
        within = ahead < cells.count[several, np.newaxis]
        subjects = order[begins[several, np.newaxis] + np.where(within, ahead, 0)]
        block = np.concatenate([design.covariates[subjects], outcome[subjects]], axis=-1) * within[..., np.newaxis]
        found = np.asarray(np.linalg.qr(block, mode="r"))
        triangles[several, : found.shape[1]] = found
    top, below = triangles[:, :r], triangles[:, r:, r:]
    designs = (top[..., :r] @ design.functions.reshape(r, -1)).reshape(-1, r, visits, p)
    designs *= cells.seen[:, np.newaxis, :, np.newaxis]
    kept = np.arange(r) < cells.count[:, np.newaxis]
    return Rows(designs[kept], top[..., r:][kept], np.nonzero(kept)[0], transposed(below) @ below)


def alike_in_size(count: Index) -> Iterator[Index]:
    """The cells, some at a time: none twice the size of another, together no more than `ROWS_A_BLOCK` subjects.

    A larger cell comes alone.
    """
    order = np.argsort(count, kind="stable")
    ascending = count[order]
    first = 0
    while first < len(order):
        most = min(2 * int(ascending[first]), ROWS_A_BLOCK)
        last = int(np.searchsorted(ascending, most, side="right"))
        last = max(first + 1, min(last, first + ROWS_A_BLOCK // most))
        yield order[first:last]
        first = last


def triangle_of(covariates: Matrix, outcome: Matrix, subjects: Index) -> Matrix:
    """The triangle (at most r + T rows) of the QR decomposition of the subjects' (z, y), block by block."""
    triangle = np.zeros((0, covariates.shape[1] + outcome.shape[1]))
    for begin in range(0, len(subjects), ROWS_A_BLOCK):
        own = subjects[begin : begin + ROWS_A_BLOCK]
        block = np.concatenate([triangle, np.concatenate([covariates[own], outcome[own]], axis=1)])
        triangle = np.asarray(np.linalg.qr(block, mode="r")) if len(block) > 1 else block
    return triangle


def least_squares(design: Factored, outcome: Matrix, seen: NDArray[np.bool_]) -> Vector:
    """(p,), ordinary least squares of the outcomes (n, T) seen; equation (shift)."""
    _, visits, p = design.functions.shape
    normal, right = np.zeros((p, p)), np.zeros(p)
    for visit in range(visits):
        own = design.covariates[seen[:, visit]]
        function = design.functions[:, visit]
        normal += function.T @ (own.T @ own) @ function
        right += function.T @ (own.T @ outcome[seen[:, visit], visit])
    return np.asarray(np.linalg.solve(normal, right))


def fitted(design: Factored, beta: Vector, seen: NDArray[np.bool_]) -> Matrix:
    """(n, T), the design times coefficients (p,), zero where not seen."""
    return np.asarray((design.covariates @ (design.functions @ beta)) * seen)
