"""The donors of a rehearsal: registered, tested, judged and typed; participants typed and matched with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from equipoise import conduct
from equipoise.design.virtual_donors import VirtualTissue, draw_tissue
from equipoise.donors import Person, PersonReader, builtin_reference, match
from equipoise.donors.deciding import deciding_rule
from equipoise.donors.matching import MISMATCH
from equipoise.ledger import Actor

if TYPE_CHECKING:
    from equipoise.conduct import Trial
    from equipoise.protocol import Protocol
    from equipoise.protocol.rehearsal import TissuePanel

DONORS, PARTICIPANTS = 0xD0, 0xD1  # which people a generator is for, beside the rehearsal's seed
YOUNGEST, OLDEST = 22, 45
REPORT = {"method": "next-generation sequencing", "laboratory": "HLA laboratory"}
LABORATORY = Actor("lab-01", "pharmacist")
QUALITY = Actor("qa-01", "quality")


class DonorPanel:
    """Who the donors are, whom they can serve, and the acts by which they come into the trial."""

    def __init__(self, trial: Trial, protocol: Protocol, plan: TissuePanel, seed: int) -> None:
        """Draw the donors; arguments as of the rehearsal."""
        assert protocol.donor_matching is not None, "a panel goes with a rule of matching"
        self.trial = trial
        self.protocol = protocol
        self.plan = plan
        self.seed = seed
        self.rule = deciding_rule(protocol.donor_matching)
        self._reader = PersonReader(builtin_reference(), loci=self.rule.loci, with_a3_a11=self.rule.with_a3_a11)
        self.rng = np.random.default_rng([seed, DONORS])
        self.donors = {f"D{number:02d}": draw_tissue(plan, self.rng) for number in range(1, plan.donors + 1)}
        places = self.rng.permutation(plan.donors)[: plan.excluded]
        self.given: Counter[str] = Counter()
        self.excluded = {list(self.donors)[int(place)] for place in places}

    def tissue_of(self, number: int) -> VirtualTissue:
        """What candidate `number` is, from a generator of its own."""
        return draw_tissue(self.plan, np.random.default_rng([self.seed, number, PARTICIPANTS]))

    def serves(self, tissue: VirtualTissue) -> bool:
        """Whether any donor that may give is a mismatch for the person, as far as the reports tell."""
        eligible = [self._person(code, donor) for code, donor in self.donors.items() if code not in self.excluded]
        matrix = match(eligible, [self._person("candidate", tissue)], self.rule.name, reference="")
        return bool((matrix.verdicts[self.rule.name] == MISMATCH).any())

    def _person(self, code: str, tissue: VirtualTissue) -> Person:
        return self._reader.read(code, tissue.reported, tissue.kir)

    def open(self, at: datetime) -> None:
        """Take the donors into the trial, one after another."""
        for place, (code, tissue) in enumerate(self.donors.items()):
            self._register(code, tissue, at + timedelta(minutes=10 * place))

    def _register(self, code: str, tissue: VirtualTissue, at: datetime) -> None:
        conduct.register_donor(
            self.trial,
            code,
            sex="M" if self.rng.random() < 2 / 3 else "F",
            birth_year=at.year - int(self.rng.integers(YOUNGEST, OLDEST + 1)),
            by=LABORATORY,
            reason="Volunteered and consented as a donor",
            at=at,
        )
        results = self._results(code)
        conduct.record_donor_tests(
            self.trial,
            code,
            results=results,
            sampled_on=at.date() - timedelta(days=1),
            by=LABORATORY,
            reason="Report of the infection tests",
            at=at + timedelta(minutes=2),
        )
        conduct.type_donor(
            self.trial,
            code,
            hla=tissue.reported,
            kir=tissue.kir,
            **REPORT,
            reported_on=at.date(),
            by=LABORATORY,
            reason="Report of the HLA laboratory",
            at=at + timedelta(minutes=4),
        )
        positive = [test for test, result in results.items() if result != "NEGATIVE"]
        conduct.judge_donor(
            self.trial,
            code,
            eligible=not positive,
            statement=f"Positive for {', '.join(positive)}" if positive else "Tests negative, history without risk",
            by=QUALITY,
            reason="Tests and history reviewed",
            at=at + timedelta(minutes=6),
        )

    def _results(self, code: str) -> Mapping[str, str]:
        rules = [product.donor_eligibility for product in self.protocol.products if product.donor_eligibility]
        wanted = {test for rule in rules for test in rule.tests}
        if self.plan.excluded_by is not None:
            wanted.add(self.plan.excluded_by)
        bad = {self.plan.excluded_by} if code in self.excluded else set()
        return {test: "POSITIVE" if test in bad else "NEGATIVE" for test in sorted(wanted)}

    def type_participant(self, participant: str, tissue: VirtualTissue, by: Actor, at: datetime) -> None:
        """Record what the HLA laboratory reports of a participant."""
        conduct.type_participant(
            self.trial,
            participant,
            hla=tissue.reported,
            **REPORT,
            reported_on=at.date(),
            by=by,
            reason="Report of the HLA laboratory",
            at=at,
        )

    def match(self, participant: str, by: Actor, at: datetime) -> str | None:
        """Match a participant with the donor ranked first of those who may give and have not given to many yet.

        Returns:
            The donor's code; None where there is none.
        """
        possible = conduct.possible_donors(self.trial, participant, at=at)
        serving = [each for each in possible if each.serves]
        if not serving:
            return None
        free = [each for each in serving if self.given[each.donor] < self.plan.most_recipients]
        donor = (free or serving)[0].donor
        self.given[donor] += 1
        reason = "Ranked first of the eligible donors who can give"
        conduct.match_donor(self.trial, participant, donor, by=by, reason=reason, at=at)
        return donor
