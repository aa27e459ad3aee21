"""Whether the parts of a protocol fit together: ids used once, references that lead somewhere, rules on known names.

Each check is a generator of problems; all run, so that every fault is told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from equipoise.protocol.aims import Outcome
from equipoise.protocol.design import Allocation
from equipoise.protocol.document import Protocol
from equipoise.protocol.faults import Path, field_of, nearest
from equipoise.protocol.forms import NUMERIC_TYPES
from equipoise.protocol.interventions import Intervention
from equipoise.protocol.names import (
    adverse_event_names,
    analysis_names,
    dose_limit_names,
    eligibility_names,
    form_names,
    participant_event_names,
    release_names,
)
from equipoise.protocol.plan import Gee, Imputation, MeansByVisit, Mmrm, RepeatedMeasuresAnova, Rerandomisation
from equipoise.protocol.rehearsal import Rehearsal
from equipoise.protocol.rules import Kind, Rule
from equipoise.protocol.schedule import TimePoint, Visit

MEAN_MONTH = Decimal("30.4375")
MOST_SHIFTS = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault between parts, at a path of the file."""

    path: Path
    value: object
    problem: str
    remedy: str


def problems_between_parts(protocol: Protocol) -> list[Problem]:
    """Every problem that shows only when the parts are seen together."""
    return [problem for check in CHECKS for problem in check(protocol)]


def _unknown(path: Path, value: object, known: Collection[str], where: str) -> Problem:
    names = sorted(known)
    close = nearest(str(value), names)
    if close is not None:
        remedy = f"did you mean {close}?"
    elif names:
        remedy = f"use one of {', '.join(names[:12])}, or add it to {where}"
    else:
        remedy = f"add it to {where}"
    return Problem(path, value, f"is not in {where}", remedy)


def _references(path: Path, values: Iterable[str], known: Collection[str], where: str) -> Iterator[Problem]:
    for index, value in enumerate(values):
        if value not in known:
            yield _unknown((*path, index), value, known, where)


def _reference(path: Path, value: str | None, known: Collection[str], where: str) -> Iterator[Problem]:
    if value is not None and value not in known:
        yield _unknown(path, value, known, where)


def _twice(path: Path, ids: Iterable[str | int], key: str = "id") -> Iterator[Problem]:
    first: dict[str | int, int] = {}
    for index, value in enumerate(ids):
        if value in first:
            yield Problem(
                (*path, index, key),
                value,
                f"is already the {key} of {field_of((*path, first[value]))}",
                "give each its own",
            )
        else:
            first[value] = index


def _rule(path: Path, rule: Rule | None, names: Mapping[str, Kind], *, logic: bool = True) -> Iterator[Problem]:
    if rule is None:
        return
    for problem in rule.check_types(names):
        yield Problem(path, rule.text, problem.problem, problem.remedy)
    if logic and rule.is_number(names):
        yield Problem(path, rule.text, "gives a number, not yes or no", "compare it with something, such as > 0")


def check_ids(protocol: Protocol) -> Iterator[Problem]:
    """Ids are used once within their list."""
    for key in (
        "sites", "epochs", "arms", "interventions", "products", "regimens", "panels", "forms", "checks",
        "stopping_rules", "committees", "objectives", "outcomes", "analysis_sets", "estimands", "analyses",
    ):  # fmt: skip
        yield from _twice((key,), (part.id for part in getattr(protocol, key)))
    yield from _twice(("visits",), [visit.id for visit in protocol.visits])
    yield from _twice(("visits",), [visit.number for visit in protocol.visits], "number")
    planned = {visit.id for visit in protocol.visits}
    for index, unscheduled in enumerate(protocol.unscheduled):
        if unscheduled.id in planned:
            yield Problem(
                ("unscheduled", index, "id"), unscheduled.id, "is already a planned visit", "give each its own"
            )
    yield from _twice(("consents",), (f"{form.id} {form.version}" for form in protocol.consents))
    yield from _twice(("amendments",), [amendment.number for amendment in protocol.amendments], "number")
    inclusion = [criterion.id for criterion in protocol.eligibility.inclusion]
    exclusion = [criterion.id for criterion in protocol.eligibility.exclusion]
    yield from _twice(("eligibility", "inclusion"), inclusion)
    yield from _twice(("eligibility", "exclusion"), exclusion)
    for index, criterion_id in enumerate(exclusion):
        if criterion_id in inclusion:
            where: Path = ("eligibility", "exclusion", index, "id")
            yield Problem(where, criterion_id, "is already an inclusion criterion", "give each its own")
    for index, product in enumerate(protocol.products):
        yield from _twice(("products", index, "release"), (criterion.id for criterion in product.release))
        yield from _twice(("products", index, "dose_limits"), (limit.id for limit in product.dose_limits))
    for index, regimen in enumerate(protocol.regimens):
        yield from _twice(("regimens", index, "courses"), (course.id for course in regimen.courses))
        yield from _twice(("regimens", index, "preconditions"), (part.id for part in regimen.preconditions))
    for index, panel in enumerate(protocol.panels):
        yield from _twice(("panels", index, "tests"), (test.id for test in panel.tests))
    panels = {panel.id for panel in protocol.panels}
    for index, form in enumerate(protocol.forms):
        yield from _twice(("forms", index, "items"), (item.id for item in form.items))
        if not form.items and not form.panels:
            yield Problem(
                ("forms", index), form.id, "has neither items nor panels", "add an item, or leave the form out"
            )
        if panels.issuperset(form.panels):
            own = {item.id for item in form.items}
            for item in protocol.form_items(form.id)[len(form.items) :]:
                if item.id in own:
                    path = ("forms", index, "panels")
                    yield Problem(path, item.id, "is both an item and a test of the form", "rename one of them")


def check_references(protocol: Protocol) -> Iterator[Problem]:
    """What one part names stands in another."""
    interventions = {part.id for part in protocol.interventions}
    products = {part.id for part in protocol.products}
    regimens = {part.id for part in protocol.regimens}
    epochs = {part.id for part in protocol.epochs}
    forms = {part.id for part in protocol.forms}
    panels = {part.id for part in protocol.panels}
    visits = {part.id for part in protocol.visits}
    for i, arm in enumerate(protocol.arms):
        yield from _references(("arms", i, "interventions"), arm.interventions, interventions, "interventions")
    for i, intervention in enumerate(protocol.interventions):
        yield from _reference(("interventions", i, "product"), intervention.product, products, "products")
        yield from _reference(("interventions", i, "regimen"), intervention.regimen, regimens, "regimens")
    for i, regimen in enumerate(protocol.regimens):
        for j, course in enumerate(regimen.courses):
            yield from _reference(("regimens", i, "courses", j, "after"), course.after, visits, "visits")
    for i, visit in enumerate(protocol.visits):
        yield from _reference(("visits", i, "epoch"), visit.epoch, epochs, "epochs")
        yield from _references(("visits", i, "forms"), visit.forms, forms, "forms")
    for i, unscheduled in enumerate(protocol.unscheduled):
        yield from _references(("unscheduled", i, "forms"), unscheduled.forms, forms, "forms")
    for i, form in enumerate(protocol.forms):
        yield from _references(("forms", i, "panels"), form.panels, panels, "panels")
        for j, item in enumerate(form.items):
            path: Path = ("forms", i, "items", j)
            yield from _reference((*path, "codelist"), item.codelist, protocol.codelists, "codelists")
            yield from _references((*path, "missing"), item.missing, protocol.missing_codes, "missing_codes")
    for i, panel in enumerate(protocol.panels):
        yield from _references(("panels", i, "missing"), panel.missing, protocol.missing_codes, "missing_codes")
        tests = {test.id for test in panel.tests}
        sites = {site.id for site in protocol.sites}
        for test_id, ranges in panel.reference_ranges.items():
            path = ("panels", i, "reference_ranges", test_id)
            yield from _reference(path, test_id, tests, f"panels[{i}].tests")
            for j, limits in enumerate(ranges):
                yield from _reference((*path, j, "site"), limits.site, sites, "sites")
                if limits.low is not None and limits.high is not None and limits.low >= limits.high:
                    yield Problem((*path, j, "low"), limits.low, f"is not below high = {limits.high}", "exchange them")
    for i, check in enumerate(protocol.checks):
        yield from _reference(("checks", i, "on"), check.on, forms, "forms")
    for i, rule in enumerate(protocol.stopping_rules):
        yield from _reference(("stopping_rules", i, "arm"), rule.arm, protocol.arm_ids, "arms")
    if protocol.safety is not None:
        events = protocol.safety.adverse_events
        related_to = interventions | {"procedure"}
        path = ("safety", "adverse_events")
        yield from _references((*path, "related_to"), events.related_to, related_to, "interventions")
        yield from _references((*path, "related_means"), events.related_means, events.causality, "causality")
        if events.dictionary is None:  # with one, what is expected may be named by its codes
            yield from _references((*path, "expected"), events.expected, events.terms, "safety.adverse_events.terms")
        for term in events.systems:
            yield from _reference((*path, "systems", term), term, events.terms, "safety.adverse_events.terms")


#: For each method, the parameters it needs and those it may have.
ALLOCATION_PARAMETERS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "simple": (frozenset(), frozenset()),
    "permuted_blocks": (frozenset(), frozenset({"block_size", "block_sizes"})),
    "random_allocation_rule": (frozenset(), frozenset()),
    "biased_coin": (frozenset({"p"}), frozenset()),
    "wei_urn": (frozenset({"alpha", "beta"}), frozenset()),
    "big_stick": (frozenset({"mti"}), frozenset()),
    "maximal_procedure": (frozenset({"mti"}), frozenset()),
    "minimisation": (frozenset({"factors", "p"}), frozenset({"weights", "imbalance"})),
    "external": (frozenset({"description"}), frozenset()),
}
UNEQUAL_RATIO = ("simple", "permuted_blocks", "random_allocation_rule", "external")


def allocation_parameters(allocation: Allocation) -> dict[str, object]:
    """The method's parameters that the file gives, by name."""
    names = {name for needed, allowed in ALLOCATION_PARAMETERS.values() for name in needed | allowed} - {"description"}
    given = ((name, getattr(allocation, name)) for name in sorted(names))
    return {name: value for name, value in given if value is not None and value not in ((), {})}


def check_allocation(protocol: Protocol) -> Iterator[Problem]:
    """The ratio names the arms; the method has the parameters it needs and no other; factors can be known."""
    allocation = protocol.allocation
    if len(protocol.arms) < 2:
        remedy = "add the arm that it is compared with"
        yield Problem(("arms",), protocol.arm_ids[0], "is the only arm", remedy)
    for arm_id in allocation.ratio:
        yield from _reference(("allocation", "ratio", arm_id), arm_id, protocol.arm_ids, "arms")
    for arm_id in protocol.arm_ids:
        if arm_id not in allocation.ratio:
            yield Problem(("allocation", "ratio"), arm_id, "has no share in the ratio", f"add {arm_id}: 1")
    needed, allowed = ALLOCATION_PARAMETERS[allocation.method]
    given = allocation_parameters(allocation)
    for name in sorted(needed - given.keys() - {"description"}):
        yield Problem(("allocation",), allocation.method, f"needs {name}", f"add {name} to allocation")
    for name in sorted(given.keys() - needed - allowed):
        problem = f"is not a parameter of {allocation.method}"
        yield Problem(("allocation", name), given[name], problem, "leave it out, or change the method")
    if allocation.method == "external" and allocation.description is None:
        remedy = "add description: who allocated, and how"
        yield Problem(("allocation",), "external", "does not say how participants were allocated", remedy)
    if allocation.method == "permuted_blocks":
        yield from _blocks(allocation)
    if allocation.method not in UNEQUAL_RATIO and len(set(allocation.ratio.values())) > 1:
        remedy = "use equal shares, or simple, permuted_blocks or random_allocation_rule"
        yield Problem(("allocation", "ratio"), allocation.method, "allocates in equal shares only", remedy)
    if allocation.method == "minimisation" and allocation.strata:
        remedy = "move them to factors"
        yield Problem(("allocation", "strata"), allocation.method, "balances factors instead of strata", remedy)
    known = {
        name for name, item in protocol.items.items() if item.type in ("choice", "yes-no") and _before(protocol, name)
    } | {"site"}
    where = "the choice and yes-no items of screening and baseline forms"
    yield from _references(("allocation", "strata"), allocation.strata, known, where)
    yield from _references(("allocation", "factors"), allocation.factors, known, where)
    for name in allocation.weights:
        yield from _reference(("allocation", "weights", name), name, allocation.factors, "allocation.factors")


def _blocks(allocation: Allocation) -> Iterator[Problem]:
    if (allocation.block_size is None) == (not allocation.block_sizes):
        remedy = "give block_size: 4, or block_sizes: [4, 6] to draw sizes at random"
        yield Problem(("allocation",), "permuted_blocks", "needs one of block_size, block_sizes", remedy)
    total = sum(allocation.ratio.values())
    sizes = {("allocation", "block_size"): allocation.block_size} | {
        ("allocation", "block_sizes", i): size for i, size in enumerate(allocation.block_sizes)
    }
    for path, size in sizes.items():
        if size is not None and size % total:
            yield Problem(
                path, size, f"is not a multiple of the ratio's sum {total}", f"use {total * max(1, size // total)}"
            )


def _before(protocol: Protocol, item_name: str) -> bool:
    """Whether the item is asked before allocation."""
    form_id = item_name.partition(".")[0]
    early = (*protocol.screening_visits, *([protocol.baseline_visit] if protocol.baseline_visit else []))
    return any(form_id in visit.forms for visit in early)


def nominal_day(at: TimePoint) -> Decimal:
    """The target as a day count for ordering visits; a month as 30.4375 days. Dates come from `capture.schedule`."""
    if at.days is not None:
        return Decimal(at.days)
    if at.weeks is not None:
        return Decimal(7 * at.weeks + 1)
    return MEAN_MONTH * Decimal(at.months or 0) + 1


def check_schedule(protocol: Protocol) -> Iterator[Problem]:
    """Visits stand in order of time, their windows do not overlap, and there is at most one baseline."""
    for index, (earlier, later) in enumerate(pairwise(protocol.visits), start=1):
        if nominal_day(later.at) <= nominal_day(earlier.at):
            remedy = "order visits by time, or correct `at`"
            yield Problem(("visits", index, "at"), later.id, f"is not after visit {earlier.id}", remedy)
            continue
        closes, opens = _closes(earlier), _opens(later)
        if opens <= closes and protocol.epoch_type(earlier) != "SCREENING":
            problem = (
                f"visit {later.id} opens about day {opens:.0f} while {earlier.id} is open to about day {closes:.0f}"
            )
            remedy = "narrow a window, so that a date belongs to one visit"
            yield Problem(("visits", index, "window", "days_before"), later.window.days_before, problem, remedy)
    baselines = [index for index, visit in enumerate(protocol.visits) if protocol.epoch_type(visit) == "BASELINE"]
    for index in baselines[1:]:
        problem = f"is a second visit in a BASELINE epoch, after {protocol.visits[baselines[0]].id}"
        yield Problem(("visits", index, "epoch"), protocol.visits[index].id, problem, "keep one baseline visit")


def _opens(visit: Visit) -> Decimal:
    return nominal_day(visit.at) - visit.window.days_before


def _closes(visit: Visit) -> Decimal:
    return nominal_day(visit.at) + visit.window.days_after


def check_rules(protocol: Protocol) -> Iterator[Problem]:
    """Each rule reads names that it can know, and compares like with like."""
    eligibility = eligibility_names(protocol)
    for category in ("inclusion", "exclusion"):
        for i, criterion in enumerate(getattr(protocol.eligibility, category)):
            yield from _rule(("eligibility", category, i, "rule"), criterion.rule, eligibility)
    for i, form in enumerate(protocol.forms):
        names = form_names(protocol, form.id)
        for j, item in enumerate(form.items):
            yield from _rule(("forms", i, "items", j, "show_if"), item.show_if, names)
            yield from _rule(("forms", i, "items", j, "formula"), item.formula, names, logic=False)
    form_ids = {form.id for form in protocol.forms}
    for i, check in enumerate(protocol.checks):
        if check.on in form_ids:
            yield from _rule(("checks", i, "when"), check.when, form_names(protocol, check.on))
    for i, product in enumerate(protocol.products):
        for j, release in enumerate(product.release):
            yield from _rule(("products", i, "release", j, "rule"), release.rule, release_names(release))
        for j, limit in enumerate(product.dose_limits):
            yield from _rule(("products", i, "dose_limits", j, "rule"), limit.rule, dose_limit_names())
    events = adverse_event_names(protocol)
    for i, regimen in enumerate(protocol.regimens):
        yield from _rule(("regimens", i, "stop_if"), regimen.stop_if, participant_event_names(protocol))
    for i, stopping in enumerate(protocol.stopping_rules):
        yield from _rule(("stopping_rules", i, "event"), stopping.event, events)
    analysis = analysis_names(protocol)
    for i, analysis_set in enumerate(protocol.analysis_sets):
        yield from _rule(("analysis_sets", i, "rule"), analysis_set.rule, analysis)


#: The unit of each release criterion that a dose is computed from, and what each quantity is computed from.
COMPOSITION_UNITS: Mapping[str, str] = {"viability": "%", "nk": "%", "cd3": "%", "endotoxin": "[EU]/mL"}
QUANTITY_NEEDS: Mapping[str, tuple[str, ...]] = {
    "viable_nk": ("viability", "nk"),
    "cd3_per_kg": ("cd3",),
    "endotoxin_per_kg": ("endotoxin",),
}


def check_products(protocol: Protocol) -> Iterator[Problem]:
    """Doses can be computed from the release criteria; donor tests are named once; vital signs stand in order."""
    for i, product in enumerate(protocol.products):
        criteria = {criterion.id: criterion for criterion in product.release}
        for part, unit in COMPOSITION_UNITS.items():
            criterion_id = getattr(product.composition, part)
            path: Path = ("products", i, "composition", part)
            yield from _reference(path, criterion_id, criteria, f"products[{i}].release")
            criterion = criteria.get(criterion_id)
            if criterion is not None and (criterion.unit != unit or criterion.per_kg):
                remedy = f"give it unit: '{unit}' without per_kg, or name another criterion"
                yield Problem(path, criterion_id, f"is not a criterion in {unit}", remedy)
        for j, limit in enumerate(product.dose_limits):
            for part in QUANTITY_NEEDS[limit.quantity]:
                if getattr(product.composition, part) is None:
                    path = ("products", i, "dose_limits", j, "quantity")
                    remedy = f"add {part} to products[{i}].composition"
                    yield Problem(path, limit.quantity, f"needs {part}", remedy)
        if product.donor_eligibility is not None:
            tests = product.donor_eligibility.tests
            for j, test in enumerate(tests):
                if test in tests[:j]:
                    path = ("products", i, "donor_eligibility", "tests", j)
                    yield Problem(path, test, "stands twice", "name each test once")
        for j, release in enumerate(product.release):
            if release.per_kg and release.unit is None:
                path = ("products", i, "release", j, "per_kg")
                yield Problem(path, release.id, "has no unit, so its value is no number", "add its unit")
    for i, regimen in enumerate(protocol.regimens):
        for j, (earlier, later) in enumerate(pairwise(regimen.vital_signs_minutes), start=1):
            if later <= earlier:
                path = ("regimens", i, "vital_signs_minutes", j)
                yield Problem(path, later, f"is not after {earlier}", "write the minutes in rising order")


#: What two interventions of an arm cannot share, and what to do.
TOGETHER: Mapping[str, str] = {
    "product": "put all courses of the product into one regimen",
    "regimen": "give it a regimen of its own, whose courses have other ids",
}


def check_courses(protocol: Protocol) -> Iterator[Problem]:
    """No arm receives a regimen or a product twice, nor two courses of one id.

    What is given is told by participant and course, and how by the product.
    """
    regimens = {regimen.id: place for place, regimen in enumerate(protocol.regimens)}
    chosen = {part.id: part for part in protocol.interventions if part.regimen in regimens}
    told: set[Path] = set()
    for i, arm in enumerate(protocol.arms):
        received = {id: chosen[id] for id in arm.interventions if id in chosen}
        places = sorted({regimens[str(part.regimen)] for part in received.values()})
        yield from _twice_in_arm(protocol, i, received)
        for problem in _one_course_twice(protocol, arm.id, places):
            if problem.path not in told:  # of two arms that receive the same, the first is named
                told.add(problem.path)
                yield problem


def _twice_in_arm(protocol: Protocol, arm: int, received: Mapping[str, Intervention]) -> Iterator[Problem]:
    given = protocol.arms[arm].interventions
    first: dict[tuple[str, str], str] = {}
    for id, part in received.items():
        own = {key: str(getattr(part, key)) for key in TOGETHER if getattr(part, key) is not None}
        twice = [(key, value) for key, value in own.items() if first.setdefault((key, value), id) != id]
        for key, value in twice[:1]:
            problem = f"has {key} {value}, as {first[key, value]} has in this arm"
            yield Problem(("arms", arm, "interventions", given.index(id)), id, problem, TOGETHER[key])


def _one_course_twice(protocol: Protocol, arm_id: str, places: Iterable[int]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for place in places:
        for k, course in enumerate(protocol.regimens[place].courses):
            stands = first.setdefault(course.id, place)
            if stands != place:
                other = protocol.regimens[stands].id
                problem = f"is a course of {other} too, and arm {arm_id} receives both"
                yield Problem(("regimens", place, "courses", k, "id"), course.id, problem, "give each its own")


def check_aims(protocol: Protocol) -> Iterator[Problem]:
    """Outcomes are measured when they say; sets, estimands and analyses name each other rightly."""
    outcomes = {outcome.id for outcome in protocol.outcomes}
    sets = {analysis_set.id for analysis_set in protocol.analysis_sets}
    for i, objective in enumerate(protocol.objectives):
        yield from _references(("objectives", i, "outcomes"), objective.outcomes, outcomes, "outcomes")
    for i, outcome in enumerate(protocol.outcomes):
        yield from _outcome(protocol, i)
        if outcome.metric == "change from baseline" and protocol.baseline_visit is None:
            remedy = "give one visit an epoch of type BASELINE"
            yield Problem(("outcomes", i, "metric"), outcome.metric, "there is no baseline visit", remedy)
    for i, analysis_set in enumerate(protocol.analysis_sets):
        earlier = {part.id for part in protocol.analysis_sets[:i]}
        yield from _reference(
            ("analysis_sets", i, "subset_of"), analysis_set.subset_of, earlier, "earlier analysis_sets"
        )
    for i, estimand in enumerate(protocol.estimands):
        yield from _reference(("estimands", i, "population"), estimand.population, sets, "analysis_sets")
        yield from _reference(("estimands", i, "variable"), estimand.variable, outcomes, "outcomes")
        for key in ("test", "reference"):
            arm_id = getattr(estimand.treatments, key)
            yield from _reference(("estimands", i, "treatments", key), arm_id, protocol.arm_ids, "arms")
        if estimand.treatments.test == estimand.treatments.reference:
            path = ("estimands", i, "treatments", "reference")
            yield Problem(path, estimand.treatments.reference, "is compared with itself", "name another arm")


def _outcome(protocol: Protocol, index: int) -> Iterator[Problem]:
    outcome = protocol.outcomes[index]
    path: Path = ("outcomes", index)
    visits = {visit.id for visit in protocol.visits}
    yield from _reference((*path, "timepoint"), outcome.timepoint, visits, "visits")
    yield from _references((*path, "visits"), outcome.visits, visits, "visits")
    item = protocol.items.get(outcome.variable)
    if item is None:
        yield _unknown((*path, "variable"), outcome.variable, protocol.items, "the items of forms")
        return
    if outcome.aggregation == "mean" and item.type not in NUMERIC_TYPES:
        remedy = "name a number, or use aggregation: proportion"
        yield Problem((*path, "variable"), outcome.variable, f"is of type {item.type} and has no mean", remedy)
    measured = {visit.id for visit in protocol.visits_with(outcome.variable.partition(".")[0])}
    keys = [("timepoint", outcome.timepoint), *(("visits", visit) for visit in outcome.visits)]
    for key, visit_id in keys:
        if visit_id in visits and visit_id not in measured:
            problem = f"{outcome.variable} is not asked at visit {visit_id}"
            yield Problem((*path, key), visit_id, problem, "add its form to the visit, or name another visit")


def check_plan(protocol: Protocol) -> Iterator[Problem]:
    """Each analysis can be run as it stands."""
    outcomes = {outcome.id: outcome for outcome in protocol.outcomes}
    estimands = {estimand.id for estimand in protocol.estimands}
    sets = {analysis_set.id for analysis_set in protocol.analysis_sets}
    for i, analysis in enumerate(protocol.analyses):
        path: Path = ("analyses", i)
        yield from _reference((*path, "outcome"), analysis.outcome, outcomes, "outcomes")
        yield from _reference((*path, "estimand"), analysis.estimand, estimands, "estimands")
        yield from _reference((*path, "analysis_set"), analysis.analysis_set, sets, "analysis_sets")
        outcome = outcomes.get(analysis.outcome)
        if isinstance(analysis, Gee):
            if analysis.believe not in analysis.covariances:
                remedy = "add it to covariances"
                yield Problem((*path, "believe"), analysis.believe, "is not among the covariances", remedy)
            if analysis.family == "binomial" and outcome is not None and outcome.aggregation != "proportion":
                remedy = "use family: gaussian, or an outcome with aggregation: proportion"
                yield Problem((*path, "family"), analysis.family, f"outcome {outcome.id} is a mean", remedy)
        if isinstance(analysis, Mmrm):
            yield from _mmrm(path, analysis)
        if isinstance(analysis, Imputation):
            yield from _imputation(protocol, path, analysis)
        if isinstance(analysis, Mmrm | Imputation) and outcome is not None:
            yield from _followed(protocol, path, outcome)
        if isinstance(analysis, Rerandomisation):
            yield from _rerandomisation(protocol, path, analysis)
        if (
            isinstance(analysis, Gee | Mmrm | Imputation | RepeatedMeasuresAnova | MeansByVisit)
            and outcome is not None
            and not outcome.visits
        ):
            remedy = f"add visits to outcome {outcome.id}"
            yield Problem((*path, "outcome"), analysis.outcome, "has no visits to be followed over", remedy)
    size = protocol.sample_size
    if size is not None and size.n != protocol.population.planned:
        problem = f"differs from population.planned = {protocol.population.planned}"
        yield Problem(("sample_size", "n"), size.n, problem, "write the same number in both")
    for i, row in enumerate(protocol.report.baseline):
        known = {name for name in protocol.items if _before(protocol, name)}
        path = ("report", "baseline", i, "item")
        yield from _reference(path, row.item, known, "the items of screening and baseline forms")


def _rerandomisation(protocol: Protocol, path: Path, analysis: Rerandomisation) -> Iterator[Problem]:
    remedy = "leave the analysis out"
    if protocol.allocation.method == "external":
        yield Problem((*path, "method"), analysis.method, "the trial was allocated elsewhere", remedy)
    if len(protocol.arms) != 2:
        problem = f"compares two arms, and the trial has {len(protocol.arms)}"
        yield Problem((*path, "method"), analysis.method, problem, remedy)


def _mmrm(path: Path, analysis: Mmrm) -> Iterator[Problem]:
    """Each structure is named once."""
    tried = (analysis.covariance, *analysis.fallback)
    for i, structure in enumerate(analysis.fallback):
        if structure in tried[: i + 1]:
            yield Problem((*path, "fallback", i), structure, "is tried before", "name each structure once")


def _imputation(protocol: Protocol, path: Path, analysis: Imputation) -> Iterator[Problem]:
    """Strategies are of arms; draws and seed belong to the procedure that draws; the shifts make a grid."""
    for arm_id in analysis.strategies:
        yield from _reference((*path, "strategies", arm_id), arm_id, protocol.arm_ids, "arms")
    if analysis.procedure == "bayes":
        if analysis.seed is None:
            yield Problem((*path, "procedure"), "bayes", "needs a seed", "add seed: 1, or another whole number")
        if analysis.draws == 1:
            yield Problem((*path, "draws"), 1, "is too few to pool", "use 2 or more, such as 100")
    else:
        for key in ("draws", "seed"):
            if getattr(analysis, key) is not None:
                problem = "does nothing under conditional-mean, which draws nothing"
                remedy = "leave it out, or use procedure: bayes"
                yield Problem((*path, key), getattr(analysis, key), problem, remedy)
    grid = analysis.tipping_point
    if grid is not None and not 2 <= grid.count <= MOST_SHIFTS:
        problem = f"gives {grid.count} shifts from {grid.lowest} to {grid.highest}"
        remedy = f"choose a step above zero that gives 2 to {MOST_SHIFTS}"
        yield Problem((*path, "tipping_point", "step"), grid.step, problem, remedy)


def _followed(protocol: Protocol, path: Path, outcome: Outcome) -> Iterator[Problem]:
    """The outcome is a number that is followed over two visits or more, its time point among them."""
    if outcome.aggregation == "proportion":
        remedy = "use method: gee with family: binomial"
        yield Problem((*path, "outcome"), outcome.id, "is a proportion, and the model is for normal outcomes", remedy)
    measured = {visit.id for visit in protocol.visits_with(outcome.variable.partition(".")[0])}
    if not outcome.visits or not measured.issuperset((outcome.timepoint, *outcome.visits)):
        return  # told of the outcome
    followed = [visit.id for visit in protocol.follow_up_visits if visit.id in outcome.visits]
    if len(followed) < 2:
        problem = "has fewer than two visits after baseline"
        yield Problem((*path, "outcome"), outcome.id, problem, f"add visits to outcome {outcome.id}, or use ancova")
    elif outcome.timepoint not in followed:
        problem = f"has its time point {outcome.timepoint} outside its visits after baseline"
        yield Problem((*path, "outcome"), outcome.id, problem, f"add {outcome.timepoint} to its visits")


def check_people(protocol: Protocol) -> Iterator[Problem]:
    """Ages stand in order."""
    age = protocol.population.age
    if age.from_years is not None and age.to_years is not None and age.from_years > age.to_years:
        path = ("population", "age", "from_years")
        yield Problem(path, age.from_years, f"is above to_years = {age.to_years}", "exchange them")


def check_external_data(protocol: Protocol) -> Iterator[Problem]:
    """The mapping of a foreign table leads to arms, visits and items of this protocol."""
    table = protocol.data
    if table is None:
        return
    visits = {visit.id for visit in protocol.visits}
    for key, arm_id in table.arms.items():
        yield from _reference(("data", "arms", key), arm_id, protocol.arm_ids, "arms")
    for key, visit_id in table.visits.items():
        yield from _reference(("data", "visits", key), visit_id, visits, "visits")
    for part in ("items", "participant_items"):
        for name in getattr(table, part):
            yield from _reference(("data", part, name), name, protocol.items, "the items of forms")


def check_rehearsal(protocol: Protocol) -> Iterator[Problem]:
    """The rehearsal draws items, arms, visits and events that exist, and its shares add up."""
    plan = protocol.rehearsal
    if plan is None:
        return
    items = protocol.items
    visits = {visit.id for visit in protocol.visits}
    for i, curve in enumerate(plan.outcomes.curves):
        path: Path = ("rehearsal", "outcomes", "curves", i)
        yield from _reference((*path, "item"), curve.item, items, "the items of forms")
        for arm_id in protocol.arm_ids:
            if arm_id not in curve.means:
                yield Problem((*path, "means"), arm_id, "has no means", f"add means for arm {arm_id}")
        for arm_id, means in curve.means.items():
            yield from _reference((*path, "means", arm_id), arm_id, protocol.arm_ids, "arms")
            for visit_id in means:
                yield from _reference((*path, "means", arm_id, visit_id), visit_id, visits, "visits")
    for key in ("people", "measurements"):
        for i, drawn in enumerate(getattr(plan, key)):
            yield from _reference(("rehearsal", key, i, "item"), drawn.item, items, "the items of forms")
    for i, person in enumerate(plan.people):
        if person.shares and sum(person.shares.values()) != 1:
            total = sum(person.shares.values())
            yield Problem(("rehearsal", "people", i, "shares"), total, "is not 1 in all", "let the shares add up to 1")
    total = sum((failure.share for failure in plan.failures), Decimal(0))
    if plan.failures and total != 1:
        yield Problem(("rehearsal", "failures"), total, "is not 1 in all", "let the shares add up to 1")
    for i, failure in enumerate(plan.failures):
        for name in failure.set:
            yield from _reference(("rehearsal", "failures", i, "set", name), name, items, "the items of forms")
    terms = protocol.safety.adverse_events.terms if protocol.safety else {}
    for i, event in enumerate(plan.events):
        yield from _reference(("rehearsal", "events", i, "term"), event.term, terms, "safety.adverse_events.terms")
        yield from _reference(("rehearsal", "events", i, "arm"), event.arm, protocol.arm_ids, "arms")
    yield from _check_medicines(protocol, plan)


def _check_medicines(protocol: Protocol, plan: Rehearsal) -> Iterator[Problem]:
    """What is given against events can be recorded: on a repeating form, by a code of its item."""
    asked = plan.medicines
    if asked is not None:
        for key, name in (("medicine", asked.medicine), ("reason", asked.reason)):
            if name is not None:
                yield from _reference(("rehearsal", "medicines", key), name, protocol.items, "the items of forms")
    if asked is None or asked.medicine not in protocol.items:
        return
    codes = protocol.codelists.get(protocol.items[asked.medicine].codelist or "", {})
    for i, event in enumerate(plan.events):
        if event.medicine is not None and codes:
            path = ("rehearsal", "events", i, "medicine")
            yield from _reference(path, event.medicine, codes, f"the code list of {asked.medicine}")


CHECKS: tuple[Callable[[Protocol], Iterable[Problem]], ...] = (
    check_ids,
    check_references,
    check_allocation,
    check_schedule,
    check_rules,
    check_products,
    check_courses,
    check_aims,
    check_plan,
    check_people,
    check_external_data,
    check_rehearsal,
)
