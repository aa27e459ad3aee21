"""The how-to says what happens: its files, run, give its text."""

import re

import pytest

from equipoise import analysis
from equipoise.exchange import TableRefused, read_long_table
from equipoise.protocol import parse


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs/how-to/analyse-your-own-data.md").read_text(encoding="utf-8")


def block(page, language):
    (found,) = re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)
    return found


def test_the_how_to_gives_the_result_that_it_prints(page, tmp_path):
    table = tmp_path / "ferritin.csv"
    table.write_text(block(page, "csv"), encoding="utf-8")
    snapshot = read_long_table(parse(block(page, "yaml").encode()), table)
    results = analysis.run(snapshot.protocol, snapshot)
    assert f"\n{results.sentences['primary']}\n" in page
    assert f"({len(results.rows)} numbers)" in page
    assert not [id for id in results.sentences if id.startswith("refused")]


def test_the_how_to_tells_the_faults_as_they_are(page, tmp_path):
    table = tmp_path / "broken.csv"
    text = block(page, "csv").replace("14.2", "14,2").replace("R5;placebo;f;6", "R5;iron;f;6")
    table.write_text(text.replace("R8;placebo;m;12", "R8;placebo;m;18"), encoding="utf-8")
    with pytest.raises(TableRefused) as refused:
        read_long_table(parse(block(page, "yaml").encode()), table)
    assert f"```\n{refused.value}\n```" in page
