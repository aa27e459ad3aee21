"""From a frame to what the MMRM engine fits: subjects by visits, in units that lose no digits.

The outcome is taken as its least-squares residuals, divided by their root mean square; the design is turned into
orthogonal columns. Both go back exactly. Terms as in `mmrm_engine` and `mmrm_rows`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from equipoise.stats.designs import Design, build_design
from equipoise.stats.frames import Opened, column, named_rows, numbers
from equipoise.stats.gee_fit import refuse_duplicates
from equipoise.stats.mmrm_empirical import Subjects
from equipoise.stats.mmrm_engine import Index, Problem
from equipoise.stats.mmrm_rows import cells_of, compressed, factored, fitted, least_squares
from equipoise.stats.mmrm_structures import ORDERED, SENTENCES, Structure, structure_of
from equipoise.stats.refusals import BadSample, NotIdentified, UnknownChoice
from equipoise.stats.samples import Matrix, Vector

NO_RESIDUAL = 1e-12  # root mean square residual relative to the outcome's
LARGEST_RESIDUAL = 1e70  # root mean square whose fourth power, a covariance of variances, a float still holds
EVERYONE = "all"
PAIRED = ("us",)
BY_LAG = ("toep", "toeph")
Coordinates = str | Mapping[Any, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class Longitudinal:
    """Rows of a design placed by subject and visit.

    `owner` and `place` (N,) say whose and which visit each row is; `seen` (n, T); `group` (n,), of subjects;
    `weight` (N,) prior weights; `positions` (T,) of the visits for the structure.
    """

    design: Design
    owner: Index
    place: Index
    seen: NDArray[np.bool_]
    group: Index
    weight: Vector
    positions: Vector
    subjects: tuple[Any, ...]
    visits: tuple[Any, ...]
    groups: tuple[Any, ...]

    def laid(self, values: Vector) -> Matrix:
        """(n, T), values by row (N,) laid out, zero where not seen."""
        table = np.zeros(self.seen.shape)
        table[self.owner, self.place] = values
        return table


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """A problem of the engine, its subjects, and the way back to the user's units.

    Coefficients are `back @ (shift + scale * beta)`; variances are `scale` squared times the engine's.
    """

    problem: Problem
    subjects: Subjects
    back: Matrix
    shift: Vector
    scale: float


def by_visit(
    formula: str,
    frame: Opened,
    *,
    subject: str,
    visit: str,
    group: str | None,
    weights: str | None,
    structure: str,
    coordinates: Coordinates,
) -> Longitudinal:
    """Evaluate the formula and place its rows by subject and visit.

    Raises:
        StatisticsRefusal: each defect of the arguments or the data, by name.
    """
    beside = [(role, name) for role, name in (("group", group), ("weights", weights)) if name is not None]
    if isinstance(coordinates, str):
        beside.append(("coordinates", coordinates))
    design = build_design(formula, frame, order_by=[("subject", subject), ("visit", visit)], beside=beside)
    owner, subjects = pd.factorize(design.beside[subject], sort=False)
    place, visits = pd.factorize(design.beside[visit], sort=True)
    refuse_duplicates(design, owner, place, subject, visit)
    if len(visits) < 2:
        raise BadSample("visit", visit, "has one visit with an outcome", "use ancova for a single visit")
    seen = np.zeros((len(subjects), len(visits)), bool)
    seen[owner, place] = True
    of_subject, groups = groups_of(design, owner, subject, group)
    return Longitudinal(
        design,
        np.asarray(owner, dtype=np.intp),
        np.asarray(place, dtype=np.intp),
        seen,
        of_subject,
        weights_of(design, weights),
        positions_of(design, frame, place, tuple(visits), visit, structure, coordinates),
        tuple(subjects),
        tuple(visits),
        groups,
    )


def groups_of(design: Design, owner: Index, subject: str, group: str | None) -> tuple[Index, tuple[Any, ...]]:
    """Each subject's group (n,) and the groups' names.

    Raises:
        BadSample: a subject in two groups.
    """
    n = int(owner.max()) + 1
    if group is None:
        return np.zeros(n, np.intp), (EVERYONE,)
    codes, names = pd.factorize(design.beside[group], sort=True)
    of_subject = np.zeros(n, np.intp)
    of_subject[owner] = codes
    changed = of_subject[owner] != codes
    if changed.any():
        who = named_rows(list(dict.fromkeys(map(str, design.beside[subject][changed]))))
        raise BadSample("group", group, f"changes within {who}", "give each subject one group")
    return of_subject, tuple(names)


def weights_of(design: Design, weights: str | None) -> Vector:
    """(N,), prior weights, one where there are none.

    Raises:
        BadSample: weights that are not above zero.
    """
    if weights is None:
        return np.ones(len(design.outcome))
    values = numbers(design.beside[weights], "weights")
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise BadSample("weights", weights, "holds values that are not above zero", "leave those rows' outcome empty")
    return values


def positions_of(
    design: Design,
    frame: Opened,
    place: Index,
    visits: tuple[Any, ...],
    visit: str,
    structure: str,
    coordinates: Coordinates,
) -> Vector:
    """(T,), where the visits are: in the declared order, or on the axis that sp_exp needs.

    Raises:
        BadSample: visits in text where their order matters, or coordinates that are missing, equal or not constant.
        UnknownChoice: coordinates with a structure that takes none.
    """
    values = design.beside[visit]
    declared = isinstance(values.dtype, pd.CategoricalDtype)
    if structure == "sp_exp":
        return coordinates_of(design, place, visits, visit, coordinates)
    if coordinates is not None:
        raise UnknownChoice(
            "coordinates", None, f"do not go with the {structure} covariance", "use sp_exp, or drop them"
        )
    if structure in ORDERED and not declared and pd.api.types.is_string_dtype(values.dtype):
        raise BadSample(
            "visit",
            visit,
            f"is text, whose alphabetical order is not the order that the {structure} covariance needs",
            "give numbers, or categories in the order of the visits",
        )
    if not declared:
        return np.arange(len(visits), dtype=np.float64)
    order = list(column(frame, visit, "visit").cat.categories)
    return np.array([order.index(label) for label in visits], dtype=np.float64)


def coordinates_of(
    design: Design, place: Index, visits: tuple[Any, ...], visit: str, coordinates: Coordinates
) -> Vector:
    """(T,), each visit's place on the axis of sp_exp."""
    if isinstance(coordinates, str):
        values = numbers(design.beside[coordinates], "coordinates")
        found = np.zeros(len(visits))
        found[place] = values
        if not np.array_equal(found[place], values):
            raise BadSample(
                "coordinates", coordinates, "differs between rows of one visit", "give each visit one coordinate"
            )
    else:
        try:
            given = {label: label for label in visits} if coordinates is None else coordinates
            found = np.array([float(given[label]) for label in visits])
        except (KeyError, TypeError, ValueError):
            raise BadSample(
                "coordinates", None, f"are needed for each of {', '.join(map(str, visits))}", "name a column of numbers"
            ) from None
    if not np.isfinite(found).all() or len(set(found)) < len(found):
        raise BadSample("coordinates", None, "are not finite or not all different", f"correct those of {visit}")
    return found


def refuse_extreme_residuals(scale: Vector, name: str) -> None:
    """Refuse root mean square residuals (m,) whose fourth power a float cannot hold.

    Raises:
        BadSample: by the outcome's name.
    """
    if scale.max() > LARGEST_RESIDUAL:
        raise BadSample(name, None, f"varies by more than {LARGEST_RESIDUAL:g}", "give it in another unit")
    if scale.min() < 1 / LARGEST_RESIDUAL:
        raise BadSample(name, None, f"varies by less than {1 / LARGEST_RESIDUAL:g}", "give it in another unit")


def pose(long: Longitudinal, covariance: str, *, reml: bool) -> Posed:
    """The engine's problem.

    Raises:
        BadSample: no residual variation or an extreme one, or no more rows than coefficients.
        NotIdentified: a covariance that these subjects cannot determine.
    """
    structure = structure_of(covariance, long.visits, long.positions)
    p = long.design.matrix.shape[1]
    if len(long.owner) <= p:
        raise BadSample("data", None, f"has {len(long.owner)} rows for {p} coefficients", "drop terms from the formula")
    refuse_too_few(long, structure)
    root = np.sqrt(long.weight)
    design = factored(columns(long, root), long.seen)
    outcome = long.laid(long.design.outcome * root)
    shift = least_squares(design, outcome, long.seen)
    residual = np.where(long.seen, outcome - fitted(design, shift, long.seen), 0.0)
    scale = float(np.sqrt((residual**2).sum() / long.seen.sum()))
    if scale <= NO_RESIDUAL * float(np.sqrt((outcome**2).sum() / long.seen.sum())):
        raise BadSample("data", None, "has no residual variation about the model", "check for copied columns")
    refuse_extreme_residuals(np.array([scale]), "outcome")
    cells = cells_of(long.seen, long.group)
    residual = residual / scale
    rows = compressed(design, residual, cells)
    problem = Problem(
        rows.design[np.newaxis],
        rows.outcome[np.newaxis],
        rows.cell[np.newaxis],
        rows.rest[np.newaxis],
        cells.count[np.newaxis].astype(np.float64),
        cells.seen[np.newaxis],
        cells.group[np.newaxis],
        len(long.groups),
        structure,
        reml,
    )
    return Posed(problem, Subjects(design, cells, residual), design.back, shift, scale)


def columns(long: Longitudinal, root: Vector) -> Iterator[Matrix]:
    """Each column of the design laid out (n, T), times the square root of the weights."""
    for values in long.design.matrix.T:
        yield long.laid(values * root)


def refuse_too_few(long: Longitudinal, structure: Structure) -> None:
    """Refuse a covariance with more parameters than subjects, visits and pairs of visits can tell.

    Raises:
        NotIdentified: what is missing, by visits and groups.
    """
    name = structure.name
    needed = len(structure.parameters) * len(long.groups)
    rest = len(long.owner) - long.design.matrix.shape[1]
    if rest < needed:
        raise NotIdentified(
            "covariance",
            name,
            f"has {needed} parameters for {rest} rows more than coefficients",
            "use a structure with fewer parameters, such as cs or ar1",
        )
    for place, group in enumerate(long.groups):
        seen = long.seen[long.group == place].astype(np.float64)
        who = "" if group == EVERYONE and len(long.groups) == 1 else f" of {group}"
        if name in PAIRED and len(seen) < structure.visits:
            raise NotIdentified(
                "covariance",
                name,
                f"needs at least {structure.visits} subjects{who}, one a visit, and there are {len(seen)}",
                "use a structure with fewer parameters, such as cs or ar1",
            )
        refuse_apart(long, name, seen.T @ seen, who)


def refuse_apart(long: Longitudinal, name: str, together: Matrix, who: str) -> None:
    """Refuse visits (T, T counts) that no subject has together, where the covariance has a parameter for them."""
    apart = [(a, b) for a in range(len(long.visits)) for b in range(a + 1, len(long.visits)) if together[a, b] == 0]
    if name in BY_LAG:
        lag = np.abs(long.positions[:, np.newaxis] - long.positions)
        apart = [pair for pair in apart if together[lag == lag[pair]].sum() == 0]
    elif name not in PAIRED:
        apart = [] if (together - np.diag(np.diag(together))).any() else apart
    if apart:
        pairs = named_rows([f"{long.visits[a]} with {long.visits[b]}" for a, b in apart])
        raise NotIdentified(
            "covariance",
            name,
            f"is not determined: no subject{who} has an outcome at {pairs}",
            f"leave a visit out, or use another structure than {SENTENCES[name]}",
        )
