"""Links between the project's pages lead somewhere, and a link that does not is found."""

import importlib.util
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def links(checkout) -> ModuleType:
    specification = importlib.util.spec_from_file_location("links", checkout / "tools" / "links.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def page(tmp_path):
    (tmp_path / "other page.md").write_text("# One\n## The `ledger`, again\n## One\n```\n# not a heading\n```\n")

    def write(text):
        path = tmp_path / "page.md"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    "target",
    [
        "other%20page.md",
        "<other%20page.md>",
        "other%20page.md#one",
        "other%20page.md#one-1",
        "other%20page.md#the-ledger-again",
        "#here",
        "https://example.org/none",
        "mailto:someone@example.org",
    ],
)
def test_a_link_that_leads_somewhere(links, page, target):
    assert links.broken_links(page(f"# Here\nsee [it]({target})")) == []


@pytest.mark.parametrize(
    "target", ["none.md", "other%20page.md#two", "other%20page.md#not-a-heading", "#there", "../x.svg"]
)
def test_a_link_that_leads_nowhere_is_found(links, page, target):
    assert links.broken_links(page(f"# Here\nsee ![it]({target}) and [here](#here)")) == [target]


def test_code_is_not_read_for_links(links, page):
    assert links.broken_links(page("`x[0](none.md)`\n```python\n[a](none.md)\n```\n")) == []


def test_every_link_of_the_project_leads_somewhere(links, checkout):
    pages = links.project_pages(checkout)
    assert checkout / "docs" / "architecture.md" in pages
    assert [f"{page.relative_to(checkout)}: {target}" for page in pages for target in links.broken_links(page)] == []
