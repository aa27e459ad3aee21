"""Tables: what stands in a cell, and no table where there is nothing to show."""

from dataclasses import replace

from markupsafe import Markup

from equipoise.report.tables.anova import anova_tables
from equipoise.report.tables.baseline import baseline_table
from equipoise.report.tables.harms import events_table, harms_table, terms_table
from equipoise.report.tables.outcomes import effects_table, means_table
from equipoise.report.tables.record import (
    completeness_table,
    corrections_table,
    deviations_listing,
    deviations_table,
    quality_table,
)


def plain(table):
    """Rows as texts: the head, then the cells."""
    return [[Markup(text).striptags() for text in (row.head, *row.cells)] for body in table.bodies for row in body.rows]


def row_of(table, head):
    return next(row[1:] for row in plain(table) if row[0] == head)


def test_means_have_n_mean_sd_and_interval(protocol, results):
    table = means_table(protocol, results, protocol.outcome("cd4"))
    mean, spread = results.row("means_cd4.ART.m24.mean"), results.row("means_cd4.ART.m24.sd")
    assert row_of(table, "Month 24")[3:] == [
        "9",
        f"{mean.estimate:.0f} ({spread.estimate:.0f})",
        f"{mean.conf_low:.0f} to {mean.conf_high:.0f}",
    ]


def test_effects_stand_by_method_under_their_time(protocol, results):
    table = effects_table(protocol, results, protocol.outcome("cd4"))
    assert [body.title for body in table.bodies] == ["At Month 24", "Over the visits"]
    assert next(row[0] for row in plain(table)) == "Student’s t test (main analysis)"
    robust = results.row("cd4_gee.arm.robust")
    found = row_of(table, "GEE, robust, normal reference")
    assert found[0] == f"{robust.estimate:.0f}".replace("-", "−")
    assert found[3] == "–"
    strong = [row.head for body in table.bodies for row in body.rows if row.strong]
    assert strong == ["Student’s t test (main analysis)", "GEE, Kauermann–Carroll (the one to go by)"]


def test_the_analysis_of_variance_shows_mauchly_and_both_corrections(protocol, results):
    (table,) = anova_tables(protocol, results, protocol.outcome("cd4"))
    assert [row[0] for row in plain(table)] == [
        "Arm",
        "Visit",
        "Greenhouse–Geisser",
        "Huynh–Feldt",
        "Arm by visit",
        "Greenhouse–Geisser",
        "Huynh–Feldt",
    ]
    assert row_of(table, "Visit")[6] == f"{results.row('cd4_anova.visit.mauchly').statistic:.3f}"
    assert any("left out for a missing visit" in note for note in table.notes)


def test_baseline_counts_have_their_denominator_and_unknowns_a_row(protocol, results):
    table = baseline_table(protocol, results)
    assert row_of(table, "Female")[:2] == ["4/10", "0/10"]
    assert row_of(table, "not known") == ["1/10", "0", "1/20 (5%)"]
    assert [Markup(head.text).striptags() for head in table.heads[0]][1:] == [
        "NK + ART (N = 10)",
        "ART (N = 10)",
        "All (N = 20)",
    ]


def test_harms_are_shares_with_exact_intervals(protocol, results):
    cells = row_of(harms_table(protocol, results), "Related to the trial’s product")
    # R 4.2.2: binom.test(2, 10)$conf.int -> 0.02521073, 0.55609546
    assert cells[:3] == ["2/10", "0.20 (0.03 to 0.56)", "2"]


def test_every_event_is_listed_with_what_was_written(protocol, snapshot):
    rows = plain(events_table(protocol, snapshot))
    assert len(rows) == len(snapshot.adverse_events)
    written = [row[2] for row in rows]
    assert "Fever (“fever, with chills”)" in written
    assert any(row[4].startswith("−") for row in rows), "an event before randomisation has a negative day"


def test_terms_that_occurred_have_a_row(protocol, results):
    assert [row[0] for row in plain(terms_table(protocol, results))] == [
        "Fever",
        "Upper respiratory tract infection",
        "Pneumonia",
    ]


def test_deviations_are_counted_by_arm_and_listed(protocol, snapshot, results):
    assert row_of(deviations_table(protocol, results), "Visit missed") == ["1/10", "1", "0/10", "0"]
    assert ["01-003", "2018-08-28", "MISSED", "major", "Month 3 missed"] in plain(deviations_listing(snapshot))


def test_corrections_keep_the_old_value_the_new_one_and_the_reason(protocol, snapshot):
    assert plain(corrections_table(protocol, snapshot)) == [
        ["01-005", "Month 1", "CD4 count", "731", "137", "Digits exchanged"]
    ]


def test_completeness_counts_values_by_outcome_and_arm(protocol, results):
    assert row_of(completeness_table(protocol, results), "Month 3") == ["9/10", "10/10"] * 3


def test_there_is_no_table_of_nothing(protocol, snapshot, results):
    bare = replace(results, rows=())
    empty = replace(
        snapshot,
        adverse_events=snapshot.adverse_events[:0],
        deviations=snapshot.deviations[:0],
        corrections=snapshot.corrections[:0],
    )
    outcome = protocol.outcome("cd4")
    assert means_table(protocol, bare, outcome) is None
    assert effects_table(protocol, bare, outcome) is None
    assert anova_tables(protocol, bare, outcome) == ()
    assert baseline_table(protocol, bare) is None
    assert harms_table(protocol, bare) is None
    assert terms_table(protocol, bare) is None
    assert completeness_table(protocol, bare) is None
    assert deviations_table(protocol, bare) is None
    assert quality_table(bare) is None
    assert events_table(protocol, empty) is None
    assert deviations_listing(empty) is None
    assert corrections_table(protocol, empty) is None
