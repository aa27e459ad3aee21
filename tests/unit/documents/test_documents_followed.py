"""Every command and every line of Python that a page shows is run, and gives what the page says it gives."""

import shutil

import pytest


@pytest.mark.parametrize(
    "page",
    [
        "tutorial/first-trial",
        "tutorial/acts-from-python",
        "how-to/write-a-protocol",
        "how-to/choose-a-stopping-rule",
        "how-to/grade-laboratory-values",
        "how-to/match-donors",
        "how-to/code-adverse-events",
    ],
)
def test_a_page_can_be_followed_from_an_empty_folder(follow, page):
    assert follow(f"docs/{page}.md") == ""


@pytest.mark.parametrize(
    "name", ["keep-the-record-safe", "check-the-allocations", "read-results", "follow-the-product"]
)
@pytest.mark.usefixtures("first")
def test_how_to_pages_can_be_followed_in_the_trial_of_the_tutorial(follow, name):
    assert follow(f"docs/how-to/{name}.md") == ""


def test_the_page_on_a_ligand_reference_can_be_followed_with_a_file_in_the_official_form(follow, checkout, tmp_path):
    shutil.copy(checkout / "tests/unit/donors/files/hla_prot.fasta", tmp_path)
    assert follow("docs/how-to/build-a-ligand-reference.md") == ""


@pytest.mark.postgresql
def test_the_page_on_postgresql_can_be_followed(follow, cluster):
    assert follow("docs/how-to/use-postgresql.md", PGHOST=str(cluster.folder), PGUSER="owner") == ""
