"""What the protocol file can say by itself: design, setting, interventions, randomisation, blinding, hints."""

from __future__ import annotations

from equipoise.analysis.words import counted, listed, sentence
from equipoise.protocol.aims import Outcome
from equipoise.protocol.design import Arm
from equipoise.protocol.document import Protocol
from equipoise.protocol.interventions import Intervention, Regimen
from equipoise.protocol.plan import Imputation
from equipoise.protocol.schedule import TimePoint
from equipoise.report.numbers import unit_text
from equipoise.report.words import spoken

METHODS = {
    "simple": "simple randomisation, each participant on their own",
    "permuted_blocks": "permuted blocks",
    "random_allocation_rule": "the random allocation rule",
    "biased_coin": "Efron’s biased coin",
    "wei_urn": "Wei’s urn",
    "big_stick": "the big stick design",
    "maximal_procedure": "the maximal procedure",
    "minimisation": "minimisation",
    "external": "a procedure outside this software",
}


def design_text(protocol: Protocol) -> str:
    """Phase, model, ratio, blinding, framework."""
    design = protocol.design
    ratio = ":".join(str(protocol.allocation.ratio.get(arm, 1)) for arm in protocol.arm_ids)
    phase = "" if design.phase == "NOT APPLICABLE" else f"{spoken_phase(design.phase)}, "
    return sentence(
        f"Randomised, {phase}{spoken(design.model)} {design.framework} trial, {spoken(design.blinding)}, "
        f"allocation {ratio} to {listed([arm.name for arm in protocol.arms])}; "
        f"{counted(protocol.population.planned, 'participant')} planned"
    )


def spoken_phase(phase: str) -> str:
    """`phase 1/phase 2`."""
    return phase[:1].lower() + phase[1:].replace("/P", "/p")


def setting_text(protocol: Protocol) -> str:
    """How many sites, which and where."""
    sites = [f"{site.name} ({site.country})" for site in protocol.sites]
    return sentence(f"{counted(len(sites), 'site')}: {listed(sites)}")


def interventions_of(protocol: Protocol, arm: Arm) -> str:
    """What an arm receives, with dose, route and courses where the protocol has them."""
    parts = {part.id: part for part in protocol.interventions}
    found = [_intervention_text(protocol, parts[each]) for each in arm.interventions if each in parts]
    return "; ".join(found) or "as the protocol describes"


def _intervention_text(protocol: Protocol, part: Intervention) -> str:
    text = part.name if part.description is None else f"{part.name} ({part.description})"
    regimen = next((each for each in protocol.regimens if each.id == part.regimen), None)
    return text if regimen is None else f"{text}, {_regimen_text(regimen)}"


def _regimen_text(regimen: Regimen) -> str:
    dose = f"{regimen.dose.value:.12g}" if regimen.dose.value < 1_000_000 else f"{regimen.dose.value:.3e}"
    if "e" in dose:
        digits, _, power = dose.partition("e")
        digits = digits.rstrip("0").rstrip(".")
        dose = f"{digits} × 10{_superscript(int(power))}"
    courses = listed([_when(course.at) for course in regimen.courses])
    return f"{dose} {spoken_unit(regimen.dose.unit)} per {regimen.dose.per}, {spoken(regimen.route)}, at {courses}"


def spoken_unit(unit: str) -> str:
    """A dose unit in running text."""
    return unit.lower() if " " in unit else unit_text(unit)


def _superscript(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _when(at: TimePoint) -> str:
    if at.months is not None:
        return f"month {at.months}"
    if at.weeks is not None:
        return f"week {at.weeks}"
    return f"day {at.days}"


def outcome_text(protocol: Protocol, outcome: Outcome) -> str:
    """The outcome in the parts of CONSORT item 14: variable, metric, aggregation, time point."""
    unit = unit_text(outcome.unit)
    measured = f"{outcome.name}{f' in {unit}' if unit else ''}"
    better = "" if outcome.better == "neither" else f"; {outcome.better} is better"
    return sentence(
        f"{measured}: {outcome.aggregation} of the {outcome.metric} in each arm at "
        f"{protocol.visit(outcome.timepoint).name}{better} ({outcome.level.lower()})"
    )


def randomisation_text(protocol: Protocol) -> str:
    """How the sequence came about and how it was concealed."""
    allocation = protocol.allocation
    strata = f", stratified by {listed(allocation.strata)}" if allocation.strata else ""
    texts = [f"Participants were allocated by {METHODS[allocation.method]}{strata}"]
    if allocation.description is not None:
        texts.append(allocation.description)
    if allocation.method != "external":
        texts.append(
            "Each allocation is drawn with HMAC-SHA-256 from a secret of 256 bits, to which the record was committed "
            "before the first participant; once the secret is revealed every allocation can be recomputed"
        )
    if allocation.concealment is not None:
        texts.append(f"Concealment: {allocation.concealment}")
    return " ".join(sentence(text) for text in texts)


def blinding_text(protocol: Protocol) -> str:
    """Who was blinded."""
    design = protocol.design
    if design.blinding == "OPEN LABEL":
        return "Open label: nobody was blinded after assignment."
    roles = f": {listed(design.blinded_roles)}" if design.blinded_roles else ""
    return sentence(f"{spoken(design.blinding)}{roles}")


def harms_text(protocol: Protocol) -> str:
    """How adverse events were collected and graded."""
    if protocol.safety is None:
        return "The protocol does not say how harms were collected."
    rules, grading = protocol.safety.adverse_events, protocol.safety.grading
    names = {part.id: part.name for part in protocol.interventions}
    parts = [names.get(part, part) for part in rules.related_to]
    collected = rules.collected_from.replace("_", " ")
    judged = listed([spoken(word) for word in rules.causality])
    interest = f" Of special interest: {listed(rules.of_interest)}." if rules.of_interest else ""
    coded = f" Coded by {rules.dictionary.label}." if rules.dictionary else ""
    scale = "the trial's own scale," if grading.scale == "own" else grading.scale
    return (
        f"Adverse events were collected from {collected} on and graded by {scale} version {grading.version}; "
        f"each was judged for its relation to {listed(parts)} ({judged}).{interest}{coded}"
    )


def sample_size_text(protocol: Protocol) -> str:
    """The planned number and the assumptions behind it."""
    found = protocol.sample_size
    if found is None:
        return "The protocol states no calculation."
    assumed = [
        f"{name} {value}"
        for name, value in (("alpha", found.alpha), ("power", found.power), ("effect", found.effect), ("SD", found.sd))
        if value is not None
    ]
    note = f" {sentence(found.note)}" if found.note else ""
    return f"{counted(found.n, 'participant')} planned ({', '.join(assumed)}).{note}"


def hints(protocol: Protocol, randomised: int) -> tuple[str, ...]:
    """Limitations that follow from the design and that a discussion should weigh."""
    found = []
    if randomised < 40:
        found.append(
            f"{counted(randomised, 'participant')}: estimates are imprecise, and methods that rest on large "
            "numbers, such as the usual robust standard error of GEE, reject too often."
        )
    if protocol.design.blinding == "OPEN LABEL":
        found.append(
            "Open label: knowledge of the arm may have changed care, reports of symptoms and decisions to stop."
        )
    if len(protocol.sites) == 1:
        found.append("One site: how far the result holds elsewhere is not known.")
    compared = sum(analysis.role != "descriptive" for analysis in protocol.analyses)
    if compared > 1:
        found.append(
            f"The plan makes {compared} comparisons and does not adjust for their number; only the main one of the "
            "primary outcome is a test of the trial’s question."
        )
    if protocol.allocation.method == "simple":
        found.append("Simple randomisation may leave the arms unequal in size and unlike at baseline.")
    found.append(
        "Values that are missing are left out by most methods here, which assumes that they are missing at random."
    )
    if any(isinstance(analysis, Imputation) for analysis in protocol.analyses):
        found.append("Imputed values are a guess under a stated assumption, not observations; no method can check it.")
    return tuple(found)
