"""The CONSORT 2025 checklist: all thirty items, the open ones first, each answer in its section."""

import re
from dataclasses import replace

from equipoise.report.checklist import ITEMS, checklist
from equipoise.report.page import page
from equipoise.report.sections import sections


def test_there_are_thirty_items():
    assert list(dict.fromkeys(int(re.match(r"\d+", number).group()) for number in ITEMS)) == list(range(1, 31))
    assert len(ITEMS) == 42


def test_open_items_come_first(protocol, results):
    answered = [answer.section is not None for answer in checklist(protocol, results)]
    assert answered == sorted(answered)
    assert {answer.number for answer in checklist(protocol, results) if answer.section is None} >= {
        "5a",
        "8",
        "29",
        "30",
    }


def test_every_answer_names_a_section_of_the_page(protocol, results):
    there = {section.id for section in sections(protocol)} | {"title"}
    assert {answer.section for answer in checklist(protocol, results)} - {None} <= there


def test_a_statement_answers_its_item_and_is_printed_where_the_checklist_says(protocol, snapshot, results):
    said = {"8": "Two people with HIV sat on the steering group.", "29": "The difference may be useful."}
    report = protocol.report.model_copy(update={"statements": said})
    answering = protocol.model_copy(update={"report": report})
    where = {answer.number: answer.section for answer in checklist(answering, results)}
    assert (where["8"], where["29"]) == ("statements", "interpretation")
    text = page(answering, snapshot, results)
    for number, statement in said.items():
        part = re.search(rf'<section id="{where[number]}".*?</section>', text, re.S).group()
        assert statement in part


def test_what_the_results_lack_is_open(protocol, results):
    bare = replace(results, rows=(), sentences={})
    where = {answer.number: answer.section for answer in checklist(protocol, bare)}
    assert [where[number] for number in ("1b", "22a", "23a", "25", "26", "27", "28")] == [None] * 7


def test_an_external_allocation_does_not_claim_our_sequence(protocol, results):
    external = protocol.allocation.model_copy(update={"method": "external", "concealment": None, "description": None})
    where = {
        answer.number: answer.section
        for answer in checklist(protocol.model_copy(update={"allocation": external}), results)
    }
    assert [where[number] for number in ("17a", "17b", "18")] == [None] * 3
