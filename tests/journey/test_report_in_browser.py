"""A rehearsed trial's report in a real browser: nothing cut, nothing on top of another, nothing asked for."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from equipoise import analysis, conduct, report
from equipoise.design.rehearsal import rehearse

WIDTHS = (1280, 390)
SMALLEST_TEXT = 9.0  # CSS pixels

# Every text of a drawing as drawn (rotation and all), in CSS pixels, with its drawing and its font size on the screen.
TEXTS = """
return [...document.querySelectorAll('svg.drawing')].map(svg => {
  const box = svg.getBoundingClientRect();
  const scale = box.width / svg.viewBox.baseVal.width;
  const rectangle = r => ({left: r.left, top: r.top, right: r.right, bottom: r.bottom});
  return {
    id: svg.id, box: rectangle(box), width: box.width, height: box.height,
    texts: [...svg.querySelectorAll('text')].map(text => ({
      text: text.textContent, box: rectangle(text.getBoundingClientRect()),
      size: scale * parseFloat(getComputedStyle(text).fontSize),
    })),
  };
});
"""

# Boxes of the flow diagram with the texts in each, in the drawing's own units.
FLOW = """
const plain = b => ({left: b.x, top: b.y, right: b.x + b.width, bottom: b.y + b.height});
return [...document.querySelectorAll('#figure-flow g.flow')].map(group => ({
  box: plain(group.querySelector('rect').getBBox()),
  texts: [...group.querySelectorAll('text')].map(text => ({text: text.textContent, box: plain(text.getBBox())})),
}));
"""

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Seen:
    """What the browser showed and said at one width."""

    width: int
    overflow: int
    title: str
    banner: str
    drawings: list
    flow: list
    console: list
    asked: list


@pytest.fixture(scope="module")
def report_file(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the example trial, rehearsed; its re-randomisation test is shortened, since none is read here."""
    folder = tmp_path_factory.mktemp("trial")
    content = (checkout / "examples" / "nk-hiv" / "protocol.yaml").read_bytes().replace(b"draws: 20000", b"draws: 400")
    snapshot = conduct.snapshot(rehearse(folder / "trial", content, seed=1))
    return report.write(snapshot.protocol, snapshot, analysis.run(snapshot.protocol, snapshot), folder)


@pytest.fixture(scope="module", params=WIDTHS)
def seen(request: pytest.FixtureRequest, report_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    browser = started(tmp_path_factory.mktemp("browser"))
    try:
        size = {"width": request.param, "height": 900, "deviceScaleFactor": 1, "mobile": request.param < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(report_file.as_uri())
        sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        return Seen(
            width=request.param,
            overflow=browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth"),
            title=browser.title,
            banner=browser.execute_script("return document.querySelector('.banner').innerText"),
            drawings=browser.execute_script(TEXTS),
            flow=browser.execute_script(FLOW),
            console=browser.get_log("browser"),
            asked=asked_by(report_file.as_uri(), sent),
        )
    finally:
        browser.quit()


def started(profile: Path):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"):
        options.add_argument(f"--{flag}")
    for flag in ("disable-component-update", "disable-sync", "disable-quic", f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    names = ("chromium", "chromium-browser", "google-chrome")
    options.binary_location = next(path for name in names if (path := shutil.which(name)))
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def asked_by(page: str, sent: list[dict]) -> list[str]:
    """The addresses that the page itself asked for; the browser's own start page asks for others."""
    requests = [each["params"] for each in sent if each["method"] == "Network.requestWillBeSent"]
    return [each["request"]["url"] for each in requests if each["documentURL"] == page]


def overlap(first: dict, second: dict, give: float = 0.5) -> bool:
    """Whether two boxes share more than `give` in both directions."""
    across = min(first["right"], second["right"]) - max(first["left"], second["left"])
    down = min(first["bottom"], second["bottom"]) - max(first["top"], second["top"])
    return across > give and down > give


def inside(inner: dict, outer: dict, give: float = 0.5) -> bool:
    return (
        inner["left"] >= outer["left"] - give
        and inner["right"] <= outer["right"] + give
        and inner["top"] >= outer["top"] - give
        and inner["bottom"] <= outer["bottom"] + give
    )


def pairs(items: list):
    return ((a, b) for place, a in enumerate(items) for b in items[place + 1 :])


def test_the_page_does_not_scroll_sideways(seen):
    assert seen.overflow <= 0


def test_it_says_whose_report_it_is_and_that_it_is_a_rehearsal(seen):
    assert seen.title == "NK cells plus ART in immunological non-responders: trial report"
    assert seen.banner.startswith("Rehearsal with virtual participants: these are not results of a trial.")


def test_the_browser_has_nothing_to_complain_of(seen):
    assert seen.console == []


def test_nothing_is_asked_of_the_network(seen, report_file):
    assert seen.asked == [report_file.as_uri()]


def test_every_figure_is_there_and_fits(seen):
    assert len(seen.drawings) >= 14
    for drawing in seen.drawings:
        assert drawing["height"] > 100, drawing["id"]
        assert 250 < drawing["width"] <= seen.width, drawing["id"]


def test_no_text_of_a_figure_is_cut_off(seen):
    cut = [(d["id"], t["text"]) for d in seen.drawings for t in d["texts"] if not inside(t["box"], d["box"])]
    assert cut == []


def test_no_text_of_a_figure_is_on_top_of_another(seen):
    over = [
        (d["id"], a["text"], b["text"])
        for d in seen.drawings
        for a, b in pairs(d["texts"])
        if overlap(a["box"], b["box"])
    ]
    assert over == []


def test_every_text_of_a_figure_can_be_read(seen):
    small = [(d["id"], t["text"], t["size"]) for d in seen.drawings for t in d["texts"] if t["size"] < SMALLEST_TEXT]
    assert small == []


def test_texts_of_the_flow_diagram_stay_in_their_boxes_and_apart(seen):
    assert len(seen.flow) == 9
    for box in seen.flow:
        assert all(inside(text["box"], box["box"]) for text in box["texts"]), box
        assert not [pair for pair in pairs(box["texts"]) if overlap(pair[0]["box"], pair[1]["box"])]
    assert not [pair for pair in pairs([each["box"] for each in seen.flow]) if overlap(*pair)]
