"""Capture what is seen at a visit: when it was due, what was answered, and whether it can be so.

Pure rules only: values in, findings out. Nothing here knows a ledger, a clock or a person who types.
Terms: *target* (the planned day of a visit), *window* (the days on which it still counts), *finding* (what a check
says about an answer: hard refuses it, soft asks for a comment), *hidden* (not asked by its `show_if`; not missing).
"""

from equipoise.capture.findings import Finding
from equipoise.capture.forms import Answer, Checked, FormSheet, check_form
from equipoise.capture.reference_ranges import range_flag, reference_range
from equipoise.capture.schedule import (
    PlannedVisit,
    Timing,
    months_after,
    planned_visits,
    study_day,
    target_date,
    visit_on,
)
from equipoise.capture.values import AnswerError, Missing, Value, exact_number, normal_text, number_text, value_of

__all__ = [
    "Answer",
    "AnswerError",
    "Checked",
    "Finding",
    "FormSheet",
    "Missing",
    "PlannedVisit",
    "Timing",
    "Value",
    "check_form",
    "exact_number",
    "months_after",
    "normal_text",
    "number_text",
    "planned_visits",
    "range_flag",
    "reference_range",
    "study_day",
    "target_date",
    "value_of",
    "visit_on",
]
