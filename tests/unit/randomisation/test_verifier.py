"""The standalone verifier, copied out and run by a Python that cannot see the package."""

import json
import subprocess
import sys
from importlib.resources import files

import pytest

from equipoise.randomisation import Place, commit, reveal_document, sequence, verifier, verifier_source


@pytest.fixture
def document(two_arms, secret):
    """Eight allocations in each of two strata, by blocks of 4 or 6."""
    method = two_arms("permuted_blocks", block_sizes=[4, 6])
    rows = sequence(method, secret, trial="DEMO", places=[Place("F"), Place("M")] * 8)
    return reveal_document(
        method,
        secret,
        trial="DEMO",
        protocol_hash="abc",
        commitment=commit(secret, "abc", method),
        allocations=rows,
    )


@pytest.fixture
def verify(tmp_path, capsys):
    """`verify(document)` gives the exit code and the lines printed."""

    def run(content):
        path = tmp_path / "allocations.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        code = verifier.main([str(path)])
        return code, capsys.readouterr().out.splitlines()

    return run


def test_the_file_copied_out_runs_alone(tmp_path, document):
    script = tmp_path / "verifier.py"
    script.write_text(verifier_source(), encoding="utf-8")
    (tmp_path / "allocations.json").write_text(json.dumps(document))
    command = [sys.executable, "-I", "-S", "-W", "error", script, "allocations.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "allocations read: 16; commitment and every allocation are right\n"
    document["allocations"][0]["arm"] = "ä"
    (tmp_path / "allocations.json").write_text(json.dumps(document))
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command[:1] + command[2:], cwd=tmp_path, capture_output=True, text=True, env=ascii_only)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(r"WRONG stratum F, number 1: recorded \xe4, the secret gives ")


def test_it_uses_the_standard_library_alone():
    imports = [line.split()[1] for line in verifier_source().splitlines() if line.startswith(("import ", "from "))]
    assert {name.partition(".")[0] for name in imports} <= sys.stdlib_module_names
    assert (files("equipoise.randomisation") / "verifier.py").read_text(encoding="utf-8") == verifier_source()


def test_it_names_every_altered_arm(document, verify):
    row = document["allocations"][5]
    given, row["arm"] = row["arm"], "none"
    assert verify(document) == (
        1,
        [
            f"WRONG stratum M, number 3: recorded none, the secret gives {given}",
            "allocations read: 16; faults found: 1",
        ],
    )


def test_it_names_removed_reordered_and_doubled_rows(document, verify):
    rows = document["allocations"]
    last, first = rows.pop(), rows.pop(0)
    assert verify(document)[1][:2] == ["WRONG stratum M, number 8: missing", "WRONG stratum F, number 1: missing"]
    rows[:0] = [first]
    rows += [last, first]
    rows[2], rows[4] = rows[4], rows[2]
    assert verify(document)[1] == [
        "WRONG stratum F, number 2: stands after number 3, out of order",
        "WRONG stratum F, number 1: recorded twice",
        "allocations read: 17; faults found: 2",
    ]


def test_it_names_rows_beyond_the_count(document, verify):
    document["counts"]["F"] = 7
    assert verify(document)[1][0] == "WRONG stratum F, number 8: beyond the 7 allocations counted"


def test_it_misses_a_stratum_that_was_taken_out_whole(document, verify):
    document["allocations"] = [row for row in document["allocations"] if row["stratum"] == "F"]
    assert verify(document)[1][0] == "WRONG stratum M, number 1: missing"


@pytest.mark.parametrize(
    ("name", "value"),
    [("secret", "0" * 64), ("protocol_hash", "abd"), ("commitment", "0" * 64), ("parameters", {"block_sizes": [4]})],
)
def test_it_sees_another_secret_protocol_commitment_or_parameter(document, verify, name, value):
    document[name] = value
    code, lines = verify(document)
    assert code == 1
    assert lines[0] == "WRONG commitment: secret, protocol hash and method are not those committed to"


def test_it_names_what_it_cannot_recompute(two_arms, secret, verify):
    method = two_arms("minimisation", factors=["sex"])
    rows = sequence(method, secret, trial="DEMO", places=[Place("", {"sex": each}) for each in "FMFM"])
    document = reveal_document(
        method, secret, trial="DEMO", protocol_hash="", commitment=commit(secret, "", method), allocations=rows
    )
    assert verify(document)[0] == 0
    taken = document["allocations"].pop(1)
    assert verify(document)[1][:2] == [
        "WRONG number 2: missing",
        "WRONG number 2: without it the places after it cannot be recomputed",
    ]
    document["allocations"].insert(1, taken | {"factors": {}})
    assert verify(document)[1][:1] == ["WRONG number 2: a factor is missing; from here on nothing can be recomputed"]


def test_it_names_rows_beyond_the_planned_places(two_arms, secret, verify):
    method = two_arms("maximal_procedure", n=4)
    rows = sequence(method, secret, trial="DEMO", places=[Place()] * 4)
    document = reveal_document(
        method, secret, trial="DEMO", protocol_hash="", commitment=commit(secret, "", method), allocations=rows
    )
    document["allocations"].append(document["allocations"][0] | {"number": 5})
    document["counts"][""] = 5
    assert verify(document)[1][0] == "WRONG number 5: beyond the 4 planned places"


UNREADABLE = [
    (b"", "not JSON in UTF-8"),
    (b"\xff", "not JSON in UTF-8"),
    (b"[" * 100_000, "not JSON in UTF-8"),
    (b"[]", "format is not equipoise/allocations/1"),
    (b'{"format": "equipoise/allocations/1", "format": "x"}', "a name stands twice in one object"),
    (b'{"format": "equipoise/allocations/1"}', "trial is missing or of the wrong kind"),
]


@pytest.mark.parametrize(("content", "problem"), UNREADABLE)
def test_a_file_that_is_no_document_is_not_verified(verify, content, problem):
    code, lines = verify(content)
    assert code == 1
    assert lines[0].startswith(f"cannot be verified: {problem}")


BROKEN = [
    ({"secret": "00"}, "secret is not 64 hexadecimal digits"),
    ({"arms": ["A"]}, "arms are not a list of texts"),
    ({"arms": ["A", "A"]}, "arms and ratio do not name the same arms"),
    ({"ratio": {"A": 1}}, "arms and ratio do not name the same arms"),
    ({"ratio": {"A": 1, "B": True}}, "ratio holds something else than whole numbers"),
    ({"counts": []}, "counts is missing or of the wrong kind"),
    ({"counts": {}}, "counts has no number for stratum 'F'"),
    ({"counts": {"F": 10**9, "M": 8}}, "counts holds too large a number"),
    ({"allocations": {}}, "allocations is missing or of the wrong kind"),
    ({"allocations": [{"number": 1}]}, "allocations[0] is not a number, stratum, factors and arm"),
    ({"trial": "A\0"}, "'A\\x00' has no single spelling"),
    ({"trial": "\ud800"}, "'utf-8' codec can't encode"),
    ({"parameters": {}}, "parameters.block_sizes is missing or of the wrong kind"),
    ({"parameters": {"block_sizes": [0]}}, "block_sizes is not a list of sizes"),
    ({"parameters": {"block_sizes": [1]}}, "the parameters do not make a method"),
    ({"method": "coin"}, "method coin is not known"),
    ({"method": "big_stick", "parameters": {"mti": 10**9}}, "parameters.mti is not from 1 to 50"),
    (
        {"method": "maximal_procedure", "parameters": {"mti": 3, "n": 10**9}},
        "parameters.n is not from 1 to 2000",
    ),
    ({"method": "biased_coin", "parameters": {"p": "3/2"}}, "'3/2' is not a fraction in lowest terms"),
    ({"method": "biased_coin", "parameters": {"p": "0.5"}}, "'0.5' is not a fraction"),
    (
        {"method": "big_stick", "arms": ["A", "B", "C"], "ratio": {"A": 1, "B": 1, "C": 1}},
        "big_stick is not a method for 3 arms",
    ),
    (
        {"method": "minimisation", "parameters": {"factors": [1]}},
        "parameters.factors holds something else than texts",
    ),
]


@pytest.mark.parametrize(("change", "problem"), BROKEN)
def test_a_broken_document_is_not_verified_and_shows_no_traceback(document, verify, change, problem):
    code, lines = verify(document | change)
    assert code == 1
    assert lines[0].startswith(f"cannot be verified: {problem}")


def test_it_says_how_it_is_called_and_what_it_cannot_open(tmp_path, capsys):
    assert verifier.main([]) == 1
    assert capsys.readouterr().out == "usage: python verifier.py allocations.json\n"
    assert verifier.main([str(tmp_path / "none.json")]) == 1
    assert capsys.readouterr().out.startswith("cannot be verified: [Errno 2] No such file or directory")


def test_it_prints_nothing_that_steers_a_terminal(document, verify):
    document["allocations"][0]["arm"] = "\x1b[2J"
    assert r"recorded \x1b[2J, the secret" in verify(document)[1][0]


def test_it_never_prints_the_secret(document, verify):
    for change in ({}, {"commitment": "0" * 64}, {"arms": []}):
        assert document["secret"] not in "".join(verify(document | change)[1])
