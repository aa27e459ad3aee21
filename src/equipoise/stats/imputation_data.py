"""From a long frame to what is imputed: subjects by visits, arms, covariates and intercurrent events.

Subjects and visits are sorted first, so that nothing depends on the order of the rows. Everything that an imputation
would have to guess is refused here.
Equations: docs/methods/imputation.md.
Shapes: n subjects, T visits, A arms, q columns of covariates with the constant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from equipoise.stats.designs import in_order
from equipoise.stats.frames import Opened, column, named_rows, numbers
from equipoise.stats.imputation_strategies import NEEDS_REFERENCE, STRATEGIES
from equipoise.stats.mmrm_engine import Index
from equipoise.stats.refusals import BadSample, DuplicateVisit, MissingCovariate, UnknownChoice, choose
from equipoise.stats.samples import Matrix, Vector, refuse_extremes

Event = Mapping[Any, Any] | str | None
Strategy = str | Mapping[Any, str]
Delta = Mapping[Any, float | Mapping[Any, float]] | None
CONSTANT = "Intercept"


@dataclass(frozen=True, slots=True)
class Names:
    """The columns of the user's frame."""

    subject: str
    visit: str
    outcome: str
    arm: str
    covariates: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Longitudinal:
    """What was read.

    `outcome` (n, T) is NaN where missing; `arm` (n,) codes into `arms`; `covariates` (n, q), a column of ones first,
    named `columns`; `columns_of` says which of them each covariate takes. `event` (n,) is the first visit that the
    intercurrent event affects, T where there was none. `reference` is a code into `arms`, `strategies` are by arm.
    """

    names: Names
    subjects: tuple[Any, ...]
    visits: tuple[Any, ...]
    arms: tuple[Any, ...]
    outcome: Matrix
    arm: Index
    covariates: Matrix
    columns: tuple[str, ...]
    columns_of: dict[str, tuple[int, ...]]
    first_rows: pd.DataFrame
    event: Index
    reference: int | None
    strategies: tuple[str, ...]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(n, T), where the outcome is known."""
        return np.asarray(~np.isnan(self.outcome))

    @property
    def affected(self) -> NDArray[np.bool_]:
        """(n, T), from each subject's intercurrent event on."""
        return np.asarray(np.arange(len(self.visits)) >= self.event[:, np.newaxis])

    @property
    def modelled(self) -> Matrix:
        """(n, T), the outcomes that the base model is fitted to; equation (base)."""
        set_aside = np.array([name != "mar" for name in self.strategies])[self.arm]
        return np.where(self.affected & set_aside[:, np.newaxis], np.nan, self.outcome)


def read(
    frame: Opened,
    names: Names,
    *,
    reference: Any,
    strategy: Strategy,
    ice: Event,
) -> Longitudinal:
    """Read and check a long frame.

    Raises:
        StatisticsRefusal: each defect of the arguments or the data, by name.
    """
    table = table_of(frame, names, ice if isinstance(ice, str) else None)
    subject, visit = table[names.subject], table[names.visit]
    refuse_text(visit, names.visit)
    owner, subjects = pd.factorize(subject, sort=False)
    place, visits = pd.factorize(visit, sort=True)
    refuse_repeats(owner, place, subjects, visits, names)
    outcome = np.full((len(subjects), len(visits)), np.nan)
    outcome[owner, place] = known_or_nan(table[names.outcome], names.outcome)
    refuse_changes(table, owner, subjects, names)
    first = table.iloc[np.unique(owner, return_index=True)[1]].reset_index(drop=True)
    codes, arms = pd.factorize(first[names.arm], sort=True)
    covariates, columns, columns_of = covariate_columns(first, names.covariates)
    chosen = reference_code(tuple(arms), reference)
    long = Longitudinal(
        names,
        tuple(subjects),
        tuple(visits),
        tuple(arms),
        outcome,
        np.asarray(codes, dtype=np.intp),
        covariates,
        columns,
        columns_of,
        first,
        events(table, owner, place, outcome, tuple(subjects), tuple(visits), ice),
        chosen,
        strategies_by_arm(tuple(arms), strategy, chosen),
    )
    refuse_unseen(long)
    return long


def covariate_names(covariates: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names of covariates as a tuple, whether one, several or none were given.

    Raises:
        BadSample: something that is no name.
    """
    several = (covariates,) if isinstance(covariates, str) else covariates
    if not isinstance(several, Sequence) or not all(isinstance(name, str) for name in several):
        raise BadSample("covariates", covariates, "are not names of columns", "give one name, or several, or ()")
    return tuple(several)


def table_of(frame: Opened, names: Names, ice: str | None) -> pd.DataFrame:
    """The columns asked for, sorted by subject and visit; refused where anything but an outcome is missing."""
    roles = [
        *([("ice", ice)] if ice is not None else []),
        ("subject", names.subject),
        ("visit", names.visit),
        ("arm", names.arm),
        *(("covariates", name) for name in names.covariates),
        ("outcome", names.outcome),
    ]
    repeated = [name for place, (_, name) in enumerate(roles) if name in [other for _, other in roles[:place]]]
    if repeated:
        raise BadSample("data", None, f"is asked for {repeated[0]} in two roles", "give each column one role")
    table = pd.DataFrame({name: column(frame, name, role) for role, name in roles})
    if table.empty:
        raise BadSample("data", None, "has no row", "give one row a subject and visit")
    for role, name in roles[:-1]:
        gaps = np.flatnonzero(table[name].isna())
        if not gaps.size:
            continue
        if role == "covariates":
            who = list(dict.fromkeys(str(value) for value in table[names.subject].iloc[gaps]))
            raise MissingCovariate(
                name,
                None,
                f"is missing for {named_rows(who)}",
                "fill it in, or drop the covariate; only outcomes are imputed",
            )
        rows = named_rows([str(row + 1) for row in gaps])
        raise MissingCovariate(name, None, f"is missing in row {rows}", "fill it in, or leave the row out")
    return in_order(table, [names.subject, names.visit], [])


def refuse_text(visit: "pd.Series[Any]", name: str) -> None:
    """Refuse visits whose order need not be that of the trial, such as text."""
    if not isinstance(visit.dtype, pd.CategoricalDtype) and not pd.api.types.is_numeric_dtype(visit.dtype):
        raise BadSample(
            "visit",
            name,
            "holds neither numbers nor categories, whose order is known",
            "give numbers, or categories in the order of the visits",
        )


def refuse_repeats(owner: Index, place: Index, subjects: Any, visits: Any, names: Names) -> None:
    """Refuse two rows for one subject and visit."""
    twice = pd.DataFrame({"owner": owner, "place": place}).duplicated()
    if twice.any():
        pairs = dict.fromkeys(zip(owner[twice], place[twice], strict=True))
        labels = [f"{subjects[who]} at {visits[when]}" for who, when in pairs]
        raise DuplicateVisit(
            f"{names.subject}, {names.visit}",
            None,
            f"has more than one row for {named_rows(labels)}",
            "keep one row a visit",
        )


def known_or_nan(outcome: "pd.Series[Any]", name: str) -> Vector:
    """The outcomes as floats, NaN where missing."""
    values = numbers(outcome, "outcome")
    if np.isinf(values).any():
        raise BadSample("outcome", name, f"is not finite in {int(np.isinf(values).sum())} rows", "correct these values")
    refuse_extremes(values[~np.isnan(values)], name)
    return values


def refuse_changes(table: pd.DataFrame, owner: Index, subjects: Any, names: Names) -> None:
    """Refuse an arm or a covariate that is not the same in all rows of a subject."""
    for name in (names.arm, *names.covariates):
        codes = pd.factorize(table[name])[0]
        first = codes[np.unique(owner, return_index=True)[1]]
        changed = np.unique(owner[codes != first[owner]])
        if changed.size:
            raise BadSample(
                name,
                None,
                f"changes between visits of {named_rows([str(subjects[who]) for who in changed])}",
                "give each subject one value, such as the one at baseline",
            )


def covariate_columns(
    first: pd.DataFrame, covariates: Sequence[str]
) -> tuple[Matrix, tuple[str, ...], dict[str, tuple[int, ...]]]:
    """The constant and the covariates, (n, q): numbers as they are, others by indicators of all levels but the first.

    Raises:
        BadSample: a covariate that is infinite or the same for everyone.
    """
    columns, labels, places = [np.ones(len(first))], [CONSTANT], {}
    for name in covariates:
        values = first[name]
        if pd.api.types.is_numeric_dtype(values.dtype):
            own = {name: numbers(values, "covariates")}
        else:
            codes, levels = pd.factorize(values, sort=True)
            own = {f"{name}[T.{level}]": (codes == place) * 1.0 for place, level in enumerate(levels) if place}
        for label, each in own.items():
            if not np.isfinite(each).all():
                raise BadSample("covariates", label, "holds an infinite value", "correct it")
            refuse_extremes(each, label)
        if not own or any((each == each[0]).all() for each in own.values()):
            raise BadSample("covariates", name, "has the same value for every subject", "drop it")
        places[name] = tuple(range(len(labels), len(labels) + len(own)))
        columns.extend(own.values())
        labels.extend(own)
    return np.column_stack(columns), tuple(labels), places


def reference_code(arms: tuple[Any, ...], reference: Any) -> int | None:
    """The place of the reference arm among the arms.

    Raises:
        UnknownChoice: an arm that nobody is in.
    """
    if reference is None:
        return None
    if reference not in arms:
        raise UnknownChoice(
            "reference", reference, "is not an arm of the data", f"choose one of {', '.join(map(str, arms))}"
        )
    return arms.index(reference)


def strategies_by_arm(arms: tuple[Any, ...], strategy: Strategy, reference: int | None) -> tuple[str, ...]:
    """Each arm's strategy; those that a mapping does not name are imputed as missing at random.

    Raises:
        UnknownChoice: a strategy that is not offered, an arm that nobody is in, or no reference where one is needed.
    """
    if isinstance(strategy, str):
        found = dict.fromkeys(arms, strategy)
    else:
        refuse_unknown_keys("strategy", strategy, arms, "an arm")
        found = {arm: strategy.get(arm, "mar") for arm in arms}
    chosen = tuple(choose("strategy", name, STRATEGIES) for name in found.values())
    needing = [name for name in chosen if name in NEEDS_REFERENCE]
    if needing and reference is None:
        raise UnknownChoice("reference", None, f"is needed by {needing[0]}", f"name one of {', '.join(map(str, arms))}")
    return chosen


def refuse_unknown_keys(field: str, given: Mapping[Any, Any], known: Sequence[Any], what: str) -> None:
    """Refuse what is no mapping, and keys of one that the data does not have.

    Raises:
        BadSample: no mapping.
        UnknownChoice: a key that the data does not have.
    """
    if not isinstance(given, Mapping):
        raise BadSample(field, given, f"is not a mapping by {what.split()[-1]}", f"give a value for {what} by its name")
    strange = [key for key in given if key not in known]
    if strange:
        offered = named_rows([str(each) for each in known])
        raise UnknownChoice(field, strange[0], f"is not {what} of the data", f"choose from {offered}")


def events(
    table: pd.DataFrame,
    owner: Index,
    place: Index,
    outcome: Matrix,
    subjects: tuple[Any, ...],
    visits: tuple[Any, ...],
    ice: Event,
) -> Index:
    """(n,), the first visit that each subject's intercurrent event affects, T where there was none.

    None takes the visit after the last one with an outcome.

    Raises:
        UnknownChoice: a subject or a visit that the data does not have.
        BadSample: a column that is not true or false, or that goes back from true to false.
    """
    if ice is None:
        seen = ~np.isnan(outcome)
        return np.where(seen.any(axis=1), len(visits) - seen[:, ::-1].argmax(axis=1), 0).astype(np.intp)
    if isinstance(ice, str):
        return events_in_column(table[ice], owner, place, subjects, len(visits))
    refuse_unknown_keys("ice", ice, subjects, "a subject")
    found = np.full(len(subjects), len(visits), dtype=np.intp)
    for who, when in ice.items():
        if when not in visits:
            raise UnknownChoice(
                "ice",
                f"{who} at {when}",
                "is not at a visit of the data",
                f"choose one of {', '.join(map(str, visits))}",
            )
        found[subjects.index(who)] = visits.index(when)
    return found


def events_in_column(
    values: "pd.Series[Any]", owner: Index, place: Index, subjects: tuple[Any, ...], visits: int
) -> Index:
    """(n,), the first visit of each subject at which the column is true."""
    name = values.name
    flags = values.astype(object).map({True: True, False: False})
    if flags.isna().any():
        raise BadSample("ice", name, "holds something other than true and false", "give true from the event on")
    after = np.zeros((len(subjects), visits), dtype=bool)
    known = np.zeros_like(after)
    after[owner, place], known[owner, place] = flags.to_numpy(dtype=bool), True
    began = np.logical_or.accumulate(after, axis=1)
    back = np.flatnonzero((began & known & ~after).any(axis=1))
    if back.size:
        raise BadSample(
            "ice",
            name,
            f"goes back to false for {named_rows([str(subjects[who]) for who in back])}",
            "give true at every visit from the event on",
        )
    return np.where(after.any(axis=1), after.argmax(axis=1), visits).astype(np.intp)


def refuse_unseen(long: Longitudinal) -> None:
    """Refuse a visit at which an arm has no outcome to learn from, and a single visit or arm."""
    if len(long.visits) < 2:
        raise BadSample("visit", long.names.visit, "has one visit", "use ancova for a single visit")
    if len(long.arms) < 2:
        raise BadSample("arm", long.names.arm, "has one arm", "give the data of two arms or more")
    known = ~np.isnan(long.modelled)
    for code, arm in enumerate(long.arms):
        empty = np.flatnonzero(~known[long.arm == code].any(axis=0))
        if empty.size:
            visit = long.visits[int(empty[0])]
            set_aside = " before an intercurrent event" if long.seen[long.arm == code][:, empty[0]].any() else ""
            raise BadSample(
                "outcome",
                long.names.outcome,
                f"is known for nobody of arm {arm} at visit {visit}{set_aside}",
                "leave the visit out, or merge it with another",
            )


def deltas(long: Longitudinal, delta: Delta) -> Matrix:
    """(A, T), what is added to imputed values, in the outcome's units.

    Args:
        long: what was read.
        delta: by arm, a number for all visits or a mapping by visit; what is not named is not shifted.

    Raises:
        UnknownChoice: an arm or a visit that the data does not have.
        BadSample: something that is not a finite number.
    """
    table = np.zeros((len(long.arms), len(long.visits)))
    if delta is None:
        return table
    refuse_unknown_keys("delta", delta, long.arms, "an arm")
    for arm, given in delta.items():
        row = table[long.arms.index(arm)]
        if isinstance(given, Mapping):
            refuse_unknown_keys("delta", given, long.visits, "a visit")
            for visit, shift in given.items():
                row[long.visits.index(visit)] = finite_shift(shift)
        else:
            row[:] = finite_shift(given)
    return table


def finite_shift(shift: Any) -> float:
    """One shift; refused unless a finite number whose square a float holds."""
    try:
        value = float(shift)
    except (TypeError, ValueError):
        value = np.nan
    if not np.isfinite(value):
        raise BadSample("delta", shift, "is not a finite number", "give a shift in the outcome's units")
    refuse_extremes(np.array([value]), "delta")
    return value
