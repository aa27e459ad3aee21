# ruff: noqa: E501 - a fault is told on one line, and so it is kept here
"""Faulty protocol files: each is refused whole, with line, field, value and remedy in words that were read and kept.

Every case is the example trial with one slip in it.
"""

from pathlib import Path

import pytest

from equipoise.protocol import ProtocolRefused, faults_in, parse

EXAMPLE = (Path(__file__).parents[3] / "examples" / "nk-hiv" / "protocol.yaml").read_text(encoding="utf-8")

# (what stands in the example, what the slip makes of it, the faults as they are told)
SLIPS = [
    pytest.param(
        'version: "1.0", date: 2018-01-15, status: Final',
        "version: 1.0, date: 2018-01-15, status: Final",
        (':8: protocol.version = 1.0: is read as a number because it is not in quotes; write "1.0"',),
        id="version-1-0-date-2018-01-15-status-final",
    ),
    pytest.param(
        "date: 2018-01-15, status: Final",
        "date: 15/01/2018, status: Final",
        (":8: protocol.date = 15/01/2018: must be a date; write it as year-month-day, such as 2018-02-28",),
        id="date-15-01-2018-status-final",
    ),
    pytest.param(
        "status: Final",
        "status: Finished",
        (
            ":8: protocol.status = Finished: is not one of the values that the field takes; write 'Draft', 'Approved', 'Final' or 'Obsolete'",
        ),
        id="status-finished",
    ),
    pytest.param(
        '- {id: "01", name: Nankai',
        "- {id: 01, name: Nankai",
        (':22: sites[0].id = 01: is read as a number because it is not in quotes; write "01"',),
        id="id-01-name-nankai",
    ),
    pytest.param(
        "country: CN",
        "contry: CN",
        (
            ":22: sites[0].contry = CN: is not a key here; write country, or remove it",
            ":22: sites[0].country: is missing; add country to sites[0]",
        ),
        id="contry-cn",
    ),
    pytest.param(
        "phase: Phase 1/Phase 2 ",
        "phase: Phase I ",
        (
            ":26: design.phase = Phase I: is not one of the values that the field takes; write 'Early Phase 1', 'Phase 1', 'Phase 1/Phase 2', 'Phase 2', 'Phase 2/Phase 3', 'Phase 3', 'Phase 4' or 'NOT APPLICABLE'",
        ),
        id="phase-phase-i",
    ),
    pytest.param(
        "purpose: TREATMENT",
        "purpose: ",
        (
            ":28: design.purpose: is not one of the values that the field takes; write 'TREATMENT', 'PREVENTION', 'DIAGNOSTIC', 'SUPPORTIVE CARE' or 'BASIC SCIENCE'",
        ),
        id="purpose",
    ),
    pytest.param(
        "  - {id: BASE, type: BASELINE}",
        "  - {id: BASE, type: BASE LINE}",
        (
            ":36: epochs[1].type = BASE LINE: is not one of the values that the field takes; write 'BASELINE'; the field takes 'SCREENING', 'RUN-IN', 'BASELINE', 'TREATMENT', 'OPEN LABEL TREATMENT', 'WASHOUT', 'FOLLOW-UP' or 'LONG-TERM FOLLOW-UP'",
        ),
        id="id-base-type-base-line",
    ),
    pytest.param(
        "ratio: {NKART: 1, ART: 1}",
        "ratio: {NKART: 1}",
        (":46: allocation.ratio = ART: has no share in the ratio; add ART: 1",),
        id="ratio-nkart-1",
    ),
    pytest.param(
        "ratio: {NKART: 1, ART: 1}",
        "ratio: {NKART: 1, ARTT: 1}",
        (
            ":46: allocation.ratio = ART: has no share in the ratio; add ART: 1",
            ":46: allocation.ratio.ARTT = 1: is not in arms; did you mean ART?",
        ),
        id="ratio-nkart-1-artt-1",
    ),
    pytest.param(
        "  method: simple\n",
        "  method: permuted_blocks\n",
        (
            ":44: allocation = permuted_blocks: needs one of block_size, block_sizes; give block_size: 4, or block_sizes: [4, 6] to draw sizes at random",
        ),
        id="method-permuted-blocks",
    ),
    pytest.param(
        "  method: simple\n",
        "  method: permuted_blocks\n  block_size: 5\n",
        (":46: allocation.block_size = 5: is not a multiple of the ratio's sum 2; use 4",),
        id="block-size-5",
    ),
    pytest.param(
        "  method: simple\n",
        "  method: simple\n  block_size: 4\n",
        (":46: allocation.block_size = 4: is not a parameter of simple; leave it out, or change the method",),
        id="block-size-4",
    ),
    pytest.param(
        "  method: simple\n",
        "  method: biased_coin\n",
        (":44: allocation = biased_coin: needs p; add p to allocation",),
        id="method-biased-coin",
    ),
    pytest.param(
        "type: Active Comparator Arm, interventions: [art]",
        "type: Active Comparator Arm, interventions: [arts]",
        (":42: arms[1].interventions[0] = arts: is not in interventions; did you mean art?",),
        id="type-active-comparator-arm-interventions",
    ),
    pytest.param(
        "rule: 18 <= screening.age <= 65",
        "rule: 18 <= screening.agee <= 65",
        (
            ":61: eligibility.inclusion[1].rule = 18 <= screening.agee <= 65: there is no screening.agee here; write screening.age",
        ),
        id="rule-18-screening-agee-65",
    ),
    pytest.param(
        "rule: 18 <= screening.age <= 65",
        "rule: 18 <= screening.age <=  ",
        (
            ":61: eligibility.inclusion[1].rule = 18 <= screening.age <=: column 23: a value is missing before the end; write a name, a number or a text in quotes",
        ),
        id="rule-18-screening-age",
    ),
    pytest.param(
        "rule: 18 <= screening.age <= 65",
        "rule: screening.age + 1",
        (
            ":61: eligibility.inclusion[1].rule = screening.age + 1: gives a number, not yes or no; compare it with something, such as > 0",
        ),
        id="rule-screening-age-1",
    ),
    pytest.param(
        "rule: 18 <= screening.age <= 65",
        "rule: screening.age == 'old'",
        (
            ":61: eligibility.inclusion[1].rule = screening.age == 'old': a number is compared with text; compare values of the same kind",
        ),
        id="rule-screening-age-old",
    ),
    pytest.param(
        "rule: screening.sex == 'F' and",
        "rule: screening.sex == 'W' and",
        (
            ":74: eligibility.exclusion[3].rule = screening.sex == 'W' and (screening.pregnancy_test == 'POSITIVE' or screening.b…: 'W' is no code of the choice; the codes are 'F', 'M'",
        ),
        id="rule-screening-sex-w-and",
    ),
    pytest.param(
        "id: EXCL02",
        "id: EXCL01",
        (
            ":72: eligibility.exclusion[1].id = EXCL01: is already the id of eligibility.exclusion[0]; give each its own",
        ),
        id="id-excl01",
    ),
    pytest.param(
        "id: m3, number: 3",
        "id: m1, number: 3",
        (
            ":135: visits[3].id = m1: is already the id of visits[2]; give each its own",
            ":333: outcomes[0].visits[2] = m3: is not in visits; use one of m0, m1, m12, m24, m6, m9, screening, or add it to visits",
            ":334: outcomes[1].visits[2] = m3: is not in visits; use one of m0, m1, m12, m24, m6, m9, screening, or add it to visits",
            ":335: outcomes[2].visits[2] = m3: is not in visits; use one of m0, m1, m12, m24, m6, m9, screening, or add it to visits",
            ":454: rehearsal.outcomes.curves[0].means.ART.m3 = 150: is not in visits; use one of m0, m1, m12, m24, m6, m9, screening, or add it to visits",
            ":455: rehearsal.outcomes.curves[0].means.NKART.m3 = 200: is not in visits; use one of m0, m1, m12, m24, m6, m9, screening, or add it to visits",
            ":460: rehearsal.outcomes.curves[1].means.ART.m3 = 950: is not in visits; use one of m0, m1, m12, m24, m6, m9, screening, or add it to visits",
            ":461: rehearsal.outcomes.curves[1].means.NKART.m3 = 1267: is not in visits; use one of m0, m1, m12, m24, m6, m9, screening, or add it to visits",
        ),
        id="id-m1-number-3",
    ),
    pytest.param(
        "id: m3, number: 3, name: Month 3, epoch: FOLLOW, at: {months: 3}",
        "id: m3, number: 3, name: Month 3, epoch: FOLLOW, at: {months: 7}",
        (":136: visits[4].at = m6: is not after visit m3; order visits by time, or correct `at`",),
        id="id-m3-number-3-name-month-3-epoch-follow",
    ),
    pytest.param(
        "at: {months: 3}",
        "at: {months: 3, weeks: 2}",
        (
            ":135: visits[3].at: must have exactly one of days, weeks, months; keep the unit in which the protocol states the time",
        ),
        id="at-months-3-weeks-2",
    ),
    pytest.param(
        "at: {days: -1}",
        "at: {days: 0}",
        (
            ":133: visits[1].at: there is no day 0; write days: 1 for the day of randomisation or days: -1 for the day before",
        ),
        id="at-days-0",
    ),
    pytest.param(
        "at: {months: 3}, window: {days_before: 14",
        "at: {months: 3}, window: {days_before: -14",
        (":135: visits[3].window.days_before = -14: must not be negative; write 0 or a number above it",),
        id="at-months-3-window-days-before-14",
    ),
    pytest.param(
        "at: {months: 3}, window: {days_before: 14",
        "at: {months: 3}, window: {days_before: 70",
        (
            ":135: visits[3].window.days_before = 70: visit m3 opens about day 22 while m1 is open to about day 38; narrow a window, so that a date belongs to one visit",
        ),
        id="at-months-3-window-days-before-70",
    ),
    pytest.param(
        "epoch: TREAT, at",
        "epoch: TREATMENT, at",
        (":134: visits[2].epoch = TREATMENT: is not in epochs; did you mean TREAT?",),
        id="epoch-treatment-at",
    ),
    pytest.param(
        "forms: [screening, screening_blood]}",
        "forms: [screening, screening_bloods]}",
        (
            ":63: eligibility.inclusion[3].rule = screening_blood.hiv_rna < 50 and screening.suppressed_months >= 12 and screenin…: there is no screening_blood.hiv_rna here; write screening.hiv1_confirmed",
            ":66: eligibility.inclusion[4].rule = 50 <= screening_blood.cd4_screen < 200 and 50 <= screening.cd4_prior < 200 and …: there is no screening_blood.cd4_screen here; write a name that is known here; put a code or text in quotes",
            ":66: eligibility.inclusion[4].rule = 50 <= screening_blood.cd4_screen < 200 and 50 <= screening.cd4_prior < 200 and …: there is no screening_blood.drawn here; write blood.drawn",
            ":71: eligibility.exclusion[0].rule = screening_blood.hbsag == 'POSITIVE' or screening_blood.hcv_rna == 'DETECTED': there is no screening_blood.hbsag here; write screening.age",
            ":71: eligibility.exclusion[0].rule = screening_blood.hbsag == 'POSITIVE' or screening_blood.hcv_rna == 'DETECTED': there is no screening_blood.hcv_rna here; write screening.cd4_nadir",
            ":75: eligibility.exclusion[4].rule = screening_blood.hb < 90 or screening_blood.neut < 1.0 or screening_blood.plt < …: there is no screening_blood.hb here; write screening.blips",
            ":75: eligibility.exclusion[4].rule = screening_blood.hb < 90 or screening_blood.neut < 1.0 or screening_blood.plt < …: there is no screening_blood.neut here; write screening.route",
            ":75: eligibility.exclusion[4].rule = screening_blood.hb < 90 or screening_blood.neut < 1.0 or screening_blood.plt < …: there is no screening_blood.plt here; write screening.blips",
            ":76: eligibility.exclusion[5].rule = screening_blood.alt > 120 or screening_blood.tbil > 42 or screening_blood.creat…: there is no screening_blood.alt here; write screening.age",
            ":76: eligibility.exclusion[5].rule = screening_blood.alt > 120 or screening_blood.tbil > 42 or screening_blood.creat…: there is no screening_blood.creat here; write screening.route",
            ":76: eligibility.exclusion[5].rule = screening_blood.alt > 120 or screening_blood.tbil > 42 or screening_blood.creat…: there is no screening_blood.tbil here; write screening.blips",
            ":132: visits[0].forms[1] = screening_bloods: is not in forms; did you mean screening_blood?",
        ),
        id="forms-screening-screening-bloods",
    ),
    pytest.param(
        "type: choice, codelist: SEX, required: true",
        "type: choice, codelist: SEXX, required: true",
        (":212: forms[0].items[0].codelist = SEXX: is not in codelists; did you mean SEX?",),
        id="type-choice-codelist-sexx-required-true",
    ),
    pytest.param(
        "type: choice, codelist: SEX, required: true",
        "type: choice, required: true",
        (
            ":212: forms[0].items[0]: codelist goes with type choice or many, and these need one; name a list of `codelists`, or change the type",
        ),
        id="type-choice-required-true",
    ),
    pytest.param(
        "type: choice, codelist: SEX, required: true",
        "type: text, codelist: SEX, required: true",
        (
            ":212: forms[0].items[0]: codelist goes with type choice or many, and these need one; name a list of `codelists`, or change the type",
        ),
        id="type-text-codelist-sex-required-true",
    ),
    pytest.param(
        "question: Karnofsky score, type: integer",
        "question: Karnofsky score, type: int",
        (
            ":224: forms[0].items[12].type = int: is not one of the values that the field takes; write 'integer'; the field takes 'integer', 'decimal', 'text', 'date', 'time', 'choice', 'many', 'yes-no' or 'derived'",
        ),
        id="question-karnofsky-score-type-int",
    ),
    pytest.param(
        "{hard: {min: 0, max: 480}}}  # assumed\n      - {id: regimen_months",
        "{hard: {min: 480, max: 0}}}  # assumed\n      - {id: regimen_months",
        (":217: forms[0].items[5].range.hard: min is above max; exchange min and max, or correct one of them",),
        id="id-regimen-months",
    ),
    pytest.param(
        "formula: cd4 / cd8",
        "formula: cd4 / cd9",
        (
            ":259: forms[2].items[2].formula = cd4 / cd9: there is no cd9 here; write a name that is known here; put a code or text in quotes",
        ),
        id="formula-cd4-cd9",
    ),
    pytest.param(
        "variable: blood.cd4_cd8, timepoint: m24",
        "variable: blood.drawn, timepoint: m24",
        (
            ":335: outcomes[2].variable = blood.drawn: is of type date and has no mean; name a number, or use aggregation: proportion",
        ),
        id="variable-blood-drawn-timepoint-m24",
    ),
    pytest.param(
        "variable: blood.cd4, unit: cells/uL, timepoint: m24",
        "variable: blood.cd4, unit: cells/uL, timepoint: screening",
        (
            ":333: outcomes[0].timepoint = screening: blood.cd4 is not asked at visit screening; add its form to the visit, or name another visit",
        ),
        id="variable-blood-cd4-unit-cells-ul-timepoi",
    ),
    pytest.param(
        "population: FAS  ",
        "population: FASS  ",
        (":344: estimands[0].population = FASS: is not in analysis_sets; did you mean FAS?",),
        id="population-fass",
    ),
    pytest.param(
        "variable: cd8, summary: difference in means",
        "variable: cd9, summary: difference in means",
        (":352: estimands[1].variable = cd9: is not in outcomes; use one of cd4, cd8, ratio, or add it to outcomes",),
        id="variable-cd9-summary-difference-in-means",
    ),
    pytest.param(
        "treatments: {test: NKART, reference: ART}, variable: cd8",
        "treatments: {test: ART, reference: ART}, variable: cd8",
        (":352: estimands[1].treatments.reference = ART: is compared with itself; name another arm",),
        id="treatments-test-art-reference-art-variab",
    ),
    pytest.param(
        "method: two-sample, test: student",
        "method: t-test, test: student",
        (
            ":359: analyses[3].method = t-test: is not one of the values that the field takes; write 'means-by-visit', 'two-sample', 'ancova', 'rm-anova', 'gee', 'mmrm', 'imputation', 'rerandomisation'",
        ),
        id="method-t-test-test-student",
    ),
    pytest.param(
        "method: two-sample, test: student",
        "method: two-sample, test: paired",
        (
            ":359: analyses[3].test = paired: is not one of the values that the field takes; write 'student', 'welch', 'wilcoxon' or 'permutation'",
        ),
        id="method-two-sample-test-paired",
    ),
    pytest.param(
        'believe: kauermann-carroll, published: "54.59',
        'believe: fay-graubard, published: "54.59',
        (
            ":363: analyses[7].believe = fay-graubard: is not one of the values that the field takes; write 'model', 'robust', 'df-adjusted', 'kauermann-carroll', 'mancl-derouen' or 'kc-md-average'",
        ),
        id="believe-fay-graubard-published-54-59",
    ),
    pytest.param(
        'covariances: [robust, mancl-derouen, kauermann-carroll], believe: kauermann-carroll, published: "54.59',
        'covariances: [robust], believe: kauermann-carroll, published: "54.59',
        (":363: analyses[7].believe = kauermann-carroll: is not among the covariances; add it to covariances",),
        id="covariances-robust-believe-kauermann-car",
    ),
    pytest.param(
        "\n\nallocation:\n  method: simple\n  ratio: {NKART: 1, ART: 1}\n",
        "\n  - {id: MID, name: Middle, type: Treatment Arm, interventions: [art]}\n"
        "allocation:\n  method: simple\n  ratio: {NKART: 1, ART: 1, MID: 1}\n",
        (
            ":364: analyses[8].method = rerandomisation: compares two arms, and the trial has 3; leave the analysis out",
            ":453: rehearsal.outcomes.curves[0].means = MID: has no means; add means for arm MID",
            ":459: rehearsal.outcomes.curves[1].means = MID: has no means; add means for arm MID",
        ),
        id="rerandomisation-of-three-arms",
    ),
    pytest.param(
        "planned: 20\n",
        "planned: 21\n",
        (":377: sample_size.n = 20: differs from population.planned = 21; write the same number in both",),
        id="planned-21",
    ),
    pytest.param(
        "planned: 20\n",
        "planned: twenty\n",
        (":56: population.planned = twenty: must be a whole number; write it in digits, without quotes or a unit",),
        id="planned-twenty",
    ),
    pytest.param(
        "planned: 20\n",
        'planned: "20"\n',
        (":56: population.planned = 20: must be a whole number; write it in digits, without quotes or a unit",),
        id="planned-20",
    ),
    pytest.param(
        "cd4: [{low: 500, high: 1500}]",
        "cd4: [{low: 1500, high: 500}]",
        (":166: panels[0].reference_ranges.cd4[0].low = 1500: is not below high = 500; exchange them",),
        id="cd4-low-1500-high-500",
    ),
    pytest.param(
        "cd4: [{low: 500, high: 1500}]",
        "cd44: [{low: 500, high: 1500}]",
        (":166: panels[0].reference_ranges.cd44 = cd44: is not in panels[0].tests; did you mean cd4?",),
        id="cd44-low-500-high-1500",
    ),
    pytest.param(
        "missing: [ND, CLOT, REF]",
        "missing: [ND, CLOTT, REF]",
        (":161: panels[0].missing[1] = CLOTT: is not in missing_codes; did you mean CLOT?",),
        id="missing-nd-clott-ref",
    ),
    pytest.param(
        "arm: NKART, event:",
        "arm: NK, event:",
        (":318: stopping_rules[0].arm = NK: is not in arms; use one of ART, NKART, or add it to arms",),
        id="arm-nk-event",
    ),
    pytest.param(
        "share: 0.45,",
        "share: 0.40,",
        (":403: rehearsal.failures = 0.95: is not 1 in all; let the shares add up to 1",),
        id="share-0-40",
    ),
    pytest.param(
        "dose: {value: 1e8",
        "dose: {value: 0",
        (":109: regimens[0].dose.value = 0: must be above 0; write a value above 0",),
        id="dose-value-0",
    ),
    pytest.param(
        "alpha: 0.05  ",
        "alpha: 5",
        (":378: sample_size.alpha = 5: must be at most 1; write 1 or a value below it",),
        id="alpha-5",
    ),
    pytest.param(
        "after: m1}",
        "after: m2}",
        (
            ":113: regimens[0].courses[1].after = m2: is not in visits; use one of m0, m1, m12, m24, m3, m6, m9, screening, or add it to visits",
        ),
        id="after-m2",
    ),
    pytest.param(
        "equipoise: 1",
        "equipoise: 2",
        (":6: equipoise = 2: is not one of the values that the field takes; write 1",),
        id="equipoise-2",
    ),
    pytest.param(
        "titles:\n",
        "titles:\n  full: Again\n",
        (":11: titles.full: is written twice, on lines 10 and 11; keep one of the two",),
        id="full-again",
    ),
    pytest.param(
        "{item: screening.sex, summary: count",
        "{item: blood.sexx, summary: count",
        (
            ":385: report.baseline[1].item = blood.sexx: is not in the items of screening and baseline forms; did you mean blood.neut?",
        ),
        id="item-blood-sexx-summary-count",
    ),
    pytest.param(
        "id: cd4_mmrm, outcome: cd4, estimand: E1, analysis_set: FAS, role: sensitivity, method: mmrm, covariance: us",
        "id: cd4_mmrm, outcome: cd4, estimand: E1, analysis_set: FAS, role: sensitivity, method: mmrm, covariance: cs",
        (":365: analyses[9].fallback[2] = cs: is tried before; name each structure once",),
        id="fallback-to-itself",
    ),
    pytest.param(
        "df: kenward-roger-linear}",
        "df: kenward}",
        (
            ":365: analyses[9].df = kenward: is not one of the values that the field takes; write 'kenward-roger'; the field takes 'kenward-roger-linear', 'kenward-roger', 'satterthwaite', 'between-within' or 'residual'",
        ),
        id="df-kenward",
    ),
    pytest.param(
        "strategies: {NKART: jump-to-reference, ART: mar}",
        "strategies: {NK: jump-to-reference, ART: mar}",
        (
            ":366: analyses[10].strategies.NK = jump-to-reference: is not in arms; use one of ART, NKART, or add it to arms",
        ),
        id="strategies-of-no-arm",
    ),
    pytest.param(
        "procedure: conditional-mean, tipping",
        "procedure: bayes, draws: 1, tipping",
        (
            ":366: analyses[10].draws = 1: is too few to pool; use 2 or more, such as 100",
            ":366: analyses[10].procedure = bayes: needs a seed; add seed: 1, or another whole number",
        ),
        id="procedure-bayes-without-a-seed",
    ),
    pytest.param(
        "procedure: conditional-mean, tipping",
        "procedure: conditional-mean, draws: 50, seed: 1, tipping",
        (
            ":366: analyses[10].draws = 50: does nothing under conditional-mean, which draws nothing; leave it out, or use procedure: bayes",
            ":366: analyses[10].seed = 1: does nothing under conditional-mean, which draws nothing; leave it out, or use procedure: bayes",
        ),
        id="procedure-that-draws-nothing",
    ),
    pytest.param(
        "{lowest: -200, highest: 100, step: 20}",
        "{lowest: -200, highest: 100, step: 0}",
        (
            ":366: analyses[10].tipping_point.step = 0: gives 0 shifts from -200 to 100; choose a step above zero that gives 2 to 200",
        ),
        id="tipping-point-step-0",
    ),
    pytest.param(
        "unit: cells/uL, timepoint: m24, visits: [m0, m1, m3, m6, m9, m12, m24]",
        "unit: cells/uL, timepoint: m24, visits: [m0, m1, m3, m6, m9, m12]",
        (
            ":365: analyses[9].outcome = cd4: has its time point m24 outside its visits after baseline; add m24 to its visits",
            ":366: analyses[10].outcome = cd4: has its time point m24 outside its visits after baseline; add m24 to its visits",
        ),
        id="timepoint-that-is-not-followed",
    ),
    pytest.param(
        "unit: cells/uL, timepoint: m24, visits: [m0, m1, m3, m6, m9, m12, m24]",
        "unit: cells/uL, timepoint: m24, visits: [m0, m24]",
        (
            ":365: analyses[9].outcome = cd4: has fewer than two visits after baseline; add visits to outcome cd4, or use ancova",
            ":366: analyses[10].outcome = cd4: has fewer than two visits after baseline; add visits to outcome cd4, or use ancova",
        ),
        id="one-visit-after-baseline",
    ),
    pytest.param(
        "unit: cells/uL, timepoint: m24",
        "unit: cells/uL, aggregation: proportion, timepoint: m24",
        (
            ":365: analyses[9].outcome = cd4: is a proportion, and the model is for normal outcomes; use method: gee with family: binomial",
            ":366: analyses[10].outcome = cd4: is a proportion, and the model is for normal outcomes; use method: gee with family: binomial",
        ),
        id="proportion-by-a-normal-model",
    ),
    pytest.param(
        "severity: hard, message: Lymph",
        "severity: firm, message: Lymph",
        (":289: checks[0].severity = firm: is not one of the values that the field takes; write 'soft' or 'hard'",),
        id="severity-firm-message-lymph",
    ),
    pytest.param(
        "subset_of: FAS",
        "subset_of: SAF",
        (
            ":339: analysis_sets[1].subset_of = SAF: is not in earlier analysis_sets; use one of FAS, or add it to earlier analysis_sets",
        ),
        id="subset-of-saf",
    ),
    pytest.param(
        "from_years: 18, to_years: 65",
        "from_years: 65, to_years: 18",
        (":54: population.age.from_years = 65: is above to_years = 18; exchange them",),
        id="from-years-65-to-years-18",
    ),
    pytest.param(
        "storage: {min_celsius: 2, max_celsius: 8}",
        "storage: {min_celsius: 8, max_celsius: 2}",
        (":92: products[0].storage: min_celsius = 8 is not below max_celsius = 2; exchange them",),
        id="storage-upside-down",
    ),
    pytest.param(
        "tests: [HIV, HBV, HCV,",
        "tests: [HIV, HBV, HIV,",
        (":93: products[0].donor_eligibility.tests[2] = HIV: stands twice; name each test once",),
        id="a-donor-test-twice",
    ),
    pytest.param(
        "{viability: viability, nk: nk_purity,",
        "{viability: viability, nk: nk_puritie,",
        (":101: products[0].composition.nk = nk_puritie: is not in products[0].release; did you mean nk_purity?",),
        id="composition-of-an-unknown-criterion",
    ),
    pytest.param(
        "cd3: cd3, endotoxin: endotoxin}",
        "cd3: endotoxin, endotoxin: mycoplasma}",
        (
            ":101: products[0].composition.cd3 = endotoxin: is not a criterion in %; give it unit: '%' without per_kg, or name another criterion",
            ":101: products[0].composition.endotoxin = mycoplasma: is not a criterion in [EU]/mL; give it unit: '[EU]/mL' without per_kg, or name another criterion",
        ),
        id="composition-in-other-units",
    ),
    pytest.param(
        "nk: nk_purity, cd3: cd3,",
        "",
        (
            ":103: products[0].dose_limits[0].quantity = cd3_per_kg: needs cd3; add cd3 to products[0].composition",
            ":105: products[0].dose_limits[2].quantity = viable_nk: needs nk; add nk to products[0].composition",
        ),
        id="dose-limits-without-composition",
    ),
    pytest.param(
        "quantity: cd3_per_kg, rule: value <= 200000",
        "quantity: cd3_per_kg, rule: value <= 'LOW'",
        (
            ":103: products[0].dose_limits[0].rule = value <= 'LOW': a number is compared with text; compare values of the same kind",
        ),
        id="dose-limit-on-a-text",
    ),
    pytest.param(
        "id: endotoxin_kg, quantity",
        "id: cd3_kg, quantity",
        (
            ":104: products[0].dose_limits[1].id = cd3_kg: is already the id of products[0].dose_limits[0]; give each its own",
        ),
        id="a-dose-limit-twice",
    ),
    pytest.param(
        "rule: value == 'NEGATIVE', due_days: 14",
        "rule: value == 'NEGATIVE', due_days: 14, per_kg: true",
        (":100: products[0].release[5].per_kg = true: has no unit, so its value is no number; add its unit",),
        id="per-kg-without-a-unit",
    ),
    pytest.param(
        "id: no_infection, text",
        "id: afebrile, text",
        (
            ":117: regimens[0].preconditions[1].id = afebrile: is already the id of regimens[0].preconditions[0]; give each its own",
        ),
        id="a-precondition-twice",
    ),
    pytest.param(
        "identity_checks: 2",
        "identity_checks: 1",
        (":119: regimens[0].identity_checks = 1: must be at least 2; write 2 or a value above it",),
        id="one-person-checks-identity",
    ),
    pytest.param(
        "[-15, 15, 30,",
        "[-15, 30, 15,",
        (":120: regimens[0].vital_signs_minutes[2] = 15: is not after 30; write the minutes in rising order",),
        id="vital-signs-out-of-order",
    ),
]


def faults_with(old: str, new: str) -> list[str]:
    assert EXAMPLE.count(old) >= 1
    slipped = EXAMPLE.replace(old, new, 1)
    return [str(fault).removeprefix("protocol.yaml") for fault in faults_in(slipped.encode())]


def test_the_example_has_no_fault():
    assert faults_in(EXAMPLE.encode()) == ()


@pytest.mark.parametrize(("old", "new", "faults"), SLIPS)
def test_a_slip_is_told_with_its_line_and_remedy(old: str, new: str, faults: tuple[str, ...]):
    assert faults_with(old, new) == list(faults)


SECOND_REGIMEN = """regimens:
  - id: boost
    dose: {value: 1e7, unit: Therapeutic Cells}
    route: INTRAVENOUS
    courses:
      - {id: B1, at: {days: 2}}
      - {id: C2, at: {days: 40}}
"""
SECOND_INTERVENTION = """interventions:
  - {id: more, name: More cells, role: Experimental Intervention, type: BIOLOGIC, product: PRODUCT, regimen: REGIMEN}
"""
SECOND_PRODUCT = "products:\n  - {id: kin, name: Cells of a relative, dose_form: INJECTION}\n"


def with_two_interventions(product: str, regimen: str, *, nkart: str = "nk, art", art: str = "art") -> list[str]:
    """The faults of the example with a second intervention, and what each arm then receives."""
    slipped = EXAMPLE.replace("regimens:\n", SECOND_REGIMEN, 1).replace("products:\n", SECOND_PRODUCT, 1)
    second = SECOND_INTERVENTION.replace("PRODUCT", product).replace("REGIMEN", regimen)
    slipped = slipped.replace("interventions:\n", second, 1)
    slipped = slipped.replace("interventions: [art]", f"interventions: [{art}]", 1)
    slipped = slipped.replace("interventions: [nk, art]", f"interventions: [{nkart}]", 1)
    return [str(fault).removeprefix("protocol.yaml") for fault in faults_in(slipped.encode())]


@pytest.mark.parametrize(("product", "art"), [("kin", "art"), ("kin", "nk, art, more"), ("", "art")])
def test_an_arm_whose_regimens_share_a_course_is_told_and_of_two_such_arms_the_first(product: str, art: str):
    assert with_two_interventions(product, "boost", nkart="nk, art, more", art=art) == [
        ":121: regimens[1].courses[1].id = C2: is a course of boost too, and arm NKART receives both; give each its own"
    ]


@pytest.mark.parametrize(
    ("product", "regimen", "fault"),
    [
        (
            "kin",
            "nk_courses",
            "has regimen nk_courses, as nk has in this arm; give it a regimen of its own, whose courses have other ids",
        ),
        (
            "nk_cells",
            "nk_courses",
            "has product nk_cells, as nk has in this arm; put all courses of the product into one regimen",
        ),
    ],
)
def test_an_arm_that_receives_a_product_or_a_regimen_twice_is_told(product: str, regimen: str, fault: str):
    told = with_two_interventions(product, regimen, nkart="nk, art, more")
    assert told == [f":41: arms[0].interventions[2] = more: {fault}"]


def test_one_product_under_two_regimens_is_told_with_the_course_that_they_share():
    assert [
        fault.partition(":")[2].partition(":")[2]
        for fault in with_two_interventions("nk_cells", "boost", nkart="nk, art, more")
    ] == [
        " arms[0].interventions[2] = more: has product nk_cells, as nk has in this arm; put all courses of the product into one regimen",
        " regimens[1].courses[1].id = C2: is a course of boost too, and arm NKART receives both; give each its own",
    ]


@pytest.mark.parametrize("product", ["kin", "nk_cells"])
def test_different_arms_may_share_products_and_courses(product: str):
    assert with_two_interventions(product, "boost", art="art, more") == []


def test_a_file_with_a_fault_is_refused_whole():
    with pytest.raises(ProtocolRefused) as refused:
        parse(EXAMPLE.replace("planned: 20", "planned: -20").encode())
    assert str(refused.value) == (
        "protocol.yaml:56: population.planned = -20: must be at least 1; write 1 or a value above it"
    )


def test_faults_within_parts_and_between_parts_come_in_one_list():
    slipped = EXAMPLE.replace("variable: blood.cd4, unit", "variable: chemistry.albu, unit")
    slipped = slipped.replace("at: {months: 6}", "at: {months: 6, weeks: 1}").replace(
        "codelist: ROUTE,", "codelist: ROUTES,"
    )
    assert [str(fault) for fault in faults_in(slipped.encode())] == [
        "protocol.yaml:136: visits[4].at: must have exactly one of days, weeks, months; "
        "keep the unit in which the protocol states the time",
        "protocol.yaml:214: forms[0].items[2].codelist = ROUTES: is not in codelists; did you mean ROUTE?",
        "protocol.yaml:333: outcomes[0].variable = chemistry.albu: is not in the items of forms; did you mean chemistry.alb?",
    ]
