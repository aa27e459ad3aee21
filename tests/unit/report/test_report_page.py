"""The page as a reader, a browser and a checker get it."""

import base64
import hashlib
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from equipoise import analysis
from equipoise.report.page import page

VOID = {"meta", "link", "br", "hr", "img", "input"}
HOSTILE = '<script>alert("x")</script>{{ 7 * 7 }}"onload="alert(1)'


class Tree(HTMLParser):
    """Elements in order with their attributes, path and text; an end tag that does not fit is an error."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements = [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "attributes": dict(attributes), "text": "", "path": [each["tag"] for each in self.open]}
        assert len(dict(attributes)) == len(attributes), f"an attribute is given twice: {attributes}"
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open[-1]["tag"] == tag, (tag, [each["tag"] for each in self.open])
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, *tags):
        return [element for element in self.elements if element["tag"] in tags]


@pytest.fixture(scope="module")
def tree(text):
    return Tree(text)


def as_number(printed: str) -> float:
    """The first number of a printed text."""
    plain = printed.replace("−", "-").replace("\N{NARROW NO-BREAK SPACE}", " ")
    return float(re.search(r"-?\d+(?:\.\d+)?", plain).group())


def numbers_on(tree):
    for element in tree.elements:
        if "data-id" in element["attributes"]:
            a = element["attributes"]
            yield a["data-id"], a["data-field"], a.get("value", a.get("data-value")), element["text"]


def test_every_number_is_the_one_of_its_id(tree, results):
    found = list(numbers_on(tree))
    assert len(found) > 500
    for id, field, in_full, printed in found:
        value = getattr(results.row(id), field)
        assert float(in_full) == value, id
        if "<" in printed:
            assert value < 0.001, id
        elif ">" in printed:
            assert value > 0.99, id
        else:
            shown = re.search(r"\d+(?:\.(\d+))?", printed)
            places = len(shown.group(1) or "")
            # Half a unit of the last printed digit, and a hair for binary fractions.
            assert as_number(printed) == pytest.approx(value, abs=0.5 * 10**-places + 1e-9), id


def test_the_results_that_matter_are_on_the_page(tree):
    ids = {id for id, *_ in numbers_on(tree)}
    wanted = {
        "flow.screened",
        "flow.randomised.NKART",
        "flow.analysed.ART.FAS",
        "baseline.blood.cd4.NKART.sd",
        "means_cd4.ART.m24.mean",
        "cd4_student.m24.student",
        "cd4_gee.arm.mancl-derouen",
        "cd4_gee.arm.robust-t",
        "cd4_rerandomisation.m24.rerandomisation",
        "cd4_anova.arm_visit.gg",
        "cd4_anova.arm_visit.mauchly",
        "cd8_gee.arm.kauermann-carroll",
        "ratio_gee.arm.robust",
        "harms.NKART.related.share",
        "harms.term.FEVER.NKART.participants",
        "deviations.MISSED.NKART.participants",
        "quality.corrections",
    }
    assert wanted - ids == set()


def test_the_page_is_one_file_that_asks_for_nothing(text, tree):
    assert not tree.all("script", "link", "img", "iframe", "object", "form")
    addresses = [
        (element["tag"], value)
        for element in tree.elements
        for name, value in element["attributes"].items()
        if name in ("src", "href", "xlink:href", "action", "srcset", "data")
    ]
    assert all(value.startswith("#") for _, value in addresses)
    assert "url(http" not in text
    assert "@import" not in text


def test_the_policy_allows_the_one_style_sheet_and_nothing_else(text, tree):
    policy = next(e["attributes"]["content"] for e in tree.all("meta") if "http-equiv" in e["attributes"])
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not [element for element in tree.elements if "style" in element["attributes"]]


def test_no_element_has_an_event_handler(tree):
    assert not [name for element in tree.elements for name in element["attributes"] if name.startswith("on")]


def test_ids_are_unique_and_every_link_leads_somewhere(tree):
    ids = [element["attributes"]["id"] for element in tree.elements if "id" in element["attributes"]]
    assert len(ids) == len(set(ids))
    targets = [element["attributes"]["href"][1:] for element in tree.elements if "href" in element["attributes"]]
    named = [name for e in tree.elements for name in e["attributes"].get("aria-labelledby", "").split()]
    clips = re.findall(r"url\(#([^)]+)\)", " ".join(v or "" for e in tree.elements for v in e["attributes"].values()))
    assert set(targets + named + clips) <= set(ids)


def test_headings_go_down_one_step_at_a_time(tree):
    levels = [int(element["tag"][1]) for element in tree.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_landmarks_and_language_are_there(tree):
    assert tree.all("html")[0]["attributes"]["lang"] == "en"
    assert [len(tree.all(tag)) for tag in ("header", "nav", "main")] == [1, 1, 1]
    sections = {element["attributes"]["id"] for element in tree.all("section")}
    linked = {e["attributes"]["href"][1:] for e in tree.all("a") if "nav" in e["path"]}
    assert sections == linked


def test_every_table_has_a_caption_and_every_head_a_scope(tree):
    assert len(tree.all("table")) == len(tree.all("caption")) > 10
    assert all(element["text"].strip() for element in tree.all("caption"))
    assert all(
        element["attributes"].get("scope") in ("col", "colgroup", "row", "rowgroup") for element in tree.all("th")
    )
    assert all(element["text"].strip() for element in tree.all("th"))


def test_every_row_of_a_table_has_as_many_cells_as_its_head(text):
    for table in re.findall(r"<table.*?</table>", text, re.S):
        widths = set()
        for row in re.findall(r"<tr.*?</tr>", table, re.S):
            spans = re.findall(r"<(?:th|td)([^>]*)>", row)
            widths.add(sum(int((re.search(r'colspan="(\d+)"', each) or [0, 1])[1]) for each in spans))
        assert len(widths) == 1, re.search(r'id="([^"]+)"', table).group(1)


def test_every_drawing_has_a_name_and_a_description(tree):
    drawings = list(tree.all("svg"))
    assert len(drawings) >= 12
    for drawing in drawings:
        title, description = drawing["attributes"]["aria-labelledby"].split()
        texts = {e["attributes"].get("id"): e["text"] for e in tree.all("title", "desc")}
        assert texts[title]
        assert texts[description]
        assert drawing["attributes"]["role"] == "img"


def test_the_sections_stand_in_the_order_of_a_report(tree):
    assert [element["attributes"]["id"] for element in tree.all("section")] == [
        "summary",
        "flow",
        "baseline",
        "completeness",
        "outcome-cd4",
        "outcome-cd8",
        "outcome-ratio",
        "product",
        "harms",
        "laboratory",
        "deviations",
        "quality",
        "interpretation",
        "methods",
        "statements",
        "references",
        "checklist",
        "colophon",
    ]


def section(text: str, id: str) -> str:
    return re.search(rf'<section id="{id}".*?</section>', text, re.S).group()


def test_the_baseline_table_has_no_p_values(text):
    assert not re.search(r">P<|P[ \u202f][=<]|p_value", section(text, "baseline"))


def test_no_p_is_nought_and_nothing_missing_shows_as_a_word(tree):
    shown = tree.all("body")[0]["text"]
    assert "0.000)" not in shown
    assert not re.search(r"\b(nan|NaN|None|NaT|inf)\b", shown)
    assert not re.search(r"\bNS\b", shown)


def test_a_per_cent_stands_only_beside_enough_participants(tree):
    cells = [element["text"] for element in tree.all("td")]
    pairs = [re.fullmatch(r"(\d+)/(\d+) \((\d+(?:\.\d)?)%\)", cell).groups() for cell in cells if "%" in cell]
    assert pairs
    assert all(int(total) >= 20 for _, total, _ in pairs)
    assert all(float(share) == pytest.approx(100 * int(n) / int(total), abs=0.5) for n, total, share in pairs)


def test_a_rehearsal_says_so_first_and_a_trial_does_not(text, protocol, snapshot, results):
    banner = "Rehearsal with virtual participants: these are not results of a trial."
    assert text.index(banner) < text.index("<h1>")
    real = page(protocol, replace(snapshot, rehearsal=None), results)
    assert 'class="banner"' not in real
    assert "<body>" in real


def test_the_colophon_pins_the_page_to_the_record(text, snapshot):
    pinned = section(text, "colophon")
    for each in (snapshot.head_hash, snapshot.protocol_hash, "812", "equipoise 0.1.0", "4 May 2020, 09:30:00 UTC"):
        assert each in pinned
    assert "equipoise verify DIR --anchor FILE" in pinned


def test_foreign_data_are_pinned_by_the_hash_of_their_file(protocol, snapshot, results):
    pinned = section(page(protocol, replace(snapshot, source="table.csv, SHA-256 ab", position=0), results), "colophon")
    assert "table.csv, SHA-256 ab" in pinned
    assert "sha256sum" in pinned
    assert "equipoise verify" not in pinned


def test_the_same_arguments_give_the_same_text(text, protocol, snapshot, results):
    assert page(protocol, snapshot, results) == text


def test_hostile_texts_of_protocol_and_people_are_shown_and_never_run(protocol, snapshot, results):
    titles = protocol.titles.model_copy(update={"full": HOSTILE, "short": HOSTILE})
    arms = tuple(arm.model_copy(update={"name": HOSTILE}) for arm in protocol.arms)
    visits = tuple(visit.model_copy(update={"name": HOSTILE}) for visit in protocol.visits)
    outcomes = tuple(outcome.model_copy(update={"name": HOSTILE}) for outcome in protocol.outcomes)
    statements = protocol.report.model_copy(update={"statements": {"6": HOSTILE, "29": HOSTILE}})
    bad = protocol.model_copy(
        update={"titles": titles, "arms": arms, "visits": visits, "outcomes": outcomes, "report": statements}
    )
    people = replace(
        snapshot,
        adverse_events=snapshot.adverse_events.assign(verbatim=HOSTILE, name=HOSTILE),
        deviations=snapshot.deviations.assign(description=HOSTILE),
        corrections=snapshot.corrections.assign(reason=HOSTILE, old=HOSTILE, new=HOSTILE),
        rehearsal=HOSTILE,
        source="ledger",
        software=HOSTILE,
    )
    told = replace(results, sentences=dict.fromkeys(results.sentences, HOSTILE))
    text = page(bad, people, told)
    tree = Tree(text)
    assert not tree.all("script")
    assert not [name for element in tree.elements for name in element["attributes"] if name.startswith("on")]
    assert "49" not in [element["text"].strip() for element in tree.all("p", "dd")]
    assert tree.all("h1")[0]["text"].strip() == HOSTILE
    assert text.count("&lt;script&gt;") > 50


def test_every_ink_is_readable_on_its_paper(text):
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    light, dark = re.findall(r":root \{([^}]*--paper[^}]*)\}", style)
    for theme in (light, dark):
        colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for ink, paper, least in (
            ("ink", "paper", 7.0),
            ("ink", "panel", 7.0),
            ("quiet", "paper", 4.5),
            ("link", "paper", 4.5),
            ("alarm-ink", "alarm-paper", 4.5),
            ("arm-1", "paper", 4.5),
            # The second arm's colour is that of bold type of 12 points and of lines: 3 is asked for.
            ("arm-2", "paper", 3.0),
        ):
            assert contrast(colour[ink], colour[paper]) >= least, (ink, paper)


def contrast(first: str, second: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_printed_page_is_light_and_repeats_heads(text):
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    printed = style[style.index("@media print") :]
    assert "size: A4" in printed
    assert "table-header-group" in printed
    assert "@media screen and (prefers-color-scheme: dark)" in style


def test_a_trial_in_which_nobody_is_randomised_yet_has_a_report(protocol, snapshot):
    nobody = replace(
        snapshot,
        participants=snapshot.participants[:0],
        visits=snapshot.visits[:0],
        values=snapshot.values[:0],
        adverse_events=snapshot.adverse_events[:0],
        deviations=snapshot.deviations[:0],
        corrections=snapshot.corrections[:0],
    )
    text = page(protocol, nobody, analysis.run(protocol, nobody))
    tree = Tree(text)
    assert "there is no primary result" in section(text, "summary")
    assert "Nobody is randomised yet." in section(text, "completeness")
    assert "No adverse event is recorded." in section(text, "harms")
    assert [drawing["attributes"]["id"] for drawing in tree.all("svg")] == ["figure-flow", "figure-stopping-SR1"]


def test_three_arms_without_an_estimand_are_compared_by_name(protocol, snapshot):
    third = protocol.arms[0].model_copy(update={"id": "LOW", "name": "Low dose"})
    plans = [
        each.model_copy(update={"estimand": None})
        for each in protocol.analyses
        if each.id in ("means_cd4", "cd4_welch")
    ]
    several = protocol.model_copy(
        update={"arms": (protocol.arms[0], third, protocol.arms[1]), "analyses": tuple(plans), "estimands": ()}
    )
    several.__dict__.pop("arm_ids", None)  # the copy keeps what the first protocol had worked out
    people = snapshot.participants.copy()
    people.loc[people.index[people["arm"].notna()][::3], "arm"] = "LOW"
    divided = replace(snapshot, participants=people)
    results = analysis.run(several, divided)
    text = page(several, divided, results)
    tree = Tree(text)
    assert "Welch’s t test, NK + ART v ART" in text
    assert "Welch’s t test, Low dose v ART" in text
    assert (
        len([drawing for drawing in tree.all("svg") if drawing["attributes"]["id"].startswith("figure-lines-cd4-")])
        == 3
    )
    for id, field, in_full, _ in numbers_on(tree):
        assert float(in_full) == getattr(results.row(id), field)
