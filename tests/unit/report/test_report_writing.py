"""Writing: where the page goes."""

from equipoise import report


def test_the_report_is_one_file_in_a_folder_that_is_made(tmp_path, protocol, snapshot, results, text):
    path = report.write(protocol, snapshot, results, tmp_path / "a" / "b")
    assert path == tmp_path / "a" / "b" / "report.html"
    assert path.read_bytes() == text.encode()
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_an_older_page_is_replaced(tmp_path, protocol, snapshot, results, text):
    (tmp_path / "report.html").write_text("older and longer " * 100_000)
    assert report.write(protocol, snapshot, results, tmp_path).read_bytes() == text.encode()
