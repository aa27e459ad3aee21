"""Watch harm: grade laboratory values, judge adverse events and their deadlines, and know when harm stops the trial.

Pure rules only: values in, grades and limits out, each with the rule that gave it. Nothing here knows a ledger, a clock
or a file but the scales that come with it.
Terms: *scale* (a published table of grades, in one version), *ladder* (the grades of one term in one unit, and for
whom they hold), *qualifier* (what must be known beside the value, such as symptomatic), *not-graded* (the scale gives
no grade for such a value), *not-gradable* (it would, but something that decides is not known), *boundary* (for each
number treated, the events at which the trial stops), *deadline* (when an event must have been told, and to whom).
"""
