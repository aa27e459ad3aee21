"""The flow diagram: counts from the record, texts inside their boxes, boxes clear of each other."""

from dataclasses import replace
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from equipoise import analysis
from equipoise.report.flow_counts import flow_of
from equipoise.report.flow_diagram import ArmFlow, Count, Flow, flow_diagram
from equipoise.report.text_width import SLACK, text_width

LONG = "Participant’s family moved to another province and the local hospital could not draw blood at the hours agreed"


def shapes(flow: Flow):
    """Each box (x, y, width, height) with the texts in it (x, baseline, size, bold, text)."""
    root = ElementTree.fromstring(str(flow_diagram(flow, id="f", title="Flow").svg))
    space = "{http://www.w3.org/2000/svg}"
    for group in root.iter(f"{space}g"):
        box = group.find(f"{space}rect").attrib
        texts = [
            (
                float(t.get("x")),
                float(t.get("y")),
                float(t.get("font-size")),
                "bold" in t.get("class"),
                "".join(t.itertext()),
            )
            for t in group.iter(f"{space}text")
        ]
        yield tuple(float(box[name]) for name in ("x", "y", "width", "height")), texts


def assert_tidy(flow: Flow) -> None:
    found = list(shapes(flow))
    for (x, y, width, height), texts in found:
        for left, baseline, size, bold, text in texts:
            assert left + text_width(text, size, bold=bold) / SLACK <= x + width, text
            assert y < baseline - 0.75 * size, text
            assert baseline + 0.24 * size < y + height, text
        for above, below in pairwise(texts):
            assert below[1] - above[1] >= 1.2 * above[2]
    for (a, _), (b, _) in combinations(found, 2):
        apart = a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
        assert apart, (a, b)


def arm(name: str) -> ArmFlow:
    return ArmFlow(
        (Count(f"Allocated to {name}", 10, "a"),),
        (Count("Left the trial", 2, "b"), Count(LONG, 2, "c", indented=True)),
        (Count("Analysed"), Count("Full analysis set", 10, "d", indented=True)),
    )


@pytest.mark.parametrize(
    "names", [("A",), ("NK + ART", "ART"), ("A", "B", "C"), ("自然杀伤细胞联合抗逆转录病毒治疗组", "x" * 60)]
)
def test_long_reasons_and_many_arms_stay_tidy(names):
    excluded = (Count("Excluded", 9, "x"), *(Count(f"{LONG} {i}", i, f"x{i}", indented=True) for i in range(9)))
    assert_tidy(
        Flow(
            (Count("Assessed for eligibility", 29, "s"),),
            excluded,
            (Count("Randomised", 20, "r"),),
            tuple(map(arm, names)),
        )
    )


def test_the_diagram_of_a_trial_is_tidy(protocol, results):
    assert_tidy(flow_of(protocol, results))


def test_counts_are_those_of_the_record(protocol, snapshot, results):
    people = snapshot.participants
    flow = flow_of(protocol, results)
    assert flow.screened[0].n == len(people)
    assert flow.excluded[0].n == (people["status"] == "screen failure").sum()
    assert flow.randomised[0].n == people["arm"].notna().sum()
    assert sum(each.allocated[0].n for each in flow.arms) == flow.randomised[0].n
    told = {count.text: count.n for count in flow.excluded}
    assert told["Declined to take part"] == 1
    assert told["Not yet randomised"] == 1
    assert [count.n for each in flow.arms for count in each.lost if count.text == "Withdrew"] == [1]


def test_the_description_tells_every_box(protocol, results):
    said = flow_diagram(flow_of(protocol, results), id="f", title="Flow").description
    assert said.startswith("Assessed for eligibility 27. Excluded 6: ")
    assert "Randomised 20. Allocated to NK + ART 10." in said
    assert said.endswith("Safety set 10.")


def test_a_foreign_trial_begins_at_randomisation(protocol, snapshot):
    foreign = replace(snapshot, source="table.csv, SHA-256 00")
    flow = flow_of(protocol, analysis.run(protocol.model_copy(update={"analyses": ()}), foreign))
    assert flow.screened == ()
    assert flow.excluded == ()
    assert_tidy(flow)
