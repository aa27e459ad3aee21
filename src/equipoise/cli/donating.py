"""Commands about donors: a ligand reference, what a typing shows, donors matched with recipients."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from equipoise.cli.by_example import ByExample
from equipoise.cli.outputs import check_out
from equipoise.cli.showing import counted, progress, say, say_json, say_refusal, table
from equipoise.refusals import Refusal, shown

if TYPE_CHECKING:
    from equipoise.donors.hla_typing import MacCodes
    from equipoise.donors.ligand_reference import Reference
    from equipoise.donors.matching import MatchMatrix

MOST_SHOWN = 20
SAID = {"none": "no ligand", "null": "no ligand (not expressed)", "Bw6": "Bw6 (no ligand)"}
RULES_SHOWN = """\b
The rules, each a mismatch when:
  ligand-ligand-gvh         the donor shows a ligand that the recipient lacks (also: ligand-ligand)
  ligand-ligand-hvg         the recipient shows a ligand that the donor lacks
  receptor-ligand           the donor has an inhibitory KIR whose ligand the recipient lacks
  receptor-ligand-c         the same for 2DL1, 2DL2 and 2DL3 alone
  missing-ligand            the recipient lacks one or more of C1, C2 and Bw4
  educated                  the donor has KIR and ligand, the recipient lacks the ligand
  hla-c-group-mismatch-gvh  the donor shows C1 or C2 and the recipient does not
  hla-cw-allele             the donor has an HLA-C protein that the recipient lacks
"""
AFile = click.Path(path_type=Path)


@click.group()
def hla() -> None:
    """Read HLA names and the ligands that they show."""


@hla.command(cls=ByExample, example="equipoise hla build A_prot.txt B_prot.txt C_prot.txt --out ligand-reference.csv")
@click.argument("files", nargs=-1, required=True, type=AFile)
@click.option("--out", required=True, type=AFile, help="Where the reference is written.")
@click.option("--release", help="The release, for files that do not state it.")
def build(files: tuple[Path, ...], out: Path, release: str | None) -> None:
    """Build a ligand reference from FILES of IPD-IMGT/HLA: A_prot.txt, B_prot.txt and C_prot.txt, or hla_prot.fasta."""
    from equipoise.analysis.whole_files import write_whole
    from equipoise.donors.hla_files import build_reference
    from equipoise.donors.ligand_reference import reference_text

    check_out(out, files)
    with progress("Reading") as show:
        reference = build_reference(files, release=release, progress=show)
    write_whole(out, reference_text(reference).encode())
    say(f"Wrote {out}: {counted(len(reference.entries), 'protein')}, {reference.title}")
    lacking = [locus for locus in ("A", "B", "C") if not any(name[0] == locus for name in reference.entries)]
    if lacking:
        say_refusal(f"It holds no allele of HLA-{', HLA-'.join(lacking)}: give that file too.")


@hla.command(cls=ByExample, example='equipoise hla show "C*07:02" "B*27:05"')
@click.argument("names", nargs=-1, required=True)
@click.option("--reference", "reference_path", type=AFile, help="A reference that `hla build` wrote.")
@click.option("--mac", "mac_path", type=AFile, help="A file of codes that stand for several alleles.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(names: tuple[str, ...], reference_path: Path | None, mac_path: Path | None, as_json: bool) -> None:
    """Show the ligand group of each of NAMES, such as C*07:02 or Cw7, and what must be said of it."""
    from equipoise.donors.hla_names import parse_designation
    from equipoise.donors.hla_typing import parse_typing
    from equipoise.donors.ligands import copy_groups

    reference, mac = opened(reference_path, mac_path)
    found: list[dict[str, Any]] = []
    for name in names:
        if any(sign in name for sign in "+|^~"):
            raise Refusal("names", name, "is a whole genotype", "give its alleles one by one")
        locus = parse_designation(name.partition("/")[0]).locus
        typing = parse_typing(name, locus, mac=mac)
        groups, warnings = copy_groups(typing, reference)
        alleles = [allele.name for allele in typing.alleles] + [f"{locus}*{family}" for family in typing.families]
        found.append(
            {"name": name, "may be": alleles, "groups": sorted(groups), "warnings": [*typing.warnings, *warnings]}
        )
    if as_json:
        say_json({"reference": reference.title, "names": found})
        return
    rows: list[tuple[str, ...]] = [("name", "group", "remarks")]
    for each in found:
        said = " or ".join(SAID.get(group, group) for group in each["groups"])
        rows.append((each["name"], said, "; ".join(each["warnings"])))
    say(table(rows))
    say(f"Reference: {reference.title}")


@click.group()
def donors() -> None:
    """Compare donors with recipients."""


@donors.command(
    cls=ByExample,
    epilog=RULES_SHOWN,
    example="equipoise donors match --donors donors.csv --recipients recipients.csv --rule educated --out pairs.csv",
)
@click.option("--donors", "donors_path", required=True, type=AFile, help="Table of donors: id, A_1 to C_2, KIR.")
@click.option("--recipients", "recipients_path", required=True, type=AFile, help="Table of recipients, likewise.")
@click.option("--rule", required=True, help="The deciding rule, one of those below.")
@click.option("--out", required=True, type=AFile, help="Where the table of all pairs is written, as CSV.")
@click.option("--loci", default="A,B,C", show_default=True, help="Loci whose ligands count.")
@click.option("--with-a3-a11", is_flag=True, help="Count A3 and A11, ligands of KIR3DL2.")
@click.option("--reference", "reference_path", type=AFile, help="A reference that `hla build` wrote.")
@click.option("--mac", "mac_path", type=AFile, help="A file of codes that stand for several alleles.")
@click.option("--json", "as_json", is_flag=True, help="Print all pairs and who is not served as JSON.")
def match(
    donors_path: Path,
    recipients_path: Path,
    rule: str,
    out: Path,
    loci: str,
    with_a3_a11: bool,
    reference_path: Path | None,
    mac_path: Path | None,
    as_json: bool,
) -> None:
    """Compare every donor with every recipient under all models; --rule decides, the others stand beside it."""
    from equipoise.donors.matching import match as match_all
    from equipoise.donors.mismatch import rule_named
    from equipoise.donors.people import PersonReader
    from equipoise.exchange.matching_tables import as_cells, read_people, write_matrix

    deciding = rule_named(rule)
    check_out(out, (donors_path, recipients_path, reference_path, mac_path))
    reference, mac = opened(reference_path, mac_path)
    wanted = [locus.strip().upper() for locus in loci.split(",") if locus.strip()]
    reader = PersonReader(reference, loci=wanted, with_a3_a11=with_a3_a11, mac=mac)
    givers = read_people(donors_path, reader)
    takers = read_people(recipients_path, reader, kir=False)
    matrix = match_all(givers, takers, deciding, reference=reference.title)
    write_matrix(matrix, out)
    if as_json:
        pairs = [as_cells(pair) for pair in matrix.pairs()]
        say_json(
            {
                "rule": deciding,
                "reference": reference.title,
                "counts": dict(matrix.counts),
                "unserved": list(matrix.unserved),
                "may_be_served": list(matrix.may_be_served),
                "pairs": pairs,
            }
        )
        return
    say_summary(matrix, out)


def say_summary(matrix: MatchMatrix, out: Path) -> None:
    """Say how many pairs are what, who is best for whom, and whom no donor can serve."""
    from equipoise.donors.mismatch import RULES

    many = len(matrix.donors), len(matrix.recipients)
    by = f"{counted(many[0], 'donor')} by {counted(many[1], 'recipient')}"
    say(f"Wrote {out}: {by}, rule {matrix.rule}: {RULES[matrix.rule]}")
    say(", ".join(f"{count:,} {verdict}" for verdict, count in matrix.counts.items()))
    rows: list[tuple[str, ...]] = [("recipient", "best donor", "verdict", "on", "B-content")]
    for place in range(min(many[1], MOST_SHOWN)):
        pair = matrix.pair(place, int(matrix.ranked(place)[0]))
        donor, content = ("none", "") if pair.verdict == "match" else (pair.donor, pair.b_content)
        rows.append((shown(pair.recipient), shown(donor), pair.verdict, " ".join(pair.missing_ligands), content))
    say(table(rows))
    if many[1] > MOST_SHOWN:
        say(f"and {many[1] - MOST_SHOWN:,} more recipients, in {out}")
    if matrix.unserved:
        of = counted(many[1], "recipient")
        say(f"No donor is a mismatch for {len(matrix.unserved):,} of {of}: {some_of(matrix.unserved)}")
    if matrix.may_be_served:
        say(f"More typing may yet find one for: {some_of(matrix.may_be_served)}")
    warned = sum(bool(person.warnings) for person in (*matrix.donors, *matrix.recipients))
    if warned:
        say(f"Warnings about the typing of {counted(warned, 'code')}: see the column warnings")
    say(f"Ligands by {matrix.reference}")


def some_of(codes: tuple[str, ...]) -> str:
    """The first codes, and how many more there are."""
    more = f" and {len(codes) - MOST_SHOWN:,} more" if len(codes) > MOST_SHOWN else ""
    return ", ".join(map(shown, codes[:MOST_SHOWN])) + more


def opened(reference_path: Path | None, mac_path: Path | None) -> tuple[Reference, MacCodes | None]:
    """The reference and codes that a person names, or the common alleles and none."""
    from equipoise.donors.hla_typing import read_mac_codes
    from equipoise.donors.ligand_reference import builtin_reference, read_reference

    for name, path in (("reference", reference_path), ("mac", mac_path)):
        if path is not None and not path.is_file():
            raise Refusal(name, path, "is not a file", "check its name")
    reference = builtin_reference() if reference_path is None else read_reference(reference_path)
    return reference, None if mac_path is None else read_mac_codes(mac_path)
