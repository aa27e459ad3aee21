"""A report made of hostile texts: from the protocol, from those who act, and from names in other scripts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from equipoise import analysis, conduct, report
from equipoise.ledger import Actor
from equipoise.randomisation import Secret

SECRET = Secret(bytes(range(32)))
MANAGER, DOCTOR = Actor("dm", "data_manager"), Actor("pi", "investigator", "01")
START = datetime(2026, 2, 1, 9, tzinfo=UTC)

HOSTILE = "</title></svg></style><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}{% raw %}$\\frac$"
LONG = "Longword" * 60 + " and more" * 40
CHINESE = "自然殺傷細胞聯合抗逆轉錄病毒治療組"
HEBREW = "\u05e7\u05d1\u05d5\u05e6\u05ea \u05d4\u05d8\u05d9\u05e4\u05d5\u05dc"
TEXTS = {"hostile": HOSTILE, "long": LONG, "chinese": CHINESE, "hebrew": HEBREW}

OUTLINE = (files("equipoise.cli") / "examples" / "outline.yaml").read_text(encoding="utf-8")
PLAIN = (
    "A randomised trial of one treatment against another", "short: My trial", "My hospital", "New treatment",
    "Usual treatment", "the condition under study", "18 years or older", "text: Pregnant", "name: Baseline",
    "name: Month 3", "Not done", "title: Score", "question: Total score", "Visit outside its window", "Other reason",
    "Withdrew", "name: Score", "Full analysis set", "All randomised, as randomised",
)  # fmt: skip


def protocol_with(text: str) -> str:
    """The outline with the text behind every text that is a person's own words."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    protocol = OUTLINE
    for plain in PLAIN:
        key, colon, words = plain.rpartition(": ")
        assert plain in protocol, plain
        replacement = f'{key}{colon}"{words} {quoted}"'
        protocol = protocol.replace(f'{key}{colon}"{words}"', replacement)
        protocol = re.sub(re.escape(plain) + r"(?=[,}\n]|\s+#)", lambda _, new=replacement: new, protocol)
    return protocol


class Trial:
    """An open trial and its clock."""

    def __init__(self, folder: Path, text: str) -> None:
        self.at, self.text = START, text
        content = protocol_with(text).encode()
        self.trial = conduct.create(folder, content, secret=SECRET, by=MANAGER, reason=text, at=START)

    def entry(self) -> dict[str, object]:
        self.at += timedelta(minutes=1)
        return {"by": DOCTOR, "reason": self.text, "at": self.at}

    def enrol(self, total: int) -> str:
        day = self.at.date()
        code = conduct.screen(self.trial, site="01", on=day, **self.entry())
        conduct.consent(self.trial, code, consent_id="main", version="1.0", signed_on=day, **self.entry())
        self.record(code, "screening", "screening", {"age": 40, "pregnant": "no"})
        self.record(code, "m0", "score", {"total": total})
        conduct.declare_eligible(self.trial, code, **self.entry())
        conduct.randomise(self.trial, code, **self.entry())
        return code

    def record(self, code: str, visit: str, form: str, values: dict[str, object]) -> None:
        conduct.record(self.trial, code, visit, form, values, visit_date=self.at.date(), **self.entry())

    def report(self, folder: Path) -> str:
        snapshot = conduct.snapshot(self.trial)
        results = analysis.run(snapshot.protocol, snapshot)
        return report.write(snapshot.protocol, snapshot, results, folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=TEXTS)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A text, and the report of a small trial that holds it wherever a person can put it."""
    text, folder = TEXTS[request.param], tmp_path_factory.mktemp(request.param)
    made = Trial(folder / "trial", text)
    codes = [made.enrol(40 + 7 * place % 25) for place in range(6)]
    made.at += timedelta(days=89)
    for place, code in enumerate(codes[:-1]):
        made.record(code, "m3", "score", {"total": 45 + 11 * place % 30})
    conduct.correct(made.trial, codes[0], "m3", "score", "total", "46", **made.entry())
    conduct.miss_visit(made.trial, codes[-1], "m3", cause=text, **made.entry())
    conduct.deviation(
        made.trial, codes[-1], category="MISSED", on=made.at.date(), description=text, major=True, **made.entry()
    )
    conduct.withdraw(made.trial, codes[-1], reason_code="WITHDRAWAL BY SUBJECT", on=made.at.date(), **made.entry())
    html = made.report(folder / "report")
    made.trial.close()
    return text, html


class Reader(HTMLParser):
    """What a browser would act on: elements, their attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_text_stays_a_text(page: tuple[str, str]):
    text, html = page
    read = Reader(html)
    assert not read.elements & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "blink"}
    assert not [name for name in read.attributes if name.startswith("on")]
    shown = " ".join("".join(read.words).split())
    assert shown.count(" ".join(text.split())) > 10


def test_the_page_asks_for_nothing_from_elsewhere(page: tuple[str, str]):
    _, html = page
    assert "default-src 'none'" in html


def test_a_reason_goes_to_the_page_only_where_a_listing_shows_it(tmp_path: Path):
    made = Trial(tmp_path / "trial", "A")
    made.text = "y" * 200_000
    made.enrol(50)
    html = made.report(tmp_path / "report")
    made.trial.close()
    assert "y" * 1000 not in html
